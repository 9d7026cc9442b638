/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_BLUR_H
#define DETECT_PROPOSALS_BLUR_H

#include "detect/status.h"
#include "src/base/arena.h"

/** Gaussian blur of one plane. Beyond its borders the picture is mirrored, the outermost pixels not
 *  repeated. The kernel reaches to three sigma, and its sum is 1.
 *  @param plane    height x width values, read only.
 *  @param sigma_px in [0, 100]; 0 only converts to float.
 *  @param arena    for what is needed on the way.
 *  @param blurred  receives height x width values.
 *  @return DET_OK, DET_MEMORY. Thread-safe. */
det_status det_blur(const uint8_t *plane, int width, int height, double sigma_px, det_arena *arena,
                    float *blurred, det_error *error);

#endif
