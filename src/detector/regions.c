/* SPDX-License-Identifier: Apache-2.0 */
#include "src/detector/regions.h"

#include "proposals/regions.h"
#include "src/base/error.h"
#include "src/base/memory.h"

#include <string.h>

det_region_options det_region_options_of(const det_config *config,
                                         const det_multibox_network *multibox)
{
    return (det_region_options){.use_search = config->proposals.selective_search,
                                .use_uniform = config->proposals.uniform,
                                .use_sliding = config->proposals.sliding,
                                .search = config->proposals.search,
                                .controls = {.max = config->proposals.max,
                                             .min_side_px = config->proposals.search.min_side_px,
                                             .width_px = config->proposals.search.width_px,
                                             .seed = config->runtime.seed},
                                .multibox = config->proposals.multibox ? multibox : NULL,
                                .whole_picture = config->proposals.whole_picture,
                                .max = config->proposals.max};
}

size_t det_regions_memory(const det_image *image, const det_region_options *options)
{
    enum { bytes_a_pixel = 140 }; /* measured: 105 to 140 at 3 to 48 megapixels */
    double width, height;
    det_working_size(image, options->search.width_px == 0 ? 500 : options->search.width_px, &width,
                     &height);
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

/* Adds the regions of a method and owns them from then on. */
static det_status add(det_region_union *all, det_region *regions, size_t count, det_error *error)
{
    if (all->methods++ == 0) {
        all->regions = regions;
        all->count = count;
        return DET_OK;
    }
    det_region *grown = det_realloc_array(all->regions, all->count + count, sizeof *all->regions);
    if (grown) {
        memcpy(grown + all->count, regions, count * sizeof *regions);
        all->regions = grown;
        all->count += count;
    }
    det_free(regions);
    return grown ? DET_OK : det_fail_memory(error, "the regions of a picture");
}

/* The nth of `regions` gets the score of the nth region of selective search, or no more than that
 * of the last. */
static void take_turns(const det_region *search, size_t search_count, det_region *regions,
                       size_t count)
{
    for (size_t i = 0; i < count && search_count > 0; i++) {
        const float score = search[i < search_count ? i : search_count - 1].score;
        if (i < search_count || regions[i].score > score) regions[i].score = score;
    }
}

static det_status add_multibox(const det_image *image, const det_region_options *options,
                               det_region_union *all, det_error *error)
{
    det_region *more = NULL;
    size_t count = 0;
    const det_status status =
        det_multibox_network_propose(options->multibox, image, &more, &count, error);
    if (status < 0) return status;
    if (options->use_search) take_turns(all->regions, all->count, more, count);
    return add(all, more, count, error);
}

static det_status propose_all(const det_image *image, const det_region_options *options,
                              const det_run *run, det_region_union *all, det_error *error)
{
    det_region *more = NULL;
    size_t count = 0;
    det_status status = DET_OK;
    if (options->use_search) {
        det_selective_search_report report = {0};
        det_selective_search_options search = options->search;
        search.report = &report;
        status = det_selective_search(image, &search, run, &more, &count, error);
        all->too_small = report.too_small;
        if (status == DET_OK) status = add(all, more, count, error);
    }
    if (status == DET_OK && options->multibox) status = add_multibox(image, options, all, error);
    if (status == DET_OK && options->use_uniform) {
        status = det_propose_uniform(image, &options->controls, &more, &count, error);
        if (status == DET_OK) status = add(all, more, count, error);
    }
    if (status == DET_OK && options->use_sliding) {
        status = det_propose_sliding(image, &options->controls, &more, &count, error);
        if (status == DET_OK) status = add(all, more, count, error);
    }
    if (status == DET_OK && all->methods == 0)
        status = det_fail_at(error, DET_ARGUMENT, NULL, "proposals.methods", "no method is named");
    if (all->methods > 1) all->count = det_regions_unite(all->regions, all->count);
    return status;
}

det_status det_propose_regions(const det_image *image, const det_region_options *options,
                               const det_run *run, det_region_union *all, det_error *error)
{
    *all = (det_region_union){0};
    det_status status = propose_all(image, options, run, all, error);
    if (status == DET_OK && !options->whole_picture)
        all->count = leave_out_whole_picture(image, all->regions, all->count);
    if (options->max > 0 && all->count > options->max) all->count = options->max;
    if (status == DET_OK) return DET_OK;
    det_regions_free(all->regions);
    *all = (det_region_union){0};
    return status;
}
