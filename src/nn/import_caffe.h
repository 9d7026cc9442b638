/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_IMPORT_CAFFE_H
#define DETECT_NN_IMPORT_CAFFE_H

#include "src/nn/caffe_file.h"
#include "src/nn/model_file.h"

/** Turns a Caffe network into a model: its graph, input, and which layers give probabilities and
 *  features. Classes, path, digest and provenance are left to the caller.
 *
 *  What only serves training is left out: losses, accuracies, layers whose rules exclude them from
 *  the phase TEST, and layers that feed nothing else (GoogLeNet's auxiliary heads). Where no
 * Softmax is left, the last SoftmaxWithLoss becomes one.
 *
 *  A node carries the name of its layer, and stands for the layer's output; a blob written in place
 *  several times (convolution, then ReLU) is the output of the last of these layers for whoever
 *  reads it afterwards. The blob's name stays as an alias where no layer has it.
 *
 *  @param net     must outlive the model's weights, whose values stay in it.
 *  @param options width, height and mean count, as det_model_import describes.
 *  @param model   {0}; on success det_model_free_contents it, on failure it is empty again.
 *  @return DET_OK, DET_FORMAT, DET_UNSUPPORTED (error->where: "layer '...', byte N"), DET_LIMIT,
 *          DET_MEMORY. */
det_status det_caffe_build(const det_caffe_net *net, const det_model_import_options *options,
                           det_model *model, det_error *error);

#endif
