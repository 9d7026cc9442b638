/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/cross_validation.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/train/calibration.h"

/* ---- Calibration ---------------------------------------------------------------------------- */

/* The outputs for proposals that teach something. */
typedef struct {
    float *outputs; /* count x row */
    int *labels;
    size_t count, row;
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
            h->labels[h->count++] = label;
        }
    }
}

static bool fit_softmax(const held_out *h, det_output_change *changes)
{
    size_t *truths = det_alloc_array(h->count, sizeof *truths);
    if (!truths) return false;
    for (size_t i = 0; i < h->count; i++)
        truths[i] = h->labels[i] == DET_LABEL_BACKGROUND ? h->row - 1 : (size_t)h->labels[i];
    const double temperature = det_fit_temperature(h->outputs, truths, h->count, h->row);
    for (size_t o = 0; o < h->row; o++)
        changes[o] = (det_output_change){(float)(1 / temperature), 0};
    det_free(truths);
    return true;
}

/* The sigmoid of det_fit_sigmoid as a change before the head's own. */
static det_output_change change_of(det_sigmoid sigmoid)
{
    return (det_output_change){(float)-sigmoid.slope, (float)-sigmoid.offset};
}

static bool fit_sigmoids(const held_out *h, det_output_change *changes)
{
    const size_t all = h->count * h->row;
    float *scores = det_alloc_array(h->count, h->row * sizeof *scores);
    bool *positive = det_alloc_array(h->count, h->row * sizeof *positive);
    const bool enough = scores && positive;
    for (size_t i = 0; enough && i < all; i++) { /* class after class */
        const size_t class_id = i / h->count, example = i % h->count;
        scores[i] = h->outputs[example * h->row + class_id];
        positive[i] = h->labels[example] == (int)class_id;
    }
    if (enough) {
        const det_sigmoid shared = det_fit_sigmoid(scores, positive, all);
        for (size_t o = 0; o < h->row; o++) {
            const det_sigmoid own =
                det_fit_sigmoid(scores + o * h->count, positive + o * h->count, h->count);
            changes[o] = change_of(own.slope < 0 ? own : shared);
        }
    }
    det_free(scores);
    det_free(positive);
    return enough;
}

det_status det_held_out_calibration(const det_training_set *set, const det_linear_head *heads,
                                    const int *folds, det_output_change *changes, det_error *error)
{
    const size_t row = heads[0].output_count;
    held_out h = {.outputs = det_alloc_array(set->region_count, row * sizeof *h.outputs),
                  .labels = det_alloc_array(set->region_count, sizeof *h.labels),
                  .row = row};
    bool enough = h.outputs && h.labels;
    if (enough) {
        collect_outputs(set, heads, folds, &h);
        enough = heads[0].kind == DET_HEAD_SOFTMAX ? fit_softmax(&h, changes)
                                                   : fit_sigmoids(&h, changes);
    }
    det_free(h.outputs);
    det_free(h.labels);
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
            if (d->set->classes.categories[f->class_id] == SIZE_MAX) continue;
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
