/* SPDX-License-Identifier: Apache-2.0 */
/* A network learns from nothing and becomes a model file that says the same. */
#include "src/base/memory.h"
#include "src/nn/googlenet.h"
#include "src/train/network_loss.h"
#include "src/train/network_model.h"
#include "src/train/optimizer.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <string.h>

enum { SIDE = 48, BATCH = 6, CLASSES = 3, PIXELS = 3 * SIDE * SIDE };

static const size_t labels[BATCH] = {0, 1, 2, 0, 1, 2};
static det_class classes[CLASSES] = {{.name = "along", .category_id = -1},
                                     {.name = "across", .category_id = -1},
                                     {.name = "neither", .category_id = -1}};
static const det_model_recipe recipe = {.probabilities = "prob",
                                        .features = "pool5/7x7_s1",
                                        .classes = classes,
                                        .class_count = CLASSES,
                                        .background_index = -1,
                                        .context_px = 0};

/* Stripes along, stripes across, and none; each with noise of its own. */
static void feed(det_trainer *trainer)
{
    float *input = det_trainer_input(trainer);
    float *noise = test_random_values((size_t)BATCH * PIXELS, 3);
    for (size_t i = 0; i < (size_t)BATCH * PIXELS; i++) {
        const size_t x = i % SIDE, y = i / SIDE % SIDE, label = labels[i / PIXELS];
        const float stripe = label == 0   ? (float)(y / 4 % 2)
                             : label == 1 ? (float)(x / 4 % 2)
                                          : .5f;
        input[i] = stripe + .3f * noise[i];
    }
    det_free(noise);
}

static det_model *create_network(void)
{
    const det_googlenet_options options = {
        .side = SIDE, .width = .05, .outputs = CLASSES, .dropout = .2, .seed = 1};
    det_model *model = NULL;
    det_error error = {0};
    test_assert_ok(det_googlenet_create(&options, &model, &error), &error);
    return model;
}

static det_trainer *create_trainer(const det_model *model)
{
    static const char *const to[] = {"loss3/classifier"};
    const det_trainer_options options = {
        .batch = BATCH, .threads = 1, .input = {3, SIDE, SIDE}, .to = to, .to_count = 1};
    det_trainer *trainer = NULL;
    det_error error = {0};
    test_assert_ok(det_trainer_create(&model->graph, &options, &trainer, &error), &error);
    return trainer;
}

static det_optimizer *create_optimizer(const det_trainer *trainer)
{
    const size_t count = det_trainer_parameter_count(trainer);
    det_optimizer_parameter *parameters = det_alloc_array(count, sizeof *parameters);
    det_optimizer *optimizer = NULL;
    det_error error = {0};
    for (size_t i = 0; i < count; i++) {
        const det_parameter *p = det_trainer_parameter(trainer, i);
        parameters[i] = (det_optimizer_parameter){
            p->layer, p->values, p->gradients, p->count, 1, p->kind == DET_PARAMETER_WEIGHT};
    }
    test_assert_ok(det_optimizer_create(parameters, count,
                                        &(det_optimizer_options){.momentum = .9, .threads = 1},
                                        &optimizer, &error),
                   &error);
    det_free(parameters);
    return optimizer;
}

static double run(det_trainer *trainer, bool learning, uint64_t seed)
{
    det_error error = {0};
    float *gradients = det_trainer_output_gradient(trainer, 0);
    test_assert_ok(det_trainer_forward(trainer, learning, seed, &error), &error);
    memset(gradients, 0, sizeof(float[BATCH][CLASSES]));
    const det_loss_outputs outputs = {det_trainer_output(trainer, 0), gradients, BATCH, CLASSES};
    return det_lose_labels(&outputs, labels, NULL, 1. / BATCH).loss;
}

static void learn(det_trainer *trainer, int steps)
{
    det_error error = {0};
    det_optimizer *optimizer = create_optimizer(trainer);
    feed(trainer);
    for (int i = 0; i < steps; i++) {
        run(trainer, true, (uint64_t)i);
        test_assert_ok(det_trainer_backward(trainer, &error), &error);
        test_assert_ok(det_optimizer_step(optimizer, .02, NULL, &error), &error);
    }
    det_optimizer_free(optimizer);
}

/* What the model file says of what the trainer was fed. */
static void run_file(const char *path, const float *input, float *probabilities)
{
    det_model *model = NULL;
    det_network *network = NULL;
    det_worker *worker = NULL;
    det_error error = {0};
    test_assert_ok(det_model_open(path, &model, &error), &error);
    test_assert_ok(
        det_network_compile(model, &(det_network_options){.batch = BATCH}, &network, &error),
        &error);
    test_assert_ok(det_worker_create((const det_network *const *)&network, 1, &worker, &error),
                   &error);
    test_assert_ok(det_network_run_tensor(network, worker, input, BATCH, &probabilities, &error),
                   &error);
    det_worker_free(worker);
    det_network_free(network);
    det_model_free(model);
}

