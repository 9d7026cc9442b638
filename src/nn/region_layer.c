/* SPDX-License-Identifier: Apache-2.0 */
/* Where a network can be cut in two, and which part of the picture a cell of the map there looks
 * at: the arithmetic of receptive fields (Dumoulin and Visin, "A guide to convolution arithmetic
 * for deep learning", 2016). Rounding sizes up, as Caffe's pools do, adds cells at the far end and
 * moves none. */
#include "src/nn/region_layer.h"

#include "src/base/memory.h"

/* ---- Cells ------------------------------------------------------------------------------------
 */

/* No map: its steps are 0. */
static const det_cells no_cells = {0};

static double middle(int kernel, int dilation, int pad)
{
    return dilation * (kernel - 1) / 2. - pad;
}

static det_cells behind_window(const det_node *node, det_cells in, bool dilated)
{
    const det_window *w = &node->window;
    const int down = dilated ? w->dilation_h : 1, across = dilated ? w->dilation_w : 1;
    return (det_cells){in.x0 + middle(w->kernel_w, across, w->pad_w) * in.step_x,
                       in.y0 + middle(w->kernel_h, down, w->pad_h) * in.step_y,
                       in.step_x * w->stride_w, in.step_y * w->stride_h};
}

static det_cells input_cells(const det_node *node, int input, const det_cells *all)
{
    const det_cells pixels = {.5, .5, 1, 1};
    return node->inputs[input] == DET_PICTURE ? pixels : all[node->inputs[input]];
}

static bool same_cells(det_cells a, det_cells b)
{
    return a.x0 == b.x0 && a.y0 == b.y0 && a.step_x == b.step_x && a.step_y == b.step_y;
}

static det_cells join(const det_node *node, const det_cells *all)
{
    const det_cells first = input_cells(node, 0, all);
    for (int i = 1; i < node->input_count; i++)
        if (!same_cells(first, input_cells(node, i, all))) return no_cells;
    return first;
}

static det_cells cells_of(const det_node *node, const det_cells *all)
{
    const det_cells in = input_cells(node, 0, all);
    if (in.step_x == 0) return no_cells;
    switch (node->op) {
    case DET_OP_CONVOLUTION:
        return behind_window(node, in, true);
    case DET_OP_MAX_POOL:
    case DET_OP_AVERAGE_POOL:
        return node->global ? no_cells : behind_window(node, in, false);
    case DET_OP_INNER_PRODUCT:
        return no_cells;
    case DET_OP_CONCAT:
        return join(node, all);
    default:
        return in;
    }
}

det_status det_region_layer_cells(const det_graph *graph, int layer, det_cells *cells,
                                  det_error *error)
{
    det_cells *all = det_alloc_array((size_t)layer + 1, sizeof *all);
    if (!all) return det_fail_memory(error, "the cells of a network");
    for (int i = 0; i <= layer; i++) all[i] = cells_of(&graph->nodes[i], all);
    *cells = all[layer];
    det_free(all);
    if (cells->step_x > 0) return DET_OK;
    return det_fail_at(error, DET_UNSUPPORTED, NULL, graph->nodes[layer].name,
                       "this layer has no map whose cells lie at places of the picture");
}

/* ---- The cut ----------------------------------------------------------------------------------
 */

/* The layers that `target` needs, but for those before `layer`. */
static void mark_needed(const det_graph *graph, int layer, int target, bool *needed)
{
    needed[target] = true;
    for (int i = target; i >= 0; i--) {
        const det_node *node = &graph->nodes[i];
        if (!needed[i] || i == layer) continue;
        for (int j = 0; j < node->input_count; j++)
            if (node->inputs[j] >= 0) needed[node->inputs[j]] = true;
    }
}

static det_status fail_bypass(const det_graph *graph, int layer, int reader, int read,
                              det_error *error)
{
    return det_fail_at(error, DET_ARGUMENT, NULL, graph->nodes[reader].name,
                       "reads %s%s%s, which does not go through '%s': regions can only be pooled "
                       "from a layer that everything goes through",
                       read < 0 ? "the picture" : "'", read < 0 ? "" : graph->nodes[read].name,
                       read < 0 ? "" : "'", graph->nodes[layer].name);
}

/* fed[i]: something that layer i reads comes from `layer`. */
static det_status check(const det_graph *graph, int layer, int target, const bool *needed,
                        bool *fed, det_error *error)
{
    fed[layer] = true;
    for (int i = layer + 1; i <= target; i++) {
        const det_node *node = &graph->nodes[i];
        int other = DET_NO_NODE;
        for (int j = 0; needed[i] && j < node->input_count; j++) {
            const int input = node->inputs[j];
            if (input >= 0 && fed[input])
                fed[i] = true;
            else
                other = input;
        }
        if (fed[i] && other != DET_NO_NODE) return fail_bypass(graph, layer, i, other, error);
    }
    if (fed[target] && target != layer) return DET_OK;
    return det_fail_at(error, DET_ARGUMENT, NULL, graph->nodes[target].name,
                       "this layer does not come after '%s', which regions are pooled from",
                       graph->nodes[layer].name);
}

det_status det_region_layer_check(const det_graph *graph, int layer, int target, det_error *error)
{
    const size_t count = (size_t)graph->count;
    bool *flags = det_alloc_zeroed(2 * count, sizeof *flags);
    if (!flags) return det_fail_memory(error, "the layers of a network");
    mark_needed(graph, layer, target, flags);
    const det_status status = check(graph, layer, target, flags, flags + count, error);
    det_free(flags);
    return status;
}

/* ---- The choice -------------------------------------------------------------------------------
 */

/* DET_OK: the network can be cut there; DET_MEMORY; anything else: not. */
static det_status try_layer(const det_graph *graph, int layer, int target)
{
    det_cells cells;
    const det_status status = det_region_layer_cells(graph, layer, &cells, NULL);
    return status == DET_OK ? det_region_layer_check(graph, layer, target, NULL) : status;
}

static bool has_stride(const det_node *node)
{
    const bool pool = node->op == DET_OP_MAX_POOL || node->op == DET_OP_AVERAGE_POOL;
    return pool && !node->global && (node->window.stride_h > 1 || node->window.stride_w > 1);
}

det_status det_region_layer_find(const det_graph *graph, const det_shape *shapes, int target,
                                 int *layer, det_error *error)
{
    int fallback = DET_NO_NODE;
    for (int i = target; i >= 0; i--) {
        const bool map = shapes[i].height > 1 || shapes[i].width > 1;
        const int before = has_stride(&graph->nodes[i]) ? graph->nodes[i].inputs[0] : DET_NO_NODE;
        const bool open = fallback == DET_NO_NODE && map && i < target;
        const int candidate = before >= 0 ? before : open ? i : DET_NO_NODE;
        if (candidate < 0) continue;
        const det_status status = try_layer(graph, candidate, target);
        if (status == DET_MEMORY) return det_fail_memory(error, "the layers of a network");
        if (status != DET_OK) continue;
        *layer = fallback = candidate;
        if (before >= 0) return DET_OK;
    }
    if (fallback >= 0) return DET_OK;
    return det_fail(error, DET_UNSUPPORTED,
                    "the network has no map that everything goes through and regions could be "
                    "pooled from");
}
