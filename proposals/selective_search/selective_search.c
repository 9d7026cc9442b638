/* SPDX-License-Identifier: Apache-2.0 */
/* Selective search: Uijlings, van de Sande, Gevers, Smeulders, "Selective search for object
 * recognition", IJCV 2013.
 *
 * A hierarchy is a colour space, a scale k and a set of similarities. What hierarchies share is
 * done once: a colour space has one set of fragments and one of pixel codes, a space and a scale
 * one segmentation with its histograms. The tasks of each stage are independent, so that their
 * results do not depend on which thread runs them.
 *
 * As many colour spaces go through the stages together as there are threads, as far as
 * memory_budget allows; then the next ones do. */
#include "proposals/selective_search/features.h"
#include "proposals/selective_search/grouping.h"
#include "proposals/selective_search/near_duplicates.h"
#include "proposals/selective_search/ranking.h"
#include "proposals/selective_search/superpixels.h"
#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/base/run.h"

#include <stdatomic.h>

enum {
    memory_budget = 128 << 20, /* bytes that colour spaces together may take */
    bytes_per_pixel = 35       /* of a colour space: fragments, their edges, codes */
};

typedef struct {
    det_fragments fragments;
    det_codes codes;
} space_work;

typedef struct {
    det_adjacency adjacency;
    det_histograms histograms;
} segmentation;

typedef struct {
    det_search_plan plan;
    det_image resized;        /* empty where the picture has the right size already */
    const det_image *picture; /* to work on */
    const det_run *run;
    det_error *error; /* of the first task that failed */
    atomic_int status;
    atomic_flag reporting;
    atomic_size_t done;
    size_t total;
    int threads;
    det_search_arenas *arenas; /* one a thread */

    int first_space, wave_spaces; /* the spaces that go through the stages together now */
    space_work *spaces;           /* plan.spaces */
    segmentation *segmentations;  /* plan.spaces x plan.ks */
    det_hierarchy *hierarchies;   /* plan.spaces x plan.ks x plan.similarity_sets */
} search;

/* One task of a stage, in [0, count) of the wave. */
typedef det_status stage_task(search *s, size_t index, int worker, det_error *error);

typedef struct {
    search *search;
    stage_task *run;
} stage;

static bool needs_histograms(const search *s)
{
    unsigned all = 0;
    for (int i = 0; i < s->plan.similarity_sets; i++) all |= s->plan.similarity[i];
    return all & (DET_SIMILARITY_COLOR | DET_SIMILARITY_TEXTURE);
}

/* Reports progress unless another thread is at it. */
static det_status report(search *s, det_error *error)
{
    atomic_fetch_add(&s->done, 1);
    if (atomic_flag_test_and_set(&s->reporting)) return DET_OK;
    const det_status status = det_run_check(s->run, atomic_load(&s->done), s->total, error);
    atomic_flag_clear(&s->reporting);
    return status;
}

static void run_task(void *context, size_t index, int worker)
{
    const stage *st = context;
    search *s = st->search;
    if (atomic_load(&s->status) != DET_OK) return;

    det_error error = {0};
    det_status status = st->run(s, index, worker, &error);
    det_arena_reset(&s->arenas[worker].task);
    if (status == DET_OK) status = report(s, &error);
    int ok = DET_OK;
    if (status < 0 && atomic_compare_exchange_strong(&s->status, &ok, status) && s->error)
        *s->error = error;
}

static det_status run_stage(search *s, int count, stage_task *run)
{
    det_parallel_for((size_t)count, s->threads, run_task, &(stage){s, run});
    return atomic_load(&s->status);
}

static det_status prepare(search *s, size_t index, int worker, det_error *error)
{
    det_search_arenas *arenas = &s->arenas[worker];
    const size_t number = (size_t)s->first_space + index;
    space_work *space = &s->spaces[number];
    det_planes planes;
    det_status status = det_search_fragments(&s->plan, number, s->picture, arenas, &planes,
                                             &space->fragments, error);
    if (status == DET_OK && needs_histograms(s))
        status = det_codes_create(&planes, s->plan.texture, &arenas->wave, &arenas->step,
                                  &space->codes, error);
    det_arena_reset(&arenas->step);
    return status;
}

