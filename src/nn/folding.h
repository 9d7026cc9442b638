/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_FOLDING_H
#define DETECT_NN_FOLDING_H

#include "src/nn/model_file.h"

/** A model without batch norms that computes what one with them computes. */
typedef struct det_folded_model {
    det_model model; /**< to be read and written (det_model_derive, det_model_write); what it has
                          beside layers and their shapes is borrowed from the source */
    float *values;   /**< weights that were changed; the others are borrowed, too */
} det_folded_model;

/** Folds every batch norm into the convolution or inner product before it (Jacob et al.,
 *  "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
 *  CVPR 2018, section 3.2): with g = scale / sqrt(variance + epsilon) of an output channel,
 *
 *      weights' = g weights,  bias' = g (bias - mean) + shift
 *
 *  A batch norm's readers and roles go over to that layer, whose name stays. What calibration found
 *  is left out. A model without batch norms gives one of the same layers.
 *
 *  @param source must outlive `folded`, and stay as it is.
 *  @param folded det_folded_model_free it.
 *  @return DET_OK; DET_ARGUMENT (a batch norm that does not follow a convolution or an inner
 * product, whose output something else reads, too, or has a role; a variance that is too small;
 * values that become infinite; weights that would be called as those of another layer: error->where
 * is the layer); DET_MEMORY. Empty after a failure. */
det_status det_model_fold(const det_model *source, det_folded_model *folded, det_error *error);
/** Takes NULL and {0}. */
void det_folded_model_free(det_folded_model *folded);

#endif
