/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_REGIONS_H
#define DETECT_PROPOSALS_REGIONS_H

#include "detect/proposals.h"

/** Size of the picture that proposals are made on: width_px wide, 0 or less: its own size.
 *  Enlarging stops where the height would exceed 4 * width_px, so that a narrow strip does not grow
 *  out of all proportion; reducing stops where it would fall below width_px / 4, so that a wide one
 *  keeps its objects. Both are whole numbers, at least 1.
 *  @param image not empty. */
void det_working_size(const det_image *image, int width_px, double *width, double *height);

/** Keeps each box once, as the best region that has it, and orders them best first: score
 *  descending, then source, hierarchy and box ascending.
 *  @return how many stay, at the front of `regions`. */
size_t det_regions_unite(det_region *regions, size_t count);

#endif