static det_status segment(search *s, size_t index, int worker, det_error *error)
{
    det_arena *wave = &s->arenas[worker].wave, *task = &s->arenas[worker].task;
    const size_t ks = (size_t)s->plan.ks, number = (size_t)s->first_space * ks + index;
    const space_work *space = &s->spaces[number / ks];
    segmentation *seg = &s->segmentations[number];
    det_segments segments;
    det_status status = det_segment(&space->fragments, s->plan.k[number % ks],
                                    s->plan.min_size[number % ks], task, &segments, error);
    if (status == DET_OK) status = det_adjacency_create(&segments, wave, &seg->adjacency, error);
    if (status == DET_OK && needs_histograms(s))
        status = det_histograms_create(&space->codes, &segments, seg->adjacency.blobs, wave,
                                       &seg->histograms, error);
    return status;
}

static det_status group(search *s, size_t index, int worker, det_error *error)
{
    const size_t sets = (size_t)s->plan.similarity_sets;
    const size_t number = (size_t)(s->first_space * s->plan.ks) * sets + index;
    const segmentation *seg = &s->segmentations[number / sets];
    const size_t segments = (size_t)seg->adjacency.count;
    det_hierarchy *h = &s->hierarchies[number];
    h->segments = seg->adjacency.count;
    h->contributes = number % sets == 0;
    const size_t first_merge = h->contributes ? segments : 0;
    h->boxes = det_alloc_array(first_merge + segments - 1, sizeof *h->boxes);
    if (!h->boxes) return det_fail_memory(error, "the boxes of a hierarchy");

    for (size_t i = 0; i < first_merge; i++) h->boxes[i] = seg->adjacency.blobs[i].box;
    return det_group(&seg->adjacency, &seg->histograms, s->plan.similarity[number % sets],
                     (int64_t)s->picture->width * s->picture->height, &s->arenas[worker].task,
                     h->boxes + first_merge, error);
}

/* Takes the spaces of the wave from the picture to their hierarchies. */
static det_status run_wave(search *s)
{
    const int segmentations = s->wave_spaces * s->plan.ks;
    det_status status = run_stage(s, s->wave_spaces, prepare);
    if (status == DET_OK) status = run_stage(s, segmentations, segment);
    if (status == DET_OK) status = run_stage(s, segmentations * s->plan.similarity_sets, group);
    for (int i = 0; i < s->threads; i++) det_arena_reset(&s->arenas[i].wave);
    return status;
}

static det_status run_waves(search *s)
{
    const size_t space_bytes =
        (size_t)s->picture->width * (size_t)s->picture->height * bytes_per_pixel;
    const int fitting = space_bytes > memory_budget ? 1 : (int)(memory_budget / space_bytes);
    const int together = fitting < s->threads ? fitting : s->threads;
    det_status status = DET_OK;
    while (s->first_space < s->plan.spaces && status == DET_OK) {
        const int left = s->plan.spaces - s->first_space;
        s->wave_spaces = left < together ? left : together;
        status = run_wave(s);
        s->first_space += s->wave_spaces;
    }
    return status;
}

static det_status start(search *s, const det_image *image,
                        const det_selective_search_options *options)
{
    det_status status = det_search_plan_create(options, &s->plan, s->error);
    if (status < 0) return status;
    status = det_search_picture(&s->plan, image, &s->resized, &s->picture, s->error);
    if (status < 0) return status;

    const size_t spaces = (size_t)s->plan.spaces, segmentations = spaces * (size_t)s->plan.ks;
    const size_t hierarchies = segmentations * (size_t)s->plan.similarity_sets;
    s->total = spaces + segmentations + hierarchies;
    s->threads = det_resolve_threads(s->run ? s->run->threads : 0);
    s->arenas = det_alloc_zeroed((size_t)s->threads, sizeof *s->arenas);
    s->spaces = det_alloc_zeroed(spaces, sizeof *s->spaces);
    s->segmentations = det_alloc_zeroed(segmentations, sizeof *s->segmentations);
    s->hierarchies = det_alloc_zeroed(hierarchies, sizeof *s->hierarchies);
    if (s->arenas && s->spaces && s->segmentations && s->hierarchies) return DET_OK;
    return det_fail_memory(s->error, "a selective search");
}

