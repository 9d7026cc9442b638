/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_ONEDNN_PLAN_H
#define DETECT_NN_ONEDNN_PLAN_H

/* A network as it runs: tensors in an arena, and steps (oneDNN primitives) that read and write
 * them. Everything here is for ONE picture; a batch is one picture after another on each thread,
 * which costs no more than a large batch, needs no padding, and makes concat free (see concat.c).
 */

#include "detect/network.h"
#include "src/nn/graph.h"
#include "src/nn/kernels/convolution.h"
#include "src/nn/kernels/lrn.h"
#include "src/nn/onednn/compat.h"

#include <limits.h>

/** A value that flows between steps. */
typedef struct det_plan_tensor {
    det_layout layout;
    size_t size; /**< bytes */
    dnnl_data_type_t type;
    bool plain;         /**< f32, rows of a map one after another: N C H W, or N C */
    bool channels_last; /**< N H W C */
    det_shape shape;
    const float *scales;  /**< u8: of each channel; borrowed, for as long as the plan is made */
    int copy_of;          /**< the tensor that a reorder made this from, or -1 */
    int parent;           /**< the tensor of which this is a part, or -1 */
    size_t parent_offset; /**< bytes */
    int first, last;      /**< the steps between which it is alive */
    size_t arena_offset;  /**< bytes; memory_plan.c */
} det_plan_tensor;

/** What a step reads or writes: a tensor of the arena, or a constant. */
typedef struct det_argument {
    int kind;               /**< DNNL_ARG_... */
    int tensor;             /**< or -1: */
    dnnl_memory_t constant; /**< owned by the plan */
} det_argument;

/** A oneDNN primitive, or a kernel of ours, whose arguments are its input and its output. */
typedef struct det_step {
    const char *layer;
    char implementation[64];
    dnnl_primitive_t primitive; /**< or NULL: */
    det_kernel *kernel;         /**< owned */
    det_argument *arguments;
    int argument_count;
    det_layout scratchpad;
    size_t scratchpad_size; /**< bytes */
} det_step;

/** A constant in the layout that a primitive wants: weights, biases. */
typedef struct det_constant {
    dnnl_memory_t memory;
    void *values;
} det_constant;

typedef struct det_plan {
    dnnl_engine_t engine;
    dnnl_data_type_t type; /**< of maps: f32 or bf16 */
    int block; /**< channels a block of this processor's layout holds: 16, 8, or 0 (no blocks) */
    bool winograd;
    const det_tiles *tiles; /**< for our own convolutions on this processor, or NULL: oneDNN's */
    const det_tiles
        *byte_tiles;         /**< those in integers; NULL also where the precision is not int8 */
    const det_lrn_code *lrn; /**< for our own LRN, or NULL: oneDNN's */
    int weight_bits;         /**< of integer layers: 8 or 7 */
    det_plan_tensor *tensors;
    int tensor_count;
    det_step *steps;
    int step_count;
    det_constant *constants;
    int constant_count;
    size_t tensor_capacity, step_capacity, constant_capacity;
    size_t constant_size; /**< bytes of all constants */
    size_t arena_size;    /**< bytes, scratchpad included */
    size_t scratchpad_offset, scratchpad_size;
} det_plan;

/** Network handle. */
struct det_network {
    det_model *model;
    det_precision precision; /**< what runs: not DET_AUTO */
    size_t batch;
    int threads;       /**< that share the pictures of a batch */
    int inner_threads; /**< inside a primitive: all of them where the batch is one picture, else 1
                        */
    det_shape input_shape;
    bool takes_tensor; /**< compiled with `from` */
    det_plan plan;
    int input;    /**< tensor, f32 in rows, or with channels last as the options say */
    int *outputs; /**< tensors, likewise */
    det_shape *output_shapes;
    size_t output_count;
};

/** Whether a model can run in that precision here: DET_OK or DET_UNSUPPORTED. */
det_status det_check_model_precision(const det_model *model, det_precision precision,
                                     int weight_bits, det_error *error);

/** What a network in int8 holds in which type, by layer; {0} in other precisions. */
typedef struct det_types {
    bool *integers; /**< the layer computes in 8-bit integers */
    bool *bytes;    /**< its result is wanted as u8 */
    float **scales; /**< of its result's channels, or NULL (det_channel_values) */
    float **means;  /**< likewise */
} det_types;

