/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_MULTIBOX_LOSS_H
#define DETECT_PROPOSALS_MULTIBOX_LOSS_H

#include "proposals/multibox/multibox.h"

/* What a MultiBox head is trained for (Erhan et al., section 3.1). Of a picture with the objects
 * g_j, the predictions l_i and their confidences c_i (multibox.h), and x_ij = 1 where object j is
 * matched to prediction i, else 0:
 *
 *   F       = alpha F_match + F_conf
 *   F_match = 1/2 sum over i, j of x_ij |l_i - g_j|^2
 *   F_conf  = - sum over i, j of x_ij log c_i  -  sum over i of (1 - sum over j of x_ij) log(1 -
 * c_i)
 *
 * Each object has one prediction, each prediction one object at most. With z_i = log(c_i / (1 -
 * c_i)) F is the sum over i of -log(1 - c_i) and, for each match, of alpha / 2 |l_i - g_j|^2 - z_i.
 */

/** The objects of a picture. Borrowed. */
typedef struct det_multibox_objects {
    const float (*corners)[DET_MULTIBOX_CORNERS]; /**< count, normalised, finite */
    size_t count;
} det_multibox_objects;

/** The match of an object that has none: there are more objects than priors. */
#define DET_MULTIBOX_UNMATCHED SIZE_MAX

/** Matches objects so that their costs together are least: to priors, the cost being 1/2 |p_i -
 *  g_j|^2 ("prior matching"), or to predictions, the cost being alpha / 2 |l_i - g_j|^2 - z_i, so
 *  that F is least.
 *
 *  @param outputs of the predictions, which must be finite; NULL: matches are to priors.
 *  @param alpha   not looked at for priors.
 *  @param matches receives a prior for each object, or DET_MULTIBOX_UNMATCHED.
 *  @return DET_OK, DET_ARGUMENT (a prediction is not finite), DET_MEMORY. Thread-safe. */
det_status det_multibox_match(const det_multibox_priors *priors,
                              const det_multibox_outputs *outputs,
                              const det_multibox_objects *objects, double alpha, size_t *matches,
                              det_error *error);

/** F and its parts. */
typedef struct det_multibox_loss {
    double match;      /**< F_match, without alpha */
    double confidence; /**< F_conf */
    double total;      /**< F */
} det_multibox_loss;

/** Derivatives of F, in the layout of det_multibox_outputs. Borrowed. */
typedef struct det_multibox_gradient {
    float *locations; /**< count x 4 */
    float *logits;    /**< count */
} det_multibox_gradient;

/** The loss for a picture whose objects are matched.
 *  @param outputs  or NULL: the bare priors.
 *  @param gradient receives the derivatives; or NULL.
 *  Thread-safe. */
det_multibox_loss det_multibox_lose(const det_multibox_priors *priors,
                                    const det_multibox_outputs *outputs,
                                    const det_multibox_objects *objects, const size_t *matches,
                                    double alpha, const det_multibox_gradient *gradient);

#endif
