/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_IMAGE_MULTI_CROP_H
#define DETECT_IMAGE_MULTI_CROP_H

#include "detect/image.h"

enum { DET_MULTI_CROP_SCALES = 4, DET_MULTI_CROP_MAX = 144 };

/** Which crops stand for a whole picture. */
typedef struct det_multi_crop_options {
    int crops;           /**< 1, 10 or 144 */
    int width, height;   /**< of a crop, pixels */
    int shorter_side_px; /**< what the shorter side of a crop's frame has in the resized picture;
                              0: 256 for a crop of 224, others in proportion. Not with 144 crops */
    uint64_t max_pixels; /**< of a resized picture */
} det_multi_crop_options;

/** A crop: a rectangle of one of the resized pictures, resized to the crop where it is larger. */
typedef struct det_view {
    int scale; /**< which resized picture */
    int x, y, width, height;
    bool mirrored; /**< left and right exchanged */
} det_view;

/** The crops of a picture; {0} is empty. */
typedef struct det_multi_crop {
    int width, height; /**< of a crop */
    int picture_width, picture_height;
    int sizes[DET_MULTI_CROP_SCALES][2]; /**< width and height of the resized pictures */
    int scale_count;
    det_image resized[DET_MULTI_CROP_SCALES];
    det_view views[DET_MULTI_CROP_MAX];
    size_t count;
} det_multi_crop;

/** Works out where the crops of a picture lie (GoogLeNet paper, section 7). The picture keeps its
 *  aspect and is resized so that it just covers a frame; for a square crop of 224 pixels a frame of
 *  256 means a shorter side of 256.
 *
 *  1: the centre of the picture in a frame of 256. 10: its upper left, upper right, lower left and
 *  lower right corner and its centre. 144: frames of 256, 288, 320 and 352; in each the left,
 *  centre and right (of a tall picture the top, centre and bottom) frame; in each of these the four
 *  corners, the centre, and the whole frame resized to the crop. With 10 and 144 every crop is
 *  followed by its mirror image. Of a crop of another size the frames are in proportion, width to
 *  width and height to height; lengths are rounded to the nearest pixel, centres down.
 *
 *  @param plan receives everything but the resized pictures.
 *  @return DET_OK; DET_ARGUMENT (another number of crops; a frame smaller than the crop;
 *          shorter_side_px with 144 crops); DET_LIMIT (a resized picture above max_pixels). */
det_status det_multi_crop_plan(int picture_width, int picture_height,
                               const det_multi_crop_options *options, det_multi_crop *plan,
                               det_error *error);

/** Makes the resized pictures of a plan (det_image_resize: area averaging where they shrink,
 *  bilinear where they grow), several at once on up to `threads` threads.
 *  @return DET_OK, DET_MEMORY. */
det_status det_multi_crop_resize(det_multi_crop *plan, const det_image *image, int threads,
                                 det_error *error);

/** Makes crop `index`. @param pixels height x width x 3 bytes, BGR, written whole.
 *  @return DET_OK, DET_MEMORY. Thread-safe. */
det_status det_multi_crop_cut(const det_multi_crop *plan, size_t index, uint8_t *pixels);

/** Whether two crops show the same: in a square picture the frames at the left, in the centre and
 * at the right are one. */
bool det_multi_crop_equal(const det_multi_crop *plan, size_t a, size_t b);

/** What crop `index` shows, in pixels of the picture. */
det_box det_multi_crop_box(const det_multi_crop *plan, size_t index);

/** Bytes of the resized pictures. */
size_t det_multi_crop_memory(const det_multi_crop *plan);

/** Frees the resized pictures. Takes {0}. */
void det_multi_crop_free(det_multi_crop *plan);

#endif
