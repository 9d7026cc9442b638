/* SPDX-License-Identifier: Apache-2.0 */
#include "src/detector/regions.h"

#include "src/base/error.h"

size_t det_regions_memory(const det_image *image, const det_region_options *options)
{
    enum { bytes_a_pixel = 100 }; /* measured: 77 with two colour spaces at 0.5 to 2 megapixels */
    double width = image->width, height = image->height;
    const int working = options->search.width_px == 0 ? 500 : options->search.width_px;
    if (working > 0) height *= working / width, width = working;
    return (size_t)(width * height * bytes_a_pixel);
}

static bool is_whole(const det_image *image, det_box box)
{
    return box.x0 <= 0 && box.y0 <= 0 && box.x1 >= (float)image->width &&
           box.y1 >= (float)image->height;
}

static size_t leave_out_whole_picture(const det_image *image, det_region *regions, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_whole(image, regions[i].box)) regions[kept++] = regions[i];
    return kept;
}

det_status det_propose_regions(const det_image *image, const det_region_options *options,
                               const det_run *run, det_region **regions, size_t *count,
                               det_error *error)
{
    if (!options->use_search)
        return det_fail_at(error, DET_ARGUMENT, NULL, "proposals.methods", "no method is named");
    det_status status = det_selective_search(image, &options->search, run, regions, count, error);
    if (status < 0) return status;

    if (!options->whole_picture) *count = leave_out_whole_picture(image, *regions, *count);
    if (options->max > 0 && *count > options->max) *count = options->max;
    if (options->limit == 0 || *count <= options->limit) return DET_OK;
    status = det_fail_at(error, DET_LIMIT, NULL, "limits.max_regions",
                         "%zu regions are more than the limit of %zu; set proposals.max or raise "
                         "the limit",
                         *count, options->limit);
    det_regions_free(*regions);
    *regions = NULL;
    *count = 0;
    return status;
}
