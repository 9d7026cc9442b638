/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_BOX_DELTAS_H
#define DETECT_DETECTOR_BOX_DELTAS_H

#include "detect/image.h"

/* Box regression (Girshick et al., "Rich feature hierarchies", 2014, appendix C): how far the box
 * of a region, without its surroundings, is from the object that it shows. Of a region P and an
 * object G, each with the middle (x, y), width w and height h:
 *
 *   dx = (Gx - Px) / Pw   dy = (Gy - Py) / Ph   dw = log(Gw / Pw)   dh = log(Gh / Ph)
 *
 * Four numbers in this order. */

enum { DET_BOX_DELTAS = 4 };

/** The largest dw and dh that are followed, either way: log(1000 / 16), as Fast R-CNN has it. What
 *  a regression gives for regions unlike all it was trained on knows no bounds. */
#define DET_LOG_SCALE_MAX 4.135166556742356

/** The numbers that lead from a region to an object; neither may be empty. */
void det_box_deltas_encode(det_box region, det_box object, float deltas[DET_BOX_DELTAS]);

/** Where they lead. Not finite where a number is not. */
det_box det_box_deltas_decode(det_box region, const float deltas[DET_BOX_DELTAS]);

/** What of a box lies in a picture of that size. */
det_box det_box_clip(det_box box, int width, int height);

/** Whether a box is finite, and wider and higher than nothing. */
bool det_box_is_sound(det_box box);

#endif
