/* SPDX-License-Identifier: Apache-2.0 */
/* What all sources of proposals share. */
#include "detect/proposals.h"

#include "src/base/memory.h"

const char *det_source_name(det_source source)
{
    switch (source) {
    case DET_SOURCE_SELECTIVE_SEARCH:
        return "selective_search";
    case DET_SOURCE_MULTIBOX:
        return "multibox";
    case DET_SOURCE_UNIFORM:
        return "uniform";
    case DET_SOURCE_SLIDING:
        return "sliding";
    case DET_SOURCE_PICTURE:
        return "picture";
    }
    return "unknown";
}

void det_regions_free(det_region *regions)
{
    det_free(regions);
}
