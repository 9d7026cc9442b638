/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_REGIONS_H
#define DETECT_DETECTOR_REGIONS_H

#include "detect/proposals.h"

/** Which regions of a picture the networks look at. */
typedef struct det_region_options {
    bool use_search, use_uniform, use_sliding;
    det_selective_search_options search;
    det_control_options controls;
    bool whole_picture; /**< false: a region that is the whole picture is left out */
    size_t max;         /**< the best of them, 0: all */
} det_region_options;

/** The regions of all methods. */
typedef struct det_region_union {
    det_region *regions; /**< count of them; free with det_regions_free */
    size_t count;
    size_t too_small; /**< boxes that selective search's min_side_px left out */
    int methods;      /**< that proposed */
} det_region_union;

/** About how many bytes proposing the regions of a picture takes. */
size_t det_regions_memory(const det_image *image, const det_region_options *options);

/** Proposes the regions of a picture, best first. Those of several methods are united: each box
 * once, as the region with the highest score (of equal ones, that of the method that det_source
 * names first), highest score first.
 *  @param all receives them.
 *  @return DET_OK, DET_LIMIT, and as det_selective_search. */
det_status det_propose_regions(const det_image *image, const det_region_options *options,
                               const det_run *run, det_region_union *all, det_error *error);

#endif
