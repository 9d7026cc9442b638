/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_REGIONS_H
#define DETECT_DETECTOR_REGIONS_H

#include "src/detector/multibox_network.h"

/** Which regions of a picture the networks look at. */
typedef struct det_region_options {
    bool use_search, use_uniform, use_sliding;
    det_selective_search_options search;
    det_control_options controls;
    const det_multibox_network *multibox; /**< or NULL: it does not propose */
    bool whole_picture; /**< false: a region that is the whole picture is left out */
    size_t max;         /**< the best of them, 0: all */
} det_region_options;

/** As a configuration says.
 *  @param multibox borrowed by the options; used where the configuration names "multibox". */
det_region_options det_region_options_of(const det_config *config,
                                         const det_multibox_network *multibox);

/** The regions of all methods. */
typedef struct det_region_union {
    det_region *regions; /**< count of them; free with det_regions_free */
    size_t count;
    size_t too_small; /**< boxes that selective search's min_side_px left out */
    int methods;      /**< that proposed */
} det_region_union;

/** About how many bytes proposing the regions of a picture takes, without a network. */
size_t det_regions_memory(const det_image *image, const det_region_options *options);

/** Proposes the regions of a picture, best first. Those of several methods are united: each box
 * once, as the region with the highest score (of equal ones, that of the method that det_source
 * names first), highest score first. Where MultiBox and selective search both propose, they take
 * turns: the nth region of MultiBox has the score of the nth of selective search, whose scores tell
 * an order and no confidence.
 *  @param all receives them.
 *  @return DET_OK, DET_LIMIT, and as det_selective_search and det_multibox_network_propose. */
det_status det_propose_regions(const det_image *image, const det_region_options *options,
                               const det_run *run, det_region_union *all, det_error *error);

#endif
