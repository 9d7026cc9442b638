/* SPDX-License-Identifier: Apache-2.0 */
/* A graph compiled for learning, and its runs; src/nn/trainer.h is the contract. */
#include "src/nn/onednn/trainer.h"

#include "src/base/parallel.h"

#include <string.h>

const char *det_parameter_kind_name(det_parameter_kind kind)
{
    static const char *const names[] = {"weight", "bias", "scale", "shift", "mean", "variance"};
    return names[kind];
}

/* ---- Which layers, and what they do --------------------------------------------------------- */

enum { MOST_EXAMPLES = 1 << 16 }; /* of a batch */

static det_status find_ends(det_trainer *t, det_error *error)
{
    const det_trainer_options *o = &t->options;
    t->from = DET_PICTURE;
    if (o->batch < 1 || o->batch > MOST_EXAMPLES || o->to_count < 1)
        return det_fail(error, DET_ARGUMENT,
                        "a batch of %zu examples (at most %d) and %zu outputs to learn by",
                        o->batch, MOST_EXAMPLES, o->to_count);
    det_status status = det_precision_check(o->precision, error);
    if (status == DET_OK && o->from) status = det_graph_require(t->graph, o->from, &t->from, error);
    for (size_t i = 0; status == DET_OK && i < o->to_count; i++) {
        status = det_graph_require(t->graph, o->to[i], &t->outputs[i].node, error);
        if (status == DET_OK) t->needed[t->outputs[i].node] = true;
    }
    return status;
}

/* From the outputs down to what is fed. */
static det_status find_needed(det_trainer *t, det_error *error)
{
    for (int i = t->graph->count - 1; i > t->from; i--) {
        const det_node *node = &t->graph->nodes[i];
        if (!t->needed[i]) continue;
        if (node->op == DET_OP_SOFTMAX || node->op == DET_OP_SIGMOID)
            return det_fail_at(error, DET_UNSUPPORTED, NULL, node->name,
                               "a loss looks at what comes before a softmax or sigmoid");
        for (int k = 0; k < node->input_count; k++) {
            const int input = node->inputs[k];
            if (input >= 0) t->needed[input] = true;
            if (input >= 0) t->readers[input]++;
            if (input < t->from)
                return det_fail_at(error, DET_ARGUMENT, NULL, node->name,
                                   "the layer also reads what comes before '%s'", t->options.from);
        }
    }
    for (size_t i = 0; i < t->options.to_count; i++) t->readers[t->outputs[i].node]++;
    return DET_OK;
}

static bool has_parameters(const det_node *node)
{
    return node->op == DET_OP_CONVOLUTION || node->op == DET_OP_INNER_PRODUCT ||
           node->op == DET_OP_BATCH_NORM;
}

static void find_differentiated(det_trainer *t)
{
    const det_trainer_options *o = &t->options;
    for (int i = t->from + 1; i < t->graph->count; i++) {
        const det_node *node = &t->graph->nodes[i];
        if (!t->needed[i]) continue;
        t->learns[i] =
            has_parameters(node) && (!o->learns || o->learns(o->learns_context, node->name));
        t->differentiated[i] = t->learns[i];
        for (int k = 0; k < node->input_count && !t->differentiated[i]; k++)
            t->differentiated[i] = det_trainer_wants(t, i, k);
    }
}

/* ---- Parameters ----------------------------------------------------------------------------- */

static det_status add_parameter(det_trainer *t, int node, det_parameter_kind kind,
                                const det_weights *weights, det_error *error)
{
    if (!weights->values) return DET_OK;
    const size_t size = weights->count * sizeof(float);
    const bool learns = t->learns[node] && kind < DET_PARAMETER_MEAN;
    det_parameter *p = &t->parameters[t->parameter_count];
    *p = (det_parameter){.layer = t->graph->nodes[node].name,
                         .kind = kind,
                         .count = weights->count,
                         .values = det_trainer_buffer(t, size),
                         .gradients = learns ? det_trainer_buffer(t, size) : NULL};
    if (!p->values || (learns && !p->gradients))
        return det_fail_memory(error, "the parameters of a network");
    memcpy(p->values, weights->values, size);
    t->parameter_count++;
    return DET_OK;
}

