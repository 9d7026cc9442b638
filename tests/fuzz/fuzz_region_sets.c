/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a document of regions: what is accepted has boxes with an area. */
#include "src/base/memory.h"
#include "src/data/region_sets.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    det_region_sets *sets = det_alloc_zeroed(1, sizeof *sets);
    det_error error = {0};
    bool foreign = false;
    const det_status status =
        det_region_sets_parse((const char *)data, size, sets, &foreign, &error);
    if (status < 0 && !foreign && !*error.message) abort();
    for (size_t i = 0; status == DET_OK && i < sets->pictures->image_count; i++) {
        const det_region *regions = NULL;
        size_t count = 0;
        const char *file = sets->pictures->images[i].file;
        if (det_region_sets_find(sets, file, &regions, &count, NULL) < 0) continue;
        for (size_t j = 0; j < count; j++)
            if (!(regions[j].box.x1 > regions[j].box.x0 && regions[j].box.y1 > regions[j].box.y0))
                abort();
    }
    det_region_sets_free(sets);
    return 0;
}
