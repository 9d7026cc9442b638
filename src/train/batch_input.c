/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/batch_input.h"

#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/train/network_input.h"

#include <stdlib.h>

/* A slot and its picture. */
typedef struct {
    size_t picture, slot;
} place;

/* Slots of one picture: places [first, first + count). */
typedef struct {
    size_t first, count;
    det_error error;
} picture_slots;

typedef struct {
    const det_batch_filling *filling;
    const det_batch_slot *slots;
    place *places;           /* count of them, by picture */
    picture_slots *pictures; /* picture_count of them */
    size_t count, picture_count, area;
    uint8_t *crops; /* threads x area x 3 */
    float *input;
} job;

static int compare_places(const void *a, const void *b)
{
    const place *p = a, *q = b;
    if (p->picture != q->picture) return p->picture < q->picture ? -1 : 1;
    return p->slot < q->slot ? -1 : p->slot > q->slot;
}

static det_status prepare(job *j, int threads, det_error *error)
{
    size_t bytes;
    if (!det_multiply_size((size_t)threads, 3 * j->area, &bytes))
        return det_fail_memory(error, "a batch");
    j->crops = det_alloc_aligned(bytes);
    j->places = det_alloc_array(j->count, sizeof *j->places);
    j->pictures = det_alloc_zeroed(j->count, sizeof *j->pictures);
    if (!j->crops || !j->places || !j->pictures) return det_fail_memory(error, "a batch");

    for (size_t i = 0; i < j->count; i++) j->places[i] = (place){j->slots[i].picture, i};
    qsort(j->places, j->count, sizeof *j->places, compare_places);
    for (size_t i = 0; i < j->count; i++) {
        if (i == 0 || j->places[i].picture != j->places[i - 1].picture)
            j->pictures[j->picture_count++].first = i;
        j->pictures[j->picture_count - 1].count++;
    }
    return DET_OK;
}

static det_status fill_slot(const job *j, size_t slot, const det_image *image, uint8_t *crop,
                            det_error *error)
{
    const det_batch_filling *f = j->filling;
    const det_batch_slot *s = &j->slots[slot];
    const det_status status = f->crop(f->context, slot, image, crop, error);
    if (status < 0) return status;
    const bool changes = det_augmentation_changes_colors(f->augmentation);
    det_color_map map;
    if (changes) {
        double mean[3];
        det_mean_color(crop, j->area, mean);
        map = det_color_map_of(&s->colors, mean);
    }
    det_write_input(f->input, crop, changes ? &map : NULL, s->mirrored,
                    j->input + slot * 3 * j->area);
    return DET_OK;
}

static void fill_picture(void *context, size_t index, int worker)
{
    const job *j = context;
    picture_slots *p = &j->pictures[index];
    const size_t picture = j->places[p->first].picture;
    uint8_t *crop = j->crops + (size_t)worker * 3 * j->area;
    det_image own = {0};
    const det_image *image;
    det_status status = det_picture_cache_get(j->filling->cache, picture, &own, &image, &p->error);
    for (size_t i = 0; status == DET_OK && i < p->count; i++)
        status = fill_slot(j, j->places[p->first + i].slot, image, crop, &p->error);
    if (status < 0)
        det_error_file(&p->error, det_picture_cache_path(j->filling->cache, picture), status);
    det_image_free(&own);
}

/* The failure of the first picture that has one. */
static det_status first_failure(const job *j, det_error *error)
{
    for (size_t i = 0; i < j->picture_count; i++) {
        const det_status status = j->pictures[i].error.status;
        if (status == DET_OK) continue;
        if (error) *error = j->pictures[i].error;
        return status;
    }
    return DET_OK;
}

det_status det_batch_fill(const det_batch_filling *filling, const det_batch_slot *slots,
                          size_t count, int threads, float *input, det_error *error)
{
    const int most = det_resolve_threads(threads);
    job j = {.filling = filling,
             .slots = slots,
             .count = count,
             .area = (size_t)filling->input->width * (size_t)filling->input->height,
             .input = input};
    det_status status = prepare(&j, most, error);
    if (status == DET_OK) {
        det_parallel_for(j.picture_count, most, fill_picture, &j);
        status = first_failure(&j, error);
    }
    det_free(j.crops);
    det_free(j.places);
    det_free(j.pictures);
    return status;
}
