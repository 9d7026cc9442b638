/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_ONEDNN_TRAINER_H
#define DETECT_NN_ONEDNN_TRAINER_H

/* A network as it learns: maps with their gradients, parameters, and steps that run forward and
 * backward over a whole batch. Every map has one layout, in blocks of channels (the last one filled
 * up) behind a convolution, and every primitive is asked for exactly that: nothing is reordered but
 * weights. Maps, gradients and whatever else steps hand on share an arena: each has its place there
 * from the first step that uses it to the last one, forward and backward. */

#include "src/nn/onednn/compat_gradients.h"
#include "src/nn/onednn/plan.h"
#include "src/nn/trainer.h"

/** A map of the whole batch. A ReLU that is fused behind a layer shares its slot. */
typedef struct det_slot {
    det_shape shape;
    int ndims; /**< 4, or 2 behind an inner product */
    bool blocked;
    det_layout layout;             /**< owned */
    dnnl_memory_t value, gradient; /**< gradient: NULL where none is wanted */
    int readers;                   /**< steps backward that each give a part of the gradient */
    int parts;                     /**< those that have been made so far */
    dnnl_memory_t *part;           /**< readers: what they write; the first one is `gradient` */
} det_slot;

typedef enum det_step_time {
    DET_ALWAYS = 0,
    DET_LEARNING, /**< forward, with `learning` */
    DET_MEASURING /**< forward, without */
} det_step_time;

/** A primitive, or work of our own. */
typedef struct det_trainer_step {
    const char *layer;
    char implementation[48]; /**< oneDNN's name for how it runs; "" for our own work */
    det_step_time time;
    dnnl_primitive_t primitive; /**< or NULL: */
    void (*work)(det_trainer *trainer, const struct det_trainer_step *step);
    const dnnl_exec_arg_t *arguments; /**< count; of our own work: what it reads and writes */
    int count;
    int node; /**< that our own work is about */
} det_trainer_step;

typedef struct det_trainer_steps {
    det_trainer_step *steps;
    int count;
    size_t capacity;
} det_trainer_steps;

/** An output as the caller sees it. */
typedef struct det_learning_output {
    int node, slot;
    dnnl_memory_t value, gradient; /**< f32 in rows */
    float *values, *gradients;
} det_learning_output;

/** A memory that steps use. */
typedef struct det_room {
    dnnl_memory_t memory; /**< owned */
    bool fixed;           /**< it has values of its own: it has no place in the arena */
    int whole;            /**< the room that it is a part of, or -1 */
    det_life life;
} det_room;

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
    det_learning_output *outputs;        /**< options.to_count */
    dnnl_memory_t input, input_gradient; /**< f32 in rows */
    float *inputs, *input_gradients;
    det_trainer_steps forward, backward;
    uint64_t seed; /**< of the run at hand */
    det_room *rooms;
    int room_count;
    void *arena;
    size_t arena_size;
    void **buffers; /**< owned, to be freed at the end */
    int buffer_count;
    size_t buffer_capacity, room_capacity;
};

/* ---- trainer_parts.c: building blocks ---------------------------------------------------------
 */

/** Zeroed bytes that the trainer owns; NULL when memory is short. */
void *det_trainer_buffer(det_trainer *t, size_t size);
/** Memory of that layout at `values`, or (NULL) in the arena, where it has a place only while steps
 *  use it; NULL when it fails. */
dnnl_memory_t det_trainer_memory(det_trainer *t, det_const_layout layout, void *values);
/** The part of a memory in the arena that the layout tells. */
dnnl_memory_t det_trainer_part(det_trainer *t, det_const_layout layout, dnnl_memory_t whole);
/** Values of a memory, once det_trainer_place has run. */
void *det_memory_values(dnnl_memory_t memory);
/** The layout of a map of the batch in this type: blocks where `blocked`, else rows. */
det_layout det_trainer_layout(const det_trainer *t, det_shape shape, int ndims, bool blocked,
                              dnnl_data_type_t type);

/** Adds a step that runs a primitive, from its descriptor, which stays the caller's. DET_MEMORY
 *  where an argument is NULL. */
det_status det_trainer_add(det_trainer *t, det_trainer_steps *steps, const char *layer,
                           dnnl_primitive_desc_t pd, const dnnl_exec_arg_t *arguments, int count,
                           det_error *error);
/** Adds a step of our own, whose arguments are copied. Likewise. */
det_status det_trainer_add_work(det_trainer *t, det_trainer_steps *steps,
                                const det_trainer_step *step, det_error *error);
/** Adds a step that copies between memories of any layouts and types; none where they are one. */
det_status det_trainer_add_copy(det_trainer *t, det_trainer_steps *steps, const char *layer,
                                dnnl_memory_t from, dnnl_memory_t to, det_error *error);

/** Where the next step backward writes its part of the gradient of a slot; NULL when memory is
 *  short. */
dnnl_memory_t det_trainer_gradient_target(det_trainer *t, int slot);
/** To be called behind that step: the last one's part is followed by the sum of all. */
det_status det_trainer_add_gradient(det_trainer *t, const char *layer, int slot, det_error *error);

/** Gives every memory its place, after the last step. */
det_status det_trainer_place(det_trainer *t, det_error *error);

/** The parameter of a node, or NULL. */
det_parameter *det_trainer_find(det_trainer *t, int node, det_parameter_kind kind);
/** The slot that a node reads. */
int det_trainer_source(const det_trainer *t, int node, int input);
/** Whether a ReLU is computed within the layer with parameters that it alone reads. */
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
