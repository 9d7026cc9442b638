/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_REGION_SETS_H
#define DETECT_REGION_SETS_H

#include "detect/annotations.h"
#include "detect/proposals.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Regions of many pictures. Safe to share between threads. */
typedef struct det_region_sets det_region_sets;

/** Reads the regions of pictures: the JSON document of `detect propose` or `detect`, or anything
 *  that det_annotations_read reads, whose objects are then the regions (annotated boxes that are
 *  empty are left out). Their source is DET_SOURCE_PICTURE; scores are those of the document, else
 * 0.
 *  @return as det_annotations_read; DET_FORMAT (error->where is "images[3].proposals[7]"). */
DET_API det_status det_region_sets_read(const char *path, det_region_sets **sets, det_error *error);
DET_API void det_region_sets_free(det_region_sets *sets);

/** The regions of a picture, found by its file as det_annotations_find_image does. Borrowed.
 *  @return DET_OK; DET_ARGUMENT (no such picture, or several that fit equally well). */
DET_API det_status det_region_sets_find(const det_region_sets *sets, const char *file,
                                        const det_region **regions, size_t *count,
                                        det_error *error);

#ifdef __cplusplus
}
#endif
#endif
