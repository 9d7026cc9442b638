/* SPDX-License-Identifier: Apache-2.0 */
/* Layers with weights, forward and backward, with the ReLU behind them fused:
 *   y = relu(W x + b);   dL/dx = W' dL/dy,  dL/dW = sum over the batch of dL/dy x',  dL/db = sum
 * dL/dy Parameters lie as in model files; the layouts that primitives want are made of them before
 * each run, which costs a few per cent of a batch of 32. */
#include "src/nn/onednn/trainer.h"

#include <string.h>

/* What the primitives of a layer share. */
typedef struct {
    det_trainer *t;
    const det_node *node;
    const char *name;
    bool convolution;
    int source, slot;
    dnnl_dims_t window[4];
    det_layout file_weights, bias;   /* f32, as parameters lie */
    det_layout any_weights;          /* in the network's type: the primitive chooses */
    det_layout gradient_weights;     /* f32, likewise */
    det_parameter *weights, *biases; /* biases: or NULL */
    dnnl_memory_t weight_values, bias_values;
    dnnl_primitive_desc_t forward;
} weighted;

static void describe_weights(weighted *w, det_shape in)
{
    const det_node *node = w->node;
    const det_window *k = &node->window;
    const int groups = w->convolution ? node->groups : 1, channels = in.channels / groups;
    const int ndims = w->convolution ? 4 : w->t->maps[w->source].ndims;
    const dnnl_dims_t kernel = {node->channels, channels, w->convolution ? k->kernel_h : in.height,
                                w->convolution ? k->kernel_w : in.width};
    const dnnl_dims_t grouped = {groups, node->channels / groups, channels, k->kernel_h,
                                 k->kernel_w};
    const dnnl_dims_t bias = {node->channels};
    const dnnl_data_type_t type = w->t->plan.type;
    const bool split = groups > 1;
    const dnnl_format_tag_t tag = split ? dnnl_goihw : ndims == 4 ? dnnl_oihw : dnnl_oi;
    const dnnl_dim_t *dims = split ? grouped : kernel;
    const int dimensions = split ? 5 : ndims;
    w->file_weights = det_layout_create(dimensions, dims, dnnl_f32, tag);
    w->any_weights = det_layout_create(dimensions, dims, type, dnnl_format_tag_any);
    w->gradient_weights = det_layout_create(dimensions, dims, dnnl_f32, dnnl_format_tag_any);
    w->bias = det_layout_create(1, bias, dnnl_f32, dnnl_x);
}

static void release(weighted *w)
{
    det_layout_free(w->file_weights);
    det_layout_free(w->any_weights);
    det_layout_free(w->gradient_weights);
    det_layout_free(w->bias);
    if (w->forward) dnnl_primitive_desc_destroy(w->forward);
}

static det_status prepare(weighted *w, det_error *error)
{
    det_trainer *t = w->t;
    const int node = (int)(w->node - t->graph->nodes);
    describe_weights(w, t->maps[w->source].shape);
    w->weights = det_trainer_find(t, node, DET_PARAMETER_WEIGHT);
    w->biases = det_trainer_find(t, node, DET_PARAMETER_BIAS);
    w->weight_values = det_trainer_memory(t, w->file_weights, w->weights->values);
    if (w->biases) w->bias_values = det_trainer_memory(t, w->bias, w->biases->values);
    if (!w->any_weights || !w->gradient_weights || !w->weight_values ||
        (w->biases && !w->bias_values))
        return det_fail_memory(error, "the weights of a network that learns");
    return DET_OK;
}

/* The weights in the layout of a primitive, made from the parameters before it. */
static dnnl_memory_t packed(weighted *w, dnnl_primitive_desc_t pd, det_trainer_steps *steps,
                            det_error *error)
{
    det_const_layout wanted = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    if (dnnl_memory_desc_equal(wanted, w->file_weights)) return w->weight_values;
    dnnl_memory_t memory = det_trainer_memory(w->t, wanted, NULL);
    if (det_trainer_add_copy(w->t, steps, w->name, w->weight_values, memory, error) < 0)
        return NULL;
    return memory;
}

