/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/added_classes.h"

#include "src/base/memory.h"
#include "src/detector/box_deltas.h"

#include <math.h>
#include <string.h>

det_status det_added_open(const det_model *model, det_added_classes *added, det_error *error)
{
    *added = (det_added_classes){.model = model};
    const det_status status = det_trained_head_read(model, &added->trained, error);
    if (status != DET_UNSUPPORTED) return status;
    return det_fail_at(error, DET_ARGUMENT, det_model_path(model), NULL,
                       "classes are added to a model that detect train has made, and this is "
                       "none: train one with it, without --add-class");
}

void det_added_free(det_added_classes *added)
{
    det_trained_head_free(&added->trained);
    det_free(added->annotated.categories);
    det_free(added->annotated.classes);
    *added = (det_added_classes){0};
}

/* ---- Classes -------------------------------------------------------------------------------- */

static size_t find_class(const det_model *model, const char *name)
{
    for (size_t c = 0; c < model->class_count; c++)
        if (strcmp(model->classes[c].name, name) == 0) return c;
    return SIZE_MAX;
}

static det_status nothing_new(const det_added_classes *added, const det_training_set *set,
                              det_error *error)
{
    const char *name = set->annotations->categories[set->classes.categories[0]].name;
    return det_fail_at(error, DET_ARGUMENT, det_model_path(added->model), NULL,
                       "the model has all %zu annotated classes already (%.100s%s): rename a class "
                       "to add it beside them, or learn them again from all their pictures, "
                       "without --add-class",
                       set->classes.count, name, set->classes.count > 1 ? ", ..." : "");
}

/* Fills `classes` with those of the model and the new ones. */
static void join_classes(const det_added_classes *added, const det_training_set *set,
                         det_learned_classes *classes)
{
    const det_annotations *a = set->annotations;
    classes->count = added->model->class_count;
    for (size_t c = 0; c < classes->count; c++) classes->categories[c] = SIZE_MAX;
    for (size_t i = 0; i < a->category_count; i++) classes->classes[i] = -1;
    for (size_t c = 0; c < set->classes.count; c++) {
        const size_t category = set->classes.categories[c];
        size_t at = find_class(added->model, a->categories[category].name);
        if (at == SIZE_MAX) at = classes->count++;
        classes->categories[at] = category;
        classes->classes[category] = (int)at;
    }
}

static void relabel(const det_training_set *set, const det_learned_classes *classes)
{
    for (size_t i = 0; i < set->image_count; i++)
        for (size_t r = 0; r < set->images[i].features.count; r++) {
            int *label = &set->images[i].labels.labels[r];
            if (*label >= 0) *label = classes->classes[set->classes.categories[*label]];
        }
}

det_status det_added_relabel(det_added_classes *added, det_training_set *set, det_error *error)
{
    const size_t most = added->model->class_count + set->classes.count;
    det_learned_classes classes = {
        .categories = det_alloc_array(most, sizeof *classes.categories),
        .classes = det_alloc_array(set->annotations->category_count, sizeof *classes.classes)};
    det_status status = classes.categories && classes.classes
                            ? DET_OK
                            : det_fail_memory(error, "the classes of a model");
    if (status == DET_OK) join_classes(added, set, &classes);
    if (status == DET_OK && classes.count == added->model->class_count)
        status = nothing_new(added, set, error);
    if (status < 0) {
        det_free(classes.categories);
        det_free(classes.classes);
        return status;
    }
    relabel(set, &classes);
    added->annotated = set->classes;
    set->classes = classes;
    return DET_OK;
}

det_training_set det_added_measured(const det_added_classes *added, const det_training_set *set)
{
    det_training_set measured = *set;
    measured.classes = added->annotated;
    return measured;
}

/* ---- Learning ------------------------------------------------------------------------------- */

/* log of the sum of exp of the outputs that a new class stands against; 0 where it stands alone. */
static float rest_of(const det_linear_head *old, const det_region_features *regions, size_t region,
                     float *outputs)
{
    if (old->kind == DET_HEAD_SIGMOID) return 0;
    double sum = 0;
    det_linear_head_outputs(old, regions, region, outputs);
    float most = outputs[0];
    for (size_t o = 1; o < old->output_count; o++) most = fmaxf(most, outputs[o]);
    for (size_t o = 0; o < old->output_count; o++) sum += exp((double)(outputs[o] - most));
    return most + (float)log(sum);
}

