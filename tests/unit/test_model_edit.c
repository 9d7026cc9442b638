/* SPDX-License-Identifier: Apache-2.0 */
/* Models made from others: what is kept, what is new, and what is refused. */
#include "src/base/memory.h"
#include "src/nn/model_edit.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <string.h>

/* Behind "concat" of the small network, 8 maps of 8x8 cells: windows of 3 cells in distances of 2
 * make 3x3 of them, 72 values. */
enum { features = 72, class_count = 3, outputs = class_count + 1, deltas = 4 * class_count };

static det_class classes[class_count] = {
    {.name = "red", .category_id = 7}, {.name = "green", .category_id = -1}, {.name = "blue"}};

static float weights[features * outputs], delta_weights[features * deltas], biases[deltas];

static det_new_layer grid_layer(void)
{
    return (det_new_layer){.name = "grid",
                           .inputs = {"concat"},
                           .node = {.op = DET_OP_AVERAGE_POOL, .window = test_window(3, 2, 0)}};
}

static det_new_layer linear_layer(const char *name, int channels, const float *values)
{
    return (det_new_layer){
        .name = name,
        .inputs = {"grid"},
        .node = {.op = DET_OP_INNER_PRODUCT,
                 .channels = channels,
                 .weights = {.values = values, .count = (size_t)channels * features},
                 .bias = {.values = biases, .count = (size_t)channels}}};
}

/* The usual head: layers of it stay where the test can change them. */
typedef struct {
    det_new_layer layers[4];
    det_model_recipe recipe;
} head;

static void make_head(head *h)
{
    *h = (head){.layers = {grid_layer(),
                           linear_layer("scores", outputs, weights),
                           {.name = "prob", .inputs = {"scores"}, .node = {.op = DET_OP_SOFTMAX}},
                           linear_layer("moves", deltas, delta_weights)},
                .recipe = {.layer_count = 4,
                           .probabilities = "prob",
                           .box_deltas = "moves",
                           .features = "grid",
                           .classes = classes,
                           .class_count = class_count,
                           .background_index = 3,
                           .context_px = -1,
                           .provenance = "{\"tool\":\"test\",\"pictures\":[1,2]}",
                           .settings = "{\"proposals.max\":7}"}};
    h->recipe.layers = h->layers;
}

static int fill_weights(void **state)
{
    (void)state;
    float *values = test_random_values((size_t)features * outputs, 1);
    memcpy(weights, values, sizeof weights);
    det_free(values);
    values = test_random_values((size_t)features * deltas, 2);
    memcpy(delta_weights, values, sizeof delta_weights);
    det_free(values);
    for (int i = 0; i < deltas; i++) biases[i] = (float)i / 4;
    return 0;
}

static det_status derive(const det_model_recipe *recipe, const char *path, det_error *error)
{
    test_sketch sketch = test_small_sketch();
    const det_status status = det_model_derive(sketch.model, recipe, path, error);
    test_sketch_free(&sketch);
    return status;
}

static det_model *open_derived(const det_model_recipe *recipe)
{
    const char *path = test_path("derived.safetensors");
    det_model *model = NULL;
    det_error error = {0};
    test_assert_ok(derive(recipe, path, &error), &error);
    test_assert_ok(det_model_verify(path, &error), &error);
    test_assert_ok(det_model_open(path, &model, &error), &error);
    return model;
}

static void assert_layers(const det_model *model, const char *const *names, int count)
{
    assert_int_equal(model->graph.count, count);
    for (int i = 0; i < count; i++) assert_string_equal(model->graph.nodes[i].name, names[i]);
}

static void what_the_new_layers_need_is_kept_and_nothing_else(void **state)
{
    (void)state;
    static const char *const names[] = {
        "conv1",        "relu1",  "pool1", "norm1",  "branch1", "branch1_relu", "branch2",
        "branch2_relu", "concat", "grid",  "scores", "prob",    "moves"};
    head h;
    make_head(&h);
    det_model *model = open_derived(&h.recipe);
    assert_layers(model, names, 13);
    assert_string_equal(det_model_output(model, DET_ROLE_PROBABILITIES), "prob");
    assert_string_equal(det_model_output(model, DET_ROLE_BOX_DELTAS), "moves");
    assert_string_equal(det_model_output(model, DET_ROLE_FEATURES), "grid");
    assert_string_equal(det_model_provenance(model), h.recipe.provenance);
    assert_string_equal(det_model_settings(model), h.recipe.settings);
    assert_int_equal(model->background_index, 3);
    assert_int_equal(det_model_class_count(model), class_count);
    assert_string_equal(det_model_class_name(model, 0), "red");
    assert_int_equal(det_model_class_category(model, 0), 7);
    assert_int_equal(det_model_class_category(model, 1), -1);
    assert_int_equal(model->input.width, 16);
    assert_int_equal(model->input.context_px, 1);
    det_model_free(model);
}

