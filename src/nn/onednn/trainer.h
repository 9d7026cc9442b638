/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_ONEDNN_TRAINER_H
#define DETECT_NN_ONEDNN_TRAINER_H

/* A network as it learns: maps with their gradients, parameters, and steps that run forward and
 * backward over a whole batch. Every map has one layout, in blocks of channels where these fill
 * whole ones, and every primitive is asked for exactly that: nothing is reordered but weights. */

#include "src/nn/onednn/compat_gradients.h"
#include "src/nn/onednn/plan.h"
#include "src/nn/trainer.h"

/** A map of the whole batch. A ReLU that is fused behind a layer shares its slot. */
typedef struct det_slot {
    det_shape shape;
    int ndims;                     /**< 4, or 2 behind an inner product */
    det_layout layout;             /**< owned */
    dnnl_memory_t value, gradient; /**< gradient: NULL where none is wanted */
    void *values, *gradients;
    int writers; /**< steps backward that have added to the gradient so far, while these are made */
} det_slot;

typedef enum det_step_time {
    DET_ALWAYS = 0,
    DET_LEARNING, /**< forward, with `learning` */
    DET_MEASURING /**< forward, without */
} det_step_time;

/** A primitive, or work of our own. */
typedef struct det_trainer_step {
    const char *layer;
    det_step_time time;
    dnnl_primitive_t primitive; /**< or NULL: */
    void (*work)(det_trainer *trainer, const struct det_trainer_step *step);
    dnnl_exec_arg_t arguments[8]; /**< count */
    int count;
    int node, parameter; /**< that our own work is about */
    bool backward;       /**< likewise */
} det_trainer_step;

typedef struct det_trainer_steps {
    det_trainer_step *steps;
    int count;
    size_t capacity;
} det_trainer_steps;

/** An output as the caller sees it. */
typedef struct det_learning_output {
    int slot;
    dnnl_memory_t value, gradient; /**< f32 in rows */
    float *values, *gradients;
} det_learning_output;

struct det_trainer {
    const det_graph *graph;
    det_trainer_options options;
    det_plan plan; /**< its engine, type and block of channels */
    dnnl_stream_t stream;
    det_shape *shapes;    /**< of each node's output */
    bool *needed;         /**< of each node: an output depends on it */
    bool *learns;         /**< its parameters learn */
    bool *differentiated; /**< the gradient of its output is wanted */
    int *slots;           /**< of each node; -1 */
    int *readers;         /**< nodes that read it, outputs included */
    det_slot *maps;       /**< slot_count; the first is the input's */
    int slot_count;
    int from; /**< node, or DET_PICTURE */
    det_parameter *parameters;
    size_t parameter_count;
    det_learning_output *outputs;         /**< options.to_count */
    dnnl_memory_t input, input_gradient; /**< f32 in rows */
    float *inputs, *input_gradients;
    dnnl_memory_t *scratches; /**< of each slot whose gradient several steps write: what is added */
    void *scratch;            /**< that they all lie in */
    size_t scratch_size;      /**< bytes */
    det_trainer_steps forward, backward;
    uint64_t seed; /**< of the run at hand */
    /* Owned, to be freed at the end. */
    void **buffers;
    dnnl_memory_t *memories;
    int buffer_count, memory_count;
    size_t buffer_capacity, memory_capacity;
};

/* ---- trainer_parts.c: building blocks ---------------------------------------------------------
 */

/** Zeroed bytes that the trainer owns; NULL when memory is short. */
void *det_trainer_buffer(det_trainer *t, size_t size);
/** Memory of that layout at `values`, or (NULL) in a buffer of its own; NULL when it fails. */
dnnl_memory_t det_trainer_memory(det_trainer *t, det_const_layout layout, void *values);
/** The layout of a map of the batch in this type: blocks where `blocked`, else rows. */
det_layout det_trainer_layout(const det_trainer *t, det_shape shape, int ndims, bool blocked,
                              dnnl_data_type_t type);

/** Adds a step that runs a primitive, from its descriptor, which stays the caller's. */
det_status det_trainer_add(det_trainer *t, det_trainer_steps *steps, const char *layer,
                           dnnl_primitive_desc_t pd, const dnnl_exec_arg_t *arguments, int count,
                           det_error *error);
/** Adds a step of our own. */
det_status det_trainer_add_work(det_trainer *t, det_trainer_steps *steps,
                                const det_trainer_step *step, det_error *error);
/** Adds a step that copies between memories of any layouts and types; none where they are one. */
det_status det_trainer_add_copy(det_trainer *t, det_trainer_steps *steps, const char *layer,
                                dnnl_memory_t from, dnnl_memory_t to, det_error *error);

/** Where a step backward writes the gradient of a slot: the slot's own memory, or where an earlier
 *  step did so, one whose values det_trainer_add_gradient then adds to it. */
dnnl_memory_t det_trainer_gradient_target(det_trainer *t, int slot);
det_status det_trainer_add_gradient(det_trainer *t, const char *layer, int slot, det_error *error);

/** The parameter of a node, or NULL. */
det_parameter *det_trainer_find(det_trainer *t, int node, det_parameter_kind kind);
/** The slot that a node reads. */
int det_trainer_source(const det_trainer *t, int node, int input);
/** Whether a ReLU is computed within the convolution or inner product that it alone reads. */
bool det_trainer_fuses(const det_trainer *t, int relu);
/** Whether its gradient is wanted. */
bool det_trainer_wants(const det_trainer *t, int node, int input);

/* ---- One function a kind of layer --------------------------------------------------------------
 * * Each adds the steps of a node to `forward` and, where its output is differentiated, to
 * `backward`. Nodes are asked in the order in which the steps backward run: the last one first. */

typedef struct det_gradient_layer {
    int node;
    const det_node *relu; /**< fused behind it, or NULL */
} det_gradient_layer;

det_status det_gradient_convolution(det_trainer *t, const det_gradient_layer *l, det_error *error);
det_status det_gradient_inner_product(det_trainer *t, const det_gradient_layer *l,
                                      det_error *error);
det_status det_gradient_pool(det_trainer *t, const det_gradient_layer *l, det_error *error);
det_status det_gradient_lrn(det_trainer *t, const det_gradient_layer *l, det_error *error);
det_status det_gradient_relu(det_trainer *t, const det_gradient_layer *l, det_error *error);
det_status det_gradient_concat(det_trainer *t, const det_gradient_layer *l, det_error *error);
det_status det_gradient_dropout(det_trainer *t, const det_gradient_layer *l, det_error *error);
det_status det_gradient_batch_norm(det_trainer *t, const det_gradient_layer *l, det_error *error);

#endif
