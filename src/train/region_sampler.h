/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_REGION_SAMPLER_H
#define DETECT_TRAIN_REGION_SAMPLER_H

#include "src/detector/box_deltas.h"
#include "src/train/batch_input.h"
#include "src/train/training_set.h"

/* Batches of regions that a network learns from (R-CNN, section 2.3; "Fast R-CNN", section 2.3): a
 * share of them show objects, the others background. A batch depends on the seed and its step
 * alone, so that a training which was interrupted goes on with the same batches. */

/** How the regions that show objects are drawn. Annotated boxes are among them. Within what is
 *  drawn evenly none comes again before all have come. */
typedef enum det_positive_draw {
    DET_DRAW_OBJECTS = 0, /**< every object as often, then any of its regions. Large objects have a
                               hundred proposals and small ones a few, but a detector is measured by
                               objects, of which each counts once */
    DET_DRAW_REGIONS = 1, /**< every region as often, as in R-CNN */
    DET_DRAW_CLASSES = 2  /**< every class as often, then its objects, then their regions */
} det_positive_draw;

typedef struct det_region_sampler_options {
    size_t count;          /**< regions of a batch, at least 1 */
    double positive_share; /**< of them; rounded to the nearest number */
    det_positive_draw positives;
    double near_share; /**< of the backgrounds, those that overlap an object by near_iou or more;
                            the others are any. 0: as in R-CNN; 1 with .1: as in Fast R-CNN */
    double near_iou;
    det_example_options examples; /**< by these regions are labelled, whatever the set's labels say;
                                       R-CNN: .5 and .5 */
    det_augmentation augmentation;
    const det_model_input *input; /**< copied */
    int context_px;               /**< around a region; -1: as the input says */
    uint64_t seed;
} det_region_sampler_options;

/** A share of .25 that shows objects, as in R-CNN, drawn by objects; half of the backgrounds near
 *  .1 or more; examples from an IoU of .5 on, background below it; nothing is changed at random. */
det_region_sampler_options det_region_sampler_defaults(const det_model_input *input, size_t count,
                                                       uint64_t seed);

/** Immutable, safe to share between threads. */
typedef struct det_region_sampler det_region_sampler;

/** Sorts the regions of a set by what they teach. Where there are no regions of a kind, the others
 *  take their place.
 *  @param set     borrowed while the sampler lives.
 *  @param used    image_count: whether a picture may be drawn from; NULL: all may. Not kept.
 *  @param cache   the pictures of the set, in its order; borrowed while the sampler lives. Several
 *                 samplers may share it.
 *  @param sampler det_region_sampler_free it.
 *  @return DET_OK; DET_ARGUMENT (an option out of range, context that leaves nothing of the crop,
 *          no region that teaches anything); DET_MEMORY. */
det_status det_region_sampler_create(const det_training_set *set, const bool *used,
                                     det_picture_cache *cache,
                                     const det_region_sampler_options *options,
                                     det_region_sampler **sampler, det_error *error);
/** Takes NULL. */
void det_region_sampler_free(det_region_sampler *sampler);

/** What there is to draw from. */
typedef struct det_region_sampler_counts {
    size_t objects, positives; /**< objects that a region shows, and such regions */
    size_t backgrounds, near;  /**< near: of the backgrounds */
} det_region_sampler_counts;
det_region_sampler_counts det_region_sampler_count(const det_region_sampler *sampler);

/** A region of a batch. */
typedef struct det_region_sample {
    det_row row;   /**< that it was drawn as */
    det_box box;   /**< as it was moved, inside the picture; pixels of the picture as it is, not
                        mirrored */
    float overlap; /**< of that box, with the object that it overlaps most */
    size_t object; /**< that object, in annotations->objects; SIZE_MAX: none */
} det_region_sample;

/** A batch. Owns its arrays; {0} is empty. Its first regions show objects. */
typedef struct det_region_batch {
    size_t count;
    det_region_sample *samples;      /**< count */
    det_batch_slot *slots;           /**< count */
    size_t *labels;                  /**< count: the class, or the number of classes: background */
    float (*deltas)[DET_BOX_DELTAS]; /**< count: from the moved (and mirrored) box to its (mirrored)
                                          object; 0 where it shows background */
} det_region_batch;

/** @param batch with room for a batch; det_region_batch_free it, also after a failure.
 *  @return DET_OK, DET_MEMORY. */
det_status det_region_batch_create(const det_region_sampler *sampler, det_region_batch *batch,
                                   det_error *error);
/** Takes {0}. */
void det_region_batch_free(det_region_batch *batch);

/** Draws the batch of a step. A box that is moved must teach what it taught before (the same class,
 *  or background, of a near one a near one); it is drawn again up to 8 times and else stays.
 *  Thread-safe. */
void det_region_batch_make(const det_region_sampler *sampler, uint64_t step,
                           det_region_batch *batch);

/** Fills the input of a network with a batch.
 *  @param threads 0: as many as the process may use; the input does not depend on it.
 *  @param input   count x 3 x height x width of the model's input, f32, written whole.
 *  @return DET_OK; the failure of a picture, with its file: as det_image_read, DET_FORMAT (its size
 *          is not that of the set); DET_MEMORY. Thread-safe. */
det_status det_region_batch_fill(const det_region_sampler *sampler, const det_region_batch *batch,
                                 int threads, float *input, det_error *error);

#endif
