/* SPDX-License-Identifier: Apache-2.0 */
/* The network that training from scratch begins with. Figures are those of the paper's table 1. */
#include "src/base/memory.h"
#include "src/nn/googlenet.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

static const det_googlenet_options narrow = {
    .side = 64, .width = .05, .outputs = 3, .dropout = .4, .seed = 7};

static det_model *create(const det_googlenet_options *options)
{
    det_model *model = NULL;
    det_error error = {0};
    test_assert_ok(det_googlenet_create(options, &model, &error), &error);
    return model;
}

static const det_node *find(const det_model *model, const char *name)
{
    const int index = det_graph_find(&model->graph, name);
    if (index < 0) fail_msg("no layer '%s'", name);
    return &model->graph.nodes[index];
}

static void assert_shape(const det_model *model, const char *name, int channels, int side)
{
    const det_shape shape = model->shapes[find(model, name) - model->graph.nodes];
    assert_int_equal(shape.channels, channels);
    assert_int_equal(shape.height, side);
    assert_int_equal(shape.width, side);
}

static size_t count_operations(const det_model *model, det_op op)
{
    size_t count = 0;
    for (int i = 0; i < model->graph.count; i++) count += model->graph.nodes[i].op == op;
    return count;
}

/* Values and multiplications of the convolutions of an Inception module. */
static void add_module(const det_model *model, const char *prefix, size_t *values, uint64_t *macs)
{
    *values = *macs = 0;
    for (int i = 0; i < model->graph.count; i++) {
        const det_node *node = &model->graph.nodes[i];
        if (node->op != DET_OP_CONVOLUTION || strncmp(node->name, prefix, strlen(prefix)) != 0)
            continue;
        const int input = node->inputs[0];
        const det_shape in = input == DET_PICTURE
                                 ? (det_shape){3, model->input.height, model->input.width}
                                 : model->shapes[input];
        *values += node->weights.count;
        *macs += det_node_macs(node, in, model->shapes[i]);
    }
}

/* The published network has 5,966,272 weights in 57 convolutions: 6,998,552 values less 7,280
 * biases and its classifier of 1024 x 1000 and 1000. Here 32 in the place of 24 channels before two
 * 5x5 convolutions of 64 add 8 (512 + 25 * 64) each. */
static void at_full_width_it_is_the_papers_network(void **state)
{
    (void)state;
    const det_googlenet_options options = {
        .side = 224, .width = 1, .outputs = 1000, .dropout = .4, .auxiliary = true, .seed = 1};
    det_model *model = create(&options);
    size_t values, all = 0;
    uint64_t macs;
    assert_shape(model, "conv1/7x7_s2", 64, 112);
    assert_shape(model, "pool1/3x3_s2", 64, 56);
    assert_shape(model, "conv2/3x3", 192, 56);
    assert_shape(model, "pool2/3x3_s2", 192, 28);
    assert_shape(model, "inception_3a/output", 256, 28);
    assert_shape(model, "inception_3b/output", 480, 28);
    assert_shape(model, "inception_4a/output", 512, 14);
    assert_shape(model, "inception_4d/output", 528, 14);
    assert_shape(model, "inception_4e/output", 832, 14);
    assert_shape(model, "inception_5b/output", 1024, 7);
    assert_shape(model, "pool5/7x7_s1", 1024, 1);
    assert_shape(model, "prob", 1000, 1);
    assert_shape(model, "loss1/ave_pool", 512, 4);
    assert_shape(model, "loss2/conv", 128, 4);
    assert_shape(model, "loss2/classifier", 1000, 1);
    assert_int_equal(find(model, "loss1/fc")->channels, 1024);
    assert_float_equal(find(model, "loss1/drop_fc")->ratio, .7, 1e-6);
    assert_float_equal(find(model, "pool5/drop_7x7_s1")->ratio, .4, 1e-6);
    assert_int_equal(count_operations(model, DET_OP_CONVOLUTION), 57 + 2);
    assert_int_equal(count_operations(model, DET_OP_BATCH_NORM), 57 + 2);
    assert_int_equal(count_operations(model, DET_OP_RELU), 57 + 2 * 2);
    assert_int_equal(count_operations(model, DET_OP_LRN), 0);

    add_module(model, "inception_3a/", &values, &macs);
    assert_int_equal(values, 163328); /* 163,696 with 368 biases */
    assert_int_equal(macs, 163328 * 28 * 28);
    add_module(model, "inception_5b/", &values, &macs);
    assert_int_equal(values, 1444080 - 1024 - 192 - 48);
    static const char *const parts[] = {"conv", "inception_"};
    for (int i = 0; i < 2; i++) {
        add_module(model, parts[i], &values, &macs);
        all += values;
    }
    assert_int_equal(all, 5966272 + 2 * 8 * (512 + 25 * 64));
    assert_string_equal(model->graph.nodes[model->features].name, "pool5/7x7_s1");
    assert_string_equal(model->graph.nodes[model->probabilities].name, "prob");
    det_model_free(model);
}

