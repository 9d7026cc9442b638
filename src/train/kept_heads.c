/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/kept_heads.h"

#include "src/base/memory.h"
#include "src/detector/box_deltas.h"
#include "src/train/box_fit.h"
#include "src/train/digest_chain.h"
#include "src/train/heads.h"
#include "src/train/kept_file.h"

#include <string.h>

/* Raised when what is computed changes, so that older files are not taken for new ones. */
#define BOXES_FORMAT "detect box regression 1"
#define CLASSES_FORMAT "detect heads 2"
#define CALIBRATION_FORMAT "detect calibration 1"
#define DETECTIONS_FORMAT "detect held-out detections 1"

/* ---- Digests -------------------------------------------------------------------------------- */

static void add_examples(det_digest_chain *chain, const det_fit_examples *e)
{
    det_digest_add_text(chain, e->set->digest);
    det_digest_add(chain, e->rows, e->count * sizeof *e->rows);
    det_digest_add(chain, e->weights, e->count * e->head_count * sizeof *e->weights);
}

static void add_classes(det_digest_chain *chain, const det_linear_head *head)
{
    const size_t outputs = head->output_count;
    det_digest_add_number(chain, head->kind);
    det_digest_add(chain, head->weights, outputs * head->width * sizeof *head->weights);
    det_digest_add(chain, head->biases, outputs * sizeof *head->biases);
}

static void add_head(det_digest_chain *chain, const det_linear_head *head)
{
    const size_t deltas = DET_BOX_DELTAS * head->class_count;
    add_classes(chain, head);
    if (!head->delta_weights) return;
    det_digest_add(chain, head->delta_weights, deltas * head->width * sizeof *head->delta_weights);
    det_digest_add(chain, head->delta_biases, deltas * sizeof *head->delta_biases);
}

static void add_held_out(det_digest_chain *chain, const det_held_out *from)
{
    det_digest_add_text(chain, from->set->digest);
    det_digest_add(chain, from->folds, from->set->image_count * sizeof *from->folds);
    for (size_t h = 0; h < from->head_count; h++) add_head(chain, &from->heads[h]);
}

static char *path_of(const det_kept_results *kept, const char *kind, const det_digest_chain *chain)
{
    return chain->failed ? NULL : det_kept_path(kept->folder, kind, chain->text);
}

static det_status no_path(det_error *error)
{
    return det_fail_memory(error, "the name of a file");
}

/* ---- Counts --------------------------------------------------------------------------------- */

static void count_reused(const det_kept_results *kept, det_kept_count *count)
{
    count->reused++;
    det_event_stage_ended(kept->log, 1, 0);
}

static void count_made(const det_kept_results *kept, det_kept_count *count, det_status status)
{
    count->made++;
    if (status == DET_OK) det_event_stage_ended(kept->log, 0, 1);
}

/* ---- Weights of heads ----------------------------------------------------------------------- */

/* A linear function of each head, and the same of all heads as one block. */
typedef struct {
    bool boxes; /* what moves boxes, not what gives classes */
    det_linear_head *heads;
    size_t head_count, outputs, width; /* outputs: of a head */
    float *weights, *biases;           /* head_count x outputs (x width) */
} functions;

static det_status allocate(functions *f, det_error *error)
{
    f->weights = det_alloc_array(f->head_count * f->outputs, f->width * sizeof *f->weights);
    f->biases = det_alloc_array(f->head_count, f->outputs * sizeof *f->biases);
    return f->weights && f->biases ? DET_OK : det_fail_memory(error, "the weights of heads");
}

static void release(functions *f)
{
    det_free(f->weights);
    det_free(f->biases);
}

static void copy(const functions *f, bool to_heads)
{
    const size_t values = f->outputs * f->width;
    for (size_t h = 0; h < f->head_count; h++) {
        const det_linear_head *head = &f->heads[h];
        float *weights = f->boxes ? head->delta_weights : head->weights;
        float *biases = f->boxes ? head->delta_biases : head->biases;
        float *all_weights = f->weights + h * values, *all_biases = f->biases + h * f->outputs;
        memcpy(to_heads ? weights : all_weights, to_heads ? all_weights : weights,
               values * sizeof *weights);
        memcpy(to_heads ? biases : all_biases, to_heads ? all_biases : biases,
               f->outputs * sizeof *biases);
    }
}

static void list_parts(const functions *f, det_kept_part parts[2])
{
    const size_t outputs = f->head_count * f->outputs;
    parts[0] = (det_kept_part){"weights", "F32", f->weights, outputs * f->width, sizeof(float)};
    parts[1] = (det_kept_part){"biases", "F32", f->biases, outputs, sizeof(float)};
}

