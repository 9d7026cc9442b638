/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_FRAME_H
#define DETECT_PROPOSALS_FRAME_H

#include "detect/proposals.h"

/** What a control knows of a picture, with the defaults of its options filled in. */
typedef struct det_frame {
    int width, height;       /**< of the working picture, in whose pixels boxes are made */
    double scale_x, scale_y; /**< from there to the picture */
    int min_side;            /**< at least 1 */
    size_t max;
    uint64_t seed;
} det_frame;

/** @param options or NULL. @return DET_OK, DET_ARGUMENT (an empty picture). */
det_status det_frame_create(const det_image *image, const det_control_options *options,
                            det_frame *frame, det_error *error);

/** A box of whole pixels of the working picture as a box of the picture. */
det_box det_frame_box(const det_frame *frame, int x0, int y0, int x1, int y1);

/** Gives regions the scores 1, 1/2, 1/3, ... and the source in the order in which they stand. */
void det_frame_score(det_region *regions, size_t count, det_source source);

#endif
