/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_PICTURE_CROPS_H
#define DETECT_DETECTOR_PICTURE_CROPS_H

#include "detect/classify.h"
#include "src/image/crop.h"
#include "src/image/multi_crop.h"

/** What crops of whole pictures depend on, besides the network. */
typedef struct det_picture_crops {
    det_classify_options options; /**< without zeros for defaults */
    uint64_t max_pixels;          /**< of a resized picture */
} det_picture_crops;

/** @param options NULL or zeros: the defaults. */
det_picture_crops det_picture_crops_of(const det_config *config,
                                       const det_classify_options *options);

/** Where the crops of a picture of that size lie for a network.
 *  @param crop of the network: its input size counts.
 *  @return as det_multi_crop_plan. */
det_status det_picture_crops_plan(const det_picture_crops *crops, const det_crop_options *crop,
                                  int picture_width, int picture_height, det_multi_crop *plan,
                                  det_error *error);

#endif