/** @param weight_bits of integer layers.
 *  @param needed the layers to compute; the result of `from` is given.
 *  det_types_free also after a failure. @return DET_OK, DET_MEMORY. */
det_status det_types_choose(const det_model *model, int weight_bits, const bool *needed, int from,
                            det_types *types, det_error *error);
void det_types_free(const det_model *model, det_types *types);

/** Threads that the pictures of one batch run on at a time: a worker has a lane for each. */
int det_network_lanes(const det_network *network);

/* ---- plan.c: building blocks ------------------------------------------------------------------
 */

/** @param type of the maps between layers: f32 or bf16. */
det_status det_plan_create(det_plan *plan, dnnl_data_type_t type, det_error *error);
void det_plan_free(det_plan *plan);

/** The status of a failed oneDNN call, as an error that names it. */
det_status det_dnnl_fail(det_error *error, const char *doing, dnnl_status_t status);

/** Adds a tensor that owns `layout` (freed with the plan, and at once on failure).
 *  @return its index, or a negative det_status. */
int det_plan_add_tensor(det_plan *plan, det_layout layout, det_shape shape, det_error *error);
/** The layout of a map on this processor: blocked where channels fill whole blocks, else plain. */
det_layout det_plan_map_layout(const det_plan *plan, det_shape shape);
/** The layout in blocks of channels, the last one filled up; plan->block is not 0. */
det_layout det_plan_blocked_layout(const det_plan *plan, det_shape shape, dnnl_data_type_t type);
det_layout det_plain_layout(det_shape shape);
/** N H W C, or N C where ndims is 2. */
det_layout det_channels_last_layout(det_shape shape, dnnl_data_type_t type, int ndims);

/** Adds a constant from values in the layout `plain`, reordered to what the primitive wants, and
 *  puts its memory (owned by the plan) into the argument. */
det_status det_plan_add_constant(det_plan *plan, const void *values, det_const_layout plain,
                                 det_const_layout wanted, det_argument *argument, det_error *error);

/** Adds a step from a primitive descriptor, which it destroys whatever happens.
 *  @return DET_OK, DET_MEMORY, DET_INTERNAL. */
det_status det_plan_add_step(det_plan *plan, const char *layer, dnnl_primitive_desc_t pd,
                             const det_argument *arguments, int count, det_error *error);

/** Adds a step from a kernel of ours, which the plan owns from then on, also after a failure.
 *  @return DET_OK, DET_MEMORY. */
det_status det_plan_add_kernel(det_plan *plan, const char *layer, det_kernel *kernel, int input,
                               int output, det_error *error);

/** The tensor `tensor` in the layout and type `wanted`: itself, the copy that an earlier step made,
 *  or a new one and a reorder step.
 *  @return index of a tensor, or a negative det_status. */
int det_plan_reorder(det_plan *plan, const char *layer, int tensor, det_const_layout wanted,
                     det_error *error);

/** The tensor as u8 with these scales, one a channel (a tensor that is u8 keeps its own): in blocks
 *  of channels, or with channels last. */
int det_plan_as_bytes(det_plan *plan, const char *layer, int tensor, const float *scales,
                      bool in_blocks, det_error *error);

/** The tensor in floating point: itself where it is not u8, else in the same order of values. */
int det_plan_as_float(det_plan *plan, const char *layer, int tensor, det_error *error);

/** The tensor in floating point, in blocks of channels. */
int det_plan_in_blocks(det_plan *plan, const char *layer, int tensor, det_error *error);

/** The tensor in the layout that pools and LRN run fast in (det_plan_map_layout). */
int det_plan_as_map(det_plan *plan, const char *layer, int tensor, det_error *error);

/** What the result of a primitive is multiplied by, before a ReLU. */
typedef struct det_scaling {
    int argument; /**< DNNL_ARG_WEIGHTS, or DNNL_ARG_FROM of a reorder */
    int mask;     /**< bits 1 << dimension of that argument along which scales differ */
    const float *values;
    size_t count;
} det_scaling;

/** Primitive attributes that every step has (scratchpad in our arena), with a ReLU fused behind
 *  the operation and a scaling, where these are not NULL. NULL when memory is short. */
