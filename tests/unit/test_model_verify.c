/* SPDX-License-Identifier: Apache-2.0 */
/* What only det_model_verify finds: such files can be opened. */
#include "src/base/memory.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <string.h>

/* Writes a sketch, which must open well and fail verification. */
static void assert_found(const test_sketch *sketch, const char *where, const char *message)
{
    const char *path = test_path("unsound.safetensors");
    det_model *model = NULL;
    det_error error = {0};
    test_assert_ok(det_model_write(sketch->model, path, &error), &error);
    test_assert_ok(det_model_open(path, &model, &error), &error);
    det_model_free(model);
    test_assert_error(det_model_verify(path, &error), DET_FORMAT, &error, message);
    assert_string_equal(error.where, where);
    assert_string_equal(error.file, path);
}

static void a_sound_model_passes(void **state)
{
    (void)state;
    det_error error = {0};
    test_small_network(test_path("sound.safetensors"));
    test_assert_ok(det_model_verify(test_path("sound.safetensors"), &error), &error);
}

static void weights_that_are_not_finite_are_found(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    float *weights = sketch.values[0], *biases = sketch.values[1];
    const float sound = weights[107];
    weights[107] = NAN;
    assert_found(&sketch, "tensor 'conv1.weight'", "value 107 of 108 is not a number");
    weights[107] = sound;
    biases[0] = -INFINITY;
    assert_found(&sketch, "tensor 'conv1.bias'", "value 0 of 4 is infinite");
    test_sketch_free(&sketch);
}

static void classes_without_a_name_are_found(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    sketch.model->classes[3].name[0] = '\0';
    assert_found(&sketch, "model.classes[3].name", "the class has no name");
    test_sketch_free(&sketch);
}

static void a_model_without_probabilities_is_found(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    sketch.model->probabilities = DET_NO_NODE;
    assert_found(&sketch, "model.outputs.probabilities", "no layer gives probabilities");
    test_sketch_free(&sketch);
}

/* The name of the bias's tensor in the graph becomes that of another member. */
static void tensors_that_no_layer_uses_are_found(void **state)
{
    (void)state;
    const char *path = test_path("unused.safetensors");
    static const char from[] = "\\\"bias\\\":\\\"fc.bias\\\"",
                      to[] = "\\\"blas\\\":\\\"fc.bias\\\"";
    det_bytes bytes = {0};
    det_error error = {0};
    test_small_network(path);
    test_assert_ok(det_file_read(path, 1 << 20, &bytes, &error), &error);
    char *found = memmem(bytes.data, bytes.size, from, strlen(from));
    assert_non_null(found);
    memcpy(found, to, strlen(to));
    test_write_file(path, bytes.data, bytes.size);
    det_bytes_free(&bytes);
    test_assert_error(det_model_verify(path, &error), DET_FORMAT, &error, "no layer uses its 5");
    assert_string_equal(error.where, "tensor 'fc.bias'");
}

static void rounded_weights_beyond_their_bits_are_found(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    int8_t rounded[12] = {127, -127, 63};
    test_sketch_round_branch(&sketch, rounded, NULL);
    const char *path = test_path("rounded.safetensors");
    det_error error = {0};
    test_assert_ok(det_model_write(sketch.model, path, &error), &error);
    test_assert_ok(det_model_verify(path, &error), &error);
    rounded[1] = -128;
    assert_found(&sketch, "layer 'branch1'", "rounded weight 1 is -128, beyond 127");
    rounded[1] = -64;
    test_sketch_round_branch(&sketch, NULL, rounded);
    rounded[0] = 63;
    assert_found(&sketch, "layer 'branch1'", "rounded weight 1 is -64, beyond 63");
    test_sketch_free(&sketch);
}

static void what_opening_refuses_is_refused_here_too(void **state)
{
    (void)state;
    det_error error = {0};
    test_write_file(test_path("short.safetensors"), "\2\0\0\0\0\0\0\0{", 9);
    test_assert_error(det_model_verify(test_path("short.safetensors"), &error), DET_FORMAT, &error,
                      "1 bytes are missing");
    test_assert_error(det_model_verify(test_path("absent.safetensors"), &error), DET_IO, &error,
                      "No such file");
}

static void short_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
#ifdef DET_FAULT_INJECTION
    const char *path = test_path("sound.safetensors");
    test_small_network(path);
    det_status status = DET_MEMORY;
    for (uint64_t n = 1; status != DET_OK; n++) {
        det_error error = {0};
        det_memory_fail_at(n);
        status = det_model_verify(path, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
    }
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_model_passes),
        cmocka_unit_test(weights_that_are_not_finite_are_found),
        cmocka_unit_test(classes_without_a_name_are_found),
        cmocka_unit_test(a_model_without_probabilities_is_found),
        cmocka_unit_test(tensors_that_no_layer_uses_are_found),
        cmocka_unit_test(rounded_weights_beyond_their_bits_are_found),
        cmocka_unit_test(what_opening_refuses_is_refused_here_too),
        cmocka_unit_test(short_memory_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