/* Half away from zero, never less than a block: 64 * .375 = 24 is 1.5 blocks, 192 * .375 = 72 4.5;
 * 16 * .375 = 6 less than half a block. */
static void channels_fill_whole_blocks(void **state)
{
    (void)state;
    static const struct {
        double width;
        const char *layer;
        int channels;
    } cases[] = {{1, "inception_4b/5x5_reduce", 32},
                 {1, "inception_4d/1x1", 112},
                 {.5, "conv1/7x7_s2", 32},
                 {.5, "inception_4a/3x3", 112},
                 {.5, "inception_4a/5x5", 32},
                 {.375, "conv1/7x7_s2", 32},
                 {.375, "conv2/3x3", 80},
                 {.375, "inception_3a/5x5_reduce", 16},
                 {.375, "inception_5b/1x1", 144},
                 {.05, "inception_5b/3x3", 16}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_googlenet_options options = narrow;
        options.width = cases[i].width;
        det_model *model = create(&options);
        assert_int_equal(find(model, cases[i].layer)->channels, cases[i].channels);
        for (int n = 0; n < model->graph.count; n++)
            if (model->graph.nodes[n].op == DET_OP_CONVOLUTION)
                assert_int_equal(model->graph.nodes[n].channels % 16, 0);
        det_model_free(model);
    }
}

/* As a sample of `count` shall have. */
static void assert_moments(const float *values, size_t count, double variance)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    const double error = sqrt(variance / (double)count);
    assert_true(fabs(sum / (double)count) < 5 * error);
    assert_true(fabs(squares / (double)count / variance - 1) < 5 * sqrt(2 / (double)count));
}

static double largest(const float *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) most = fmax(most, fabs((double)values[i]));
    return most;
}

static void assert_all(const det_weights *weights, float value)
{
    for (size_t i = 0; i < weights->count; i++) assert_true(weights->values[i] == value);
}

/* 3x3 on 144 channels; 1x1 on 192; 1024 inputs of a classifier; at half the width. */
static void weights_begin_with_the_variance_that_keeps_that_of_the_maps(void **state)
{
    (void)state;
    const det_googlenet_options options = {
        .side = 224, .width = .5, .outputs = 100, .auxiliary = true, .seed = 3};
    det_model *model = create(&options);
    const det_node *node = find(model, "inception_5b/3x3");
    assert_int_equal(node->weights.count, 192 * 96 * 9);
    assert_moments(node->weights.values, node->weights.count, 2. / (96 * 9));
    assert_true(largest(node->weights.values, node->weights.count) > 4 * sqrt(2. / (96 * 9)));
    node = find(model, "loss1/fc");
    assert_moments(node->weights.values, node->weights.count, 2. / (64 * 4 * 4));
    node = find(model, "loss3/classifier");
    assert_int_equal(node->weights.count, 100 * 512);
    assert_moments(node->weights.values, node->weights.count, 1. / 512);
    assert_true(largest(node->weights.values, node->weights.count) <= sqrt(3. / 512));
    assert_all(&node->bias, 0);
    node = find(model, "conv1/7x7_s2/bn");
    assert_int_equal(node->mean.count, 32);
    assert_all(&node->weights, 1);
    assert_all(&node->bias, 0);
    assert_all(&node->mean, 0);
    assert_all(&node->variance, 1);
    assert_null(find(model, "conv1/7x7_s2")->bias.values);
    det_model_free(model);
}

