/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_GRAPH_H
#define DETECT_NN_GRAPH_H

#include "detect/network.h"
#include "src/base/error.h"

/** What a layer computes. Each layer has exactly one output, which carries the layer's name. */
typedef enum det_op {
    DET_OP_CONVOLUTION,
    DET_OP_RELU,
    DET_OP_MAX_POOL,
    DET_OP_AVERAGE_POOL,
    DET_OP_LRN,
    DET_OP_CONCAT,
    DET_OP_DROPOUT,
    DET_OP_INNER_PRODUCT,
    DET_OP_SOFTMAX,
    DET_OP_SIGMOID,
    DET_OP_BATCH_NORM, /**< of networks that learn: model files have it folded into the layer before
                        */
    DET_OP_COUNT
} det_op;

/** "convolution", "relu", "max_pool", ...: the names in model files. */
const char *det_op_name(det_op op);
/** @return the op, or DET_OP_COUNT where no op of model files has that name. */
det_op det_op_parse(const char *name);

/** A window that slides over height and width, in pixels of the input. */
typedef struct det_window {
    int kernel_h, kernel_w, stride_h, stride_w, pad_h,
        pad_w;                  /**< pad: above and left; below and right alike */
    int dilation_h, dilation_w; /**< convolution only; 1 = dense */
} det_window;

/** Constant values, little-endian f32, in the mapped file. */
typedef struct det_weights {
    char *tensor; /**< name in the file; NULL where there is none */
    const float
        *values; /**< convolution: out x in/group x kh x kw; inner product: out x in; bias: out */
    size_t count;
} det_weights;

/** A layer. Which attributes count depends on the op. */
typedef struct det_node {
    char *name;
    char *alias; /**< another name of its output (the Caffe blob), or NULL */
    det_op op;
    int *inputs;     /**< indices of earlier nodes; DET_PICTURE is the network's input */
    int input_count; /**< 1, but for concat */

    det_window window; /**< convolution and pools */
    int channels;      /**< convolution, inner product: of the output */
    int groups;        /**< convolution */
    bool global;       /**< pools: the window is the whole map */
    bool ceil_mode;    /**< pools: Caffe rounds sizes up, and drops a last window that would begin
                          beyond the input and its upper padding */
    float negative_slope; /**< relu */
    int local_size;       /**< lrn: across channels */
    float alpha, beta, k; /**< lrn: y = x / (k + alpha / local_size * sum x^2)^beta */
    float ratio;          /**< dropout; running does nothing */
    det_weights weights, bias;
    /** batch norm: y = weights (x - mean) / sqrt(variance + epsilon) + bias, a value a channel;
     * while it learns, mean and variance are those of the batch (Ioffe and Szegedy, 2015). */
    det_weights mean, variance;
    float epsilon;
} det_node;

enum { DET_PICTURE = -1, DET_NO_NODE = -2 };

/** Layers in an order in which every input comes before its use. */
typedef struct det_graph {
    det_node *nodes;
    int count;
} det_graph;

/** @return index of the layer of that name, else of the layer with that alias, else DET_NO_NODE. */
int det_graph_find(const det_graph *graph, const char *name);
/** The same. @return DET_OK, DET_ARGUMENT (there is none; error->where is the name). */
det_status det_graph_require(const det_graph *graph, const char *name, int *index,
                             det_error *error);

/** Works out the shape of every layer's output.
 *
 *  Convolution rounds down, pools as their ceil_mode says (Caffe, pooling_layer.cpp).
 *  @param from   node whose output is given (its shape is `input`), or DET_PICTURE.
 *  @param shapes room for graph->count shapes; layers that do not depend on `from` get zeros.
 *  @return DET_OK; DET_ARGUMENT (a window larger than its padded input, an inner product or
 *          convolution whose weights do not fit, concat of different sizes: error->where is the
 *          layer, the message has the numbers); DET_LIMIT (more than 2^31 - 1 values a picture). */
det_status det_graph_infer(const det_graph *graph, int from, det_shape input, det_shape *shapes,
                           det_error *error);

/** The same for some layers only: those with needed[i], which holds graph->count flags (NULL: all).
 */
det_status det_graph_infer_needed(const det_graph *graph, const bool *needed, int from,
                                  det_shape input, det_shape *shapes, det_error *error);

/** Values of a tensor of that shape. */
size_t det_shape_values(det_shape shape);

/** Output size of a pool along one side. */
int det_pool_size(int size, int kernel, int stride, int pad, bool ceil_mode);

/** Multiply-accumulates of a layer for one picture; pools, LRN, softmax and sigmoid count as none.
 */
uint64_t det_node_macs(const det_node *node, det_shape input, det_shape output);

/** Copies a layer to another graph: what it owns is copied, values are borrowed.
 *  @param places of all layers in that graph.
 *  @return false when memory is short; `to` is then a layer that det_graph_free frees. */
bool det_node_copy(const det_node *from, const int *places, det_node *to);

/** Frees what the graph owns (not the values of its weights) and empties it. */
void det_graph_free(det_graph *graph);

#endif
