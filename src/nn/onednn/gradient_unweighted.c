/* SPDX-License-Identifier: Apache-2.0 */
/* Layers without weights, forward and backward: ReLU, pools, LRN, concat, dropout. */
#include "src/base/parallel.h"
#include "src/base/random.h"
#include "src/nn/kernels/values.h"
#include "src/nn/onednn/trainer.h"

#include <string.h>

/* The map that a layer reads and the one that it writes. */
typedef struct {
    const det_node *node;
    const char *name;
    int source, slot;
    const det_slot *in, *out;
    bool wants; /* the gradient of what it reads */
} places;

static places places_of(const det_trainer *t, int node)
{
    const int source = det_trainer_source(t, node, 0), slot = t->slots[node];
    return (places){.node = &t->graph->nodes[node],
                    .name = t->graph->nodes[node].name,
                    .source = source,
                    .slot = slot,
                    .in = &t->maps[source],
                    .out = &t->maps[slot],
                    .wants = det_trainer_wants(t, node, 0)};
}

static dnnl_prop_kind_t kind_of(const places *p)
{
    return p->wants ? dnnl_forward_training : dnnl_forward_inference;
}

static det_status refused(det_error *error, const char *what, dnnl_status_t result)
{
    return det_dnnl_fail(error, what, result);
}

/* What a primitive leaves for its way back, if anything. */
typedef struct {
    bool there;
    dnnl_memory_t memory;
} workspace;

static workspace workspace_of(det_trainer *t, dnnl_primitive_desc_t forward, const places *p)
{
    det_const_layout layout = dnnl_primitive_desc_query_md(forward, dnnl_query_workspace_md, 0);
    const bool there = p->wants && layout && dnnl_memory_desc_get_size(layout) > 0;
    return (workspace){there, there ? det_trainer_memory(t, layout, NULL) : NULL};
}

static det_status add_forward(det_trainer *t, const places *p, dnnl_primitive_desc_t pd,
                              const workspace *left, det_error *error)
{
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, p->in->value},
                                         {DNNL_ARG_DST, p->out->value},
                                         {DNNL_ARG_WORKSPACE, left->memory}};
    return det_trainer_add(t, &t->forward, p->name, pd, arguments, left->there ? 3 : 2, error);
}

/* @param source what the primitive reads of the way forward, or {0}. Destroys pd. */
static det_status add_backward(det_trainer *t, const places *p, dnnl_primitive_desc_t pd,
                               dnnl_exec_arg_t source, const workspace *left, det_error *error)
{
    dnnl_exec_arg_t arguments[4] = {{DNNL_ARG_DIFF_DST, p->out->gradient},
                                    {DNNL_ARG_DIFF_SRC, det_trainer_gradient_target(t, p->source)}};
    int count = 2;
    if (source.memory) arguments[count++] = source;
    if (left->there) arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_WORKSPACE, left->memory};
    const det_status status =
        det_trainer_add(t, &t->backward, p->name, pd, arguments, count, error);
    dnnl_primitive_desc_destroy(pd);
    return status == DET_OK ? det_trainer_add_gradient(t, p->name, p->source, error) : status;
}

/* ---- ReLU ----------------------------------------------------------------------------------- */

