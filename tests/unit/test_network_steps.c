/* SPDX-License-Identifier: Apache-2.0 */
/* What a network says of its steps, the times of these, and Winograd convolutions beside direct
 * ones. */
#include "detect/network.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/nn/model_file.h"
#include "tests/unit/support_network.h"
#include "tests/unit/support_reference.h"

#include <math.h>
#include <string.h>

enum { side = 16, classes = 5, batch = 3, most_steps = 64 };

typedef struct {
    det_model *model;
    det_network *network;
    det_worker *worker;
    uint8_t pixels[batch * side * side * 3];
    float values[batch * classes], *output;
} fixture;

static void set_up(fixture *f, int threads)
{
    const char *path = test_path("small");
    test_small_network(path);
    det_error error = {0};
    test_assert_ok(det_model_open(path, &f->model, &error), &error);
    const det_network_options options = {.batch = batch, .threads = threads};
    test_assert_ok(det_network_compile(f->model, &options, &f->network, &error), &error);
    const det_network *const network = f->network;
    test_assert_ok(det_worker_create(&network, 1, &f->worker, &error), &error);
    assert_true(det_network_step_count(f->network) < most_steps);
    f->output = f->values;
    det_random random = det_random_create(3, 4);
    for (size_t i = 0; i < sizeof f->pixels; i++) f->pixels[i] = (uint8_t)det_random_u32(&random);
}

static void tear_down(fixture *f)
{
    det_worker_free(f->worker);
    det_network_free(f->network);
    det_model_free(f->model);
}

/* The layers whose kind does not depend on the processor. */
static void every_step_has_the_kind_of_its_layer(void **state)
{
    (void)state;
    static const char *const expected[][2] = {{"conv1", "convolution"}, {"pool1", "pooling"},
                                              {"norm1", "LRN"},         {"pool2", "pooling"},
                                              {"fc", "inner product"},  {"prob", "softmax"}};
    fixture f;
    set_up(&f, 1);
    size_t found = 0;
    for (size_t i = 0; i < det_network_step_count(f.network); i++) {
        const char *layer = NULL, *implementation = NULL;
        const char *kind = det_network_step_kind(f.network, i);
        det_network_step(f.network, i, &layer, &implementation);
        assert_string_not_equal(kind, "other");
        for (size_t j = 0; j < sizeof expected / sizeof *expected; j++)
            found += strcmp(layer, expected[j][0]) == 0 && strcmp(kind, expected[j][1]) == 0;
    }
    assert_int_equal(found, sizeof expected / sizeof *expected);
    tear_down(&f);
}

/* Both are element by element to oneDNN. */
static void a_sigmoid_and_a_relu_are_told_apart(void **state)
{
    (void)state;
    test_sketch sketch = test_sketch_create(side, side);
    const int relu = test_sketch_chain(&sketch, "relu", (det_node){.op = DET_OP_RELU}, DET_PICTURE);
    test_sketch_chain(&sketch, "prob", (det_node){.op = DET_OP_SIGMOID}, relu);
    det_network *network = NULL;
    det_error error = {0};
    const char *to = "prob";
    const det_network_options options = {.to = &to, .to_count = 1};
    test_assert_ok(det_network_compile(sketch.model, &options, &network, &error), &error);
    int relus = 0, sigmoids = 0;
    for (size_t i = 0; i < det_network_step_count(network); i++) {
        relus += strcmp(det_network_step_kind(network, i), "ReLU") == 0;
        sigmoids += strcmp(det_network_step_kind(network, i), "sigmoid") == 0;
    }
    assert_int_equal(relus, 1);
    assert_int_equal(sigmoids, 1);
    det_network_free(network);
    test_sketch_free(&sketch);
}

