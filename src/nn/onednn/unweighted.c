/* SPDX-License-Identifier: Apache-2.0 */
/* The layers without weights that stand on one input: ReLU, LRN, softmax, sigmoid. */
#include "src/nn/onednn/plan.h"

typedef dnnl_status_t describe(const det_plan *plan, const det_node *node, det_const_layout in,
                               const_dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *pd);

static int add(det_plan *plan, const det_layer *layer, int input, describe *describe_it,
               det_error *error)
{
    dnnl_primitive_desc_t pd = NULL;
    input = det_plan_as_float(plan, layer->node->name, input, error);
    if (input < 0) return input;
    dnnl_primitive_attr_t attributes = det_plan_attributes(NULL, NULL);
    if (!attributes) return det_fail_memory(error, "a layer");
    const dnnl_status_t result =
        describe_it(plan, layer->node, plan->tensors[input].layout, attributes, &pd);
    dnnl_primitive_attr_destroy(attributes);
    if (result != dnnl_success) return det_dnnl_fail(error, "describe a layer", result);
    return det_plan_add_layer(plan, layer, input, pd, NULL, 0, error);
}

/* y = x for x > 0, else slope * x. */
static dnnl_status_t describe_relu(const det_plan *plan, const det_node *node, det_const_layout in,
                                   const_dnnl_primitive_attr_t attributes,
                                   dnnl_primitive_desc_t *pd)
{
    return det_pd_eltwise(pd, plan->engine, dnnl_eltwise_relu, in, node->negative_slope,
                          attributes);
}

int det_add_relu(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    return add(plan, layer, input, describe_relu, error);
}

/* y = x / (k + alpha / n * sum of x^2 over n channels around it)^beta (GoogLeNet's LRN, Caffe). */
static dnnl_status_t describe_lrn(const det_plan *plan, const det_node *node, det_const_layout in,
                                  const_dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *pd)
{
    const float values[3] = {node->alpha, node->beta, node->k};
    return det_pd_lrn(pd, plan->engine, in, node->local_size, values, attributes);
}

int det_add_lrn(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    const int own = det_add_own(plan, layer, input, error);
    if (own != DET_NOT_OURS) return own;
    const int map = det_plan_as_map(plan, layer->node->name, input, error);
    return map < 0 ? map : add(plan, layer, map, describe_lrn, error);
}

/* y = exp(x - max) / sum exp(x - max), across channels. */
static dnnl_status_t describe_softmax(const det_plan *plan, const det_node *node,
                                      det_const_layout in, const_dnnl_primitive_attr_t attributes,
                                      dnnl_primitive_desc_t *pd)
{
    (void)node;
    return det_pd_softmax(pd, plan->engine, in, 1, attributes);
}

int det_add_softmax(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    return add(plan, layer, input, describe_softmax, error);
}

/* y = 1 / (1 + exp(-x)). */
static dnnl_status_t describe_sigmoid(const det_plan *plan, const det_node *node,
                                      det_const_layout in, const_dnnl_primitive_attr_t attributes,
                                      dnnl_primitive_desc_t *pd)
{
    (void)node;
    return det_pd_eltwise(pd, plan->engine, dnnl_eltwise_logistic, in, 0, attributes);
}

int det_add_sigmoid(det_plan *plan, const det_layer *layer, int input, det_error *error)
{
    return add(plan, layer, input, describe_sigmoid, error);
}
