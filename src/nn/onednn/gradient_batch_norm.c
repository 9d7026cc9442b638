/* SPDX-License-Identifier: Apache-2.0 */
/* Batch normalisation (Ioffe and Szegedy, "Batch Normalization", 2015, algorithms 1 and 2), forward
 * and backward, with statistics of the batch where it learns and running ones everywhere else, and
 * with the ReLU behind it fused. */
#include "src/nn/onednn/trainer.h"

#include <math.h>

/* What a batch moves running statistics by: the usual share of torch and others. */
static const float statistics_share = .1F;

typedef struct {
    det_trainer *t;
    const det_node *node;
    int index, slot, source;
    bool learns; /* by statistics of the batch */
    unsigned flags;
    det_layout channel; /* a value a channel */
    det_parameter *scale, *shift, *mean, *variance;
    dnnl_memory_t scales, shifts, means, variances; /* of the parameters */
    dnnl_memory_t batch_means, batch_variances;
    dnnl_memory_t signs; /* of what comes out of a fused ReLU, which the way back needs; or NULL */
    dnnl_primitive_desc_t forward;
} batch_norm;

static det_status prepare(batch_norm *b, det_error *error)
{
    det_trainer *t = b->t;
    const dnnl_dims_t dims = {t->maps[b->slot].shape.channels};
    b->channel = det_layout_create(1, dims, dnnl_f32, dnnl_x);
    b->scale = det_trainer_find(t, b->index, DET_PARAMETER_SCALE);
    b->shift = det_trainer_find(t, b->index, DET_PARAMETER_SHIFT);
    b->mean = det_trainer_find(t, b->index, DET_PARAMETER_MEAN);
    b->variance = det_trainer_find(t, b->index, DET_PARAMETER_VARIANCE);
    b->scales = det_trainer_memory(t, b->channel, b->scale->values);
    b->shifts = det_trainer_memory(t, b->channel, b->shift->values);
    b->means = det_trainer_memory(t, b->channel, b->mean->values);
    b->variances = det_trainer_memory(t, b->channel, b->variance->values);
    b->batch_means = b->learns ? det_trainer_memory(t, b->channel, NULL) : b->means;
    b->batch_variances = b->learns ? det_trainer_memory(t, b->channel, NULL) : b->variances;
    if (b->scales && b->shifts && b->means && b->variances && b->batch_means && b->batch_variances)
        return DET_OK;
    return det_fail_memory(error, "a batch normalisation");
}

/* @param running whether by running statistics. */
static det_status add_forward(batch_norm *b, bool running, det_step_time time,
                              dnnl_primitive_desc_t *pd, det_error *error)
{
    det_trainer *t = b->t;
    const bool differentiated = t->differentiated[b->index] && time != DET_MEASURING;
    const dnnl_status_t result = det_pd_batch_norm(
        pd, t->plan.engine, differentiated ? dnnl_forward_training : dnnl_forward_inference,
        t->maps[b->slot].layout, b->node->epsilon,
        b->flags | (running ? dnnl_use_global_stats : 0));
    if (result != dnnl_success)
        return det_dnnl_fail(error, "describe a batch normalisation", result);
    const bool keeps = differentiated && b->flags & dnnl_fuse_norm_relu;
    if (keeps)
        b->signs = det_trainer_memory(
            t, dnnl_primitive_desc_query_md(*pd, dnnl_query_workspace_md, 0), NULL);
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, t->maps[b->source].value},
        {DNNL_ARG_DST, t->maps[b->slot].value},
        {DNNL_ARG_SCALE, b->scales},
        {DNNL_ARG_SHIFT, b->shifts},
        {DNNL_ARG_MEAN, running ? b->means : b->batch_means},
        {DNNL_ARG_VARIANCE, running ? b->variances : b->batch_variances},
        {DNNL_ARG_WORKSPACE, b->signs}};
    const det_status status =
        det_trainer_add(t, &t->forward, b->node->name, *pd, arguments, keeps ? 7 : 6, error);
    if (status == DET_OK) t->forward.steps[t->forward.count - 1].time = time;
    return status;
}