/* What the small network and the head compute, written down by hand: 3x3 means of the concat's
 * maps, then weights times features plus biases. */
static void the_new_layers_compute_with_what_the_old_ones_give(void **state)
{
    (void)state;
    head h;
    make_head(&h);
    test_sketch sketch = test_small_sketch();
    det_model *model = open_derived(&h.recipe);
    float *picture = test_random_values((size_t)3 * 16 * 16, 9);
    float *maps =
        test_reference_run(sketch.model, picture, det_graph_find(&sketch.model->graph, "concat"));
    float *moves = test_reference_run(model, picture, model->box_deltas);
    for (int o = 0; o < deltas; o++) {
        double sum = (double)biases[o];
        for (int i = 0; i < features; i++) {
            const int c = i / 9, y = i / 3 % 3 * 2, x = i % 3 * 2;
            double mean = 0;
            for (int j = 0; j < 9; j++)
                mean += (double)maps[c * 64 + (y + j / 3) * 8 + x + j % 3] / 9;
            sum += mean * (double)delta_weights[o * features + i];
        }
        assert_true(fabs(sum - (double)moves[o]) < 1e-4);
    }
    det_free(moves);
    det_free(maps);
    det_free(picture);
    det_model_free(model);
    test_sketch_free(&sketch);
}

/* The grid is a pool with a stride, but it belongs to the head. */
static void regions_are_pooled_where_they_were_in_the_source(void **state)
{
    (void)state;
    head h;
    make_head(&h);
    det_model *model = open_derived(&h.recipe);
    assert_string_equal(det_model_output(model, DET_ROLE_REGIONS), "relu1");
    /* and again, from a source that names its layer */
    const char *path = test_path("second.safetensors");
    det_error error = {0};
    det_model *second = NULL;
    test_assert_ok(det_model_derive(model, &h.recipe, path, &error), &error);
    test_assert_ok(det_model_open(path, &second, &error), &error);
    assert_string_equal(det_model_output(second, DET_ROLE_REGIONS), "relu1");
    det_model_free(second);
    det_model_free(model);

    h.recipe.regions = "norm1";
    model = open_derived(&h.recipe);
    assert_string_equal(det_model_output(model, DET_ROLE_REGIONS), "norm1");
    det_model_free(model);
}

/* A head that looks at two layers, one of which lies before the other's pool. */
static void layers_may_be_joined(void **state)
{
    (void)state;
    det_new_layer layers[] = {
        {"early",
         {"relu1"},
         {.op = DET_OP_MAX_POOL, .window = test_window(1, 1, 0), .global = true}},
        {"late",
         {"concat"},
         {.op = DET_OP_AVERAGE_POOL, .window = test_window(1, 1, 0), .global = true}},
        {"both", {"early", "late"}, {.op = DET_OP_CONCAT}},
    };
    const det_model_recipe recipe = {.layers = layers,
                                     .layer_count = 3,
                                     .features = "both",
                                     .background_index = -1,
                                     .context_px = 3};
    det_model *model = NULL;
    det_error error = {0};
    const char *path = test_path("joined.safetensors");
    test_assert_ok(derive(&recipe, path, &error), &error);
    test_assert_ok(det_model_open(path, &model, &error), &error);
    assert_null(det_model_output(model, DET_ROLE_PROBABILITIES));
    assert_int_equal(model->shapes[model->features].channels, 4 + 8);
    assert_int_equal(model->input.context_px, 3);
    assert_string_equal(det_model_provenance(model), "{}");
    assert_string_equal(det_model_settings(model), "{}");
    det_model_free(model);
}