static bool read_functions(const functions *f, const char *path, const char *format)
{
    det_kept_part parts[2];
    list_parts(f, parts);
    if (!det_kept_read_parts(path, format, parts, 2)) return false;
    copy(f, true);
    return true;
}

static det_status write_functions(const functions *f, const char *path, const char *format,
                                  det_error *error)
{
    det_kept_part parts[2];
    list_parts(f, parts);
    copy(f, false);
    return det_kept_write_parts(path, format, parts, 2, error);
}

/* ---- Boxes ---------------------------------------------------------------------------------- */

static char *path_of_boxes(const det_kept_results *kept, const det_fit_examples *examples,
                           double lambda)
{
    det_digest_chain chain = {0};
    det_digest_add_text(&chain, BOXES_FORMAT);
    det_digest_add_number(&chain, lambda);
    add_examples(&chain, examples);
    return path_of(kept, "boxes", &chain);
}

det_status det_keep_boxes(det_kept_results *kept, const det_fit_examples *examples, double lambda,
                          const det_run *run, det_linear_head *heads, det_error *error)
{
    functions f = {.boxes = true,
                   .heads = heads,
                   .head_count = examples->head_count,
                   .outputs = DET_BOX_DELTAS * examples->set->classes.count,
                   .width = examples->set->width};
    char *path = path_of_boxes(kept, examples, lambda);
    det_event_stage_begun(kept->log, "boxes");
    det_status status = path ? allocate(&f, error) : no_path(error);
    if (status < 0) goto done;
    if (read_functions(&f, path, BOXES_FORMAT)) {
        count_reused(kept, &kept->boxes);
        goto done;
    }
    status = det_fit_boxes(examples, lambda, run, heads, error);
    if (status == DET_OK) status = write_functions(&f, path, BOXES_FORMAT, error);
    count_made(kept, &kept->boxes, status);
done:
    release(&f);
    det_free(path);
    return status;
}

/* ---- Classes -------------------------------------------------------------------------------- */

static void digest_classes(const det_fit_examples *examples, const det_fit_options *options,
                           const det_linear_head *heads, det_digest_chain *chain)
{
    det_digest_add_text(chain, CLASSES_FORMAT);
    det_digest_add_number(chain, heads[0].kind);
    det_digest_add_number(chain, options->balanced);
    if (heads[0].kind == DET_HEAD_SOFTMAX) {
        det_digest_add_number(chain, options->l2);
        det_digest_add_number(chain, options->iterations);
        det_digest_add_number(chain, options->tolerance);
    } else {
        det_digest_add_number(chain, options->negative_iou);
        det_digest_add(chain, &options->seed, sizeof options->seed);
    }
    add_examples(chain, examples);
    for (size_t h = 0; h < examples->head_count; h++) add_classes(chain, &heads[h]);
}

/* Goes on where an equal fit was cancelled. */
static det_status fit_classes(const det_fit_examples *examples, const det_fit_options *options,
                              const char *state, const det_run *run, det_linear_head *heads,
                              det_error *error)
{
    det_fit_options with_state = *options;
    with_state.state = state;
    return det_fit_heads(examples, &with_state, run, heads, error);
}

det_status det_keep_classes(det_kept_results *kept, const det_fit_examples *examples,
                            const det_fit_options *options, const det_run *run,
                            det_linear_head *heads, det_error *error)
{
    functions f = {.heads = heads,
                   .head_count = examples->head_count,
                   .outputs = heads[0].output_count,
                   .width = examples->set->width};
    det_digest_chain chain = {0};
    det_event_stage_begun(kept->log, "heads");
    digest_classes(examples, options, heads, &chain);
    char *path = path_of(kept, "heads", &chain), *state = path_of(kept, "fit", &chain);
    det_status status = path && state ? allocate(&f, error) : no_path(error);
    if (status < 0) goto done;
    if (read_functions(&f, path, CLASSES_FORMAT)) {
        count_reused(kept, &kept->classes);
        goto done;
    }
    status = fit_classes(examples, options, state, run, heads, error);
    if (status == DET_OK) status = write_functions(&f, path, CLASSES_FORMAT, error);
    if (status == DET_OK) det_kept_remove(state);
    count_made(kept, &kept->classes, status);
done:
    release(&f);
    det_free(path);
    det_free(state);
    return status;
}

/* ---- Calibration ---------------------------------------------------------------------------- */