dnnl_primitive_attr_t det_plan_attributes(const det_node *relu, const det_scaling *scaling);

/** Appends the scales to a step's constants, where oneDNN takes them as an argument. */
det_status det_plan_add_scales(det_plan *plan, const det_scaling *scaling, det_argument *constants,
                               int *count, det_error *error);

/** Bytes that steps `first` to `last` need. */
typedef struct det_life {
    size_t size;
    int first, last;
    size_t offset; /**< where det_place_lives puts them */
} det_life;

/** Gives every life its place, a multiple of 64 bytes, in `size` bytes together. */
det_status det_place_lives(det_life *lives, int count, size_t *size, det_error *error);

/** Gives every tensor its place; after the last step. */
det_status det_plan_place_tensors(det_plan *plan, det_error *error);

/* ---- One file an operation -------------------------------------------------------------------- *
 * Each adds the steps of a layer and returns the index of the tensor with its result, or a negative
 * det_status. `destination` is a tensor to write into (a branch of a concat), or -1. */

typedef struct det_layer {
    const det_node *node;
    const det_node *relu; /**< fused behind it, or NULL */
    det_shape in, out;
    int destination;
    const float *in_scales;     /**< of its first input's channels, or NULL */
    const float *in_means;      /**< likewise: their mean values */
    const float *out_scales;    /**< those of its output, which is to be u8; or NULL: a float */
    const float *weight_scales; /**< NULL: it is not an integer layer */
    const int8_t *rounded;      /**< its weights, or NULL: they are rounded to the nearest */
} det_layer;

/** Adds the step of a layer with one input: the input reordered if the primitive wants it, the
 *  output in layer->destination or a new tensor, and up to three constants. Destroys `pd` whatever
 *  happens. @return the tensor with the result, or a negative det_status. */
int det_plan_add_layer(det_plan *plan, const det_layer *layer, int input, dnnl_primitive_desc_t pd,
                       const det_argument *constants, int constant_count, det_error *error);

/** The layout that a convolution or pool writes: its destination's, else blocks, else any. */
det_layout det_plan_output_layout(const det_plan *plan, const det_layer *layer);

/** Strides, dilations - 1, padding before and behind, in oneDNN's order. */
void det_convolution_window(const det_node *node, dnnl_dims_t window[4]);

/* ---- own.c: kernels of our own ----------------------------------------------------------------
 */

/** Sets plan->tiles, byte_tiles and lrn to what this processor runs. */
void det_plan_choose_kernels(det_plan *plan, det_precision precision);

/** Adds a layer that runs in a kernel of ours, but for convolutions in integers.
 *  @return the tensor with the result, a negative det_status, or DET_NOT_OURS. */
int det_add_own(det_plan *plan, const det_layer *layer, int input, det_error *error);
enum { DET_NOT_OURS = INT_MAX };

/** Whether a convolution runs in our own kernels, which read and write blocks of channels.
 *  @param integers it computes in 8-bit integers. */
bool det_runs_in_tiles(const det_plan *plan, const det_node *node, int in_channels, bool integers);

/** A convolution of ours. @param parts all but `relu` and the shapes, which are the layer's. */
int det_add_own_convolution(det_plan *plan, const det_layer *layer, int input,
                            const det_convolution_parts *parts, det_error *error);

/** A convolution or inner product in 8-bit integers. */
int det_add_integer_layer(det_plan *plan, const det_layer *layer, int input, det_error *error);
int det_add_convolution(det_plan *plan, const det_layer *layer, int input, det_error *error);
int det_add_pool(det_plan *plan, const det_layer *layer, int input, det_error *error);
int det_add_lrn(det_plan *plan, const det_layer *layer, int input, det_error *error);
int det_add_relu(det_plan *plan, const det_layer *layer, int input, det_error *error);
int det_add_inner_product(det_plan *plan, const det_layer *layer, int input, det_error *error);
int det_add_softmax(det_plan *plan, const det_layer *layer, int input, det_error *error);
int det_add_sigmoid(det_plan *plan, const det_layer *layer, int input, det_error *error);
int det_add_concat(det_plan *plan, const det_layer *layer, const int *inputs, det_error *error);

#endif