static dnnl_status_t describe_forward(weighted *w, const det_node *relu)
{
    const det_trainer *t = w->t;
    const det_const_layout layouts[4] = {t->maps[w->source].layout, w->any_weights,
                                         w->biases ? w->bias : NULL, t->maps[w->slot].layout};
    const bool learns = t->differentiated[w->node - t->graph->nodes];
    const dnnl_prop_kind_t kind = learns ? dnnl_forward_training : dnnl_forward_inference;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t post = NULL;
    dnnl_status_t result = dnnl_primitive_attr_create(&attributes);
    if (result == dnnl_success && relu) result = dnnl_post_ops_create(&post);
    if (result == dnnl_success && relu) result = det_post_relu(post, relu->negative_slope);
    if (result == dnnl_success && relu) result = dnnl_primitive_attr_set_post_ops(attributes, post);
    if (result == dnnl_success)
        result = w->convolution ? det_pd_convolution_learning(&w->forward, t->plan.engine, kind,
                                                              layouts, w->window, attributes)
                                : det_pd_inner_product_learning(&w->forward, t->plan.engine, kind,
                                                                layouts, attributes);
    if (post) dnnl_post_ops_destroy(post);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    return result;
}

static det_status add_forward(weighted *w, const det_node *relu, det_error *error)
{
    det_trainer *t = w->t;
    const dnnl_status_t result = describe_forward(w, relu);
    if (result != dnnl_success)
        return det_dnnl_fail(error, "describe a layer with weights", result);
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, t->maps[w->source].value},
        {DNNL_ARG_DST, t->maps[w->slot].value},
        {DNNL_ARG_WEIGHTS, packed(w, w->forward, &t->forward, error)},
        {DNNL_ARG_BIAS, w->bias_values}};
    return det_trainer_add(t, &t->forward, w->name, w->forward, arguments, w->biases ? 4 : 3,
                           error);
}

static dnnl_status_t describe_data(const weighted *w, dnnl_primitive_desc_t *pd)
{
    const det_trainer *t = w->t;
    const det_const_layout layouts[4] = {t->maps[w->source].layout, w->any_weights, NULL,
                                         t->maps[w->slot].layout};
    return w->convolution
               ? det_pd_convolution_data(pd, t->plan.engine, layouts, w->window, w->forward)
               : det_pd_inner_product_data(pd, t->plan.engine, layouts, w->forward);
}

static det_status add_data(weighted *w, det_error *error)
{
    det_trainer *t = w->t;
    dnnl_primitive_desc_t pd = NULL;
    const dnnl_status_t result = describe_data(w, &pd);
    if (result != dnnl_success)
        return det_dnnl_fail(error, "describe the gradient of a layer's input", result);
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_DIFF_DST, t->maps[w->slot].gradient},
        {DNNL_ARG_WEIGHTS, packed(w, pd, &t->backward, error)},
        {DNNL_ARG_DIFF_SRC, det_trainer_gradient_target(t, w->source)}};
    det_status status = det_trainer_add(t, &t->backward, w->name, pd, arguments, 3, error);
    dnnl_primitive_desc_destroy(pd);
    return status == DET_OK ? det_trainer_add_gradient(t, w->name, w->source, error) : status;
}

/* What the gradient of weights is made of: the map that went in, and the gradient of the one that
 * came out. */
typedef struct {
    det_layout in, out; /* owned */
    dnnl_memory_t values, gradients;
} sources;

static dnnl_status_t describe_gradients(const weighted *w, const sources *s,
                                        dnnl_primitive_desc_t *pd)
{
    const det_trainer *t = w->t;
    const det_const_layout layouts[4] = {s->in, w->gradient_weights, w->biases ? w->bias : NULL,
                                         s->out};
    return w->convolution
               ? det_pd_convolution_weights(pd, t->plan.engine, layouts, w->window, w->forward)
               : det_pd_inner_product_weights(pd, t->plan.engine, layouts, w->forward);
}

static void free_sources(sources *s)
{
    det_layout_free(s->in);
    det_layout_free(s->out);
}

static sources maps_of(const weighted *w)
{
    const det_slot *in = &w->t->maps[w->source], *out = &w->t->maps[w->slot];
    return (sources){det_layout_copy(in->layout), det_layout_copy(out->layout), in->value,
                     out->gradient};
}

static sources rows_of(const weighted *w)
{
    det_trainer *t = w->t;
    const det_slot *in = &t->maps[w->source], *out = &t->maps[w->slot];
    sources s = {det_trainer_layout(t, in->shape, 4, false, t->plan.type),
                 det_trainer_layout(t, out->shape, 4, false, t->plan.type), NULL, NULL};
    s.values = det_trainer_memory(t, s.in, NULL);
    s.gradients = det_trainer_memory(t, s.out, NULL);
    return s;
}