static bool same_values(const det_weights *a, const det_weights *b)
{
    return a->count == b->count && memcmp(a->values, b->values, a->count * sizeof *a->values) == 0;
}

static void a_seed_gives_the_same_weights_with_and_without_auxiliary_heads(void **state)
{
    (void)state;
    det_googlenet_options options = narrow;
    det_model *model = create(&options), *again = create(&options);
    assert_string_equal(model->digest, again->digest);
    det_model_free(again);
    options.auxiliary = true;
    options.side = 96;
    again = create(&options);
    assert_true(again->graph.count > model->graph.count);
    for (int i = 0; i < model->graph.count; i++) {
        const det_node *node = &model->graph.nodes[i];
        if (node->weights.count > 0)
            assert_true(same_values(&node->weights, &find(again, node->name)->weights));
    }
    det_model_free(again);
    options = narrow;
    options.seed++;
    again = create(&options);
    assert_string_not_equal(model->digest, again->digest);
    assert_false(
        same_values(&find(model, "conv2/3x3")->weights, &find(again, "conv2/3x3")->weights));
    assert_false(same_values(&find(model, "inception_4a/1x1")->weights,
                             &find(model, "inception_4b/1x1")->weights));
    det_model_free(again);
    det_model_free(model);
}

static void without_dropout_there_is_no_such_layer(void **state)
{
    (void)state;
    det_googlenet_options options = narrow;
    options.dropout = 0;
    det_model *model = create(&options);
    assert_int_equal(count_operations(model, DET_OP_DROPOUT), 0);
    assert_string_equal(model->provenance,
                        "{\"architecture\":\"GoogLeNet with batch norm\",\"width\":0.05,"
                        "\"dropout\":0,\"auxiliary\":false,\"seed\":7}");
    det_model_free(model);
}

static void assert_refused(det_googlenet_options options, const char *where, const char *part)
{
    det_model *model = NULL;
    det_error error = {0};
    test_assert_error(det_googlenet_create(&options, &model, &error), DET_ARGUMENT, &error, part);
    assert_string_equal(error.where, where);
    assert_null(model);
}

/* Of 64 pixels 4 remain behind inception_4a, too few for a window of 5. */
static void options_that_make_no_network_are_refused(void **state)
{
    (void)state;
    det_googlenet_options o = narrow;
    o.auxiliary = true;
    assert_refused(o, "layer 'loss1/ave_pool'", "a window of 5x5");
    o = narrow;
    o.side = 30;
    assert_refused(o, "layer 'pool4/3x3_s2'", "a window of 3x3");
    o.side = 0;
    assert_refused(o, "", "0 pixels a side");
    o = narrow;
    o.width = 0;
    assert_refused(o, "", "0 times the channels");
    o.width = NAN;
    assert_refused(o, "", "times the channels");
    o = narrow;
    o.outputs = 1;
    assert_refused(o, "", "1 outputs");
    o = narrow;
    o.dropout = 1;
    assert_refused(o, "", "dropout of 1");
}

#ifdef DET_FAULT_INJECTION
/* Hundreds of layers are made alike: the allocations that fail lie ever further apart. */
static void short_memory_is_reported(void **state)
{
    (void)state;
    bool failed = true;
    for (uint64_t n = 1; failed; n += 1 + n / 8) {
        det_model *model = NULL;
        det_memory_fail_at(n);
        const det_status status = det_googlenet_create(&narrow, &model, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        assert_true(failed == !model);
        det_model_free(model);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_full_width_it_is_the_papers_network),
        cmocka_unit_test(channels_fill_whole_blocks),
        cmocka_unit_test(weights_begin_with_the_variance_that_keeps_that_of_the_maps),
        cmocka_unit_test(a_seed_gives_the_same_weights_with_and_without_auxiliary_heads),
        cmocka_unit_test(without_dropout_there_is_no_such_layer),
        cmocka_unit_test(options_that_make_no_network_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_is_reported),
#endif
    };
    return cmocka_run_group_tests_name("googlenet", tests, NULL, NULL);
}
