/* SPDX-License-Identifier: Apache-2.0 */
/* The layers that have weights, with the ReLU behind them fused:
 *   convolution    y[o] = relu(b[o] + sum over i, kh, kw of W[o][i][kh][kw] * x[i])
 *   inner product  y[o] = relu(b[o] + sum over all values i of the picture's map of W[o][i] * x[i])
 */
#include "src/nn/onednn/plan.h"

#include <string.h>

/* Layouts that the layer asks for ("any": the primitive chooses) and those of the model file. */
typedef struct {
    det_layout in, weights, bias, out;
    det_layout file_weights;
} layouts_of;

static bool complete(const layouts_of *l)
{
    return l->in && l->weights && l->bias && l->out && l->file_weights;
}

static void free_layouts(layouts_of *l)
{
    det_layout_free(l->in);
    det_layout_free(l->weights);
    det_layout_free(l->bias);
    det_layout_free(l->out);
    det_layout_free(l->file_weights);
}

/* Packs the weights, then adds the step. Destroys pd. */
static int add_weighted(det_plan *plan, const det_layer *layer, int input, const layouts_of *l,
                        dnnl_primitive_desc_t pd, det_error *error)
{
    const det_node *node = layer->node;
    det_argument constants[2] = {{DNNL_ARG_WEIGHTS, -1, NULL}, {DNNL_ARG_BIAS, -1, NULL}};
    const int count = node->bias.values ? 2 : 1;
    det_status status = det_plan_add_constant(
        plan, node->weights.values, l->file_weights,
        dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0), &constants[0], error);
    if (status == DET_OK && node->bias.values)
        status =
            det_plan_add_constant(plan, node->bias.values, l->bias, l->bias, &constants[1], error);
    if (status < 0) {
        dnnl_primitive_desc_destroy(pd);
        return status;
    }
    return det_plan_add_layer(plan, layer, input, pd, constants, count, error);
}

void det_convolution_window(const det_node *node, dnnl_dims_t window[4])
{
    const det_window *w = &node->window;
    const dnnl_dim_t sides[4][2] = {{w->stride_h, w->stride_w},
                                    {w->dilation_h - 1, w->dilation_w - 1},
                                    {w->pad_h, w->pad_w},
                                    {w->pad_h, w->pad_w}};
    for (int i = 0; i < 4; i++) memcpy(window[i], sides[i], sizeof sides[i]);
}

static dnnl_status_t describe_convolution(const det_plan *plan, const det_layer *layer,
                                          const layouts_of *l, dnnl_alg_kind_t algorithm,
                                          dnnl_primitive_desc_t *pd)
{
    dnnl_dims_t window[4];
    det_convolution_window(layer->node, window);
    const det_const_layout layouts[4] = {l->in, l->weights,
                                         layer->node->bias.values ? l->bias : NULL, l->out};
    dnnl_primitive_attr_t attributes = det_plan_attributes(layer->relu, NULL);
    if (!attributes) return dnnl_out_of_memory;
    const dnnl_status_t result =
        det_pd_convolution(pd, plan->engine, algorithm, layouts, window, attributes);
    dnnl_primitive_attr_destroy(attributes);
    return result;
}

static void convolution_layouts(const det_plan *plan, const det_layer *layer, int input,
                                layouts_of *l)
{
    const det_node *node = layer->node;
    const det_window *w = &node->window;
    const int groups = node->groups, in_channels = layer->in.channels / groups;
    const dnnl_dims_t in = {1, layer->in.channels, layer->in.height, layer->in.width};
    const dnnl_dims_t dense = {node->channels, in_channels, w->kernel_h, w->kernel_w};
    const dnnl_dims_t grouped = {groups, node->channels / groups, in_channels, w->kernel_h,
                                 w->kernel_w};
    const dnnl_dims_t bias = {node->channels};

    /* A plain input is a picture or comes from the caller: the convolution says what it wants. */
    const det_plan_tensor *source = &plan->tensors[input];
    const dnnl_data_type_t type = plan->type;
    l->in = source->plain || source->channels_last || source->type != type
                ? det_layout_create(4, in, type, dnnl_format_tag_any)
                : det_layout_copy(source->layout);
    l->weights = groups > 1 ? det_layout_create(5, grouped, type, dnnl_format_tag_any)
                            : det_layout_create(4, dense, type, dnnl_format_tag_any);
    l->file_weights = groups > 1 ? det_layout_create(5, grouped, dnnl_f32, dnnl_goihw)
                                 : det_layout_create(4, dense, dnnl_f32, dnnl_oihw);
    l->bias = det_layout_create(1, bias, dnnl_f32, dnnl_x);
    l->out = det_plan_output_layout(plan, layer);
}

