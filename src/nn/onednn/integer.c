/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions and inner products in 8-bit integers (src/nn/quantization.h has the formula):
 *
 *   y[o] = relu(scale[o] * sum of q[o][i] * p[i] + bias[o])
 *
 * where y is u8 with the scale of the layer's output, or f32. oneDNN's integer kernels want
 * channels last. Without VNNI they add two products in 16 bits, which overflow unless the weights
 * keep within 63: 2 * 255 * 63 < 2^15. */
#include "src/nn/model_file.h"
#include "src/nn/onednn/plan.h"
#include "src/nn/onednn/processor.h"

#include <string.h>

/* What the primitive is made from; freed by free_parts. */
typedef struct {
    det_layout in, weights, bias, out;
    det_layout packed;  /* the weights, as the primitive wants them */
    int8_t *quantized;  /* node->weights.count */
    float *scale, *add; /* node->channels: of the formula */
} parts;

static void free_parts(parts *p)
{
    det_layout_free(p->in);
    det_layout_free(p->weights);
    det_layout_free(p->bias);
    det_layout_free(p->out);
    det_layout_free(p->packed);
    det_free(p->quantized);
    det_free(p->scale);
    det_free(p->add);
}

/* scale and bias by the formula. */
static void fill_scales(const det_layer *layer, const det_integer_layer *integers, parts *p)
{
    const det_node *node = layer->node;
    for (int o = 0; o < node->channels; o++)
        p->add[o] = node->bias.values ? node->bias.values[o] : 0;
    det_correct_bias(integers, p->quantized, p->add);
    for (int o = 0; o < node->channels; o++)
        p->scale[o] = layer->weight_scales[o] * (127 / (float)integers->limit);
}

/* The same for oneDNN, whose bytes have no steps of their own; where scales belong to the primitive
 * the bias is inside them. */
static void divide_by_steps(const det_layer *layer, parts *p)
{
    for (int o = 0; o < layer->node->channels; o++) {
        const float step = layer->out_scales ? layer->out_scales[o] : 1;
        p->scale[o] /= step;
        p->add[o] /= det_scales_are_arguments ? step : step * p->scale[o];
    }
}

static bool fill_values(const det_plan *plan, const det_layer *layer, parts *p)
{
    const det_node *node = layer->node;
    const size_t channels = (size_t)node->channels;
    const det_integer_layer integers = {
        .node = node,
        .input_channels = layer->in.channels,
        .input = layer->in_scales,
        .means = layer->in_means,
        .weights = layer->weight_scales,
        .limit = det_weight_limit(det_weight_width_of(plan->weight_bits))};
    p->quantized = det_alloc_array(node->weights.count, sizeof *p->quantized);
    p->scale = det_alloc_array(channels, sizeof *p->scale);
    p->add = det_alloc_array(channels, sizeof *p->add);
    if (!p->quantized || !p->scale || !p->add) return false;
    if (layer->rounded)
        memcpy(p->quantized, layer->rounded, node->weights.count);
    else
        det_quantize_weights(&integers, p->quantized);
    fill_scales(layer, &integers, p);
    return true;
}

static bool fill_layouts(const det_layer *layer, int ndims, parts *p)
{
    const det_node *node = layer->node;
    const det_window *w = &node->window;
    const bool convolves = node->op == DET_OP_CONVOLUTION;
    const dnnl_dims_t weights = {node->channels, layer->in.channels, convolves ? w->kernel_h : 1,
                                 convolves ? w->kernel_w : 1};
    const dnnl_dims_t bias = {node->channels};
    const dnnl_data_type_t out = layer->out_scales ? dnnl_u8 : dnnl_f32;
    p->in = det_channels_last_layout(layer->in, dnnl_u8, ndims);
    p->weights = det_layout_create(ndims, weights, dnnl_s8, ndims == 4 ? dnnl_oihw : dnnl_oi);
    /* Without VNNI the product of matrices of oneDNN 3 wants inner products' weights laid out as
     * their input is, and does not say so. */
    const dnnl_format_tag_t last = ndims == 4 ? dnnl_nhwc : dnnl_nc;
    p->packed =
        det_layout_create(ndims, weights, dnnl_s8,
                          convolves || det_processor_has_vnni() ? dnnl_format_tag_any : last);
    p->bias = det_layout_create(1, bias, dnnl_f32, dnnl_x);
    p->out = det_channels_last_layout(layer->out, out, convolves ? 4 : 2);
    return p->in && p->weights && p->packed && p->bias && p->out;
}

