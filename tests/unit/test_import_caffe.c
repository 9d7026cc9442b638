/* SPDX-License-Identifier: Apache-2.0 */
/* Caffe networks in both formats, written by the test. */
#include "src/base/memory.h"
#include "src/nn/import_caffe.h"
#include "tests/unit/support_caffe.h"
#include "tests/unit/support_network.h"

#include <stdio.h>
#include <string.h>

static const det_model_import_options no_options;

/* What an import gives: the model's weights lie in the network. */
typedef struct imported {
    det_caffe_net net;
    det_model model;
} imported;

static det_status import_bytes(const det_text *bytes, imported *result, det_error *error)
{
    *result = (imported){0};
    const det_status status =
        det_caffe_read((const uint8_t *)bytes->data, bytes->length, &result->net, error);
    return status < 0 ? status : det_caffe_build(&result->net, &no_options, &result->model, error);
}

static void free_imported(imported *result)
{
    det_model_free_contents(&result->model);
    det_caffe_free(&result->net);
}

static imported import_well(det_text *bytes)
{
    imported result;
    det_error error = {0};
    test_assert_ok(import_bytes(bytes, &result, &error), &error);
    det_text_free(bytes);
    return result;
}

/* The network must be refused with that message and place (a layer, or "" for none). */
static void assert_refused(det_text *bytes, det_status expected, const char *layer,
                           const char *part)
{
    imported result;
    det_error error = {0};
    test_assert_error(import_bytes(bytes, &result, &error), expected, &error, part);
    free_imported(&result);
    char place[64];
    snprintf(place, sizeof place, "layer '%s', byte ", layer);
    if (*layer && strncmp(error.where, place, strlen(place)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", error.where, place);
    det_text_free(bytes);
}

/* ---- Parts of networks ---------------------------------------------------------------------- */

static det_text begin_network(void)
{
    det_text net = {0}, shape = {0}, parameter = {0};
    det_text layer = test_caffe_layer("data", "Input", -1, "", "data");
    for (int i = 0; i < 4; i++) test_wire_number(&shape, 1, (const uint64_t[]){1, 3, 8, 6}[i]);
    test_wire_message(&parameter, 1, &shape);
    test_wire_message(&layer, 143, &parameter);
    test_caffe_add(&net, false, &layer);
    return net;
}

static void add_plain(det_text *net, const char *name, const char *type, const char *bottoms,
                      const char *tops)
{
    det_text layer = test_caffe_layer(name, type, -1, bottoms, tops);
    test_caffe_add(net, false, &layer);
}

/* A layer with one parameter message. */
static void add_with(det_text *net, const char *name, const char *type, test_caffe_part part,
                     det_text *parameter)
{
    det_text layer = test_caffe_layer(name, type, -1, "data", name);
    test_wire_message(&layer, test_caffe_field(part, false), parameter);
    test_caffe_add(net, false, &layer);
}

static const float ramp[512] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};

static void add_blob(det_text *layer, size_t count, const int64_t *shape, int dimensions)
{
    det_text blob = test_caffe_blob(ramp, count, shape, dimensions, false);
    test_wire_message(layer, test_caffe_field(TEST_CAFFE_BLOBS, false), &blob);
}

/* A convolution of data, without biases. */
static void add_convolution(det_text *net, det_text *parameter, size_t count, const int64_t *shape,
                            int dimensions)
{
    det_text layer = test_caffe_layer("conv", "Convolution", -1, "data", "conv");
    test_wire_number(parameter, 2, 0);
    test_wire_message(&layer, test_caffe_field(TEST_CAFFE_CONVOLUTION, false), parameter);
    if (count > 0) add_blob(&layer, count, shape, dimensions);
    test_caffe_add(net, false, &layer);
}

static det_text convolution_parameter(unsigned channels, unsigned kernel)
{
    det_text p = {0};
    test_wire_number(&p, 1, channels);
    test_wire_number(&p, 4, kernel);
    return p;
}

/* ---- Whole networks ------------------------------------------------------------------------- */

static void assert_same_weights(const det_weights *a, const det_weights *b)
{
    assert_int_equal(a->count, b->count);
    if (b->count == 0) return;
    assert_string_equal(a->tensor, b->tensor);
    assert_memory_equal(a->values, b->values, b->count * sizeof *b->values);
}

static void assert_same_model(const det_model *a, const det_model *b)
{
    assert_int_equal(a->graph.count, b->graph.count);
    for (int i = 0; i < b->graph.count; i++) {
        const det_node *x = &a->graph.nodes[i], *y = &b->graph.nodes[i];
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->op, y->op);
        assert_int_equal(x->input_count, y->input_count);
        assert_memory_equal(x->inputs, y->inputs, (size_t)y->input_count * sizeof *y->inputs);
        assert_int_equal(x->global, y->global);
        assert_int_equal(x->local_size, y->local_size);
        assert_true(x->alpha == y->alpha && x->beta == y->beta && x->k == y->k);
        assert_true(x->ratio == y->ratio);
        assert_same_weights(&x->weights, &y->weights);
        assert_same_weights(&x->bias, &y->bias);
        assert_memory_equal(&a->shapes[i], &b->shapes[i], sizeof *a->shapes);
    }
    assert_int_equal(a->input.width, b->input.width);
    assert_int_equal(a->input.height, b->input.height);
    assert_string_equal(a->input_name, b->input_name);
    assert_int_equal(a->probabilities, b->probabilities);
}

