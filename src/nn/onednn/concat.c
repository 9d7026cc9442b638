/* SPDX-License-Identifier: Apache-2.0 */
/* Concat across channels where it cannot be had for free. For one picture in a blocked layout the
 * channels of a branch are one piece of memory, so network.c lets branches write straight into the
 * concat's tensor; what is left for this file are odd widths, branches used twice, and branches
 * that no step of their own writes. */
#include "src/nn/onednn/plan.h"

static int reorder_inputs(det_plan *plan, const det_layer *layer, const int *inputs, int *maps,
                          det_error *error)
{
    for (int i = 0; i < layer->node->input_count; i++) {
        det_layout plain = det_plain_layout(plan->tensors[inputs[i]].shape);
        if (!plain) return det_fail_memory(error, "a concat");
        maps[i] = det_plan_reorder(plan, layer->node->name, inputs[i], plain, error);
        det_layout_free(plain);
        if (maps[i] < 0) return maps[i];
    }
    return DET_OK;
}

static dnnl_status_t describe(const det_plan *plan, const det_layer *layer, const int *maps,
                              det_const_layout *layouts, dnnl_primitive_desc_t *pd)
{
    const int count = layer->node->input_count;
    for (int i = 0; i < count; i++) layouts[i] = plan->tensors[maps[i]].layout;
    det_layout out = det_plain_layout(layer->out);
    dnnl_primitive_attr_t attributes = det_plan_attributes(NULL);
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
    output = det_plan_add_tensor(plan, det_plain_layout(layer->out), layer->out, error);
    if (output < 0) {
        dnnl_primitive_desc_destroy(pd);
        goto done;
    }
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