static dnnl_status_t describe(const det_plan *plan, const det_layer *layer, const parts *p,
                              const det_scaling *scaling, dnnl_primitive_desc_t *pd)
{
    const det_const_layout layouts[4] = {p->in, p->packed, p->bias, p->out};
    dnnl_primitive_attr_t attributes = det_plan_attributes(layer->relu, scaling);
    if (!attributes) return dnnl_out_of_memory;
    dnnl_status_t result;
    if (layer->node->op == DET_OP_CONVOLUTION) {
        dnnl_dims_t window[4];
        det_convolution_window(layer->node, window);
        result = det_pd_convolution(pd, plan->engine, dnnl_convolution_direct, layouts, window,
                                    attributes);
    } else {
        result = det_pd_inner_product(pd, plan->engine, layouts, attributes);
    }
    dnnl_primitive_attr_destroy(attributes);
    return result;
}

/* Destroys pd. */
static int add_step(det_plan *plan, const det_layer *layer, int input, const parts *p,
                    const det_scaling *scaling, dnnl_primitive_desc_t pd, det_error *error)
{
    det_argument constants[3] = {{DNNL_ARG_WEIGHTS, -1, NULL}, {DNNL_ARG_BIAS, -1, NULL}};
    int count = 2;
    det_status status = det_plan_add_constant(
        plan, p->quantized, p->weights, dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0),
        &constants[0], error);
    if (status == DET_OK)
        status = det_plan_add_constant(plan, p->add, p->bias, p->bias, &constants[1], error);
    if (status == DET_OK) status = det_plan_add_scales(plan, scaling, constants, &count, error);
    if (status < 0) {
        dnnl_primitive_desc_destroy(pd);
        return status;
    }
    const int output = det_plan_add_layer(plan, layer, input, pd, constants, count, error);
    if (output >= 0) plan->tensors[output].scales = layer->out_scales;
    return output;
}

static int add_in_tiles(det_plan *plan, const det_layer *layer, int input, const parts *p,
                        det_error *error)
{
    const det_convolution_parts own = {
        .node = layer->node, .integers = p->quantized, .scale = p->scale, .bias = p->add};
    return det_add_own_convolution(plan, layer, input, &own, error);
}

int det_add_integer_layer(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    parts p = {0};
    dnnl_primitive_desc_t pd = NULL;
    int output = DET_MEMORY;
    const bool own = det_runs_in_tiles(plan, layer->node, layer->in.channels, true);
    const int bytes =
        det_plan_as_bytes(plan, layer->node->name, input, layer->in_scales, own, error);
    if (bytes < 0) return bytes;
    const int ndims = det_layout_ndims(plan->tensors[bytes].layout);
    if (!fill_layouts(layer, ndims, &p) || !fill_values(plan, layer, &p)) {
        det_fail_memory(error, "a layer in int8");
        goto done;
    }
    if (own) {
        output = add_in_tiles(plan, layer, bytes, &p, error);
        goto done;
    }
    divide_by_steps(layer, &p);
    const det_scaling scaling = {DNNL_ARG_WEIGHTS, 1, p.scale, (size_t)layer->node->channels};
    const dnnl_status_t result = describe(plan, layer, &p, &scaling, &pd);
    output = result == dnnl_success ? add_step(plan, layer, bytes, &p, &scaling, pd, error)
                                    : (int)det_dnnl_fail(error, "describe a layer in int8", result);
done:
    free_parts(&p);
    return output;
}
