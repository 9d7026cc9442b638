/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/trained_head.h"

#include "src/detector/box_deltas.h"

#include <string.h>

/* The layers of a head, as det_trained_model_write writes them. */
typedef struct {
    const det_node *probabilities, *classes, *grid, *boxes; /* boxes: or NULL */
    int grid_index, trunk;
} layers;

static const det_node *input_of(const det_model *model, const det_node *node, det_op op, int *index)
{
    if (!node || node->input_count != 1 || node->inputs[0] < 0) return NULL;
    *index = node->inputs[0];
    const det_node *input = &model->graph.nodes[*index];
    return input->op == op ? input : NULL;
}

static bool find_layers(const det_model *model, layers *l)
{
    int index, grid;
    if (model->probabilities < 0) return false;
    l->probabilities = &model->graph.nodes[model->probabilities];
    l->classes = input_of(model, l->probabilities, DET_OP_INNER_PRODUCT, &index);
    l->grid = input_of(model, l->classes, DET_OP_AVERAGE_POOL, &l->grid_index);
    if (!l->grid || l->grid->global || l->grid->inputs[0] < 0) return false;
    l->trunk = l->grid->inputs[0];
    if (model->box_deltas < 0) return true;
    l->boxes = &model->graph.nodes[model->box_deltas];
    return input_of(model, l->boxes, DET_OP_AVERAGE_POOL, &grid) && grid == l->grid_index &&
           l->boxes->op == DET_OP_INNER_PRODUCT &&
           (size_t)l->boxes->channels == DET_BOX_DELTAS * model->class_count;
}

static bool is_window(int side, int count, int kernel, int stride)
{
    const det_grid_windows w = det_grid_windows_of(side, count);
    return w.count == count && w.kernel == kernel && w.stride == stride;
}

/* Whether the windows of a pool are those that a grid of so many gives. */
static bool is_grid(const det_model *model, const layers *l, int grid)
{
    const det_shape map = model->shapes[l->trunk], cells = model->shapes[l->grid_index];
    const det_window *w = &l->grid->window;
    return is_window(map.height, cells.height, w->kernel_h, w->stride_h) &&
           is_window(map.width, cells.width, w->kernel_w, w->stride_w) &&
           det_grid_windows_of(map.height, grid).count == cells.height &&
           det_grid_windows_of(map.width, grid).count == cells.width;
}

/* Weights for features, rows x columns x channels, from those for maps. */
static void take_weights(const det_node *node, size_t outputs, size_t channels, size_t cells,
                         float *weights, float *biases)
{
    for (size_t o = 0; o < outputs; o++)
        for (size_t c = 0; c < channels; c++)
            for (size_t i = 0; i < cells; i++)
                weights[(o * cells + i) * channels + c] =
                    node->weights.values[(o * channels + c) * cells + i];
    if (node->bias.count == outputs) memcpy(biases, node->bias.values, outputs * sizeof *biases);
}

static det_status take_head(const det_model *model, const layers *l, det_linear_head *head,
                            det_error *error)
{
    const det_shape cells = model->shapes[l->grid_index];
    const size_t channels = (size_t)cells.channels;
    const size_t places = (size_t)cells.height * (size_t)cells.width;
    const det_head_kind kind =
        l->probabilities->op == DET_OP_SOFTMAX ? DET_HEAD_SOFTMAX : DET_HEAD_SIGMOID;
    const det_status status = det_linear_head_create(kind, channels * places, model->class_count,
                                                     l->boxes != NULL, head, error);
    if (status < 0) return status;
    take_weights(l->classes, head->output_count, channels, places, head->weights, head->biases);
    if (l->boxes)
        take_weights(l->boxes, DET_BOX_DELTAS * head->class_count, channels, places,
                     head->delta_weights, head->delta_biases);
    return DET_OK;
}

static bool is_kind(const det_model *model, const layers *l)
{
    const bool softmax = l->probabilities->op == DET_OP_SOFTMAX;
    if (!softmax && l->probabilities->op != DET_OP_SIGMOID) return false;
    return model->background_index == (softmax ? (int)model->class_count : -1) &&
           (size_t)l->classes->channels == model->class_count + softmax;
}

det_status det_trained_head_read(const det_model *model, det_trained_head *trained,
                                 det_error *error)
{
    layers l = {0};
    *trained = (det_trained_head){0};
    const bool found = find_layers(model, &l) && is_kind(model, &l);
    if (found) {
        const det_shape cells = model->shapes[l.grid_index];
        trained->grid = cells.height > cells.width ? cells.height : cells.width;
    }
    if (!found || !is_grid(model, &l, trained->grid))
        return det_fail_at(error, DET_UNSUPPORTED, det_model_path(model), NULL,
                           "detect train has not made this model");
    trained->layer = model->graph.nodes[l.trunk].name;
    trained->classes = l.classes->name;
    trained->boxes = l.boxes ? l.boxes->name : NULL;
    return take_head(model, &l, &trained->head, error);
}

void det_trained_head_free(det_trained_head *trained)
{
    det_linear_head_free(&trained->head);
    *trained = (det_trained_head){0};
}
