/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/cross_validation.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/train/calibration.h"

/* ---- Temperature ---------------------------------------------------------------------------- */

typedef struct {
    float *outputs; /* count x row */
    size_t *truths, count, row;
} held_out;

static void collect_outputs(const det_training_set *set, const det_linear_head *heads,
                            const int *folds, held_out *h)
{
    for (size_t i = 0; i < set->image_count; i++) {
        const det_training_image *image = &set->images[i];
        for (size_t r = 0; r < image->features.proposal_count; r++) {
            const int label = image->labels.labels[r];
            if (label == DET_LABEL_NOTHING) continue;
            det_linear_head_outputs(&heads[folds[i]], &image->features, r,
                                    h->outputs + h->count * h->row);
            h->truths[h->count++] = label == DET_LABEL_BACKGROUND ? h->row - 1 : (size_t)label;
        }
    }
}

det_status det_held_out_temperature(const det_training_set *set, const det_linear_head *heads,
                                    const int *folds, float *temperature, det_error *error)
{
    const size_t row = set->classes.count + 1;
    held_out h = {.outputs = det_alloc_array(set->region_count, row * sizeof *h.outputs),
                  .truths = det_alloc_array(set->region_count, sizeof *h.truths),
                  .row = row};
    const bool enough = h.outputs && h.truths;
    if (enough) {
        collect_outputs(set, heads, folds, &h);
        *temperature = (float)det_fit_temperature(h.outputs, h.truths, h.count, row);
    }
    det_free(h.outputs);
    det_free(h.truths);
    return enough ? DET_OK : det_fail_memory(error, "the outputs for held-out pictures");
}

/* ---- Detections ----------------------------------------------------------------------------- */

typedef struct {
    const det_training_set *set;
    const det_linear_head *heads;
    const int *folds;
    const det_head_options *options;
    det_candidates *found; /* of each picture */
    det_status *statuses;
} detecting;

static void detect_in(void *context, size_t index, int worker)
{
    (void)worker;
    const detecting *d = context;
    d->statuses[index] =
        det_linear_head_detect(&d->heads[d->folds[index]], &d->set->images[index].features,
                               d->options, &d->found[index], NULL);
}

static det_status gather(const detecting *d, det_held_out_objects *objects, det_error *error)
{
    size_t total = 0;
    for (size_t i = 0; i < d->set->image_count; i++) {
        if (d->statuses[i] < 0) return det_fail_memory(error, "the detections of a picture");
        total += d->found[i].count;
    }
    *objects = (det_held_out_objects){det_alloc_array(total, sizeof *objects->items), 0};
    if (!objects->items) return det_fail_memory(error, "the detections of all pictures");
    for (size_t i = 0; i < d->set->image_count; i++)
        for (size_t j = 0; j < d->found[i].count; j++) {
            const det_candidate *f = &d->found[i].items[j];
            objects->items[objects->count++] = (det_detected_object){
                .image = (uint32_t)i,
                .category = (uint32_t)d->set->classes.categories[f->class_id],
                .score = (double)f->score,
                .box = {(double)f->box.x0, (double)f->box.y0, (double)f->box.x1 - f->box.x0,
                        (double)f->box.y1 - f->box.y0}};
        }
    return DET_OK;
}

det_status det_detect_held_out(const det_training_set *set, const det_linear_head *heads,
                               const int *folds, const det_head_options *options, int threads,
                               det_held_out_objects *objects, det_error *error)
{
    detecting d = {.set = set, .heads = heads, .folds = folds, .options = options};
    d.found = det_alloc_zeroed(set->image_count, sizeof *d.found);
    d.statuses = det_alloc_zeroed(set->image_count, sizeof *d.statuses);
    det_status status =
        d.found && d.statuses ? DET_OK : det_fail_memory(error, "the detections of all pictures");
    if (status == DET_OK) {
        det_parallel_for(set->image_count, threads, detect_in, &d);
        status = gather(&d, objects, error);
    }
    for (size_t i = 0; d.found && i < set->image_count; i++) det_candidates_free(&d.found[i]);
    det_free(d.found);
    det_free(d.statuses);
    return status;
}