static int hierarchy_count(const search *s)
{
    return s->plan.spaces * s->plan.ks * s->plan.similarity_sets;
}

static void finish(search *s)
{
    for (int i = 0; s->arenas && i < s->threads; i++) det_search_arenas_free(&s->arenas[i]);
    for (int i = 0; s->hierarchies && i < hierarchy_count(s); i++)
        det_free(s->hierarchies[i].boxes);
    det_free(s->arenas);
    det_free(s->spaces);
    det_free(s->segmentations);
    det_free(s->hierarchies);
    det_image_free(&s->resized);
}

/* Boxes of the working picture as regions of the one that was given. */
static det_region *to_regions(const search *s, const det_image *image, const det_ranked *ranked,
                              size_t count)
{
    const double sx = (double)image->width / s->picture->width;
    const double sy = (double)image->height / s->picture->height;
    det_region *regions = det_alloc_array(count, sizeof *regions);
    for (size_t i = 0; regions && i < count; i++) {
        const det_rectangle b = ranked[i].box;
        regions[i] = (det_region){
            .box = {(float)(b.x0 * sx), (float)(b.y0 * sy), (float)(b.x1 * sx), (float)(b.y1 * sy)},
            .score = (float)((ranked[i].near_duplicate ? 0 : .5) + .5 / (1 + ranked[i].rank)),
            .source = DET_SOURCE_SELECTIVE_SEARCH,
            .hierarchy = ranked[i].hierarchy};
    }
    return regions;
}

static void fill_report(const search *s, size_t found, size_t too_small,
                        det_selective_search_report *out)
{
    *out = (det_selective_search_report){.width = s->picture->width,
                                         .height = s->picture->height,
                                         .hierarchies = hierarchy_count(s),
                                         .found = found,
                                         .too_small = too_small};
    for (int i = 0; i < s->plan.spaces * s->plan.ks; i++)
        out->segments += (size_t)s->segmentations[i].adjacency.count;
}

static det_status collect(search *s, const det_image *image,
                          const det_selective_search_options *options, det_region **regions,
                          size_t *count)
{
    det_ranked *ranked = NULL;
    size_t found = 0, too_small = 0;
    det_status status = det_rank(s->hierarchies, hierarchy_count(s), s->plan.seed,
                                 s->plan.min_side_px, &ranked, &found, &too_small);
    if (status == DET_OK)
        status = det_defer_near_duplicates(ranked, found, s->plan.near_duplicate_iou);
    if (status < 0) {
        det_free(ranked);
        return det_fail_memory(s->error, "the ranking of regions");
    }

    const size_t kept = s->plan.max && found > s->plan.max ? s->plan.max : found;
    *regions = to_regions(s, image, ranked, kept);
    det_free(ranked);
    if (!*regions) return det_fail_memory(s->error, "the regions of a picture");
    *count = kept;
    if (options && options->report) fill_report(s, found, too_small, options->report);
    return DET_OK;
}

det_status det_selective_search(const det_image *image, const det_selective_search_options *options,
                                const det_run *run, det_region **regions, size_t *count,
                                det_error *error)
{
    *regions = NULL;
    *count = 0;
    search s = {.run = run, .error = error, .reporting = ATOMIC_FLAG_INIT};
    det_status status = start(&s, image, options);
    if (status == DET_OK) status = run_waves(&s);
    if (status == DET_OK) status = det_run_check(run, s.total, s.total, error);
    if (status == DET_OK) status = collect(&s, image, options, regions, count);
    finish(&s);
    return status;
}
