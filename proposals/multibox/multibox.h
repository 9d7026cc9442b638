/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_MULTIBOX_H
#define DETECT_PROPOSALS_MULTIBOX_H

#include "detect/proposals.h"

/* MultiBox (Erhan, Szegedy, Toshev, Anguelov, "Scalable Object Detection using Deep Neural
 * Networks", CVPR 2014): one look at a whole picture gives a fixed number of boxes, each with the
 * confidence that it shows an object, of whatever class.
 *
 * Boxes are priors that outputs of a network correct: of prior i with the corners p_i
 *
 *   corners l_i = p_i + locations_i        confidence c_i = 1 / (1 + exp(-(o_i + logits_i)))
 *
 * where o_i, the prior's log odds, says how often it is an object whatever the picture shows. With
 * outputs of 0 these are the bare priors.
 *
 * Corners are normalised: x0, y0, x1, y1 as shares of the picture's width and height, so that the
 * whole picture is 0, 0, 1, 1. Priors come from priors.h, the loss and its gradient from loss.h;
 * heads are learned in src/train/multibox_fit.h. */

enum { DET_MULTIBOX_CORNERS = 4 };

/** {0} is none. Owns its arrays. */
typedef struct det_multibox_priors {
    size_t count;
    float (*corners)[DET_MULTIBOX_CORNERS]; /**< count, normalised: x0, y0, x1, y1 */
    float *log_odds;                        /**< count: log(p / (1 - p)) of being an object */
} det_multibox_priors;

/** Room for priors, zeroed. @return DET_OK, DET_MEMORY. */
det_status det_multibox_priors_create(size_t count, det_multibox_priors *priors, det_error *error);
/** Frees the arrays and empties the priors. Takes NULL and {0}. */
void det_multibox_priors_free(det_multibox_priors *priors);

/** What a network gives for a picture. Borrowed. NULL in a field: all 0. */
typedef struct det_multibox_outputs {
    const float *locations; /**< count x 4: prior after prior what is added to x0, y0, x1, y1 */
    const float *logits;    /**< count: what is added to the log odds */
} det_multibox_outputs;

/** How outputs become regions. Zero in a field means its default. */
typedef struct det_multibox_options {
    int picture_width, picture_height; /**< pixels; each at least 1, no default */
    size_t max;                        /**< regions at most; default 200 */
    float nms_iou; /**< boxes that overlap a better one by a greater IoU are dropped; in (0, 1],
                        default 0.7; 1: none is */
} det_multibox_options;

/** Turns the outputs for a picture into regions: boxes are cut at the borders of the picture, those
 *  of which nothing is left (or whose outputs are not finite) are left out, of those that overlap
 *  the best stays (det_nms_hard), and the first `max` are returned.
 *
 *  @param outputs or NULL: the bare priors.
 *  @param regions receives an array of *count regions: boxes in pixels, the confidence as score, in
 *                 (0, 1], best first, equal ones in the order of the priors; source
 *                 DET_SOURCE_MULTIBOX, hierarchy 0. Free with det_regions_free.
 *  @return DET_OK, DET_ARGUMENT (a side below 1, nms_iou outside [0, 1]), DET_MEMORY.
 *  Thread-safe. */
det_status det_multibox_decode(const det_multibox_priors *priors,
                               const det_multibox_outputs *outputs,
                               const det_multibox_options *options, det_region **regions,
                               size_t *count, det_error *error);

#endif
