/* SPDX-License-Identifier: Apache-2.0 */
/* Concat across channels where it cannot be had for free. For one picture in a blocked layout the
 * channels of a branch are one piece of memory, so network.c lets branches write straight into the
 * concat's tensor; what is left for this file are odd widths, branches used twice, branches that no
 * step of their own writes, and bytes, whose channels come last (oneDNN 2 writes no integer
 * convolution between the channels of others; the copies of GoogLeNet cost 2 % of its time). */
#include "src/nn/onednn/plan.h"

/* What integer layers hand on as f32 has channels last, and is joined so. */
static bool all_channels_last(const det_plan *plan, const det_layer *layer, const int *inputs)
{
    for (int i = 0; i < layer->node->input_count; i++) {
        const det_plan_tensor *t = &plan->tensors[inputs[i]];
        if (!t->channels_last || t->type != dnnl_f32) return false;
    }
    return true;
}

static int as_plain(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    det_layout plain = det_plain_layout(plan->tensors[input].shape);
    if (!plain) return det_fail_memory(error, "a concat");
    const int map = det_plan_reorder(plan, layer->node->name, input, plain, error);
    det_layout_free(plain);
    return map;
}

static int reorder_inputs(det_plan *plan, const det_layer *layer, const int *inputs, int *maps,
                          det_error *error)
{
    const bool channels_last = all_channels_last(plan, layer, inputs);
    int channel = 0;
    for (int i = 0; i < layer->node->input_count; i++) {
        if (layer->out_scales)
            maps[i] = det_plan_as_bytes(plan, layer->node->name, inputs[i],
                                        layer->out_scales + channel, false, error);
        else
            maps[i] = channels_last ? inputs[i] : as_plain(plan, layer, inputs[i], error);
        if (maps[i] < 0) return maps[i];
        channel += plan->tensors[inputs[i]].shape.channels;
    }
    return DET_OK;
}

static det_layout output_layout(const det_plan *plan, const det_layer *layer, const int *maps)
{
    if (layer->out_scales) return det_channels_last_layout(layer->out, dnnl_u8, 4);
    return all_channels_last(plan, layer, maps) ? det_channels_last_layout(layer->out, dnnl_f32, 4)
                                                : det_plain_layout(layer->out);
}

static dnnl_status_t describe(const det_plan *plan, const det_layer *layer, const int *maps,
                              det_const_layout *layouts, dnnl_primitive_desc_t *pd)
{
    const int count = layer->node->input_count;
    for (int i = 0; i < count; i++) layouts[i] = plan->tensors[maps[i]].layout;
    det_layout out = output_layout(plan, layer, maps);
    dnnl_primitive_attr_t attributes = det_plan_attributes(NULL, NULL);
    const dnnl_status_t result =
        out && attributes ? det_pd_concat(pd, plan->engine, out, layouts, count, attributes)
                          : dnnl_out_of_memory;
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    det_layout_free(out);
    return result;
}

int det_add_concat(det_plan *plan, const det_layer *layer, const int *inputs, det_error *error)
{
    const int count = layer->node->input_count;
    int *maps = det_alloc_array((size_t)count, sizeof *maps);
    det_const_layout *layouts = det_alloc_array((size_t)count, sizeof *layouts);
    det_argument *arguments = det_alloc_array((size_t)count + 1, sizeof *arguments);
    dnnl_primitive_desc_t pd = NULL;
    int output = DET_MEMORY;

    if (!maps || !layouts || !arguments) {
        det_fail_memory(error, "a concat");
        goto done;
    }
    output = reorder_inputs(plan, layer, inputs, maps, error);
    if (output < 0) goto done;
    const dnnl_status_t result = describe(plan, layer, maps, layouts, &pd);
    if (result != dnnl_success) {
        output = det_dnnl_fail(error, "describe a concat", result);
        goto done;
    }
    output = det_plan_add_tensor(plan, output_layout(plan, layer, maps), layer->out, error);
    if (output < 0) {
        dnnl_primitive_desc_destroy(pd);
        goto done;
    }
    plan->tensors[output].scales = layer->out_scales;
    for (int i = 0; i < count; i++)
        arguments[i] = (det_argument){DNNL_ARG_MULTIPLE_SRC + i, maps[i], NULL};
    arguments[count] = (det_argument){DNNL_ARG_DST, output, NULL};
    const det_status status =
        det_plan_add_step(plan, layer->node->name, pd, arguments, count + 1, error);
    if (status < 0) output = status;
done:
    det_free(arguments);
    det_free(layouts);
    det_free(maps);
    return output;
}