/* Nothing new at all: the model is cut behind a layer. */
static void a_model_can_be_cut(void **state)
{
    (void)state;
    static const char *const names[] = {"conv1", "relu1", "pool1"};
    const det_model_recipe recipe = {.features = "pool1", .background_index = -1, .context_px = -1};
    det_model *model = NULL;
    det_error error = {0};
    const char *path = test_path("cut.safetensors");
    test_assert_ok(derive(&recipe, path, &error), &error);
    test_assert_ok(det_model_open(path, &model, &error), &error);
    assert_layers(model, names, 3);
    det_model_free(model);
}

/* Deltas beside the probabilities of the source; four for all classes. */
static void an_output_may_be_added_to_those_of_the_source(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    const det_new_layer moves = {.name = "moves",
                                 .inputs = {"pool2"},
                                 .node = {.op = DET_OP_INNER_PRODUCT,
                                          .channels = 4,
                                          .weights = {.values = weights, .count = 32}}};
    const det_model_recipe recipe = {.layers = &moves,
                                     .layer_count = 1,
                                     .probabilities = "prob",
                                     .box_deltas = "moves",
                                     .features = "pool2",
                                     .classes = sketch.model->classes,
                                     .class_count = sketch.model->class_count,
                                     .background_index = -1,
                                     .context_px = -1};
    det_model *model = open_derived(&recipe);
    assert_int_equal(model->graph.count, sketch.model->graph.count + 1);
    assert_string_equal(det_model_class_name(model, 4), "elderberry");
    assert_int_equal(model->graph.nodes[model->box_deltas].bias.count, 0);
    det_model_free(model);
    test_sketch_free(&sketch);
}

/* Ten values are two priors. */
static void priors_go_with_the_layer_that_moves_them(void **state)
{
    (void)state;
    static const det_box priors[] = {{0, 0, 1, 1}, {.25f, .25f, .5f, .75f}};
    head h;
    make_head(&h);
    det_new_layer layers[5];
    memcpy(layers, h.layers, sizeof h.layers);
    layers[4] = linear_layer("boxes", 10, delta_weights);
    h.recipe.layers = layers;
    h.recipe.layer_count = 5;
    h.recipe.multibox = "boxes";
    h.recipe.priors = priors;
    h.recipe.prior_count = 2;
    det_model *model = open_derived(&h.recipe);
    assert_string_equal(det_model_output(model, DET_ROLE_MULTIBOX), "boxes");
    assert_int_equal(det_model_prior_count(model), 2);
    assert_memory_equal(model->priors, priors, sizeof priors);
    det_model_free(model);
}

static void assert_refused(const head *h, const char *where, const char *message)
{
    det_error error = {0};
    const char *path = test_path("refused.safetensors");
    test_assert_error(derive(&h->recipe, path, &error), DET_ARGUMENT, &error, message);
    assert_string_equal(error.where, where);
    assert_int_equal(error.status, DET_ARGUMENT);
    det_model *model = NULL;
    assert_int_equal(det_model_open(path, &model, NULL), DET_IO); /* nothing was written */
}

static void layers_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    head h;
    make_head(&h);
    h.layers[0].inputs[0] = "nowhere";
    assert_refused(&h, "nowhere", "the network has no layer of this name");
    make_head(&h);
    h.layers[0].inputs[0] = "scores"; /* a later one */
    assert_refused(&h, "scores", "the network has no layer of this name");
    make_head(&h);
    h.layers[2].inputs[0] = NULL;
    assert_refused(&h, "prob", "0 inputs do not suit the operation softmax");
    make_head(&h);
    h.layers[2].inputs[1] = "grid";
    assert_refused(&h, "prob", "2 inputs do not suit the operation softmax");
    make_head(&h);
    h.layers[0].name = "conv1";
    h.layers[1].inputs[0] = h.layers[3].inputs[0] = h.recipe.features = "conv1";
    assert_refused(&h, "conv1", "this name is there twice");
    make_head(&h);
    h.layers[2].name = h.recipe.probabilities = "data"; /* the picture's */
    assert_refused(&h, "data", "this name is there twice");
    make_head(&h);
    h.layers[0].node.window.stride_w = 0;
    assert_refused(&h, "grid", "stride is 0, not 1 to 65535");
    make_head(&h);
    h.layers[1].node.weights.count--;
    assert_refused(&h, "layer 'scores'", "287 weights do not fit 4 outputs x 8x3x3 inputs");
    make_head(&h);
    h.layers[0].node.window = test_window(9, 1, 0);
    assert_refused(&h, "layer 'grid'", "larger than its input of 8x8");
}

