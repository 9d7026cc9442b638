/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_PLAN_H
#define DETECT_PROPOSALS_PLAN_H

#include "detect/proposals.h"

/** Options with every default filled in and checked. Hierarchy number
 *  (space * ks + k) * similarity_sets + set uses the entries of these numbers. */
typedef struct det_search_plan {
    int spaces, ks, similarity_sets;
    unsigned space[8], similarity[16];
    double k[8]; /**< superpixel_scale applied */
    double least_k, most_k;
    int min_size[8]; /**< of the k of the same place */
    double sigma_px;
    size_t max;
    det_texture texture;
    int min_side_px, width_px; /**< 0 or less: no limit, its own width */
    uint64_t seed;
    double near_duplicate_iou;
} det_search_plan;

/** @param options or NULL. @return DET_OK, DET_ARGUMENT (the message names field and value). */
det_status det_search_plan_create(const det_selective_search_options *options,
                                  det_search_plan *plan, det_error *error);

/** Size of the picture that the search works on (det_working_size).
 *  @return DET_OK, DET_ARGUMENT (an empty picture), DET_LIMIT (more than 2^28 pixels). */
det_status det_search_plan_size(const det_search_plan *plan, const det_image *image, int *width,
                                int *height, det_error *error);

#endif
