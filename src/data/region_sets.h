/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_REGION_SETS_H
#define DETECT_DATA_REGION_SETS_H

#include "detect/region_sets.h"
#include "src/base/error.h"

struct det_region_sets {
    det_annotations *pictures; /**< by name */
    size_t *first;             /**< of each picture, in regions; and one more */
    det_region *regions;       /**< count of them */
    size_t count, capacity, first_capacity;
};

/** Reads a document of detect into sets {0}; half filled after a failure.
 *  @param foreign receives whether the document is COCO's instead, which is DET_UNSUPPORTED. */
det_status det_region_sets_parse(const char *text, size_t size, det_region_sets *sets,
                                 bool *foreign, det_error *error);

#endif