/* The variance of a batch is that of all values like it: divided by one less than their number. */
static void follow(det_trainer *t, const det_trainer_step *step)
{
    const det_shape shape = t->maps[t->slots[step->node]].shape;
    const float count = (float)t->options.batch * (float)shape.height * (float)shape.width;
    const float like_it = count > 1 ? count / (count - 1) : 1;
    float *mean = det_trainer_find(t, step->node, DET_PARAMETER_MEAN)->values;
    float *variance = det_trainer_find(t, step->node, DET_PARAMETER_VARIANCE)->values;
    const float *means = det_memory_values(step->arguments[0].memory),
                *variances = det_memory_values(step->arguments[1].memory);
    for (int c = 0; c < shape.channels; c++) {
        mean[c] += statistics_share * (means[c] - mean[c]);
        variance[c] += statistics_share * (variances[c] * like_it - variance[c]);
    }
}

static det_status add_following(batch_norm *b, det_error *error)
{
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_MEAN, b->batch_means},
                                         {DNNL_ARG_VARIANCE, b->batch_variances}};
    const det_trainer_step step = {.layer = b->node->name,
                                   .time = DET_LEARNING,
                                   .work = follow,
                                   .arguments = arguments,
                                   .count = 2,
                                   .node = b->index};
    return det_trainer_add_work(b->t, &b->t->forward, &step, error);
}

static det_status add_all_forward(batch_norm *b, det_error *error)
{
    if (!b->learns) return add_forward(b, true, DET_ALWAYS, &b->forward, error);
    dnnl_primitive_desc_t measuring = NULL;
    det_status status = add_forward(b, false, DET_LEARNING, &b->forward, error);
    if (status == DET_OK) status = add_following(b, error);
    if (status == DET_OK) status = add_forward(b, true, DET_MEASURING, &measuring, error);
    if (measuring) dnnl_primitive_desc_destroy(measuring);
    return status;
}

/* Gradients of frozen scales and shifts are computed with the rest, and go nowhere. */
static dnnl_memory_t gradient_of(batch_norm *b, const det_parameter *parameter)
{
    return det_trainer_memory(b->t, b->channel, parameter->gradients);
}

static det_status add_backward(batch_norm *b, det_error *error)
{
    det_trainer *t = b->t;
    const bool wants = det_trainer_wants(t, b->index, 0);
    dnnl_primitive_desc_t pd = NULL;
    const dnnl_status_t result =
        det_pd_batch_norm_backward(&pd, t->plan.engine, t->maps[b->slot].layout, b->node->epsilon,
                                   b->flags | (b->learns ? 0 : dnnl_use_global_stats), b->forward);
    if (result != dnnl_success)
        return det_dnnl_fail(error, "describe the gradient of a batch normalisation", result);
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, t->maps[b->source].value},
        {DNNL_ARG_DIFF_DST, t->maps[b->slot].gradient},
        {DNNL_ARG_SCALE, b->scales},
        {DNNL_ARG_SHIFT, b->shifts},
        {DNNL_ARG_MEAN, b->batch_means},
        {DNNL_ARG_VARIANCE, b->batch_variances},
        {DNNL_ARG_DIFF_SRC, wants ? det_trainer_gradient_target(t, b->source)
                                  : det_trainer_memory(t, t->maps[b->source].layout, NULL)},
        {DNNL_ARG_DIFF_SCALE, gradient_of(b, b->scale)},
        {DNNL_ARG_DIFF_SHIFT, gradient_of(b, b->shift)},
        {DNNL_ARG_WORKSPACE, b->signs}};
    const int count = b->flags & dnnl_fuse_norm_relu ? 10 : 9;
    const det_status status =
        det_trainer_add(t, &t->backward, b->node->name, pd, arguments, count, error);
    dnnl_primitive_desc_destroy(pd);
    return status == DET_OK && wants ? det_trainer_add_gradient(t, b->node->name, b->source, error)
                                     : status;
}

det_status det_gradient_batch_norm(det_trainer *t, const det_gradient_layer *l, det_error *error)
{
    batch_norm b = {.t = t,
                    .node = &t->graph->nodes[l->node],
                    .index = l->node,
                    .slot = t->slots[l->node],
                    .source = det_trainer_source(t, l->node, 0),
                    .learns = t->learns[l->node] && t->differentiated[l->node],
                    .flags = dnnl_use_scale | dnnl_use_shift | (l->relu ? dnnl_fuse_norm_relu : 0)};
    det_status status = prepare(&b, error);
    if (status == DET_OK) status = add_all_forward(&b, error);
    if (status == DET_OK && t->differentiated[l->node]) status = add_backward(&b, error);
    if (b.forward) dnnl_primitive_desc_destroy(b.forward);
    det_layout_free(b.channel);
    return status;
}