static det_status add_parameters(det_trainer *t, det_error *error)
{
    enum { MOST = 4 };
    t->parameters = det_alloc_zeroed((size_t)t->graph->count * MOST, sizeof *t->parameters);
    if (!t->parameters) return det_fail_memory(error, "the parameters of a network");
    for (int i = t->from + 1; i < t->graph->count; i++) {
        const det_node *node = &t->graph->nodes[i];
        if (!t->needed[i] || !has_parameters(node)) continue;
        const bool norm = node->op == DET_OP_BATCH_NORM;
        const struct {
            det_parameter_kind kind;
            const det_weights *weights;
        } all[MOST] = {{norm ? DET_PARAMETER_SCALE : DET_PARAMETER_WEIGHT, &node->weights},
                       {norm ? DET_PARAMETER_SHIFT : DET_PARAMETER_BIAS, &node->bias},
                       {DET_PARAMETER_MEAN, &node->mean},
                       {DET_PARAMETER_VARIANCE, &node->variance}};
        for (int k = 0; k < MOST; k++) {
            const det_status status = add_parameter(t, i, all[k].kind, all[k].weights, error);
            if (status < 0) return status;
        }
    }
    return DET_OK;
}

/* ---- Maps ----------------------------------------------------------------------------------- */

/* Parts of a concat that fill whole blocks can be joined, and taken out again, in blocks. */
static bool joins_blocks(const det_trainer *t, int node)
{
    for (int k = 0; k < t->graph->nodes[node].input_count; k++) {
        const det_slot *in = &t->maps[det_trainer_source(t, node, k)];
        if (!in->blocked || in->shape.channels % t->plan.block != 0) return false;
    }
    return true;
}

/* What is fed is in blocks where it fills one: pictures do not. Convolutions write blocks, the last
 * one filled up, but for those in groups that fill none. Others write as they read. */
static bool is_blocked(const det_trainer *t, int node)
{
    const int block = t->plan.block;
    if (block == 0) return false;
    if (node == t->from) return t->options.input.channels >= block;
    const det_node *n = &t->graph->nodes[node];
    const det_slot *in = &t->maps[det_trainer_source(t, node, 0)];
    if (n->op == DET_OP_CONVOLUTION) {
        const bool deep = n->groups == in->shape.channels && n->groups == n->channels;
        return n->groups == 1 || (deep && in->blocked) ||
               (n->channels / n->groups % block == 0 &&
                in->shape.channels / n->groups % block == 0);
    }
    return n->op == DET_OP_CONCAT ? joins_blocks(t, node) : in->blocked;
}

static int dimensions_of(const det_trainer *t, int node)
{
    if (node == t->from) return 4;
    const det_op op = t->graph->nodes[node].op;
    if (op == DET_OP_INNER_PRODUCT) return 2;
    if (op == DET_OP_CONVOLUTION || op == DET_OP_MAX_POOL || op == DET_OP_AVERAGE_POOL) return 4;
    return t->maps[det_trainer_source(t, node, 0)].ndims;
}

static det_status add_slot(det_trainer *t, int node, det_error *error)
{
    det_slot *slot = &t->maps[t->slot_count++];
    const bool wanted = node == t->from ? t->options.input_gradient : t->differentiated[node];
    slot->shape = node == t->from ? t->options.input : t->shapes[node];
    slot->ndims = dimensions_of(t, node);
    slot->blocked = slot->ndims == 4 && is_blocked(t, node);
    slot->layout = det_trainer_layout(t, slot->shape, slot->ndims, slot->blocked, t->plan.type);
    slot->value = det_trainer_memory(t, slot->layout, NULL);
    if (wanted) slot->gradient = det_trainer_memory(t, slot->layout, NULL);
    if (!slot->value || (wanted && !slot->gradient))
        return det_fail_memory(error, "the maps of a network that learns");
    if (node >= 0) t->slots[node] = t->slot_count - 1;
    return DET_OK;
}

/* A ReLU that alone reads a layer which does not need its own result on the way back. */
static bool shares_slot(const det_trainer *t, int node)
{
    const int from = t->graph->nodes[node].inputs[0];
    if (t->graph->nodes[node].op != DET_OP_RELU || from < 0 || from == t->from) return false;
    return t->readers[from] == 1 && has_parameters(&t->graph->nodes[from]);
}

static void count_readers(det_trainer *t, int node)
{
    for (int k = 0; k < t->graph->nodes[node].input_count; k++)
        t->maps[det_trainer_source(t, node, k)].readers++;
}

