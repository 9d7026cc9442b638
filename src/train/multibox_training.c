/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/multibox_training.h"

#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/data/paths.h"

#include <string.h>

/* Proposals of a picture beside which heads are measured: as many as their figures ask for. */
enum { MOST_BESIDE = 200, CORNERS = DET_MULTIBOX_CORNERS };

/* ---- Objects and proposals ------------------------------------------------------------------ */

static void normalise(det_box box, const det_region_features *f, bool mirrored,
                      float corners[CORNERS])
{
    const float width = (float)f->picture_width, height = (float)f->picture_height;
    corners[0] = (mirrored ? width - box.x1 : box.x0) / width;
    corners[1] = box.y0 / height;
    corners[2] = (mirrored ? width - box.x0 : box.x1) / width;
    corners[3] = box.y1 / height;
}

static void add_objects(const det_training_set *set, size_t picture, bool mirrored,
                        det_multibox_training *t)
{
    const det_annotations *a = set->annotations;
    const det_annotated_image *image = &a->images[picture];
    const det_region_features *f = &set->images[picture].features;
    for (size_t i = 0; i < image->object_count; i++) {
        const size_t object = image->first_object + i;
        if (!det_object_counts(a, object, f->picture_width, f->picture_height)) continue;
        const det_box box = det_object_box(a, object, f->picture_width, f->picture_height);
        normalise(box, f, mirrored, t->corners[t->object_count]);
        t->classes[t->object_count++] = (uint32_t)set->classes.classes[a->objects[object].category];
    }
}

static void add_beside(const det_training_set *set, size_t picture, det_multibox_training *t)
{
    const det_region_features *f = &set->images[picture].features;
    size_t at = t->first_beside[picture];
    for (size_t i = 0; i < f->proposal_count && i < MOST_BESIDE; i++)
        normalise(f->boxes[i], f, false, t->beside[at++]);
    t->first_beside[picture + 1] = at;
}

/* ---- Gathering ------------------------------------------------------------------------------ */

static det_status allocate(const det_training_set *set, det_multibox_training *t, det_error *error)
{
    const size_t pictures = set->image_count, rows = DET_PICTURE_ROWS * pictures;
    const size_t objects = DET_PICTURE_ROWS * set->annotations->object_count;
    size_t row_size;
    const bool possible = det_multiply_size(t->width, sizeof *t->features, &row_size);
    t->features = possible ? det_alloc_array(rows, row_size) : NULL;
    t->pictures = det_alloc_array(rows, sizeof *t->pictures);
    t->first_object = det_alloc_zeroed(rows + 1, sizeof *t->first_object);
    t->corners = det_alloc_array(objects, sizeof *t->corners);
    t->classes = det_alloc_array(objects, sizeof *t->classes);
    t->beside = det_alloc_array(pictures, MOST_BESIDE * sizeof *t->beside);
    t->first_beside = det_alloc_zeroed(pictures + 1, sizeof *t->first_beside);
    if (t->features && t->pictures && t->first_object && t->corners && t->classes && t->beside &&
        t->first_beside)
        return DET_OK;
    return det_fail_memory(error, "the features of pictures");
}

static det_status add_picture(const det_training_set *set, size_t picture,
                              det_picture_features *features, det_multibox_training *t,
                              det_error *error)
{
    const size_t first = DET_PICTURE_ROWS * picture;
    const det_annotations *a = set->annotations;
    char *path = det_path_join(a->folder, a->images[picture].file);
    if (!path) return det_fail_memory(error, "the name of a picture");
    const det_status status =
        det_picture_features_get(features, path, set->images[picture].features.picture_digest,
                                 t->features + first * t->width, error);
    det_free(path);
    for (size_t r = 0; status == DET_OK && r < DET_PICTURE_ROWS; r++) {
        t->pictures[first + r] = picture;
        add_objects(set, picture, r > 0, t);
        t->first_object[first + r + 1] = t->object_count;
    }
    add_beside(set, picture, t);
    t->picture_count++;
    return status;
}

det_status det_multibox_gather(const det_training_set *set, det_picture_features *features,
                               const det_run *run, det_multibox_training *training,
                               det_error *error)
{
    const size_t count = set->image_count;
    *training = (det_multibox_training){.width = det_picture_features_width(features)};
    det_status status = allocate(set, training, error);
    for (size_t i = 0; status == DET_OK && i < count; i++) {
        status = det_run_check(run, i, count, error);
        if (status == DET_OK) status = add_picture(set, i, features, training, error);
    }
    return status == DET_OK ? det_run_check(run, count, count, error) : status;
}

/* ---- Learning ------------------------------------------------------------------------------- */

/* Another head than those that are measured; a fit tells of its own progress. */
typedef struct {
    const det_run *run;
    uint64_t done, total;
} last_head;

static bool go_on(void *context, uint64_t done, uint64_t total)
{
    (void)done, (void)total;
    const last_head *last = context;
    return det_run_check(last->run, last->done, last->total, NULL) == DET_OK;
}

static bool count_heads(void *context, uint64_t done, uint64_t total)
{
    last_head *last = context;
    last->done = done;
    last->total = total + 1;
    return det_run_check(last->run, done, total + 1, NULL) == DET_OK;
}

det_status det_multibox_learn(const det_config *config, const int *folds, size_t fold_count,
                              const det_run *run, det_multibox_training *t, det_error *error)
{
    const det_multibox_examples examples = {.count = DET_PICTURE_ROWS * t->picture_count,
                                            .width = t->width,
                                            .features = t->features,
                                            .pictures = t->pictures,
                                            .picture_count = t->picture_count,
                                            .first_object = t->first_object,
                                            .corners = t->corners,
                                            .classes = t->classes};
    const det_multibox_fit_options fit = {
        .priors = config->train.multibox_boxes,
        .match_predictions = strcmp(config->train.multibox_match, "predictions") == 0,
        .seed = config->runtime.seed};
    const det_multibox_report_options options = {.folds = folds,
                                                 .fold_count = fold_count,
                                                 .beside = t->beside,
                                                 .first_beside = t->first_beside,
                                                 .samples = config->train.bootstrap};
    last_head last = {.run = run};
    const det_run measured = {.progress = count_heads, .progress_context = &last};
    det_status status =
        det_multibox_measure(&examples, &fit, &options, &measured, &t->report, error);
    if (status < 0) return status;
    last.done = last.total > 0 ? last.total - 1 : 0;
    const det_run fitted = {.progress = go_on, .progress_context = &last};
    status = det_fit_multibox(&examples, NULL, &fit, &fitted, &t->head, error);
    return status == DET_OK ? det_run_check(run, last.total, last.total, error) : status;
}

void det_multibox_training_free(det_multibox_training *training)
{
    det_free(training->features);
    det_free(training->pictures);
    det_free(training->first_object);
    det_free(training->corners);
    det_free(training->classes);
    det_free(training->beside);
    det_free(training->first_beside);
    det_multibox_head_free(&training->head);
    det_multibox_report_free(&training->report);
    *training = (det_multibox_training){0};
}