/* Copies the old classes, and the background behind the new ones. */
static void copy_old(const det_linear_head *old, det_linear_head *head)
{
    const size_t width = old->width, classes = old->class_count;
    memcpy(head->weights, old->weights, classes * width * sizeof *old->weights);
    memcpy(head->biases, old->biases, classes * sizeof *old->biases);
    if (old->kind == DET_HEAD_SOFTMAX) {
        memcpy(head->weights + head->class_count * width, old->weights + classes * width,
               width * sizeof *old->weights);
        head->biases[head->class_count] = old->biases[classes];
    }
    if (!old->delta_weights) return;
    const size_t deltas = DET_BOX_DELTAS * classes;
    memcpy(head->delta_weights, old->delta_weights, deltas * width * sizeof *old->delta_weights);
    memcpy(head->delta_biases, old->delta_biases, deltas * sizeof *old->delta_biases);
}

/* Fits `count` new classes from `first` on, and copies them into the heads. */
static det_status fit_some(const det_fit_examples *examples, const det_fit_options *options,
                           const det_fit_beside *beside, const det_run *run, det_linear_head *heads,
                           det_error *error)
{
    const size_t width = heads[0].width, head_count = examples->head_count;
    det_fit_examples some = *examples;
    some.beside = beside;
    det_linear_head *made = det_alloc_zeroed(head_count, sizeof *made);
    det_status status = made ? DET_OK : det_fail_memory(error, "the heads");
    for (size_t h = 0; status == DET_OK && h < head_count; h++)
        status =
            det_linear_head_create(DET_HEAD_SOFTMAX, width, beside->count, false, &made[h], error);
    if (status == DET_OK) status = det_fit_classes(&some, options, run, made, error);
    for (size_t h = 0; status == DET_OK && h < head_count; h++) {
        memcpy(heads[h].weights + beside->first * width, made[h].weights,
               beside->count * width * sizeof(float));
        memcpy(heads[h].biases + beside->first, made[h].biases, beside->count * sizeof(float));
    }
    for (size_t h = 0; made && h < head_count; h++) det_linear_head_free(&made[h]);
    det_free(made);
    return status;
}

/* All new classes of a softmax together; independent ones one after another. */
static det_status fit_new(const det_added_classes *added, const det_fit_examples *examples,
                          const det_fit_options *options, const float *rest, const det_run *run,
                          det_linear_head *heads, det_error *error)
{
    const size_t end = heads[0].class_count, first = added->trained.head.class_count;
    const size_t step = added->trained.head.kind == DET_HEAD_SOFTMAX ? end - first : 1;
    det_status status = DET_OK;
    for (size_t c = first; status == DET_OK && c < end; c += step) {
        const det_fit_beside beside = {rest, c, step};
        status = fit_some(examples, options, &beside, run, heads, error);
    }
    return status;
}

static det_status find_rests(const det_added_classes *added, const det_fit_examples *examples,
                             float *rest, det_error *error)
{
    float *outputs = det_alloc_array(added->trained.head.output_count, sizeof *outputs);
    if (!outputs) return det_fail_memory(error, "the outputs of a head");
    for (size_t i = 0; i < examples->count; i++)
        rest[i] =
            rest_of(&added->trained.head, &examples->set->images[examples->rows[i].image].features,
                    examples->rows[i].region, outputs);
    det_free(outputs);
    return DET_OK;
}

det_status det_added_fit(const det_added_classes *added, const det_fit_examples *examples,
                         const det_fit_options *options, const det_run *run, det_linear_head *heads,
                         det_error *error)
{
    float *rest = det_alloc_array(examples->count, sizeof *rest);
    det_status status = rest ? DET_OK : det_fail_memory(error, "the outputs of a head");
    det_event_stage_begun(options->log, "heads");
    if (status == DET_OK) status = find_rests(added, examples, rest, error);
    if (status == DET_OK) status = fit_new(added, examples, options, rest, run, heads, error);
    for (size_t h = 0; status == DET_OK && h < examples->head_count; h++)
        copy_old(&added->trained.head, &heads[h]);
    if (status == DET_OK) det_event_stage_ended(options->log, 0, 1);
    det_free(rest);
    return status;
}