static det_status add_slots(det_trainer *t, det_error *error)
{
    t->maps = det_alloc_zeroed((size_t)t->graph->count + 1, sizeof *t->maps);
    if (!t->maps) return det_fail_memory(error, "the maps of a network that learns");
    det_status status = add_slot(t, t->from, error);
    for (int i = t->from + 1; status == DET_OK && i < t->graph->count; i++) {
        if (!t->needed[i]) continue;
        if (shares_slot(t, i)) {
            t->slots[i] = t->slots[t->graph->nodes[i].inputs[0]];
            continue;
        }
        status = add_slot(t, i, error);
        count_readers(t, i);
    }
    for (size_t i = 0; i < t->options.to_count; i++) {
        det_learning_output *output = &t->outputs[i];
        output->slot = output->node == t->from ? 0 : t->slots[output->node];
        t->maps[output->slot].readers++;
    }
    return status;
}

/* ---- Steps ---------------------------------------------------------------------------------- */

/* The ReLU that is computed within a layer, or NULL. */
static const det_node *relu_of(const det_trainer *t, int node)
{
    for (int i = node + 1; i < t->graph->count; i++)
        if (t->needed[i] && t->graph->nodes[i].op == DET_OP_RELU &&
            t->graph->nodes[i].inputs[0] == node && det_trainer_fuses(t, i))
            return &t->graph->nodes[i];
    return NULL;
}

static det_status add_layer(det_trainer *t, int node, det_error *error)
{
    const det_gradient_layer layer = {node, relu_of(t, node)};
    switch (t->graph->nodes[node].op) {
    case DET_OP_CONVOLUTION:
        return det_gradient_convolution(t, &layer, error);
    case DET_OP_INNER_PRODUCT:
        return det_gradient_inner_product(t, &layer, error);
    case DET_OP_MAX_POOL:
    case DET_OP_AVERAGE_POOL:
        return det_gradient_pool(t, &layer, error);
    case DET_OP_LRN:
        return det_gradient_lrn(t, &layer, error);
    case DET_OP_RELU:
        return det_gradient_relu(t, &layer, error);
    case DET_OP_CONCAT:
        return det_gradient_concat(t, &layer, error);
    case DET_OP_DROPOUT:
        return det_gradient_dropout(t, &layer, error);
    case DET_OP_BATCH_NORM:
        return det_gradient_batch_norm(t, &layer, error);
    default:
        return det_fail(error, DET_INTERNAL, "operation %d is not known",
                        (int)t->graph->nodes[node].op);
    }
}

static void reverse(det_trainer_step *steps, int count)
{
    for (int i = 0, j = count - 1; i < j; i++, j--) {
        const det_trainer_step step = steps[i];
        steps[i] = steps[j];
        steps[j] = step;
    }
}

/* Layers are asked from the last to the first, as their steps backward run. Those forward run the
 * other way round, and are kept last first until all are there. */
static det_status add_layers(det_trainer *t, det_error *error)
{
    det_trainer_steps *forward = &t->forward;
    for (int i = t->graph->count - 1; i > t->from; i--) {
        if (!t->needed[i]) continue;
        const int first = forward->count;
        const det_status status = add_layer(t, i, error);
        if (status < 0) {
            det_error_where(error, "layer '%s'", t->graph->nodes[i].name);
            return status;
        }
        if (forward->count > first) reverse(forward->steps + first, forward->count - first);
    }
    return DET_OK;
}

/* An output as the caller sees it: f32 in rows. */
static det_status add_output(det_trainer *t, det_learning_output *output, det_error *error)
{
    const det_slot *slot = &t->maps[output->slot];
    det_layout rows = det_trainer_layout(t, slot->shape, slot->ndims, false, dnnl_f32);
    const size_t size = t->options.batch * det_shape_values(slot->shape) * sizeof(float);
    output->values = det_trainer_buffer(t, size);
    output->gradients = det_trainer_buffer(t, size);
    if (output->values) output->value = det_trainer_memory(t, rows, output->values);
    if (output->gradients) output->gradient = det_trainer_memory(t, rows, output->gradients);
    det_layout_free(rows);
    return output->value && output->gradient ? DET_OK
                                             : det_fail_memory(error, "the outputs of a network");
}

