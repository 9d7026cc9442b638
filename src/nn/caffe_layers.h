/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_CAFFE_LAYERS_H
#define DETECT_NN_CAFFE_LAYERS_H

#include "src/nn/caffe_file.h"
#include "src/nn/graph.h"

/** Fills op, attributes and weights of a node from a layer of role DET_CAFFE_LAYER, or from a
 *  SoftmaxWithLoss, which becomes a softmax. The values of the weights stay the layer's own.
 *  @return DET_OK, DET_FORMAT (parameters missing or out of range, weights that do not fit them),
 *          DET_UNSUPPORTED (what the graph cannot say), DET_MEMORY. */
det_status det_caffe_convert(const det_caffe_layer *layer, det_node *node, det_error *error);

/** Most dimensions of a blob. */
enum { DET_CAFFE_MAX_DIMENSIONS = 8 };

/** Dimensions of a blob, in either format, as many as it has.
 *  @return how many, 0 where the blob does not say, -1 where they are more than
 *          DET_CAFFE_MAX_DIMENSIONS. */
int det_caffe_blob_dimensions(const DetCaffe__BlobProto *blob,
                              int64_t dimensions[DET_CAFFE_MAX_DIMENSIONS]);

#endif