static void weights_that_are_not_finite_are_refused(void **state)
{
    (void)state;
    head h;
    make_head(&h);
    weights[17] = NAN;
    assert_refused(&h, "tensor 'scores.weight'", "value 17 of 288 is not a number");
    fill_weights(state);
    biases[2] = INFINITY;
    assert_refused(&h, "tensor 'scores.bias'", "value 2 of 4 is infinite");
    fill_weights(state);
}

static void outputs_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    head h;
    make_head(&h);
    h.recipe.class_count = 2;
    assert_refused(&h, "classes", "2 classes and the background, but layer 'prob' gives 4");
    make_head(&h);
    h.recipe.background_index = 4;
    assert_refused(&h, "background_index", "4, but there are 4 probabilities");
    make_head(&h);
    h.recipe.box_deltas = "scores";
    h.recipe.background_index = 0;
    test_assert_ok(derive(&h.recipe, test_path("agnostic.safetensors"), NULL), NULL);
    h.recipe.box_deltas = "grid";
    assert_refused(&h, "outputs.box_deltas",
                   "layer 'grid' gives 72 values a region; 3 classes have 4 each, or 4 in all");
    make_head(&h);
    h.recipe.probabilities = "nothing";
    assert_refused(&h, "nothing", "the network has no layer of this name");
    make_head(&h);
    h.recipe.features = "data";
    assert_refused(&h, "data", "the picture is no layer");
    make_head(&h);
    h.recipe.regions = "branch1_relu";
    assert_refused(&h, "outputs.regions: concat",
                   "reads 'branch2_relu', which does not go through 'branch1_relu'");
    make_head(&h);
    h.recipe.multibox = "moves";
    h.recipe.priors = (const det_box[]){{0, 0, 1, 1}, {0, 0, .5f, 2}};
    h.recipe.prior_count = 2;
    assert_refused(&h, "outputs.multibox", "layer 'moves' gives 12 values; 2 priors have 5 each");
    h.recipe.prior_count = 10001;
    assert_refused(&h, "priors", "10001 are more than 10000");
    make_head(&h);
    h.recipe.provenance = "{";
    assert_refused(&h, "provenance, line 1, column 2", "");
    h.recipe.provenance = "[]";
    assert_refused(&h, "provenance", "is not a JSON object");
    make_head(&h);
    h.recipe.settings = "7";
    assert_refused(&h, "settings", "is not a JSON object");
    make_head(&h);
    h.recipe.context_px = 100000;
    assert_refused(&h, "context_px", "100000 is more than 16384");
    h = (head){.recipe = {.background_index = -1}};
    assert_refused(&h, "", "a model without layers");
}

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_out_anywhere_is_an_error(void **state)
{
    (void)state;
    head h;
    make_head(&h);
    classes[1].synset = (char[]){"n00000001"};
    char *synonyms[] = {(char[]){"verdant"}};
    classes[1].synonyms = synonyms;
    classes[1].synonym_count = 1;
    test_sketch sketch = test_small_sketch();
    const char *path = test_path("short.safetensors");
    det_status status = DET_MEMORY;
    for (uint64_t n = 1; status != DET_OK; n++) {
        det_memory_fail_at(n);
        status = det_model_derive(sketch.model, &h.recipe, path, NULL);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
    }
    det_model *model = NULL;
    test_assert_ok(det_model_open(path, &model, NULL), NULL);
    assert_int_equal(det_model_find_class(model, "verdant"), 1);
    det_model_free(model);
    test_sketch_free(&sketch);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_new_layers_need_is_kept_and_nothing_else),
        cmocka_unit_test(the_new_layers_compute_with_what_the_old_ones_give),
        cmocka_unit_test(regions_are_pooled_where_they_were_in_the_source),
        cmocka_unit_test(layers_may_be_joined),
        cmocka_unit_test(a_model_can_be_cut),
        cmocka_unit_test(an_output_may_be_added_to_those_of_the_source),
        cmocka_unit_test(priors_go_with_the_layer_that_moves_them),
        cmocka_unit_test(layers_that_do_not_fit_are_refused),
        cmocka_unit_test(weights_that_are_not_finite_are_refused),
        cmocka_unit_test(outputs_that_make_no_sense_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_anywhere_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, fill_weights, NULL);
}
