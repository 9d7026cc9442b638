/* SPDX-License-Identifier: Apache-2.0 */
/* The layers that run in kernels of our own (src/nn/kernels/), where this processor has them. */
#include "src/nn/kernels/byte_pool.h"
#include "src/nn/kernels/picture_rows.h"
#include "src/nn/onednn/plan.h"
#include "src/nn/onednn/processor.h"

/* ---- What this processor has -------------------------------------------------------------------
 */

/* The tiles for this processor and the layout of maps. */
static const det_tiles *find_tiles(const det_plan *plan, det_values type, int limit)
{
#if defined(__x86_64__)
    const struct {
        const det_tiles *tiles;
        bool runs;
    } all[] = {
        {&det_tiles_avx512_bf16, det_processor_has_bf16()},
        {&det_tiles_avx512, det_processor_has_avx512()},
        {&det_tiles_avx2, det_processor_has_avx2()},
        {&det_tiles_avx512_bytes, det_processor_has_avx512_vnni()},
        {&det_tiles_avx2_vnni, det_processor_has_avx2_vnni()},
        {&det_tiles_avx2_bytes, det_processor_has_avx2()},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const det_tiles *tiles = all[i].tiles;
        if (all[i].runs && tiles->block == plan->block && tiles->in_type == type &&
            tiles->weight_limit >= limit)
            return tiles;
    }
#endif
    return NULL;
}

static const det_lrn_code *find_lrn(const det_plan *plan)
{
#if defined(__x86_64__)
    if (plan->block == det_lrn_avx512.block && det_processor_has_avx512()) return &det_lrn_avx512;
    if (plan->block == det_lrn_avx2.block && det_processor_has_avx2()) return &det_lrn_avx2;
#endif
    return NULL;
}

void det_plan_choose_kernels(det_plan *plan, det_precision precision)
{
    const det_values type = plan->type == dnnl_bf16 ? DET_VALUES_BF16 : DET_VALUES_F32;
    plan->lrn = find_lrn(plan);
    plan->tiles = find_tiles(plan, type, 0);
    if (precision == DET_INT8)
        plan->byte_tiles = find_tiles(plan, DET_VALUES_BYTES, plan->weight_bits == 8 ? 127 : 63);
}

/* ---- Convolutions ------------------------------------------------------------------------------
 */

/* Few channels fill a block badly. */
bool det_runs_in_tiles(const det_plan *plan, const det_node *node, int in_channels, bool integers)
{
    const det_tiles *tiles = integers ? plan->byte_tiles : plan->tiles;
    return tiles && node->op == DET_OP_CONVOLUTION && node->groups == 1 &&
           2 * in_channels >= tiles->block && 2 * node->channels >= tiles->block;
}

static det_values values_of(dnnl_data_type_t type)
{
    if (type == dnnl_u8) return DET_VALUES_BYTES;
    return type == dnnl_bf16 ? DET_VALUES_BF16 : DET_VALUES_F32;
}

int det_add_own_convolution(det_plan *plan, const det_layer *layer, int input,
                            const det_convolution_parts *parts, det_error *error)
{
    const float *steps = plan->byte_tiles ? layer->out_scales : NULL; /* oneDNN's are no blocks */
    const dnnl_data_type_t type = steps ? dnnl_u8 : plan->type;
    int output = layer->destination;
    if (output < 0)
        output = det_plan_add_tensor(plan, det_plan_blocked_layout(plan, layer->out, type),
                                     layer->out, error);
    if (output < 0) return output;
    det_convolution_parts all = *parts;
    all.relu = layer->relu;
    all.in = layer->in;
    all.out = layer->out;
    all.out_type = values_of(type);
    all.steps = steps;
    det_kernel *kernel = NULL;
    det_status status = det_convolution_create(parts->integers ? plan->byte_tiles : plan->tiles,
                                               &all, &kernel, error);
    if (status == DET_OK)
        status = det_plan_add_kernel(plan, layer->node->name, kernel, input, output, error);
    plan->tensors[output].scales = steps;
    return status < 0 ? (int)status : output;
}

static int add_in_tiles(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    const int map = det_plan_in_blocks(plan, layer->node->name, input, error);
    const det_convolution_parts parts = {.node = layer->node, .bias = layer->node->bias.values};
    return map < 0 ? map : det_add_own_convolution(plan, layer, map, &parts, error);
}

/* The few channels of a picture would fill a block badly; the values under a row of the window do
 * not. */
