/* SPDX-License-Identifier: Apache-2.0 */
/* Max and average pooling by Caffe's rules (pooling_layer.cpp). Sizes round up, so a last window
 * may hang over the padded input. A maximum ignores everything outside the picture. An average
 * divides by the window clipped to the padded input: the padding counts, the overhang does not.
 * oneDNN counts all of the window or only what lies on the picture, so the case with both padding
 * and overhang is computed with the whole window and multiplied by whole / clipped afterwards. */
#include "src/nn/onednn/plan.h"

typedef struct {
    int kernel, stride, pad, overhang; /* along one side; overhang: beyond pad at the far end */
} side;

static side side_of(int size, int out, int kernel, int stride, int pad)
{
    const int reach = (out - 1) * stride + kernel; /* from the near end of the padded input */
    const int overhang = reach - (size + 2 * pad);
    return (side){kernel, stride, pad, overhang > 0 ? overhang : 0};
}

/* Elements of window `at` that lie on the padded input. */
static int clipped(const side *s, int size, int at)
{
    const int start = at * s->stride, end = start + s->kernel;
    const int limit = size + 2 * s->pad;
    return (end < limit ? end : limit) - start;
}

static void sides_of(const det_layer *layer, side *vertical, side *horizontal)
{
    const det_node *node = layer->node;
    const det_window *w = &node->window;
    *vertical = node->global ? (side){layer->in.height, 1, 0, 0}
                             : side_of(layer->in.height, layer->out.height, w->kernel_h,
                                       w->stride_h, w->pad_h);
    *horizontal = node->global ? (side){layer->in.width, 1, 0, 0}
                               : side_of(layer->in.width, layer->out.width, w->kernel_w,
                                         w->stride_w, w->pad_w);
}

static dnnl_alg_kind_t algorithm_of(const det_node *node, bool padded)
{
    if (node->op == DET_OP_MAX_POOL) return dnnl_pooling_max;
    return padded ? dnnl_pooling_avg_include_padding : dnnl_pooling_avg_exclude_padding;
}

/* Of the input's kind. */
static det_layout output_layout(const det_plan *plan, const det_layer *layer, int input)
{
    const det_plan_tensor *in = &plan->tensors[input];
    return in->channels_last && layer->destination < 0
               ? det_channels_last_layout(layer->out, in->type, 4)
               : det_plan_output_layout(plan, layer);
}

static dnnl_status_t describe(const det_plan *plan, const det_layer *layer, int input,
                              const side *v, const side *h, dnnl_primitive_desc_t *pd)
{
    /* The far padding may be negative: what no window reaches. */
    const dnnl_dim_t bottom =
        (layer->out.height - 1) * v->stride + v->kernel - v->pad - layer->in.height;
    const dnnl_dim_t right =
        (layer->out.width - 1) * h->stride + h->kernel - h->pad - layer->in.width;
    const dnnl_dims_t window[4] = {
        {v->stride, h->stride}, {v->kernel, h->kernel}, {v->pad, h->pad}, {bottom, right}};
    const bool padded = v->pad > 0 || h->pad > 0;

    det_layout out = output_layout(plan, layer, input);
    dnnl_primitive_attr_t attributes = det_plan_attributes(NULL, NULL);
    const dnnl_status_t result =
        out && attributes ? det_pd_pool(pd, plan->engine, algorithm_of(layer->node, padded),
                                        plan->tensors[input].layout, out, window, attributes)
                          : dnnl_out_of_memory;
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    det_layout_free(out);
    return result;
}

/* whole / clipped for every output place, as a constant of shape 1 x 1 x height x width. */
static det_status add_correction(det_plan *plan, const det_layer *layer, const side *v,
                                 const side *h, det_argument *factor, det_error *error)
{
    const int height = layer->out.height, width = layer->out.width;
    float *values = det_alloc_array((size_t)height * (size_t)width, sizeof *values);
    const det_shape shape = {1, height, width};
    det_layout layout = det_plain_layout(shape);
    if (!values || !layout) {
        det_free(values);
        det_layout_free(layout);
        return det_fail_memory(error, "a pool");
    }
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            values[y * width + x] =
                (float)(v->kernel * h->kernel) /
                (float)(clipped(v, layer->in.height, y) * clipped(h, layer->in.width, x));
    const det_status status = det_plan_add_constant(plan, values, layout, layout, factor, error);
    det_layout_free(layout);
    det_free(values);
    return status;
}

static int correct_overhang(det_plan *plan, const det_layer *layer, int input, const side *v,
                            const side *h, det_error *error)
{
    const det_shape shape = {1, layer->out.height, layer->out.width};
    det_argument factor = {DNNL_ARG_SRC_1, -1, NULL};
    dnnl_primitive_desc_t pd = NULL;
    int output = add_correction(plan, layer, v, h, &factor, error);
    if (output < 0) return output;

    det_layout layout = det_plain_layout(shape);
    dnnl_primitive_attr_t attributes = det_plan_attributes(NULL, NULL);
    if (!layout || !attributes) {
        output = det_fail_memory(error, "a pool");
        goto done;
    }
    const dnnl_status_t result =
        det_pd_multiply(&pd, plan->engine, plan->tensors[input].layout, layout, attributes);
    output = result == dnnl_success ? det_plan_add_layer(plan, layer, input, pd, &factor, 1, error)
                                    : (int)det_dnnl_fail(error, "correct an average pool", result);
done:
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    det_layout_free(layout);
    return output;
}

/* The input as the pool reads it. A maximum of bytes has the scales of the bytes. */
static int prepare_input(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    const char *name = layer->node->name;
    if (layer->node->op == DET_OP_MAX_POOL) {
        if (plan->tensors[input].type == dnnl_u8) return input;
        if (layer->out_scales)
            return det_plan_as_bytes(plan, name, input, layer->out_scales, false, error);
    }
    const int values = det_plan_as_float(plan, name, input, error);
    return values < 0 ? values : det_plan_as_map(plan, name, values, error);
}

int det_add_pool(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    const int own = det_add_own(plan, layer, input, error);
    if (own != DET_NOT_OURS) return own;
    side v, h;
    sides_of(layer, &v, &h);
    const bool padded = v.pad > 0 || h.pad > 0;
    const bool corrected =
        layer->node->op == DET_OP_AVERAGE_POOL && padded && (v.overhang > 0 || h.overhang > 0);

    det_layer pool = *layer;
    if (corrected) pool.destination = -1; /* the correction writes there */
    const int map = prepare_input(plan, layer, input, error);
    if (map < 0) return map;
    dnnl_primitive_desc_t pd = NULL;
    const dnnl_status_t result = describe(plan, &pool, map, &v, &h, &pd);
    if (result != dnnl_success) return det_dnnl_fail(error, "describe a pool", result);
    const int output = det_plan_add_layer(plan, &pool, map, pd, NULL, 0, error);
    if (output >= 0) plan->tensors[output].scales = plan->tensors[map].scales;
    return output < 0 || !corrected ? output : correct_overhang(plan, layer, output, &v, &h, error);
}