static bool is_reference_code(dnnl_primitive_desc_t pd)
{
    const char *name = NULL;
    return dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name) == dnnl_success &&
           strncmp(name, "ref", 3) == 0;
}

/* oneDNN 2 has no fast code in blocks for kernels of 5x5 on maps of 4x4 and less where there is
 * AVX2 alone; in rows it has, which pays for the copies a hundred times. */
static det_status choose_sources(weighted *w, sources *s, dnnl_primitive_desc_t *pd,
                                 det_error *error)
{
    *s = maps_of(w);
    if (!s->in || !s->out) return det_fail_memory(error, "the gradient of weights");
    dnnl_status_t result = describe_gradients(w, s, pd);
    if (result != dnnl_success)
        return det_dnnl_fail(error, "describe the gradient of a layer's weights", result);
    if (!w->convolution || !is_reference_code(*pd)) return DET_OK;
    sources rows = rows_of(w);
    dnnl_primitive_desc_t better = NULL;
    if (!rows.values || !rows.gradients) {
        free_sources(&rows);
        return det_fail_memory(error, "the gradient of weights");
    }
    result = describe_gradients(w, &rows, &better);
    if (result != dnnl_success || is_reference_code(better)) {
        if (better) dnnl_primitive_desc_destroy(better);
        free_sources(&rows);
        return DET_OK;
    }
    dnnl_primitive_desc_destroy(*pd);
    *pd = better;
    det_status status =
        det_trainer_add_copy(w->t, &w->t->backward, w->name, s->values, rows.values, error);
    if (status == DET_OK)
        status = det_trainer_add_copy(w->t, &w->t->backward, w->name, s->gradients, rows.gradients,
                                      error);
    free_sources(s);
    *s = rows;
    return status;
}

static det_status add_gradient_steps(weighted *w, const sources *s, dnnl_primitive_desc_t pd,
                                     det_error *error)
{
    det_trainer *t = w->t;
    det_const_layout given = dnnl_primitive_desc_query_md(pd, dnnl_query_diff_weights_md, 0);
    dnnl_memory_t plain = det_trainer_memory(t, w->file_weights, w->weights->gradients);
    dnnl_memory_t gradient =
        dnnl_memory_desc_equal(given, w->file_weights) ? plain : det_trainer_memory(t, given, NULL);
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, s->values},
        {DNNL_ARG_DIFF_DST, s->gradients},
        {DNNL_ARG_DIFF_WEIGHTS, gradient},
        {DNNL_ARG_DIFF_BIAS,
         w->biases ? det_trainer_memory(t, w->bias, w->biases->gradients) : NULL}};
    const det_status status =
        det_trainer_add(t, &t->backward, w->name, pd, arguments, w->biases ? 4 : 3, error);
    return status < 0 ? status
                      : det_trainer_add_copy(t, &t->backward, w->name, gradient, plain, error);
}

static det_status add_gradients(weighted *w, det_error *error)
{
    sources s = {0};
    dnnl_primitive_desc_t pd = NULL;
    det_status status = choose_sources(w, &s, &pd, error);
    if (status == DET_OK) status = add_gradient_steps(w, &s, pd, error);
    if (pd) dnnl_primitive_desc_destroy(pd);
    free_sources(&s);
    return status;
}

static det_status add_weighted(det_trainer *t, const det_gradient_layer *l, bool convolution,
                               det_error *error)
{
    const det_node *node = &t->graph->nodes[l->node];
    weighted w = {.t = t,
                  .node = node,
                  .name = node->name,
                  .convolution = convolution,
                  .source = det_trainer_source(t, l->node, 0),
                  .slot = t->slots[l->node]};
    if (convolution) det_convolution_window(node, w.window);
    det_status status = prepare(&w, error);
    if (status == DET_OK) status = add_forward(&w, l->relu, error);
    if (status == DET_OK && t->learns[l->node]) status = add_gradients(&w, error);
    if (status == DET_OK && det_trainer_wants(t, l->node, 0)) status = add_data(&w, error);
    release(&w);
    return status;
}

det_status det_gradient_convolution(det_trainer *t, const det_gradient_layer *l, det_error *error)
{
    return add_weighted(t, l, true, error);
}

det_status det_gradient_inner_product(det_trainer *t, const det_gradient_layer *l, det_error *error)
{
    return add_weighted(t, l, false, error);
}
