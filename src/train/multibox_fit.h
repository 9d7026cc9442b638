/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_MULTIBOX_FIT_H
#define DETECT_TRAIN_MULTIBOX_FIT_H

#include "proposals/multibox/multibox.h"

/* A MultiBox head on frozen features: a linear function of the features of a whole picture that
 * corrects priors (proposals/multibox/multibox.h). */

/** Pictures with their objects: a row a picture, or several rows a picture where it is mirrored.
 *  Borrowed. */
typedef struct det_multibox_examples {
    size_t count, width;    /**< rows; features of a row */
    const float *features;  /**< count x width */
    const size_t *pictures; /**< count: which picture a row shows, below picture_count; its first
                                 row shows it as it is. NULL: row i shows picture i */
    size_t picture_count;
    const size_t *first_object; /**< count + 1: the objects of row i are those from first_object[i]
                                     to first_object[i + 1] - 1 */
    const float (*corners)[DET_MULTIBOX_CORNERS]; /**< of each object, normalised; of a mirrored row
                                                       mirrored, too */
    const uint32_t *classes;                      /**< of each object */
} det_multibox_examples;

enum { DET_MULTIBOX_DEFAULT_PRIORS = 100 };

/** How a head is fitted. Zero in a field means its default. */
typedef struct det_multibox_fit_options {
    size_t priors;          /**< wanted; default 100. Fewer where fewer boxes differ */
    double alpha;           /**< weight of locations in the loss; default 0.3 (Erhan et al.) */
    bool match_predictions; /**< objects are matched to predictions in place of priors */
    int rounds;             /**< of matching to predictions anew; default 5 */
    size_t rank;            /**< of the features: directions that are looked at; default 64 */
    double l2_locations; /**< half of it times the squares of the weights of locations is added to
                              the loss of a picture; infinite: they are 0. Default: what does best
                              on pictures that are left out */
    double l2_logits;    /**< likewise */
    size_t folds;        /**< of pictures left out in turn to choose these; default 3 */
    int iterations;      /**< of L-BFGS for a fit, at most; default 60 */
    uint64_t seed;
} det_multibox_fit_options;

/** A head. {0} is none. Owns its arrays. */
typedef struct det_multibox_head {
    det_multibox_priors priors;
    size_t width;
    float *weights; /**< 5 priors.count x width: of the locations, x0, y0, x1, y1 prior after prior,
                         then of the logits */
    float *biases;  /**< 5 priors.count; without the log odds */
    double l2_locations, l2_logits; /**< that it was fitted with; infinite: the outputs are 0 */
    double loss;                    /**< F, mean over the rows that it learned from */
} det_multibox_head;

/** Takes NULL and {0}. */
void det_multibox_head_free(det_multibox_head *head);

/** The outputs for a picture: 4 priors.count locations, then priors.count logits. */
void det_multibox_head_outputs(const det_multibox_head *head, const float *features,
                               float *outputs);

/** Fits a head, priors and all. Priors are clusters of the objects, their log odds those of being
 *  matched by prior matching, (m + 1/2) / (n - m + 1/2) for m matches in n rows. The linear
 *  function has the least mean of F over the rows (proposals/multibox/loss.h) and decay of its
 *  weights, biases included: little data leaves the bare priors. Features are centred, scaled to a
 *  mean square of 1, and looked at in the subspace that holds most of their squares (subspace.h):
 *  few directions in the place of many features, which is what keeps a fit short.
 *
 *  With match_predictions a fit with prior matching comes first; then objects are matched to its
 *  predictions and it is fitted again, in rounds, each of which lowers F and decay together, until
 *  no match changes.
 *
 *  Decay is chosen, for locations and logits apart, from 1, 1/10, ..., 10^-5 and infinite (the bare
 *  priors), by the loss of pictures that are left out, with prior matching.
 *
 *  @param seen which rows it learns from; NULL: all.
 *  @param run  progress counts fits.
 *  @param head receives it; det_multibox_head_free it, also after a failure.
 *  @return DET_OK; DET_ARGUMENT (no object is seen, a feature is not finite, a senseless option);
 *          DET_MEMORY; DET_CANCELLED. Deterministic in the seed. */
det_status det_fit_multibox(const det_multibox_examples *examples, const bool *seen,
                            const det_multibox_fit_options *options, const det_run *run,
                            det_multibox_head *head, det_error *error);

#endif