static det_status add_output_gradients(det_trainer *t, det_error *error)
{
    for (size_t i = 0; i < t->options.to_count; i++) {
        det_learning_output *output = &t->outputs[i];
        const char *name = t->options.to[i];
        det_status status = add_output(t, output, error);
        if (status == DET_OK && t->maps[output->slot].gradient) {
            status = det_trainer_add_copy(t, &t->backward, name, output->gradient,
                                          det_trainer_gradient_target(t, output->slot), error);
            if (status == DET_OK) status = det_trainer_add_gradient(t, name, output->slot, error);
        }
        if (status < 0) return status;
    }
    return DET_OK;
}

static det_status add_output_values(det_trainer *t, det_error *error)
{
    for (size_t i = 0; i < t->options.to_count; i++) {
        const det_status status =
            det_trainer_add_copy(t, &t->forward, t->options.to[i],
                                 t->maps[t->outputs[i].slot].value, t->outputs[i].value, error);
        if (status < 0) return status;
    }
    return DET_OK;
}

static const char input_name[] = "input";

static det_status add_input(det_trainer *t, det_error *error)
{
    det_layout rows = det_trainer_layout(t, t->options.input, 4, false, dnnl_f32);
    const size_t size = t->options.batch * det_shape_values(t->options.input) * sizeof(float);
    t->inputs = det_trainer_buffer(t, size);
    if (t->inputs) t->input = det_trainer_memory(t, rows, t->inputs);
    if (t->options.input_gradient) t->input_gradients = det_trainer_buffer(t, size);
    if (t->input_gradients) t->input_gradient = det_trainer_memory(t, rows, t->input_gradients);
    det_layout_free(rows);
    return det_trainer_add_copy(t, &t->forward, input_name, t->input, t->maps[0].value, error);
}

static det_status add_input_gradient(det_trainer *t, det_error *error)
{
    if (!t->options.input_gradient) return DET_OK;
    return det_trainer_add_copy(t, &t->backward, input_name, t->maps[0].gradient, t->input_gradient,
                                error);
}

/* ---- All of it ------------------------------------------------------------------------------ */

static det_status allocate(det_trainer *t, det_error *error)
{
    const size_t nodes = (size_t)t->graph->count;
    t->shapes = det_alloc_zeroed(nodes, sizeof *t->shapes);
    t->needed = det_alloc_zeroed(nodes, sizeof *t->needed);
    t->learns = det_alloc_zeroed(nodes, sizeof *t->learns);
    t->differentiated = det_alloc_zeroed(nodes, sizeof *t->differentiated);
    t->slots = det_alloc_zeroed(nodes, sizeof *t->slots);
    t->readers = det_alloc_zeroed(nodes, sizeof *t->readers);
    t->outputs = det_alloc_zeroed(t->options.to_count, sizeof *t->outputs);
    if (t->shapes && t->needed && t->learns && t->differentiated && t->slots && t->readers &&
        t->outputs)
        return DET_OK;
    return det_fail_memory(error, "a network that learns");
}

static det_status build(det_trainer *t, det_error *error)
{
    const bool halves = t->options.precision == DET_BF16;
    det_status status = allocate(t, error);
    if (status == DET_OK) status = find_ends(t, error);
    if (status == DET_OK) status = find_needed(t, error);
    if (status == DET_OK)
        status = det_graph_infer_needed(t->graph, t->needed, t->from, t->options.input, t->shapes,
                                        error);
    if (status == DET_OK) status = det_plan_create(&t->plan, halves ? dnnl_bf16 : dnnl_f32, error);
    if (status < 0) return status;
    const dnnl_status_t result =
        dnnl_stream_create(&t->stream, t->plan.engine, dnnl_stream_default_flags);
    if (result != dnnl_success) return det_dnnl_fail(error, "make a stream", result);
    find_differentiated(t);
    status = add_parameters(t, error);
    if (status == DET_OK) status = add_slots(t, error);
    if (status == DET_OK) status = add_output_gradients(t, error);
    if (status == DET_OK) status = add_layers(t, error);
    if (status == DET_OK) status = add_input(t, error);
    if (status < 0) return status;
    reverse(t->forward.steps, t->forward.count);
    status = add_output_values(t, error);
    if (status == DET_OK) status = add_input_gradient(t, error);
    return status == DET_OK ? det_trainer_place(t, error) : status;
}

typedef struct {
    det_trainer *trainer;
    det_status status;
    det_error *error;
} building;

static void build_with_threads(void *context)
{
    building *b = context;
    b->status = build(b->trainer, b->error);
}