static int add_onednn(det_plan *plan, const det_layer *layer, int input, const layouts_of *l,
                      dnnl_primitive_desc_t pd, det_error *error)
{
    const dnnl_status_t result =
        pd ? dnnl_success : describe_convolution(plan, layer, l, dnnl_convolution_direct, &pd);
    return result == dnnl_success ? add_weighted(plan, layer, input, l, pd, error)
                                  : (int)det_dnnl_fail(error, "describe a convolution", result);
}

/* Winograd's algorithm, where it is allowed and oneDNN has it (3x3, stride 1, f32); else ours; else
 * oneDNN's direct one. */
int det_add_convolution(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    layouts_of l = {0};
    dnnl_primitive_desc_t pd = NULL;
    int output = DET_MEMORY;
    convolution_layouts(plan, layer, input, &l);
    if (!complete(&l)) {
        output = (int)det_fail_memory(error, "the layouts of a convolution");
        goto done;
    }
    if (plan->winograd &&
        describe_convolution(plan, layer, &l, dnnl_convolution_winograd, &pd) == dnnl_success) {
        output = add_onednn(plan, layer, input, &l, pd, error);
        goto done;
    }
    output = det_add_own(plan, layer, input, error);
    if (output == DET_NOT_OURS) output = add_onednn(plan, layer, input, &l, NULL, error);
done:
    free_layouts(&l);
    return output;
}

static dnnl_status_t describe_inner_product(const det_plan *plan, const det_layer *layer,
                                            const layouts_of *l, dnnl_primitive_desc_t *pd)
{
    const det_const_layout layouts[4] = {l->in, l->weights,
                                         layer->node->bias.values ? l->bias : NULL, l->out};
    dnnl_primitive_attr_t attributes = det_plan_attributes(layer->relu, NULL);
    if (!attributes) return dnnl_out_of_memory;
    const dnnl_status_t result = det_pd_inner_product(pd, plan->engine, layouts, attributes);
    dnnl_primitive_attr_destroy(attributes);
    return result;
}

static void inner_product_layouts(const det_plan *plan, const det_layer *layer, int input,
                                  layouts_of *l)
{
    const int ndims = det_layout_ndims(plan->tensors[input].layout);
    const int channels = layer->node->channels;
    const dnnl_dims_t in = {1, layer->in.channels, layer->in.height, layer->in.width};
    const dnnl_dims_t weights = {channels, layer->in.channels, layer->in.height, layer->in.width};
    const dnnl_dims_t out = {1, channels}, bias = {channels};
    const dnnl_format_tag_t file_tag = ndims == 4 ? dnnl_oihw : dnnl_oi;
    /* Over a map larger than a pixel plain layouts: those that oneDNN 3.6 chooses itself give wrong
     * sums where the channels do not fill its blocks. */
    const bool map = ndims == 4 && (layer->in.height > 1 || layer->in.width > 1);
    const dnnl_data_type_t type = plan->type;
    l->in = det_layout_create(ndims, in, type, map ? dnnl_nchw : dnnl_format_tag_any);
    l->weights = det_layout_create(ndims, weights, type, map ? file_tag : dnnl_format_tag_any);
    l->file_weights = det_layout_create(ndims, weights, dnnl_f32, file_tag);
    l->bias = det_layout_create(1, bias, dnnl_f32, dnnl_x);
    l->out = det_layout_create(2, out, dnnl_f32, dnnl_nc);
}

int det_add_inner_product(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    layouts_of l = {0};
    dnnl_primitive_desc_t pd = NULL;
    inner_product_layouts(plan, layer, input, &l);
    const dnnl_status_t result =
        complete(&l) ? describe_inner_product(plan, layer, &l, &pd) : dnnl_out_of_memory;
    const int output = result == dnnl_success
                           ? add_weighted(plan, layer, input, &l, pd, error)
                           : (int)det_dnnl_fail(error, "describe an inner product", result);
    free_layouts(&l);
    return output;
}