/* Of a uniform guess the loss is log 3 = 1.1. Batch norms have their statistics by then. */
static void a_network_learns_from_nothing_and_its_model_says_the_same(void **state)
{
    (void)state;
    det_model *model = create_network();
    det_trainer *trainer = create_trainer(model);
    det_error error = {0};
    const char *path = test_path("learned.safetensors");
    float probabilities[BATCH * CLASSES];
    learn(trainer, 60);
    assert_true(run(trainer, false, 0) < .3);
    test_assert_ok(det_network_model_write(model, trainer, &recipe, path, &error), &error);
    test_assert_ok(det_model_verify(path, &error), &error);

    const float *logits = det_trainer_output(trainer, 0);
    run_file(path, det_trainer_input(trainer), probabilities);
    for (int i = 0; i < BATCH; i++) {
        double sum = 0;
        for (int c = 0; c < CLASSES; c++) sum += exp((double)logits[CLASSES * i + c]);
        for (int c = 0; c < CLASSES; c++)
            assert_float_equal(probabilities[CLASSES * i + c],
                               (float)(exp((double)logits[CLASSES * i + c]) / sum), 1e-4);
    }
    det_trainer_free(trainer);
    det_model_free(model);
}

static void a_trainer_of_another_network_is_refused(void **state)
{
    (void)state;
    test_sketch small = test_small_sketch();
    det_model *model = create_network();
    det_trainer *trainer = create_trainer(model);
    det_error error = {0};
    const char *path = test_path("other.safetensors");
    test_assert_error(det_network_model_write(small.model, trainer, &recipe, path, &error),
                      DET_ARGUMENT, &error, "no layer of this name");
    assert_string_equal(error.where, "conv1/7x7_s2");

    det_node *node = &model->graph.nodes[det_graph_find(&model->graph, "loss3/classifier")];
    node->bias.count--;
    test_assert_error(det_network_model_write(model, trainer, &recipe, path, &error), DET_ARGUMENT,
                      &error, "3 values were learned as its bias, where the model has 2");
    assert_string_equal(error.where, "loss3/classifier");
    det_trainer_free(trainer);
    det_model_free(model);
    test_sketch_free(&small);
}

static void a_model_says_what_it_learned_from_and_how(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    strcpy(sketch.model->digest, "xxh3-128:12");
    sketch.model->provenance = det_copy_string("{\"tool\":\"test\"}");
    det_network_provenance provenance = {.procedure = "training from scratch",
                                         .source = sketch.model,
                                         .images = 8,
                                         .pictures_digest = "xxh3-128:34",
                                         .labels_digest = "xxh3-128:56",
                                         .seed = 9,
                                         .steps = 100,
                                         .settings = "{\"rate\":0.1}",
                                         .figure = "top1",
                                         .value = .75,
                                         .unseen_images = 4};
    char *text = NULL;
    det_error error = {0};
    test_assert_ok(det_network_provenance_write(&provenance, &text, &error), &error);
    assert_non_null(strstr(
        text,
        "\"procedure\":\"training from scratch\",\"network\":{\"digest\":\"xxh3-128:12\","
        "\"provenance\":{\"tool\":\"test\"}},\"images\":8,\"pictures_digest\":\"xxh3-128:34\","
        "\"labels_digest\":\"xxh3-128:56\",\"seed\":9,\"steps\":100,\"settings\":{\"rate\":0.1}"
        ",\"validation\":{\"images\":4,\"top1\":0.75}}"));
    det_free(text);
    provenance.figure = NULL;
    test_assert_ok(det_network_provenance_write(&provenance, &text, &error), &error);
    assert_null(strstr(text, "validation"));
    det_free(text);
    test_sketch_free(&sketch);
}

#ifdef DET_FAULT_INJECTION
static void short_memory_is_reported(void **state)
{
    (void)state;
    det_model *model = create_network();
    det_trainer *trainer = create_trainer(model);
    const det_network_provenance provenance = {"a", model, 1, "b", "c", 1, 1, "{}", "d", 1, 1};
    const char *path = test_path("short.safetensors");
    bool failed = true;
    for (uint64_t n = 1; failed; n += 1 + n / 8) { /* layers are copied alike */
        char *text = NULL;
        det_memory_fail_at(n);
        det_status status = det_network_provenance_write(&provenance, &text, NULL);
        if (status == DET_OK) status = det_network_model_write(model, trainer, &recipe, path, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        det_free(text);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
    }
    det_trainer_free(trainer);
    det_model_free(model);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_learns_from_nothing_and_its_model_says_the_same),
        cmocka_unit_test(a_trainer_of_another_network_is_refused),
        cmocka_unit_test(a_model_says_what_it_learned_from_and_how),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("network model", tests, NULL, NULL);
}