det_status det_trainer_create(const det_graph *graph, const det_trainer_options *options,
                              det_trainer **trainer, det_error *error)
{
    det_trainer *t = det_alloc_zeroed(1, sizeof *t);
    if (!t) return det_fail_memory(error, "a network that learns");
    t->graph = graph;
    t->options = *options;
    t->options.threads = det_resolve_threads(options->threads);
    building b = {.trainer = t, .error = error};
    det_with_threads(t->options.threads, build_with_threads, &b);
    if (b.status == DET_OK)
        *trainer = t;
    else
        det_trainer_free(t);
    return b.status;
}

static void free_steps(det_trainer_steps *steps)
{
    for (int i = 0; i < steps->count; i++)
        if (steps->steps[i].primitive) dnnl_primitive_destroy(steps->steps[i].primitive);
    det_free(steps->steps);
}

void det_trainer_free(det_trainer *t)
{
    if (!t) return;
    free_steps(&t->forward);
    free_steps(&t->backward);
    for (int i = 0; i < t->room_count; i++) dnnl_memory_destroy(t->rooms[i].memory);
    for (int i = 0; i < t->buffer_count; i++) det_free(t->buffers[i]);
    for (int i = 0; i < t->slot_count; i++) det_layout_free(t->maps[i].layout);
    if (t->arena) det_free_pages(t->arena, t->arena_size);
    if (t->stream) dnnl_stream_destroy(t->stream);
    det_plan_free(&t->plan);
    det_free(t->rooms);
    det_free(t->buffers);
    det_free(t->maps);
    det_free(t->parameters);
    det_free(t->outputs);
    det_free(t->shapes);
    det_free(t->needed);
    det_free(t->learns);
    det_free(t->differentiated);
    det_free(t->slots);
    det_free(t->readers);
    det_free(t);
}

/* ---- Runs ----------------------------------------------------------------------------------- */

typedef struct {
    det_trainer *trainer;
    const det_trainer_steps *steps;
    det_step_time time; /* of those that run beside DET_ALWAYS */
    dnnl_status_t result;
    const char *failed;
} running;

static void run_steps(void *context)
{
    running *r = context;
    det_trainer *t = r->trainer;
    for (int i = 0; i < r->steps->count && r->result == dnnl_success; i++) {
        const det_trainer_step *step = &r->steps->steps[i];
        if (step->time != DET_ALWAYS && step->time != r->time) continue;
        r->failed = step->layer;
        if (step->work)
            step->work(t, step);
        else
            r->result =
                dnnl_primitive_execute(step->primitive, t->stream, step->count, step->arguments);
    }
    if (r->result == dnnl_success) r->result = dnnl_stream_wait(t->stream);
}

static det_status run(det_trainer *t, const det_trainer_steps *steps, det_step_time time,
                      det_error *error)
{
    running r = {.trainer = t, .steps = steps, .time = time};
    det_with_threads(t->options.threads, run_steps, &r);
    if (r.result == dnnl_success) return DET_OK;
    const det_status status = det_dnnl_fail(error, "run a step of a network", r.result);
    det_error_where(error, "layer '%s'", r.failed ? r.failed : "");
    return status;
}

det_status det_trainer_forward(det_trainer *trainer, bool learning, uint64_t seed, det_error *error)
{
    trainer->seed = seed;
    return run(trainer, &trainer->forward, learning ? DET_LEARNING : DET_MEASURING, error);
}

det_status det_trainer_backward(det_trainer *trainer, det_error *error)
{
    return run(trainer, &trainer->backward, DET_ALWAYS, error);
}

/* ---- Views ---------------------------------------------------------------------------------- */

size_t det_trainer_parameter_count(const det_trainer *trainer)
{
    return trainer->parameter_count;
}

const det_parameter *det_trainer_parameter(const det_trainer *trainer, size_t index)
{
    return &trainer->parameters[index];
}

float *det_trainer_input(det_trainer *trainer)
{
    return trainer->inputs;
}

const float *det_trainer_input_gradient(const det_trainer *trainer)
{
    return trainer->input_gradients;
}

const float *det_trainer_output(const det_trainer *trainer, size_t index)
{
    return trainer->outputs[index].values;
}

det_shape det_trainer_output_shape(const det_trainer *trainer, size_t index)
{
    return trainer->maps[trainer->outputs[index].slot].shape;
}

float *det_trainer_output_gradient(det_trainer *trainer, size_t index)
{
    return trainer->outputs[index].gradients;
}