static void timed_steps_give_the_same_bits_and_add_to_the_sums(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        fixture f;
        det_error error = {0};
        set_up(&f, threads);
        test_assert_ok(
            det_network_run_pictures(f.network, f.worker, f.pixels, batch, &f.output, &error),
            &error);
        float timed[batch * classes], *output = timed;
        const size_t sums = det_network_step_count(f.network) + 1;
        double once[most_steps] = {0}, twice[most_steps];
        test_assert_ok(
            det_network_time_steps(f.network, f.worker, f.pixels, batch, &output, once, &error),
            &error);
        assert_memory_equal(timed, f.values, sizeof timed);
        memcpy(twice, once, sizeof twice);
        test_assert_ok(
            det_network_time_steps(f.network, f.worker, f.pixels, 1, &output, twice, &error),
            &error);
        for (size_t i = 0; i < sums; i++) assert_true(once[i] >= 0 && twice[i] >= once[i]);
        assert_true(twice[sums - 1] > once[sums - 1]);
        tear_down(&f);
    }
}

static void what_cannot_run_cannot_be_timed(void **state)
{
    (void)state;
    fixture f;
    det_error error = {0};
    double ms[most_steps] = {0};
    set_up(&f, 1);
    test_assert_error(
        det_network_time_steps(f.network, f.worker, f.pixels, batch + 1, &f.output, ms, &error),
        DET_ARGUMENT, &error, "4 pictures do not fit a batch of 3");
    for (size_t i = 0; i < most_steps; i++) assert_true(ms[i] == 0);
#ifdef DET_FAULT_INJECTION
    det_memory_fail_at(1);
    assert_int_equal(
        det_network_time_steps(f.network, f.worker, f.pixels, batch, &f.output, ms, NULL),
        DET_MEMORY);
    det_memory_fail_at(0);
#endif
    tear_down(&f);
}

/* ---- Winograd -------------------------------------------------------------------------------- */

static void run_convolutions(const test_sketch *sketch, int last, bool winograd, float *output,
                             const float *input)
{
    const char *name = sketch->model->graph.nodes[last].name;
    const det_network_options options = {
        .threads = 1, .to = &name, .to_count = 1, .winograd = winograd};
    det_network *network = NULL;
    det_worker *worker = NULL;
    det_error error = {0};
    test_assert_ok(det_network_compile(sketch->model, &options, &network, &error), &error);
    const det_network *const only = network;
    test_assert_ok(det_worker_create(&only, 1, &worker, &error), &error);
    test_assert_ok(det_network_run_tensor(network, worker, input, 1, &output, &error), &error);
    det_worker_free(worker);
    det_network_free(network);
}

/* 3 -> 32 -> 32 -> 48 channels on maps of 28 x 28, as in an Inception module; 3x3, 3x3, 1x1. */
static void winograd_agrees_with_direct_convolutions(void **state)
{
    (void)state;
    enum { map = 28, channels = 48 };
    static float input[3 * map * map], direct[channels * map * map], other[channels * map * map];
    test_sketch sketch = test_sketch_create(map, map);
    const det_window three = test_window(3, 1, 1), one = test_window(1, 1, 0);
    int last = DET_PICTURE;
    last = test_sketch_chain(
        &sketch, "a",
        (det_node){.op = DET_OP_CONVOLUTION, .groups = 1, .channels = 32, .window = three}, last);
    last = test_sketch_chain(
        &sketch, "b",
        (det_node){.op = DET_OP_CONVOLUTION, .groups = 1, .channels = 32, .window = three}, last);
    last = test_sketch_chain(
        &sketch, "c",
        (det_node){.op = DET_OP_CONVOLUTION, .groups = 1, .channels = channels, .window = one},
        last);
    det_random random = det_random_create(1, 1);
    for (size_t i = 0; i < (size_t)3 * map * map; i++)
        input[i] = (float)det_random_double(&random) - .5f;
    run_convolutions(&sketch, last, false, direct, input);
    run_convolutions(&sketch, last, true, other, input);
    float largest = 0;
    for (size_t i = 0; i < (size_t)channels * map * map; i++)
        largest = fmaxf(largest, fabsf(direct[i]));
    for (size_t i = 0; i < (size_t)channels * map * map; i++)
        assert_true(fabsf(direct[i] - other[i]) <= 1e-4f * largest);
    test_sketch_free(&sketch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_has_the_kind_of_its_layer),
        cmocka_unit_test(a_sigmoid_and_a_relu_are_told_apart),
        cmocka_unit_test(timed_steps_give_the_same_bits_and_add_to_the_sums),
        cmocka_unit_test(what_cannot_run_cannot_be_timed),
        cmocka_unit_test(winograd_agrees_with_direct_convolutions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
