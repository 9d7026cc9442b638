/* SPDX-License-Identifier: Apache-2.0 */
#include "src/detector/picture_crops.h"

det_picture_crops det_picture_crops_of(const det_config *config,
                                       const det_classify_options *options)
{
    det_picture_crops crops = {.max_pixels = config->limits.max_pixels};
    if (options) crops.options = *options;
    if (crops.options.crops == 0) crops.options.crops = 1;
    if (crops.options.pictures == 0) crops.options.pictures = 1;
    return crops;
}

det_status det_picture_crops_plan(const det_picture_crops *crops, const det_crop_options *crop,
                                  int picture_width, int picture_height, det_multi_crop *plan,
                                  det_error *error)
{
    const det_multi_crop_options options = {.crops = crops->options.crops,
                                            .width = crop->width,
                                            .height = crop->height,
                                            .shorter_side_px = crops->options.shorter_side_px,
                                            .max_pixels = crops->max_pixels};
    return det_multi_crop_plan(picture_width, picture_height, &options, plan, error);
}
