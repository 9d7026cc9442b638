/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_PICTURE_CHECK_H
#define DETECT_TRAIN_PICTURE_CHECK_H

#include "detect/check.h"
#include "src/image/decode.h"
#include "src/nn/digest.h"

/* What the files of annotated pictures say. */

/** A picture's file as it was found. */
typedef struct det_seen_picture {
    det_status status;            /**< DET_OK: it can be decoded */
    bool missing;                 /**< there is no such file */
    det_image_header header;      /**< where it can be decoded */
    int width, height;            /**< pixels, upright */
    char digest[DET_DIGEST_SIZE]; /**< of its bytes */
    char reason[128];             /**< why it cannot be decoded */
} det_seen_picture;

/** Reads and decodes every picture.
 *  @param run      threads, deadline and progress, which counts pictures; or NULL.
 *  @param pictures image_count; receives what was found.
 *  @return DET_OK, also where pictures cannot be read; DET_CANCELLED; DET_MEMORY. */
det_status det_look_at_pictures(const det_annotations *annotations, const det_run *run,
                                det_seen_picture *pictures, det_error *error);

/** How the boxes of a picture become those of its file, upright. */
typedef struct det_picture_frame {
    det_fault fault;         /**< DET_FAULT_TURNED, TURN_UNKNOWN, RESIZED, WRONG_SIZE, OTHER_SHAPE;
                                  DET_FAULT_COUNT: none */
    double scale_x, scale_y; /**< what boxes are multiplied by first */
    bool turned;             /**< then they are turned as the picture is */
} det_picture_frame;

/** Settles for every picture that can be decoded how it was annotated, from the sizes that the
 *  annotations and the files say; what a picture does not tell, all of them may.
 *  @param frames image_count. */
void det_settle_frames(const det_annotations *annotations, const det_seen_picture *pictures,
                       det_picture_frame *frames);

/** The corners of an object in pixels of the upright picture. */
void det_frame_corners(const det_annotations *annotations, size_t object,
                       const det_seen_picture *picture, const det_picture_frame *frame,
                       double corners[4]);

/** Whether corners reach more than a pixel beyond a picture. */
bool det_corners_leave(const double corners[4], int width, int height);

#endif
