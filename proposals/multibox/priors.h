/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_MULTIBOX_PRIORS_H
#define DETECT_PROPOSALS_MULTIBOX_PRIORS_H

#include "proposals/multibox/multibox.h"

/** Priors where boxes of a training set are: the means of their clusters (k-means, as Erhan et al.,
 *  section 3.1, "training details"). The first means are boxes, each chosen by lot with a chance in
 *  proportion to its squared distance from the nearest mean so far (k-means++; Arthur and
 *  Vassilvitskii 2007); then boxes go to the nearest mean and means to the middle of their boxes
 *  until nothing changes (Lloyd 1982), at most 100 times. A cluster that loses all its boxes takes
 *  the box that is farthest from its mean.
 *
 *  @param boxes  count, normalised corners, finite.
 *  @param k      priors that are wanted; there are fewer where fewer boxes differ.
 *  @param priors receives them, with log odds of 0; det_multibox_priors_free them.
 *  @return DET_OK, DET_ARGUMENT (no boxes, or k is 0), DET_MEMORY. Deterministic in `seed`. */
det_status det_multibox_cluster(const float (*boxes)[DET_MULTIBOX_CORNERS], size_t count, size_t k,
                                uint64_t seed, det_multibox_priors *priors, det_error *error);

#endif
