/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "tests/unit/support_network.h"

#include <string.h>

static void a_small_network_is_read_as_it_was_written(void **state)
{
    (void)state;
    const char *path = test_path("small.safetensors");
    det_error error = {0};
    det_model *model = NULL;
    test_sketch made = test_small_sketch();
    test_small_network(path);
    test_assert_ok(det_model_open(path, &model, &error), &error);

    const det_graph *graph = &model->graph, *expected = &made.model->graph;
    assert_int_equal(graph->count, expected->count);
    for (int i = 0; i < graph->count; i++) {
        const det_node *a = &graph->nodes[i], *b = &expected->nodes[i];
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->op, b->op);
        assert_int_equal(a->input_count, b->input_count);
        assert_memory_equal(a->inputs, b->inputs, (size_t)b->input_count * sizeof *b->inputs);
        if (b->op == DET_OP_CONVOLUTION)
            assert_memory_equal(&a->window, &b->window, sizeof a->window);
        if (b->op == DET_OP_MAX_POOL) assert_memory_equal(&a->window, &b->window, 6 * sizeof(int));
        assert_int_equal(a->channels, b->channels);
        if (b->op == DET_OP_CONVOLUTION) assert_int_equal(a->groups, b->groups);
        assert_int_equal(a->global, b->global);
        assert_int_equal(a->ceil_mode, b->ceil_mode);
        assert_int_equal(a->local_size, b->local_size);
        assert_true(a->alpha == b->alpha && a->beta == b->beta && a->k == b->k);
        assert_true(a->ratio == b->ratio && a->negative_slope == b->negative_slope);
        assert_int_equal(a->weights.count, b->weights.count);
        assert_int_equal(a->bias.count, b->bias.count);
        assert_memory_equal(a->weights.values, b->weights.values, b->weights.count * sizeof(float));
        assert_memory_equal(a->bias.values, b->bias.values, b->bias.count * sizeof(float));
        assert_memory_equal(&model->shapes[i], &made.model->shapes[i], sizeof *model->shapes);
    }
    assert_memory_equal(&model->input, &made.model->input, sizeof model->input);
    assert_int_equal(det_model_class_count(model), 5);
    assert_string_equal(det_model_class_name(model, 1), "banana");
    assert_int_equal(model->probabilities, made.model->probabilities);
    assert_int_equal(model->features, made.model->features);
    assert_int_equal(model->background_index, -1);
    det_model_free(model);
    test_sketch_free(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_network_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