static bool suits_rows(const det_plan *plan, const det_layer *layer, int input)
{
    return plan->tiles && plan->tensors[input].plain &&
           det_layout_ndims(plan->tensors[input].layout) == 4 && layer->node->groups == 1 &&
           layer->node->window.dilation_w == 1 && 2 * layer->out.channels >= plan->block;
}

static int add_rows(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    const det_window *window = &layer->node->window;
    const det_shape shape = det_picture_rows_shape(window, layer->in);
    const int rows =
        det_plan_add_tensor(plan, det_channels_last_layout(shape, plan->type, 4), shape, error);
    if (rows < 0) return rows;
    det_kernel *kernel = NULL;
    det_status status =
        det_picture_rows_create(window, layer->in, values_of(plan->type), &kernel, error);
    if (status == DET_OK)
        status = det_plan_add_kernel(plan, layer->node->name, kernel, input, rows, error);
    return status < 0 ? (int)status : rows;
}

static int add_on_picture(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    const int rows = add_rows(plan, layer, input, error);
    if (rows < 0) return rows;
    det_layer on_rows = *layer;
    on_rows.in = plan->tensors[rows].shape;
    const det_convolution_parts parts = {
        .node = layer->node, .picture = true, .bias = layer->node->bias.values};
    return det_add_own_convolution(plan, &on_rows, rows, &parts, error);
}

/* ---- Others ------------------------------------------------------------------------------------
 */

/* Our own, which also writes bytes where those are in blocks. */
static int add_own_lrn(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    const float *steps = plan->byte_tiles ? layer->out_scales : NULL;
    const dnnl_data_type_t type = steps ? dnnl_u8 : plan->type;
    const int map = det_plan_in_blocks(plan, layer->node->name, input, error);
    if (map < 0) return map;
    const int output = det_plan_add_tensor(plan, det_plan_blocked_layout(plan, layer->out, type),
                                           layer->out, error);
    if (output < 0) return output;
    plan->tensors[output].scales = steps;
    det_kernel *kernel = NULL;
    det_status status = det_lrn_create(plan->lrn, layer->node, layer->out, values_of(plan->type),
                                       steps, &kernel, error);
    if (status == DET_OK)
        status = det_plan_add_kernel(plan, layer->node->name, kernel, map, output, error);
    return status < 0 ? (int)status : output;
}

/* A maximum of bytes, which has the scales of the bytes, in blocks of channels. */
static int add_byte_pool(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    const char *name = layer->node->name;
    input = det_plan_as_bytes(plan, name, input, layer->out_scales, true, error);
    if (input < 0) return input;
    int output = layer->destination;
    if (output < 0)
        output = det_plan_add_tensor(plan, det_plan_blocked_layout(plan, layer->out, dnnl_u8),
                                     layer->out, error);
    if (output < 0) return output;
    const det_window whole = {layer->in.height, layer->in.width, 1, 1, 0, 0, 1, 1};
    det_kernel *kernel = NULL;
    det_status status = det_byte_pool_create(layer->node->global ? &whole : &layer->node->window,
                                             plan->block, layer->in, layer->out, &kernel, error);
    if (status == DET_OK) status = det_plan_add_kernel(plan, name, kernel, input, output, error);
    plan->tensors[output].scales = plan->tensors[input].scales;
    return status < 0 ? (int)status : output;
}

/* ---- All of it ---------------------------------------------------------------------------------
 */

static int add_floating_convolution(det_plan *plan, const det_layer *layer, int input,
                                    det_error *error)
{
    if (det_runs_in_tiles(plan, layer->node, layer->in.channels, false))
        return add_in_tiles(plan, layer, input, error);
    if (suits_rows(plan, layer, input)) return add_on_picture(plan, layer, input, error);
    return DET_NOT_OURS;
}

int det_add_own(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    const bool bytes = plan->tensors[input].type == dnnl_u8 || layer->out_scales;
    switch (layer->node->op) {
    case DET_OP_CONVOLUTION:
        return add_floating_convolution(plan, layer, input, error);
    case DET_OP_LRN:
        return plan->lrn && det_lrn_suits(layer->node) ? add_own_lrn(plan, layer, input, error)
                                                       : DET_NOT_OURS;
    case DET_OP_MAX_POOL:
        return plan->byte_tiles && bytes ? add_byte_pool(plan, layer, input, error) : DET_NOT_OURS;
    default:
        return DET_NOT_OURS;
    }
}