static void both_formats_give_the_network_they_were_made_from(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    for (int old_format = 0; old_format < 2; old_format++) {
        det_text bytes = {0};
        test_caffe_model(sketch.model, old_format, &bytes, NULL);
        imported result = import_well(&bytes);
        assert_int_equal(result.net.old_format, old_format);
        assert_same_model(&result.model, sketch.model);
        free_imported(&result);
    }
    test_sketch_free(&sketch);
}

/* Features are what the last inner product reads, before dropout. */
static void outputs_are_the_softmax_and_what_the_classifier_reads(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    det_text bytes = {0};
    test_caffe_model(sketch.model, false, &bytes, NULL);
    imported result = import_well(&bytes);
    assert_int_equal(result.model.probabilities, det_graph_find(&result.model.graph, "prob"));
    assert_int_equal(result.model.features, det_graph_find(&result.model.graph, "pool2"));
    free_imported(&result);
    test_sketch_free(&sketch);
}

static void a_blob_written_in_place_is_the_output_of_its_last_writer(void **state)
{
    (void)state;
    det_text net = begin_network();
    add_plain(&net, "first", "ReLU", "data", "blob");
    add_plain(&net, "second", "ReLU", "blob", "blob");
    add_plain(&net, "third", "Softmax", "blob", "out");
    imported result = import_well(&net);
    const det_graph *graph = &result.model.graph;
    assert_int_equal(graph->nodes[1].inputs[0], 0);
    assert_int_equal(graph->nodes[2].inputs[0], 1);
    assert_int_equal(det_graph_find(graph, "blob"), 1);
    assert_int_equal(det_graph_find(graph, "out"), 2);
    assert_null(graph->nodes[0].alias);
    free_imported(&result);
}

static void a_layer_keeps_its_name_before_a_blob_of_the_same_name(void **state)
{
    (void)state;
    det_text net = begin_network();
    add_plain(&net, "conv", "ReLU", "data", "conv");
    add_plain(&net, "relu", "ReLU", "conv", "conv");
    imported result = import_well(&net);
    assert_int_equal(det_graph_find(&result.model.graph, "conv"), 0);
    assert_null(result.model.graph.nodes[1].alias);
    free_imported(&result);
}

static void a_split_gives_its_input_more_names(void **state)
{
    (void)state;
    det_text net = begin_network();
    add_plain(&net, "relu", "ReLU", "data", "relu");
    add_plain(&net, "relu_split", "Split", "relu", "copy_0 copy_1");
    add_plain(&net, "concat", "Concat", "copy_0 copy_1 data", "concat");
    imported result = import_well(&net);
    const det_node *concat = &result.model.graph.nodes[1];
    assert_int_equal(result.model.graph.count, 2);
    assert_int_equal(concat->inputs[0], 0);
    assert_int_equal(concat->inputs[1], 0);
    assert_int_equal(concat->inputs[2], DET_PICTURE);
    assert_int_equal(result.model.shapes[1].channels, 9);
    free_imported(&result);
}

static void layers_without_a_name_are_called_after_their_output(void **state)
{
    (void)state;
    det_text net = begin_network();
    add_plain(&net, "", "ReLU", "data", "top");
    imported result = import_well(&net);
    assert_string_equal(result.model.graph.nodes[0].name, "top");
    free_imported(&result);
}

/* ---- Networks made for training ------------------------------------------------------------- */

static void add_rule(det_text *layer, test_caffe_part part, unsigned phase)
{
    det_text rule = {0};
    test_wire_number(&rule, 1, phase);
    test_wire_message(layer, test_caffe_field(part, false), &rule);
}

static void add_data(det_text *net, const char *name, unsigned phase, unsigned crop)
{
    det_text layer = test_caffe_layer(name, "Data", -1, "", "data label"), p = {0};
    add_rule(&layer, TEST_CAFFE_INCLUDE, phase);
    test_wire_float(&p, 1, .5f);
    test_wire_number(&p, 3, crop);
    for (int i = 0; i < 3; i++) test_wire_float(&p, 5, 101.f + (float)i);
    test_wire_message(&layer, test_caffe_field(TEST_CAFFE_TRANSFORM, false), &p);
    test_caffe_add(net, false, &layer);
}

