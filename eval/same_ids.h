/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_SAME_IDS_H
#define DETECT_EVAL_SAME_IDS_H

#include "detect/annotations.h"

/** Groups objects by class, then by picture, as pycocotools sees them where some have the same id:
 *  it lists the objects of the pictures by their ids, pictures in the order of theirs, and looks
 *  each id up where the last object of the file has replaced those before it. That object counts
 *  as often as its id is listed, where and as what it is itself.
 *
 *  @param image_places of each picture: its place in the order of the ids.
 *  @param objects      room for object_count; receives the places of objects.
 *  @param first        category_count + 1, zeroed; receives where those of each class begin.
 *  @return false where memory is short. */
bool det_eval_group_same_ids(const det_annotations *annotations, const uint32_t *image_places,
                             uint32_t *objects, size_t *first);

#endif
