/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_GOOGLENET_H
#define DETECT_NN_GOOGLENET_H

#include "src/nn/model_file.h"

/** A GoogLeNet that knows nothing yet. */
typedef struct det_googlenet_options {
    int side;       /**< pixels of its square input: 224 in the paper */
    double width;   /**< share of the paper's channels, in (0, 4]: 1, .5, .375, ... Every number of
                         channels is rounded to a multiple of 16, at least 16, so that maps fill
                         whole blocks of channels: 24 of the paper becomes 32 */
    int outputs;    /**< probabilities: the classes and, where there is one, the background */
    double dropout; /**< share of what goes into the classifier that a step leaves out, in [0, 1);
                         .4 in the paper */
    bool auxiliary; /**< also the classifiers behind inception_4a and inception_4d, which only serve
                         training */
    uint64_t seed;  /**< of the initial weights */
} det_googlenet_options;

/** Builds the network of Szegedy et al., "Going deeper with convolutions" (CVPR 2015), table 1,
 * with batch norm (Ioffe and Szegedy 2015) between every convolution and its ReLU in the place of
 * biases and of local response normalisation. The last pool is the whole map, so that any side fits
 * whose map there is not empty.
 *
 *  Layers are called as in the published Caffe model ("inception_3a/3x3_reduce"); batch norms as
 *  their convolution with "/bn". Logits are "loss3/classifier", with probabilities in "prob", and
 * of the auxiliary classifiers "loss1/classifier" and "loss2/classifier". Those have the paper's
 * 128 channels and 1024 values, times `width`, and leave out 70 %.
 *
 *  Weights before a ReLU are normal with variance 2 / inputs of a value (He et al. 2015), those of
 *  classifiers uniform with variance 1 / inputs (Glorot and Bengio 2010; Caffe's "xavier"), biases
 * 0, scales 1. A layer's weights depend on seed, name and size alone.
 *
 *  Pictures are fed in BGR: less ImageNet's mean, divided by ImageNet's deviation.
 *
 *  @param model receives the model, which has no classes yet and owns its weights; det_model_free
 *               it.
 *  @return DET_OK; DET_ARGUMENT (an option out of range; a side that is too small: error->where is
 *          the layer), DET_MEMORY. */
det_status det_googlenet_create(const det_googlenet_options *options, det_model **model,
                                det_error *error);

#endif
