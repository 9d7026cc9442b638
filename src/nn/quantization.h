/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_QUANTIZATION_H
#define DETECT_NN_QUANTIZATION_H

#include "detect/json.h"
#include "src/nn/graph.h"

#include <json-c/json.h>

/* A network in 8-bit integers (Jacob et al. 2018).
 *
 *   activation   x[c] = a[c] * p[c],     p in 0..255 (u8): values that cannot be negative
 *   weight       W[o][c] * a[c] = w[o] * q[o][c],   q in -127..127 (s8)
 *   result       y[o] = w[o] * sum of q[o][c] * p[c] + b[o] + d[o]
 *   correction   d[o] = sum of (W[o][c] - w[o] * q[o][c] / a[c]) * m[c],   m the mean of x
 *
 * The scales a of the input are multiplied into the weights before these are rounded, so that every
 * channel can have its own. The correction takes away what rounding the weights adds on average
 * (Nagel et al. 2019, section 4.2). */

/** Weights are kept for processors with VNNI and for those without. */
typedef enum det_weight_width { DET_WEIGHTS_8, DET_WEIGHTS_7, DET_WEIGHT_WIDTHS } det_weight_width;

/** Of weights of 8 or 7 bits. */
det_weight_width det_weight_width_of(int weight_bits);
/** The largest magnitude of q: 127, or 63. */
int det_weight_limit(det_weight_width width);

/** What a model file calls the rounded weights of a layer: "conv.int8", "conv.int7".
 *  @return to be freed, or NULL. */
char *det_rounded_name(const det_node *node, det_weight_width width);

/** What is known of a layer's values; arrays of one value a channel of its output. */
typedef struct det_layer_scales {
    float *activation;   /**< a of its output, for ReLU, LRN and average pools, else NULL. Maximum
                            pools and dropouts have their input's, a concat has its branches' */
    float *mean;         /**< m of its output, for these and for maximum pools; NULL: not known */
    float *weights;      /**< w; NULL: the layer is computed in floating point */
    bool only_in_8_bits; /**< with weights of 7 it is computed in floating point */
    const int8_t *rounded[DET_WEIGHT_WIDTHS]; /**< q, borrowed; NULL: rounded to the nearest */
} det_layer_scales;

/** What the calibration of a model found. {0}: nothing, as of a model that was never calibrated. */
typedef struct det_quantization {
    det_layer_scales *layers; /**< one a layer, or NULL */
    int layer_count;
    det_agreement *agreements;
    size_t agreement_count;
} det_quantization;

void det_quantization_free(det_quantization *quantization);

/** Whether a layer has scales for weights of that width. */
bool det_layer_is_integer(const det_layer_scales *layer, det_weight_width width);

/** Reads the object `quantization` of a model file (docs/formats.md). A layer is named once; scales
 *  are positive and as many as the layer's channels; layers with weights that have no scales are
 *  those of kept_higher.
 *  @return DET_OK, DET_FORMAT (error->where is a key path below `quantization`), DET_MEMORY. */
det_status det_quantization_read(json_object *object, const det_graph *graph,
                                 const det_shape *shapes, det_quantization *quantization,
                                 det_error *error);

/** Writes the members of that object, in the order of the layers. */
void det_quantization_write(det_json *json, const det_graph *graph, const det_shape *shapes,
                            const det_quantization *quantization);

/** Whether a layer has weights, and so a choice of precision. */
bool det_node_is_weighted(const det_node *node);

/** Whether det_layer_scales.activation is for it: ReLU that clips at 0, LRN, average pools. */
bool det_node_has_activation(const det_node *node);
/** Whether det_layer_scales.mean is for it: those, and maximum pools. */
bool det_node_has_mean(const det_node *node);

/** Whether layer `index` could be computed in integers, given the scales of its input: a
 * convolution of one group, or an inner product of a row of channels; not on the picture itself. */
bool det_node_can_be_integer(const det_graph *graph, const det_shape *shapes, int index);

/** Which values of channels. */
typedef enum det_channel_kind { DET_CHANNEL_SCALES, DET_CHANNEL_MEANS } det_channel_kind;

/** The scales a, or the means m, of every layer's output; NULL where it has none.
 *  @param shapes of the layers.
 *  @param values room for graph->count pointers; det_channel_values_free them, also after a
 *                failure.
 *  @return DET_OK, DET_MEMORY. */
det_status det_channel_values(const det_graph *graph, const det_shape *shapes,
                              const det_quantization *quantization, det_channel_kind kind,
                              float **values, det_error *error);
void det_channel_values_free(const det_graph *graph, det_channel_kind kind, float **values);

/** The scales w of a layer, so that the largest |W[o][c] * a[c]| of a channel becomes 127.
 *  @param input  scales a of its input, one a channel: input_channels / groups of them are used.
 *  @param scales room for node->channels values, all positive. */
void det_weight_scales(const det_node *node, int input_channels, const float *input, float *scales);

/** A layer in integers and what it is made from. */
typedef struct det_integer_layer {
    const det_node *node;
    int input_channels;
    const float *input;   /**< a of its input, one a channel */
    const float *means;   /**< m of its input, or NULL */
    const float *weights; /**< w */
    int limit;            /**< 127, or 63 where sums of two products must stay within 16 bits: w is
                               then multiplied by 127 / 63 */
} det_integer_layer;

/** The weights of output `o` in steps, not rounded: W[o] a / w[o].
 *  @param values receives as many as an output has. */
void det_weights_in_steps(const det_integer_layer *layer, int o, float *values);

/** Rounds the weights to the nearest: q, at most `limit` in magnitude. @param quantized
 *  node->weights.count. */
void det_quantize_weights(const det_integer_layer *layer, int8_t *quantized);

/** Adds the correction d to `bias`, node->channels values; nothing without means. */
void det_correct_bias(const det_integer_layer *layer, const int8_t *quantized, float *bias);

#endif
