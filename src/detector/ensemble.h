/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_ENSEMBLE_H
#define DETECT_DETECTOR_ENSEMBLE_H

#include "detect/data.h"
#include "detect/network.h"
#include "src/image/crop.h"
#include "src/nn/model_file.h"

/** Several networks that know the same classes, and the crops they look at. Immutable. */
typedef struct det_ensemble {
    det_model **models;
    det_network **networks;
    det_crop_options *crops; /**< one a network */
    size_t count;
    det_precision precision; /**< of all networks */
    size_t batch;
    int threads;
} det_ensemble;

/** Opens and compiles the models of a configuration; det_ensemble_free also after a failure.
 *  @return as det_detector_create. */
det_status det_ensemble_create(const det_config *config, det_ensemble *ensemble, det_error *error);
void det_ensemble_free(det_ensemble *ensemble);

/** Bytes that the networks hold and one caller's run needs. */
size_t det_ensemble_memory(const det_ensemble *ensemble);

/** Buffers for one caller's batches. {0} is empty. */
typedef struct det_ensemble_run {
    const det_ensemble *ensemble;
    det_worker *worker;
    uint8_t *pixels;      /**< batch crops */
    float *outputs, *sum; /**< batch rows of as many values as the networks give */
    double crops_ms, network_ms;
} det_ensemble_run;

/** det_ensemble_run_free also after a failure. @return DET_OK, DET_MEMORY, DET_INTERNAL. */
det_status det_ensemble_run_create(const det_ensemble *ensemble, det_ensemble_run *run,
                                   det_error *error);
void det_ensemble_run_free(det_ensemble_run *run);

/** Warps regions to crops and averages the networks' probabilities.
 *
 *  Neighbouring networks of equal crop geometry share the crops.
 *  @param regions count regions, count in [1, batch].
 *  @param probabilities receives a pointer into the run: count rows of the networks' output,
 *                       background included.
 *  @return DET_OK, DET_ARGUMENT (a region that is empty or not finite), DET_INTERNAL. */
det_status det_ensemble_classify(det_ensemble_run *run, const det_image *image,
                                 const det_region *regions, size_t count,
                                 const float **probabilities, det_error *error);

#endif