/* Destroys pd. */
static det_status add_in_place(det_trainer *t, const places *p, dnnl_primitive_desc_t pd,
                               det_error *error)
{
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_DST, p->out->value},
                                         {DNNL_ARG_DIFF_DST, p->out->gradient},
                                         {DNNL_ARG_DIFF_SRC, p->out->gradient}};
    const det_status status = det_trainer_add(t, &t->backward, p->name, pd, arguments, 3, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

static det_status add_relu_backward(det_trainer *t, const places *p, dnnl_primitive_desc_t forward,
                                    det_error *error)
{
    dnnl_primitive_desc_t pd = NULL;
    const dnnl_status_t result =
        det_pd_relu_backward(&pd, t->plan.engine, p->in->layout, p->node->negative_slope, forward);
    if (result != dnnl_success) return refused(error, "describe the gradient of a ReLU", result);
    if (p->source == p->slot) return add_in_place(t, p, pd, error);
    const dnnl_exec_arg_t result_of_it = {DNNL_ARG_DST, p->out->value};
    return add_backward(t, p, pd, result_of_it, &(workspace){0}, error);
}

/* It works in place where it alone reads its layer, and within its layer where that has weights; in
 * batch normalisation that holds for the way back, too. */
det_status det_gradient_relu(det_trainer *t, const det_gradient_layer *l, det_error *error)
{
    const places p = places_of(t, l->node);
    const bool fuses = det_trainer_fuses(t, l->node);
    if (fuses && t->graph->nodes[p.node->inputs[0]].op == DET_OP_BATCH_NORM) return DET_OK;
    dnnl_primitive_desc_t forward = NULL;
    const dnnl_status_t result =
        det_pd_relu_learning(&forward, t->plan.engine, p.in->layout, p.node->negative_slope);
    if (result != dnnl_success) return refused(error, "describe a ReLU", result);
    det_status status = fuses ? DET_OK : add_forward(t, &p, forward, &(workspace){0}, error);
    if (status == DET_OK && p.wants) status = add_relu_backward(t, &p, forward, error);
    dnnl_primitive_desc_destroy(forward);
    return status;
}

/* ---- Pools ---------------------------------------------------------------------------------- */

/* Strides, kernel, padding before and behind, which may be negative: what no window reaches. */
static void pool_window(const places *p, dnnl_dims_t window[4])
{
    const det_window *w = &p->node->window;
    const det_shape in = p->in->shape, out = p->out->shape;
    const int kernel[2] = {p->node->global ? in.height : w->kernel_h,
                           p->node->global ? in.width : w->kernel_w};
    const int stride[2] = {p->node->global ? 1 : w->stride_h, p->node->global ? 1 : w->stride_w};
    const int pad[2] = {p->node->global ? 0 : w->pad_h, p->node->global ? 0 : w->pad_w};
    const int size[2] = {in.height, in.width}, to[2] = {out.height, out.width};
    for (int i = 0; i < 2; i++) {
        window[0][i] = stride[i];
        window[1][i] = kernel[i];
        window[2][i] = pad[i];
        window[3][i] = (to[i] - 1) * stride[i] + kernel[i] - pad[i] - size[i];
    }
}

/* Caffe's averages count the padding, but not what hangs over it (pool.c): oneDNN has no gradient
 * of both together, and no known network needs one. */
static det_status check_pool(const places *p, const dnnl_dims_t window[4], det_error *error)
{
    const bool padded = window[2][0] > 0 || window[2][1] > 0;
    const bool overhangs = window[3][0] > window[2][0] || window[3][1] > window[2][1];
    if (p->node->op == DET_OP_MAX_POOL || !padded || !overhangs) return DET_OK;
    return det_fail_at(error, DET_UNSUPPORTED, NULL, p->name,
                       "an average over windows that hang over padding cannot be learned through");
}

static dnnl_alg_kind_t pool_algorithm(const places *p, const dnnl_dims_t window[4])
{
    if (p->node->op == DET_OP_MAX_POOL) return dnnl_pooling_max;
    return window[2][0] > 0 || window[2][1] > 0 ? dnnl_pooling_avg_include_padding
                                                : dnnl_pooling_avg_exclude_padding;
}

det_status det_gradient_pool(det_trainer *t, const det_gradient_layer *l, det_error *error)
{
    const places p = places_of(t, l->node);
    dnnl_dims_t window[4];
    pool_window(&p, window);
    det_status status = check_pool(&p, (const dnnl_dims_t *)window, error);
    if (status < 0) return status;
    const dnnl_alg_kind_t algorithm = pool_algorithm(&p, (const dnnl_dims_t *)window);
    dnnl_primitive_desc_t forward = NULL, backward = NULL;
    dnnl_status_t result =
        det_pd_pool_learning(&forward, t->plan.engine, kind_of(&p), algorithm, p.in->layout,
                             p.out->layout, (const dnnl_dims_t *)window);
    if (result != dnnl_success) return refused(error, "describe a pool", result);
    const workspace left = workspace_of(t, forward, &p);
    status = add_forward(t, &p, forward, &left, error);
    if (status == DET_OK && p.wants) {
        result = det_pd_pool_backward(&backward, t->plan.engine, algorithm, p.in->layout,
                                      p.out->layout, (const dnnl_dims_t *)window, forward);
        status = result == dnnl_success
                     ? add_backward(t, &p, backward, (dnnl_exec_arg_t){0}, &left, error)
                     : refused(error, "describe the gradient of a pool", result);
    }
    dnnl_primitive_desc_destroy(forward);
    return status;
}

/* ---- LRN ------------------------------------------------------------------------------------ */

det_status det_gradient_lrn(det_trainer *t, const det_gradient_layer *l, det_error *error)
{
    const places p = places_of(t, l->node);
    const float values[3] = {p.node->alpha, p.node->beta, p.node->k};
    dnnl_primitive_desc_t forward = NULL, backward = NULL;
    dnnl_status_t result = det_pd_lrn_learning(&forward, t->plan.engine, kind_of(&p), p.in->layout,
                                               p.node->local_size, values);
    if (result != dnnl_success) return refused(error, "describe an LRN", result);
    const workspace left = workspace_of(t, forward, &p);
    det_status status = add_forward(t, &p, forward, &left, error);
    if (status == DET_OK && p.wants) {
        result = det_pd_lrn_backward(&backward, t->plan.engine, p.in->layout, p.node->local_size,
                                     values, forward);
        status = result == dnnl_success
                     ? add_backward(t, &p, backward, (dnnl_exec_arg_t){DNNL_ARG_SRC, p.in->value},
                                    &left, error)
                     : refused(error, "describe the gradient of an LRN", result);
    }
    dnnl_primitive_desc_destroy(forward);
    return status;
}

/* ---- Concat --------------------------------------------------------------------------------- */

static det_status join(det_trainer *t, const det_gradient_layer *l, det_error *error)
{
    const det_node *node = &t->graph->nodes[l->node];
    const det_slot *out = &t->maps[t->slots[l->node]];
    const size_t count = (size_t)node->input_count;
    det_const_layout *layouts = det_alloc_array(count, sizeof *layouts);
    dnnl_exec_arg_t *arguments = det_alloc_array(count + 1, sizeof *arguments);
    dnnl_primitive_desc_t pd = NULL;
    det_status status = layouts && arguments ? DET_OK : det_fail_memory(error, "a concat");
    if (status < 0) goto done;
    for (int i = 0; i < node->input_count; i++) {
        const det_slot *in = &t->maps[det_trainer_source(t, l->node, i)];
        layouts[i] = in->layout;
        arguments[i] = (dnnl_exec_arg_t){DNNL_ARG_MULTIPLE_SRC + i, in->value};
    }
    arguments[count] = (dnnl_exec_arg_t){DNNL_ARG_DST, out->value};
    const dnnl_status_t result =
        det_pd_concat(&pd, t->plan.engine, out->layout, layouts, node->input_count, NULL);
    status = result == dnnl_success
                 ? det_trainer_add(t, &t->forward, node->name, pd, arguments, (int)count + 1, error)
                 : refused(error, "describe a concat", result);
    if (pd) dnnl_primitive_desc_destroy(pd);
done:
    det_free(layouts);
    det_free(arguments);
    return status;
}

/* The gradient of a branch is a part of the whole. */
static det_status split(det_trainer *t, const det_gradient_layer *l, int input, int channel,
                        det_error *error)
{
    const det_node *node = &t->graph->nodes[l->node];
    const det_slot *out = &t->maps[t->slots[l->node]];
    const int source = det_trainer_source(t, l->node, input);
    const det_shape in = t->maps[source].shape;
    const dnnl_dims_t dims = {(dnnl_dim_t)t->options.batch, in.channels, in.height, in.width};
    const dnnl_dims_t offsets = {0, channel, 0, 0};
    det_layout part = det_layout_part(out->layout, dims, offsets);
    if (!part) return det_fail_memory(error, "a part of a map");
    dnnl_memory_t memory = det_trainer_part(t, part, out->gradient);
    det_layout_free(part);
    const det_status status = det_trainer_add_copy(t, &t->backward, node->name, memory,
                                                   det_trainer_gradient_target(t, source), error);
    return status == DET_OK ? det_trainer_add_gradient(t, node->name, source, error) : status;
}

det_status det_gradient_concat(det_trainer *t, const det_gradient_layer *l, det_error *error)
{
    const det_node *node = &t->graph->nodes[l->node];
    det_status status = join(t, l, error);
    int channel = 0;
    for (int i = 0; status == DET_OK && i < node->input_count; i++) {
        if (det_trainer_wants(t, l->node, i)) status = split(t, l, i, channel, error);
        channel += t->maps[det_trainer_source(t, l->node, i)].shape.channels;
    }
    return status;
}

/* ---- Dropout -------------------------------------------------------------------------------- */

enum { PIECE = 1 << 14 };

typedef struct {
    const void *from;
    void *to;
    size_t count;
    bool halves; /* bf16 */
    float ratio;
    uint64_t seed, node;
} dropping;

/* Value i of piece p is kept where the i-th number of stream p says so: the same forward and
 * backward. What is kept is divided by the share that is (Srivastava et al., "Dropout", 2014, as
 * frameworks do it since), so that a finished network needs no change. */
static void drop_piece(void *context, size_t piece, int worker)
{
    (void)worker;
    const dropping *d = context;
    const size_t first = piece * PIECE, end = first + PIECE < d->count ? first + PIECE : d->count;
    det_random random = det_random_create(d->seed, d->node << 32 | piece);
    const float scale = 1 / (1 - d->ratio);
    for (size_t i = first; i < end; i++) {
        const bool kept = (float)det_random_u32(&random) * 0x1p-32F >= d->ratio;
        if (d->halves)
            ((uint16_t *)d->to)[i] =
                kept ? det_to_bf16(det_from_bf16(((const uint16_t *)d->from)[i]) * scale) : 0;
        else
            ((float *)d->to)[i] = kept ? ((const float *)d->from)[i] * scale : 0;
    }
}

/* From its first argument to its second. */
static void drop(det_trainer *t, const det_trainer_step *step)
{
    const places p = places_of(t, step->node);
    const bool halves = t->plan.type == dnnl_bf16;
    dropping d = {.from = det_memory_values(step->arguments[0].memory),
                  .to = det_memory_values(step->arguments[1].memory),
                  .count = dnnl_memory_desc_get_size(p.in->layout) /
                           (halves ? sizeof(uint16_t) : sizeof(float)),
                  .halves = halves,
                  .ratio = p.node->ratio,
                  .seed = t->seed,
                  .node = (uint64_t)step->node};
    det_parallel_for((d.count + PIECE - 1) / PIECE, t->options.threads, drop_piece, &d);
}

static det_status add_drop(det_trainer *t, det_trainer_steps *steps, const det_trainer_step *like,
                           dnnl_memory_t from, dnnl_memory_t to, det_error *error)
{
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    det_trainer_step step = *like;
    step.work = drop;
    step.arguments = arguments;
    step.count = 2;
    return det_trainer_add_work(t, steps, &step, error);
}

/* A layer that is not differentiated drops nothing. */
det_status det_gradient_dropout(det_trainer *t, const det_gradient_layer *l, det_error *error)
{
    const places p = places_of(t, l->node);
    const bool drops = t->differentiated[l->node];
    const det_trainer_step learning = {.layer = p.name, .time = DET_LEARNING, .node = l->node},
                           back = {.layer = p.name, .node = l->node};
    det_status status = DET_OK;
    if (drops) status = add_drop(t, &t->forward, &learning, p.in->value, p.out->value, error);
    if (status == DET_OK)
        status = det_trainer_add_copy(t, &t->forward, p.name, p.in->value, p.out->value, error);
    if (status < 0) return status;
    t->forward.steps[t->forward.count - 1].time = drops ? DET_MEASURING : DET_ALWAYS;
    if (!p.wants) return DET_OK;
    status = add_drop(t, &t->backward, &back, p.out->gradient,
                      det_trainer_gradient_target(t, p.source), error);
    return status == DET_OK ? det_trainer_add_gradient(t, p.name, p.source, error) : status;
}
