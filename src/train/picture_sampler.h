/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_PICTURE_SAMPLER_H
#define DETECT_TRAIN_PICTURE_SAMPLER_H

#include "src/data/labelled_folder.h"
#include "src/image/resize.h"
#include "src/train/batch_input.h"

/* Batches of whole pictures that a network learns to tell apart (Szegedy et al., "Going Deeper with
 * Convolutions", 2015, section 6): each shows a part of a picture, resized in a way that is drawn,
 * too. A batch depends on the seed and its step alone. */

typedef struct det_picture_sampler_options {
    size_t count; /**< pictures of a batch, at least 1 */
    double
        least_area; /**< of the part, as a share of the picture's, in (0, 1]; 0: no part is drawn,
                         but the crop is the centre, as `detect classify` has it with one crop */
    bool any_interpolation; /**< of a part each interpolation as often as another; else by area */
    bool even_classes;      /**< every class as often; else every picture */
    det_augmentation augmentation; /**< of boxes nothing counts */
    const det_model_input *input;  /**< copied */
    uint64_t seed;
} det_picture_sampler_options;

/** As in the paper: parts of .08 on, any interpolation, mirrored; each picture as often, colours
 *  changed by .4 and the hue by a tenth of a turn. */
det_picture_sampler_options det_picture_sampler_defaults(const det_model_input *input, size_t count,
                                                         uint64_t seed);

/** Immutable, safe to share between threads. */
typedef struct det_picture_sampler det_picture_sampler;

/** @param labels  of each picture of the cache its class. Not kept.
 *  @param used    whether a picture may be drawn; NULL: all may. Not kept.
 *  @param cache   of the pictures; borrowed while the sampler lives. Several may share it.
 *  @param sampler det_picture_sampler_free it.
 *  @return DET_OK; DET_ARGUMENT (an option out of range, no picture); DET_MEMORY. */
det_status det_picture_sampler_create(const size_t *labels, const bool *used,
                                      det_picture_cache *cache,
                                      const det_picture_sampler_options *options,
                                      det_picture_sampler **sampler, det_error *error);
/** Takes NULL. */
void det_picture_sampler_free(det_picture_sampler *sampler);

/** How many pictures there are to draw from. */
size_t det_picture_sampler_count(const det_picture_sampler *sampler);

/** A batch. Owns its arrays; {0} is empty. */
typedef struct det_picture_batch {
    size_t count;
    uint64_t step;
    det_batch_slot *slots; /**< count */
    size_t *labels;        /**< count */
} det_picture_batch;

/** @param batch with room for a batch; det_picture_batch_free it, also after a failure.
 *  @return DET_OK, DET_MEMORY. */
det_status det_picture_batch_create(const det_picture_sampler *sampler, det_picture_batch *batch,
                                    det_error *error);
/** Takes {0}. */
void det_picture_batch_free(det_picture_batch *batch);

/** Draws the batch of a step: none comes again before all pictures (of a class) have come.
 *  Thread-safe. */
void det_picture_batch_make(const det_picture_sampler *sampler, uint64_t step,
                            det_picture_batch *batch);

/** Fills the input of a network with a batch; parts are drawn here, where sizes are known.
 *  @param threads 0: as many as the process may use; the input does not depend on it.
 *  @param input   count x 3 x height x width of the model's input, f32, written whole.
 *  @return DET_OK; the failure of a picture, with its file: as det_image_read; DET_MEMORY.
 *  Thread-safe. */
det_status det_picture_batch_fill(const det_picture_sampler *sampler,
                                  const det_picture_batch *batch, int threads, float *input,
                                  det_error *error);

#endif