/* ---- Calibration ---------------------------------------------------------------------------- */

/* Held-out regions: outputs of the new classes, what they stand against, which one is true. */
typedef struct {
    float *outputs; /* count x classes */
    float *rests;
    int *truths; /* below classes; -1: none of them */
    size_t count, classes;
    bool independent;
} held_out;

static void collect(const det_added_classes *added, const det_training_set *set, const int *folds,
                    const det_linear_head *heads, float *room, held_out *h)
{
    const size_t first = added->trained.head.class_count;
    for (size_t i = 0; i < set->image_count; i++) {
        const det_training_image *image = &set->images[i];
        for (size_t r = 0; r < image->features.proposal_count; r++) {
            const int label = image->labels.labels[r];
            if (label == DET_LABEL_NOTHING) continue;
            h->rests[h->count] = rest_of(&added->trained.head, &image->features, r, room);
            det_linear_head_outputs(&heads[folds[i]], &image->features, r, room);
            memcpy(h->outputs + h->count * h->classes, room + first, h->classes * sizeof *room);
            h->truths[h->count++] = label < (int)first ? -1 : label - (int)first;
        }
    }
}

/* How fast the loss of a region grows with the scale. */
static double slope_of(const held_out *h, size_t at, double scale)
{
    const float *z = h->outputs + at * h->classes;
    const double rest = h->rests[at];
    double most = rest, sum = 0, slope = 0;
    for (size_t c = 0; c < h->classes; c++) most = fmax(most, scale * z[c]);
    for (size_t c = 0; c < h->classes; c++) sum += exp(scale * z[c] - most);
    sum += exp(rest - most);
    for (size_t c = 0; c < h->classes; c++) {
        const double p =
            h->independent ? 1 / (1 + exp(-scale * z[c])) : exp(scale * z[c] - most) / sum;
        slope += (p - (h->truths[at] == (int)c)) * z[c];
    }
    return slope;
}

/* The loss is convex in the scale: its slope rises, and the place where it is 0 is halved in. */
static double best_scale(const held_out *h)
{
    enum { HALVINGS = 40 };
    double low = .05, high = 20;
    for (int i = 0; i < HALVINGS; i++) {
        const double middle = sqrt(low * high);
        double slope = 0;
        for (size_t r = 0; r < h->count; r++) slope += slope_of(h, r, middle);
        *(slope > 0 ? &high : &low) = middle;
    }
    return h->count > 0 ? sqrt(low * high) : 1;
}

static void scale_new(size_t first, float scale, det_linear_head *head)
{
    for (size_t c = first; c < head->class_count; c++) {
        for (size_t i = 0; i < head->width; i++) head->weights[c * head->width + i] *= scale;
        head->biases[c] *= scale;
    }
}

det_status det_added_calibrate(const det_added_classes *added, const det_training_set *set,
                               const int *folds, det_linear_head *heads, size_t head_count,
                               det_error *error)
{
    const size_t first = added->trained.head.class_count;
    held_out h = {.classes = heads[0].class_count - first,
                  .independent = added->trained.head.kind == DET_HEAD_SIGMOID};
    float *room = det_alloc_array(heads[0].output_count, sizeof *room);
    h.outputs = det_alloc_array(set->region_count, h.classes * sizeof *h.outputs);
    h.rests = det_alloc_array(set->region_count, sizeof *h.rests);
    h.truths = det_alloc_array(set->region_count, sizeof *h.truths);
    const bool enough = room && h.outputs && h.rests && h.truths;
    if (enough) {
        collect(added, set, folds, heads, room, &h);
        const float scale = (float)best_scale(&h);
        for (size_t i = 0; i < head_count; i++) scale_new(first, scale, &heads[i]);
    }
    det_free(room);
    det_free(h.outputs);
    det_free(h.rests);
    det_free(h.truths);
    return enough ? DET_OK : det_fail_memory(error, "the outputs for held-out pictures");
}