det_status det_keep_calibration(det_kept_results *kept, const det_held_out *from,
                                det_output_change *changes, det_error *error)
{
    det_digest_chain chain = {0};
    det_event_stage_begun(kept->log, "calibration");
    det_digest_add_text(&chain, CALIBRATION_FORMAT);
    add_held_out(&chain, from);
    char *path = path_of(kept, "calibration", &chain);
    if (!path) return no_path(error);
    const size_t numbers = sizeof *changes / sizeof(float);
    const det_kept_part part = {"changes", "F32", changes, numbers * from->heads[0].output_count,
                                sizeof(float)};
    det_status status = DET_OK;
    if (det_kept_read_parts(path, CALIBRATION_FORMAT, &part, 1)) {
        count_reused(kept, &kept->calibration);
    } else {
        status = det_held_out_calibration(from->set, from->heads, from->folds, changes, error);
        if (status == DET_OK)
            status = det_kept_write_parts(path, CALIBRATION_FORMAT, &part, 1, error);
        count_made(kept, &kept->calibration, status);
    }
    det_free(path);
    return status;
}

/* ---- Detections ----------------------------------------------------------------------------- */

static void add_options(det_digest_chain *chain, const det_head_options *options)
{
    const det_fusion_options *fusion = &options->fusion;
    const double numbers[] = {
        options->threshold, fusion->method, fusion->iou,       fusion->vote_iou,
        fusion->linear,     fusion->sigma,  fusion->score_min, (double)fusion->max_detections};
    det_digest_add(chain, numbers, sizeof numbers);
}

static char *path_of_detections(const det_kept_results *kept, const det_held_out *from,
                                const det_head_options *options)
{
    det_digest_chain chain = {0};
    det_digest_add_text(&chain, DETECTIONS_FORMAT);
    add_options(&chain, options);
    det_digest_add(&chain, from->set->classes.categories,
                   from->set->classes.count * sizeof *from->set->classes.categories);
    add_held_out(&chain, from);
    return path_of(kept, "detections", &chain);
}

/* A detection as numbers: picture, category, score, box. */
enum { NUMBERS = 7 };

static det_status write_detections(const det_held_out_objects *objects, const char *path,
                                   det_error *error)
{
    double *numbers = det_alloc_array(objects->count, NUMBERS * sizeof *numbers);
    if (!numbers) return det_fail_memory(error, "the detections of all pictures");
    for (size_t i = 0; i < objects->count; i++) {
        const det_detected_object *o = &objects->items[i];
        const double row[NUMBERS] = {o->image,  o->category, o->score, o->box[0],
                                     o->box[1], o->box[2],   o->box[3]};
        memcpy(numbers + i * NUMBERS, row, sizeof row);
    }
    const det_kept_part part = {"detections", "F64", numbers, objects->count * NUMBERS,
                                sizeof *numbers};
    const det_status status = det_kept_write_parts(path, DETECTIONS_FORMAT, &part, 1, error);
    det_free(numbers);
    return status;
}

static bool take_detections(const det_kept_file *file, const det_training_set *set,
                            det_held_out_objects *objects)
{
    const det_tensor *tensor = det_safetensors_find(&file->tensors, "detections");
    if (!tensor || strcmp(tensor->dtype, "F64") != 0 || tensor->count % NUMBERS != 0) return false;
    const size_t count = tensor->count / NUMBERS;
    det_detected_object *items = det_alloc_array(count, sizeof *items);
    if (!items) return false;
    *objects = (det_held_out_objects){items, count};
    for (size_t i = 0; i < count; i++) {
        double n[NUMBERS];
        memcpy(n, tensor->data + i * sizeof n, sizeof n);
        if (!(n[0] >= 0 && n[0] < (double)set->image_count && n[1] >= 0 &&
              n[1] < (double)set->annotations->category_count))
            return false;
        items[i] = (det_detected_object){.image = (uint32_t)n[0],
                                         .category = (uint32_t)n[1],
                                         .score = n[2],
                                         .box = {n[3], n[4], n[5], n[6]}};
    }
    return true;
}

static bool read_detections(const char *path, const det_training_set *set,
                            det_held_out_objects *objects)
{
    det_kept_file file = {0};
    if (det_kept_open(path, DETECTIONS_FORMAT, &file, NULL) < 0) return false;
    const bool complete = take_detections(&file, set, objects);
    det_kept_close(&file);
    if (complete) return true;
    det_free(objects->items);
    *objects = (det_held_out_objects){0};
    return false;
}

det_status det_keep_detections(det_kept_results *kept, const det_held_out *from,
                               const det_head_options *options, int threads,
                               det_held_out_objects *objects, det_error *error)
{
    det_event_stage_begun(kept->log, "detections");
    char *path = path_of_detections(kept, from, options);
    if (!path) return no_path(error);
    det_status status = DET_OK;
    if (read_detections(path, from->set, objects)) {
        count_reused(kept, &kept->detections);
    } else {
        status = det_detect_held_out(from->set, from->heads, from->folds, options, threads, objects,
                                     error);
        if (status == DET_OK) status = write_detections(objects, path, error);
        count_made(kept, &kept->detections, status);
    }
    det_free(path);
    return status;
}
