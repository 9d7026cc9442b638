/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_ENSEMBLE_H
#define DETECT_DETECTOR_ENSEMBLE_H

#include "detect/data.h"
#include "detect/network.h"
#include "src/detector/region_pool.h"
#include "src/image/crop.h"
#include "src/nn/model_file.h"

/** Several networks that know the same classes, and the crops they look at. Immutable. */
typedef struct det_ensemble {
    det_model **models;
    det_network **networks;  /**< where regions are pooled: behind the layer they are pooled from */
    det_crop_options *crops; /**< one a network */
    det_region_pool **pools; /**< one a network, or NULL: regions are cropped */
    size_t count;
    det_precision precision; /**< of all networks */
    size_t delta_count;      /**< networks that give box deltas, as their second output */
    size_t batch;
    int threads;
    uint64_t memory_mb; /**< limits.memory_mb */
} det_ensemble;

/** What an ensemble is for. NULL in its place means the probabilities of regions. */
typedef struct det_ensemble_options {
    bool whole_pictures; /**< crops show no surroundings and nothing outside the picture */
    bool crops_only;     /**< classifier.regions does not count; so too with whole_pictures */
    size_t batch_max;    /**< crops that will ever be run together, 0: any number */
    const char *layer;   /**< whose output is wanted in place of the probabilities, or NULL */
    bool boxes;          /**< box deltas are wanted besides, as postprocess.box_regression says */
} det_ensemble_options;

/** The crops that a network looks at. @param context_px around a region; -1: as the model says. */
det_crop_options det_input_crop_options(const det_model_input *input, int context_px);

/** Opens and compiles the models of a configuration; det_ensemble_free also after a failure.
 *  @return as det_detector_create. */
det_status det_ensemble_create(const det_config *config, const det_ensemble_options *options,
                               det_ensemble *ensemble, det_error *error);
void det_ensemble_free(det_ensemble *ensemble);

/** Refuses an empty picture. @return DET_OK, DET_ARGUMENT. */
det_status det_check_picture(const det_image *image, det_error *error);

/** Bytes that the networks hold and one caller's run needs. */
size_t det_ensemble_memory(const det_ensemble *ensemble);

/** Refuses work before it begins where what it needs (`more` bytes), and the networks hold, exceeds
 *  a limit.
 *  @param limit_mb 0: none.
 *  @param what     needs it: "the networks".
 *  @param advice   the keys that can be lowered.
 *  @return DET_OK, DET_LIMIT. */
det_status det_ensemble_check_memory(const det_ensemble *ensemble, uint64_t limit_mb, size_t more,
                                     const char *what, const char *advice, det_error *error);

/** Values that the networks give for a crop. */
size_t det_ensemble_values(const det_ensemble *ensemble);

/** Where the probability of a class stands in the networks' output, which may have one of the
 *  background, too. */
size_t det_class_column(const det_model *model, size_t class_id);

/** Buffers for one caller's batches. {0} is empty. */
typedef struct det_ensemble_run {
    const det_ensemble *ensemble;
    det_worker *worker;
    uint8_t *pixels;        /**< batch crops */
    float *outputs[2];      /**< of a network: batch rows of what is wanted, and of box deltas */
    float *sum, *deltas;    /**< of all networks; deltas: batch rows of 4 values a class, or NULL */
    const det_image *image; /**< that the maps show */
    det_region_maps **maps; /**< one a network, where regions are pooled; made for the image */
    double crops_ms, network_ms;
} det_ensemble_run;

/** det_ensemble_run_free also after a failure. @return DET_OK, DET_MEMORY, DET_INTERNAL. */
det_status det_ensemble_run_create(const det_ensemble *ensemble, det_ensemble_run *run,
                                   det_error *error);
void det_ensemble_run_free(det_ensemble_run *run);

/** How far the boxes of the regions move that were classified last: a row of 4 values a class
 *  (without the background) each, as src/detector/box_deltas.h has them, the mean of the networks
 *  that give them; of one that moves all classes alike each class has the same. NULL where no
 *  network does, or none was asked. */
const float *det_ensemble_deltas(const det_ensemble_run *run);

/** Makes crop `index` of a batch for network `which`; called from several threads at once. */
typedef det_status det_crop_maker(const void *context, size_t which, size_t index, uint8_t *pixels);

/** Makes a batch of crops and averages what the networks give.
 *
 *  Neighbouring networks of equal crop geometry share the crops.
 *  @param count  of crops, in [1, batch].
 *  @param values receives a pointer into the run: count rows of the networks' output, background
 *                included.
 *  @return DET_OK, DET_ARGUMENT (a region that is empty or not finite), DET_MEMORY, DET_INTERNAL.
 */
det_status det_ensemble_average(det_ensemble_run *run, det_crop_maker *make, const void *context,
                                size_t count, const float **values, det_error *error);

/** The same for regions of a picture, which are warped to crops, or pooled from maps of the picture
 *  as classifier.regions says. The maps are kept for the next regions of the same picture, which
 *  must not change while the run lives.
 *  @return the same; DET_LIMIT (limits.memory_mb). */
det_status det_ensemble_classify(det_ensemble_run *run, const det_image *image,
                                 const det_region *regions, size_t count,
                                 const float **probabilities, det_error *error);

#endif
