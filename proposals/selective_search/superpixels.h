/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_SUPERPIXELS_H
#define DETECT_PROPOSALS_SUPERPIXELS_H

#include "proposals/selective_search/fragments.h"
#include "proposals/selective_search/plan.h"

/** Memory of one thread: what lives until the end of the wave (as many colour spaces as are worked
 *  on together), of the task, and of a step of it. */
typedef struct det_search_arenas {
    det_arena wave, task, step;
} det_search_arenas;

void det_search_arenas_free(det_search_arenas *arenas);

/** The picture that a search works on.
 *  @param resized receives it where `image` does not have its size; det_image_free it.
 *  @param picture receives `resized` or `image`.
 *  @return as det_search_plan_size, DET_MEMORY. */
det_status det_search_picture(const det_search_plan *plan, const det_image *image,
                              det_image *resized, const det_image **picture, det_error *error);

/** From the picture to what the segmentations in a colour space share.
 *  @param space     which of the plan's.
 *  @param planes    receives the picture in that space, of the task's arena.
 *  @param fragments receives them, of the wave's arena.
 *  @return DET_OK, DET_MEMORY. */
det_status det_search_fragments(const det_search_plan *plan, size_t space, const det_image *picture,
                                det_search_arenas *arenas, det_planes *planes,
                                det_fragments *fragments, det_error *error);

#endif
