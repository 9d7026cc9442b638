/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_SIMILARITY_H
#define DETECT_PROPOSALS_SIMILARITY_H

#include "proposals/selective_search/features.h"

/** How similar two regions are: the mean of the terms, each 0 to 1.
 *  @param terms      DET_SIMILARITY_*, at least one.
 *  @param histograms of the rows of a and b; not looked at without colour or texture.
 *  @param pixels     of the whole picture. */
float det_similarity(unsigned terms, const det_histograms *histograms, const det_blob *a,
                     const det_blob *b, int64_t pixels);

int64_t det_rectangle_area(det_rectangle r);
/** The smallest rectangle around two. */
det_rectangle det_rectangle_around(det_rectangle a, det_rectangle b);

#endif