static det_text training_network(void)
{
    det_text net = {0};
    add_data(&net, "train_data", 0, 99);
    add_data(&net, "test_data", 1, 12);
    add_plain(&net, "trunk", "ReLU", "data", "trunk");
    add_plain(&net, "aux1", "LRN", "trunk", "aux1");
    add_plain(&net, "aux1_relu", "ReLU", "aux1", "aux1");
    add_plain(&net, "aux_loss", "SoftmaxWithLoss", "aux1 label", "aux_loss");
    add_plain(&net, "top", "LRN", "trunk", "top");
    add_plain(&net, "loss", "SoftmaxWithLoss", "top label", "loss");
    add_plain(&net, "accuracy", "Accuracy", "top label", "accuracy");
    return net;
}

/* The auxiliary head feeds a loss only; the last loss stands in for the missing softmax. */
static void what_serves_training_is_left_out(void **state)
{
    (void)state;
    det_text net = training_network();
    imported result = import_well(&net);
    const det_graph *graph = &result.model.graph;
    static const char *const names[] = {"trunk", "top", "loss"};
    assert_int_equal(graph->count, 3);
    for (int i = 0; i < 3; i++) assert_string_equal(graph->nodes[i].name, names[i]);
    assert_int_equal(graph->nodes[2].op, DET_OP_SOFTMAX);
    assert_int_equal(result.model.probabilities, 2);
    free_imported(&result);
}

static void size_mean_and_scale_come_from_the_data_layer_of_the_test_phase(void **state)
{
    (void)state;
    det_text net = training_network();
    imported result = import_well(&net);
    const det_model_input *input = &result.model.input;
    assert_int_equal(input->width, 12);
    assert_int_equal(input->height, 12);
    for (int i = 0; i < 3; i++) {
        assert_true(input->mean[i] == 101.f + (float)i);
        assert_true(input->scale[i] == .5f);
    }
    free_imported(&result);
}

static void a_mean_from_the_caller_comes_first(void **state)
{
    (void)state;
    static const float mean[] = {7, 8, 9};
    const det_model_import_options options = {.mean = mean, .width = 40, .height = 40};
    det_text net = training_network();
    imported result = {0};
    det_error error = {0};
    test_assert_ok(det_caffe_read((const uint8_t *)net.data, net.length, &result.net, &error),
                   &error);
    test_assert_ok(det_caffe_build(&result.net, &options, &result.model, &error), &error);
    assert_true(result.model.input.mean[2] == 9);
    assert_int_equal(result.model.input.width, 12); /* the file knows its size */
    free_imported(&result);
    det_text_free(&net);
}

static void a_softmax_is_kept_before_any_loss(void **state)
{
    (void)state;
    det_text net = begin_network();
    add_plain(&net, "prob", "Softmax", "data", "prob");
    add_plain(&net, "loss", "SoftmaxWithLoss", "data label", "loss");
    imported result = import_well(&net);
    assert_int_equal(result.model.graph.count, 1);
    assert_string_equal(result.model.graph.nodes[0].name, "prob");
    free_imported(&result);
}

static void layers_of_other_phases_are_left_out(void **state)
{
    (void)state;
    det_text net = begin_network();
    det_text train = test_caffe_layer("train", "Bernoulli", -1, "data", "x");
    det_text not_test = test_caffe_layer("not_test", "Bernoulli", -1, "data", "x");
    det_text not_train = test_caffe_layer("not_train", "ReLU", -1, "data", "y");
    add_rule(&train, TEST_CAFFE_INCLUDE, 0);
    add_rule(&not_test, TEST_CAFFE_EXCLUDE, 1);
    add_rule(&not_train, TEST_CAFFE_EXCLUDE, 0);
    test_caffe_add(&net, false, &train);
    test_caffe_add(&net, false, &not_test);
    test_caffe_add(&net, false, &not_train);
    imported result = import_well(&net);
    assert_int_equal(result.model.graph.count, 1);
    assert_string_equal(result.model.graph.nodes[0].name, "not_train");
    free_imported(&result);
}

/* ---- Inputs --------------------------------------------------------------------------------- */

static void an_undeclared_input_is_the_blob_that_nobody_writes(void **state)
{
    (void)state;
    det_text net = {0};
    add_plain(&net, "relu", "ReLU", "picture", "relu");
    imported result = import_well(&net);
    assert_string_equal(result.model.input_name, "picture");
    assert_int_equal(result.model.input.width, 224);
    free_imported(&result);
}

static void the_networks_own_input_shape_counts(void **state)
{
    (void)state;
    det_text net = {0}, shape = {0};
    test_wire_string(&net, 3, "data");
    for (int i = 0; i < 4; i++) test_wire_number(&shape, 1, (const uint64_t[]){1, 3, 20, 30}[i]);
    test_wire_message(&net, 8, &shape);
    add_plain(&net, "relu", "ReLU", "data", "relu");
    imported result = import_well(&net);
    assert_int_equal(result.model.input.height, 20);
    assert_int_equal(result.model.input.width, 30);
    free_imported(&result);
}

static void dummy_data_gives_the_size_as_well(void **state)
{
    (void)state;
    det_text net = {0}, p = {0};
    det_text layer = test_caffe_layer("dummy", "DummyData", -1, "", "data");
    for (unsigned i = 0; i < 4; i++) test_wire_number(&p, 2 + i, (const uint64_t[]){1, 3, 9, 7}[i]);
    test_wire_message(&layer, 109, &p);
    test_caffe_add(&net, false, &layer);
    add_plain(&net, "relu", "ReLU", "data", "relu");
    imported result = import_well(&net);
    assert_int_equal(result.model.input.height, 9);
    assert_int_equal(result.model.input.width, 7);
    free_imported(&result);
}

static void inputs_that_are_no_picture_are_refused(void **state)
{
    (void)state;
    det_text two = begin_network();
    add_plain(&two, "more", "MemoryData", "", "boxes");
    add_plain(&two, "relu", "ReLU", "boxes", "relu");
    assert_refused(&two, DET_UNSUPPORTED, "more", "a second input 'boxes' beside 'data'");

    det_text grey = {0}, p = {0};
    det_text layer = test_caffe_layer("dummy", "DummyData", -1, "", "data");
    for (unsigned i = 0; i < 4; i++) test_wire_number(&p, 2 + i, (const uint64_t[]){1, 1, 9, 7}[i]);
    test_wire_message(&layer, 109, &p);
    test_caffe_add(&grey, false, &layer);
    assert_refused(&grey, DET_UNSUPPORTED, "dummy", "an input of 1 channels; pictures have 3");

    det_text labels = training_network();
    add_plain(&labels, "relu", "ReLU", "label", "relu");
    assert_refused(&labels, DET_UNSUPPORTED, "relu", "'label' is not computed from the picture");

    det_text vector = {0}, shape = {0};
    test_wire_string(&vector, 3, "data");
    for (int i = 0; i < 2; i++) test_wire_number(&shape, 1, 3);
    test_wire_message(&vector, 8, &shape);
    add_plain(&vector, "relu", "ReLU", "data", "relu");
    assert_refused(&vector, DET_UNSUPPORTED, "", "an input of 2 dimensions");
}

/* ---- Parameters ----------------------------------------------------------------------------- */

static void each_side_of_a_convolution_can_differ(void **state)
{
    (void)state;
    det_text net = begin_network(), p = {0};
    const unsigned fields[][2] = {{1, 2}, {11, 3}, {12, 5}, {13, 2}, {14, 1},
                                  {9, 1}, {10, 2}, {18, 1}, {18, 1}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        test_wire_number(&p, fields[i][0], fields[i][1]);
    const int64_t shape[] = {2, 3, 3, 5};
    add_convolution(&net, &p, 90, shape, 4);
    imported result = import_well(&net);
    const det_window *w = &result.model.graph.nodes[0].window;
    const int found[] = {w->kernel_h, w->kernel_w, w->stride_h,   w->stride_w,
                         w->pad_h,    w->pad_w,    w->dilation_h, w->dilation_w};
    assert_memory_equal(found, ((const int[]){3, 5, 2, 1, 1, 2, 1, 1}), sizeof found);
    assert_null(result.model.graph.nodes[0].bias.tensor);
    free_imported(&result);
}

static void repeated_values_are_height_and_width(void **state)
{
    (void)state;
    det_text net = begin_network(), p = {0}, packed = {0};
    test_wire_number(&p, 1, 2);
    test_wire_varint(&packed, 1);
    test_wire_varint(&packed, 3);
    test_wire_message(&p, 4, &packed); /* packed, as newer writers do */
    test_wire_number(&p, 3, 0);
    test_wire_number(&p, 3, 1);
    const int64_t shape[] = {2, 3, 1, 3};
    add_convolution(&net, &p, 18, shape, 4);
    imported result = import_well(&net);
    const det_window *w = &result.model.graph.nodes[0].window;
    assert_int_equal(w->kernel_h, 1);
    assert_int_equal(w->kernel_w, 3);
    assert_int_equal(w->pad_h, 0);
    assert_int_equal(w->pad_w, 1);
    free_imported(&result);
}

static void defaults_are_caffes(void **state)
{
    (void)state;
    det_text net = begin_network(), p = {0};
    test_wire_number(&p, 2, 2);
    add_with(&net, "pool", "Pooling", TEST_CAFFE_POOLING, &p);
    add_plain(&net, "lrn", "LRN", "data", "lrn");
    add_plain(&net, "drop", "Dropout", "data", "drop");
    imported result = import_well(&net);
    const det_node *nodes = result.model.graph.nodes;
    assert_int_equal(nodes[0].op, DET_OP_MAX_POOL);
    assert_int_equal(nodes[0].window.stride_h, 1);
    assert_true(nodes[0].ceil_mode);
    assert_int_equal(nodes[1].local_size, 5);
    assert_true(nodes[1].alpha == 1 && nodes[1].beta == .75f && nodes[1].k == 1);
    assert_true(nodes[2].ratio == .5f);
    free_imported(&result);
}

static void pools_can_round_down(void **state)
{
    (void)state;
    det_text net = begin_network(), p = {0};
    test_wire_number(&p, 1, 1);
    test_wire_number(&p, 2, 3);
    test_wire_number(&p, 3, 2);
    test_wire_number(&p, 13, 1);
    add_with(&net, "pool", "Pooling", TEST_CAFFE_POOLING, &p);
    imported result = import_well(&net);
    assert_int_equal(result.model.graph.nodes[0].op, DET_OP_AVERAGE_POOL);
    assert_int_equal(result.model.shapes[0].height, 3); /* (8 - 3) / 2 + 1, rounded down */
    assert_int_equal(result.model.shapes[0].width, 2);
    free_imported(&result);
}

static void parameters_that_cannot_be_expressed_are_refused(void **state)
{
    static const struct {
        const char *type;
        test_caffe_part part;
        unsigned field, value;
        det_status status;
        const char *message;
    } cases[] = {
        {"Pooling", TEST_CAFFE_POOLING, 1, 2, DET_UNSUPPORTED, "method 2 (stochastic)"},
        {"Pooling", TEST_CAFFE_POOLING, 1, 7, DET_UNSUPPORTED, "method 7; maximum (0)"},
        {"Pooling", TEST_CAFFE_POOLING, 2, 0, DET_FORMAT, "kernel_size is 0, not in [1, 65535]"},
        {"Pooling", TEST_CAFFE_POOLING, 2, 9, DET_FORMAT, "9x9 (dilation 1x1) is larger"},
        {"LRN", TEST_CAFFE_LRN, 4, 1, DET_UNSUPPORTED, "norm_region 1 (WITHIN_CHANNEL)"},
        {"LRN", TEST_CAFFE_LRN, 1, 4, DET_FORMAT, "local_size 4 is not odd"},
        {"Concat", TEST_CAFFE_CONCAT, 2, 2, DET_UNSUPPORTED, "axis 2; only 1"},
        {"Concat", TEST_CAFFE_CONCAT, 1, 0, DET_UNSUPPORTED, "axis 0; only 1"},
        {"Softmax", TEST_CAFFE_SOFTMAX, 2, 3, DET_UNSUPPORTED, "axis 3; only 1"},
        {"Convolution", TEST_CAFFE_CONVOLUTION, 16, 2, DET_UNSUPPORTED, "axis 2; only 1"},
        {"Convolution", TEST_CAFFE_CONVOLUTION, 4, 1, DET_FORMAT, "num_output is 0"},
        {"Convolution", TEST_CAFFE_CONVOLUTION, 1, 1, DET_FORMAT, "kernel_size is 0"},
        {"InnerProduct", TEST_CAFFE_INNER_PRODUCT, 5, 2, DET_UNSUPPORTED, "axis 2; only 1"},
        {"InnerProduct", TEST_CAFFE_INNER_PRODUCT, 1, 4000000000U, DET_FORMAT,
         "num_output is 4000000000"},
        {"InnerProduct", TEST_CAFFE_INNER_PRODUCT, 1, 4, DET_FORMAT, "it has no weights"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_text net = begin_network(), p = {0};
        test_wire_number(&p, cases[i].field, cases[i].value);
        add_with(&net, "it", cases[i].type, cases[i].part, &p);
        assert_refused(&net, cases[i].status, "it", cases[i].message);
    }
    det_text net = begin_network();
    add_plain(&net, "it", "Convolution", "data", "it");
    assert_refused(&net, DET_FORMAT, "it", "convolution_param is missing");
}

static void numbers_that_are_not_finite_are_refused(void **state)
{
    static const struct {
        const char *type;
        test_caffe_part part;
        unsigned field;
        const char *message;
    } cases[] = {
        {"ReLU", TEST_CAFFE_RELU, 1, "negative_slope is not a finite number"},
        {"LRN", TEST_CAFFE_LRN, 2, "alpha"},
        {"Dropout", TEST_CAFFE_DROPOUT, 1, "dropout_ratio"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_text net = begin_network(), p = {0};
        test_wire_float(&p, cases[i].field, __builtin_nanf(""));
        add_with(&net, "it", cases[i].type, cases[i].part, &p);
        assert_refused(&net, DET_FORMAT, "it", cases[i].message);
    }
}

/* ---- Weights -------------------------------------------------------------------------------- */

static void weights_may_be_double_or_unpacked(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        det_text net = begin_network(), blob = {0}, p = convolution_parameter(1, 1);
        det_text layer = test_caffe_layer("conv", "Convolution", -1, "data", "conv");
        test_wire_number(&p, 2, 0);
        test_wire_message(&layer, test_caffe_field(TEST_CAFFE_CONVOLUTION, false), &p);
        for (int i = 0; kind == 0 && i < 3; i++) test_wire_float(&blob, 5, ramp[i]);
        const double doubles[] = {1, 2, 3};
        if (kind == 1) test_wire_bytes(&blob, 8, doubles, sizeof doubles);
        test_wire_message(&layer, test_caffe_field(TEST_CAFFE_BLOBS, false), &blob);
        test_caffe_add(&net, false, &layer);
        imported result = import_well(&net);
        assert_int_equal(result.model.graph.nodes[0].weights.count, 3);
        assert_memory_equal(result.model.graph.nodes[0].weights.values, ramp, 3 * sizeof *ramp);
        free_imported(&result);
    }
}

/* 2 outputs of 3 x 1 x 1 values; stored as 3 x 2: (1 2) (3 4) (5 6). */
static void transposed_weights_are_turned(void **state)
{
    (void)state;
    det_text net = {0}, p = {0};
    test_wire_string(&net, 3, "data");
    for (int i = 0; i < 4; i++) test_wire_number(&net, 4, (const uint64_t[]){1, 3, 1, 1}[i]);
    det_text layer = test_caffe_layer("fc", "InnerProduct", -1, "data", "fc");
    test_wire_number(&p, 1, 2);
    test_wire_number(&p, 2, 0);
    test_wire_number(&p, 6, 1);
    test_wire_message(&layer, test_caffe_field(TEST_CAFFE_INNER_PRODUCT, false), &p);
    const int64_t shape[] = {3, 2};
    add_blob(&layer, 6, shape, 2);
    test_caffe_add(&net, false, &layer);
    imported result = import_well(&net);
    assert_memory_equal(result.model.graph.nodes[0].weights.values,
                        ((const float[]){1, 3, 5, 2, 4, 6}), 6 * sizeof(float));
    free_imported(&result);
}

static void weights_that_do_not_fit_are_refused_with_their_shapes(void **state)
{
    static const struct {
        unsigned channels, kernel;
        size_t count;
        int64_t shape[4];
        int dimensions;
        const char *message;
    } cases[] = {
        {2, 3, 54, {2, 3, 3, 2}, 4, "54 weights do not fill their shape 2x3x3x2"},
        {2, 3, 54, {2, 3, 9, 1}, 4, "weights of shape 2x3x9x1 do not fit"},
        {3, 3, 54, {2, 3, 3, 3}, 4, "which ask for 3x0x3x3"},
        {2, 3, 54, {54}, 1, "weights of shape 54 do not fit"},
        {2, 3, 54, {-2, -3, 3, 3}, 4, "do not fill their shape -2x-3x3x3"},
        {2,
         3,
         72,
         {2, 4, 3, 3},
         4,
         "72 weights do not fit 2 output channels x 3 input channels / 1 groups"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_text net = begin_network();
        det_text p = convolution_parameter(cases[i].channels, cases[i].kernel);
        add_convolution(&net, &p, cases[i].count, cases[i].shape, cases[i].dimensions);
        assert_refused(&net, DET_FORMAT, "conv", cases[i].message);
    }
}

static void a_missing_bias_is_noticed(void **state)
{
    (void)state;
    det_text net = begin_network(), p = convolution_parameter(2, 1);
    det_text layer = test_caffe_layer("conv", "Convolution", -1, "data", "conv");
    test_wire_message(&layer, test_caffe_field(TEST_CAFFE_CONVOLUTION, false), &p);
    add_blob(&layer, 6, (const int64_t[]){2, 3, 1, 1}, 4);
    test_caffe_add(&net, false, &layer);
    assert_refused(&net, DET_FORMAT, "conv", "it has no biases");
}

/* ---- Structure ------------------------------------------------------------------------------ */

static void unknown_types_are_named_with_those_that_are_known(void **state)
{
    (void)state;
    det_text net = begin_network();
    add_plain(&net, "sum", "Eltwise", "data data", "sum");
    assert_refused(&net, DET_UNSUPPORTED, "sum", "type 'Eltwise' cannot be imported");

    net = begin_network();
    add_plain(&net, "odd", "Bernoulli", "data", "odd");
    assert_refused(&net, DET_UNSUPPORTED, "odd", "type 'Bernoulli' cannot be imported");

    net = begin_network();
    add_plain(&net, "odd", "Sigmoid", "data", "odd");
    assert_refused(&net, DET_UNSUPPORTED, "odd", "Convolution, ReLU, Pooling, LRN, Concat");

    det_text old = {0};
    det_text layer = test_caffe_layer("odd", "", 25, "data", "odd");
    test_caffe_add(&old, true, &layer);
    assert_refused(&old, DET_UNSUPPORTED, "odd", "type 'Eltwise' cannot be imported");
}

static void wiring_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    det_text net = begin_network();
    add_plain(&net, "relu", "ReLU", "nowhere", "relu");
    assert_refused(&net, DET_FORMAT, "relu", "no layer before it writes its bottom 'nowhere'");

    net = begin_network();
    add_plain(&net, "relu", "ReLU", "data", "a");
    add_plain(&net, "relu", "ReLU", "a", "b");
    assert_refused(&net, DET_FORMAT, "relu", "a second layer of this name");

    net = begin_network();
    add_plain(&net, "concat", "Concat", "", "concat");
    assert_refused(&net, DET_FORMAT, "concat", "0 bottoms; at least one is needed");

    net = begin_network();
    add_plain(&net, "relu", "ReLU", "data data", "relu");
    assert_refused(&net, DET_FORMAT, "relu", "2 bottoms; exactly one is needed");

    net = begin_network();
    assert_refused(&net, DET_FORMAT, "", "none of its 1 layers computes anything");

    net = begin_network();
    add_plain(&net, "data", "ReLU", "data", "relu");
    assert_refused(&net, DET_FORMAT, "", "the input and a layer are both called 'data'");
}

static void mixed_formats_are_refused(void **state)
{
    (void)state;
    det_text net = begin_network();
    det_text layer = test_caffe_layer("relu", "", 18, "data", "relu");
    test_caffe_add(&net, true, &layer);
    assert_refused(&net, DET_FORMAT, "", "mixes the formats");
}

/* ---- Damage --------------------------------------------------------------------------------- */

static void a_file_cut_at_any_byte_is_refused_unless_between_layers(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    for (int old_format = 0; old_format < 2; old_format++) {
        det_text bytes = {0};
        size_t ends[64];
        test_caffe_model(sketch.model, old_format, &bytes, ends);
        int good = 0;
        for (size_t size = 0; size < bytes.length; size++) {
            /* A copy, so that a sanitizer sees any byte read beyond the end. */
            det_text cut = {0};
            det_text_append(&cut, bytes.data, size);
            imported result;
            det_error error = {0};
            const det_status status = import_bytes(&cut, &result, &error);
            bool between = false;
            for (int i = 0; i < sketch.model->graph.count; i++) between |= ends[i] == size;
            if (status == DET_OK) good++;
            if (status == DET_OK && !between) fail_msg("cut at byte %zu passes", size);
            if (status < 0) assert_true(*error.message);
            free_imported(&result);
            det_text_free(&cut);
        }
        assert_int_equal(good, sketch.model->graph.count - 1);
        det_text_free(&bytes);
    }
    test_sketch_free(&sketch);
}

static void a_cut_layer_is_named_with_the_bytes_that_are_missing(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    det_text bytes = {0};
    size_t ends[64];
    test_caffe_model(sketch.model, false, &bytes, ends);
    bytes.length = ends[0] - 10;
    assert_refused(&bytes, DET_FORMAT, "", "10 bytes are missing");
    test_sketch_free(&sketch);
}

static void no_changed_byte_does_harm(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    det_text bytes = {0};
    test_caffe_model(sketch.model, false, &bytes, NULL);
    int refused = 0;
    for (size_t i = 0; i < bytes.length; i++)
        for (int bit = 0; bit < 8; bit += 7) {
            imported result;
            det_error error = {0};
            bytes.data[i] = (char)(bytes.data[i] ^ 1 << bit);
            if (import_bytes(&bytes, &result, &error) < 0) {
                assert_true(*error.message);
                refused++;
            }
            free_imported(&result);
            bytes.data[i] = (char)(bytes.data[i] ^ 1 << bit);
        }
    assert_true(refused > 100); /* most bytes are weights, and any weight will do */
    det_text_free(&bytes);
    test_sketch_free(&sketch);
}

/* A message in a message, 10,000 deep, in a field that the importer does not read. */
static void deep_nesting_does_no_harm(void **state)
{
    (void)state;
    det_text nest = {0};
    for (int i = 0; i < 10000; i++) {
        det_text outer = {0};
        test_wire_message(&outer, 1, &nest);
        nest = outer;
    }
    det_text net = begin_network();
    det_text layer = test_caffe_layer("relu", "ReLU", -1, "data", "relu");
    test_wire_message(&layer, 130, &nest);
    test_caffe_add(&net, false, &layer);
    imported result = import_well(&net);
    assert_int_equal(result.model.graph.count, 1);
    free_imported(&result);
}

static void damage_inside_a_layer_names_layer_and_byte(void **state)
{
    (void)state;
    det_text net = begin_network();
    det_text layer = test_caffe_layer("conv", "Convolution", -1, "data", "conv");
    test_wire_number(&layer, test_caffe_field(TEST_CAFFE_CONVOLUTION, false), 5);
    const size_t begin = net.length;
    test_caffe_add(&net, false, &layer);
    imported result;
    det_error error = {0};
    test_assert_error(
        import_bytes(&net, &result, &error), DET_FORMAT, &error,
        "field 'convolution_param' (106) of LayerParameter has a wire type that does not belong");
    /* tag (2) and length (1) of the layer, name 6, type 13, bottom 6, top 6 */
    char place[64];
    snprintf(place, sizeof place, "layer 'conv', byte %zu", begin + 3 + 6 + 13 + 6 + 6);
    assert_string_equal(error.where, place);
    det_text_free(&net);
}

static void short_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
#ifdef DET_FAULT_INJECTION
    test_sketch sketch = test_small_sketch();
    for (int old_format = 0; old_format < 2; old_format++) {
        det_text bytes = {0};
        test_caffe_model(sketch.model, old_format, &bytes, NULL);
        det_status status = DET_MEMORY;
        for (uint64_t n = 1; status != DET_OK; n++) {
            imported result;
            det_error error = {0};
            det_memory_fail_at(n);
            status = import_bytes(&bytes, &result, &error);
            const bool failed = det_memory_failed();
            det_memory_fail_at(0);
            assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
            free_imported(&result);
        }
        det_text_free(&bytes);
    }
    test_sketch_free(&sketch);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_formats_give_the_network_they_were_made_from),
        cmocka_unit_test(outputs_are_the_softmax_and_what_the_classifier_reads),
        cmocka_unit_test(a_blob_written_in_place_is_the_output_of_its_last_writer),
        cmocka_unit_test(a_layer_keeps_its_name_before_a_blob_of_the_same_name),
        cmocka_unit_test(a_split_gives_its_input_more_names),
        cmocka_unit_test(layers_without_a_name_are_called_after_their_output),
        cmocka_unit_test(what_serves_training_is_left_out),
        cmocka_unit_test(size_mean_and_scale_come_from_the_data_layer_of_the_test_phase),
        cmocka_unit_test(a_mean_from_the_caller_comes_first),
        cmocka_unit_test(a_softmax_is_kept_before_any_loss),
        cmocka_unit_test(layers_of_other_phases_are_left_out),
        cmocka_unit_test(an_undeclared_input_is_the_blob_that_nobody_writes),
        cmocka_unit_test(the_networks_own_input_shape_counts),
        cmocka_unit_test(dummy_data_gives_the_size_as_well),
        cmocka_unit_test(inputs_that_are_no_picture_are_refused),
        cmocka_unit_test(each_side_of_a_convolution_can_differ),
        cmocka_unit_test(repeated_values_are_height_and_width),
        cmocka_unit_test(defaults_are_caffes),
        cmocka_unit_test(pools_can_round_down),
        cmocka_unit_test(parameters_that_cannot_be_expressed_are_refused),
        cmocka_unit_test(numbers_that_are_not_finite_are_refused),
        cmocka_unit_test(weights_may_be_double_or_unpacked),
        cmocka_unit_test(transposed_weights_are_turned),
        cmocka_unit_test(weights_that_do_not_fit_are_refused_with_their_shapes),
        cmocka_unit_test(a_missing_bias_is_noticed),
        cmocka_unit_test(unknown_types_are_named_with_those_that_are_known),
        cmocka_unit_test(wiring_that_makes_no_sense_is_refused),
        cmocka_unit_test(mixed_formats_are_refused),
        cmocka_unit_test(a_file_cut_at_any_byte_is_refused_unless_between_layers),
        cmocka_unit_test(a_cut_layer_is_named_with_the_bytes_that_are_missing),
        cmocka_unit_test(no_changed_byte_does_harm),
        cmocka_unit_test(deep_nesting_does_no_harm),
        cmocka_unit_test(damage_inside_a_layer_names_layer_and_byte),
        cmocka_unit_test(short_memory_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
