/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/linear_head.h"

#include "src/base/memory.h"
#include "src/detector/box_deltas.h"
#include "src/image/nms.h"

#include <math.h>
#include <stdlib.h>

/* ---- The head ------------------------------------------------------------------------------- */

det_status det_linear_head_create(size_t width, size_t class_count, bool deltas,
                                  det_linear_head *head, det_error *error)
{
    *head = (det_linear_head){.width = width, .class_count = class_count, .temperature = 1};
    size_t values;
    if (!det_multiply_size(width, class_count + 1, &values))
        return det_fail_memory(error, "a head");
    head->weights = det_alloc_zeroed(values, sizeof *head->weights);
    head->biases = det_alloc_zeroed(class_count + 1, sizeof *head->biases);
    if (deltas) {
        head->delta_weights = det_alloc_zeroed(4 * class_count, width * sizeof(float));
        head->delta_biases = det_alloc_zeroed(4 * class_count, sizeof(float));
    }
    if (head->weights && head->biases && (!deltas || (head->delta_weights && head->delta_biases)))
        return DET_OK;
    det_linear_head_free(head);
    return det_fail_memory(error, "a head");
}

void det_linear_head_free(det_linear_head *head)
{
    det_free(head->weights);
    det_free(head->biases);
    det_free(head->delta_weights);
    det_free(head->delta_biases);
    *head = (det_linear_head){0};
}

/* ---- A region ------------------------------------------------------------------------------- */

enum { LANES = 16 };

/* Sums in lanes, which compilers turn into vectors. */
static float dot(const uint8_t *values, const float *weights, size_t width)
{
    float sums[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= width; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            sums[lane] += (float)values[i + (size_t)lane] * weights[i + (size_t)lane];
    for (; i < width; i++) sum += (float)values[i] * weights[i];
    for (int lane = 0; lane < LANES; lane++) sum += sums[lane];
    return sum;
}

static void multiply(const float *weights, const float *biases, size_t count,
                     const det_region_features *regions, size_t region, float *outputs)
{
    const uint8_t *values = regions->values + region * regions->width;
    for (size_t i = 0; i < count; i++)
        outputs[i] = biases[i] + regions->scales[region] *
                                     dot(values, weights + i * regions->width, regions->width);
}

void det_linear_head_outputs(const det_linear_head *head, const det_region_features *regions,
                             size_t region, float *outputs)
{
    multiply(head->weights, head->biases, head->class_count + 1, regions, region, outputs);
}

void det_linear_head_softmax(const det_linear_head *head, float *outputs)
{
    const size_t count = head->class_count + 1;
    float most = outputs[0], sum = 0;
    for (size_t i = 1; i < count; i++) most = fmaxf(most, outputs[i]);
    for (size_t i = 0; i < count; i++) {
        outputs[i] = expf((outputs[i] - most) / head->temperature);
        sum += outputs[i];
    }
    for (size_t i = 0; i < count; i++) outputs[i] /= sum;
}

det_box det_linear_head_box(const det_linear_head *head, const det_region_features *regions,
                            size_t region, size_t class_id)
{
    const det_box box = regions->boxes[region];
    if (!head->delta_weights) return box;
    float d[4];
    multiply(head->delta_weights + 4 * class_id * head->width, head->delta_biases + 4 * class_id, 4,
             regions, region, d);
    return det_box_clip(det_box_deltas_decode(box, d), regions->picture_width,
                        regions->picture_height);
}

/* ---- A picture ------------------------------------------------------------------------------ */

void det_head_detections_free(det_head_detections *detections)
{
    det_free(detections->items);
    *detections = (det_head_detections){0};
}

/* A picture that is looked at, with buffers for its candidates. */
typedef struct {
    const det_linear_head *head;
    const det_region_features *regions;
    const det_head_options *options;
    float *probabilities; /* regions x (classes + 1) */
    det_box *boxes;       /* of the candidates of a class */
    float *scores;
    size_t *places, *kept; /* places: their regions */
} search;

static void free_search(search *s)
{
    det_free(s->probabilities);
    det_free(s->boxes);
    det_free(s->scores);
    det_free(s->places);
    det_free(s->kept);
}

static det_status prepare(search *s, det_error *error)
{
    const size_t count = s->regions->proposal_count, row = s->head->class_count + 1;
    s->probabilities = det_alloc_array(count, row * sizeof(float));
    s->boxes = det_alloc_array(count, sizeof *s->boxes);
    s->scores = det_alloc_array(count, sizeof *s->scores);
    s->places = det_alloc_array(count, sizeof *s->places);
    s->kept = det_alloc_array(count, sizeof *s->kept);
    if (!s->probabilities || !s->boxes || !s->scores || !s->places || !s->kept)
        return det_fail_memory(error, "the candidates of a picture");
    for (size_t i = 0; i < count; i++) {
        det_linear_head_outputs(s->head, s->regions, i, s->probabilities + i * row);
        det_linear_head_softmax(s->head, s->probabilities + i * row);
    }
    return DET_OK;
}

static size_t list_candidates(const search *s, size_t class_id)
{
    const size_t row = s->head->class_count + 1;
    size_t count = 0;
    for (size_t i = 0; i < s->regions->proposal_count; i++) {
        const float score = s->probabilities[i * row + class_id];
        if (!(score >= s->options->threshold)) continue;
        const det_box box = det_linear_head_box(s->head, s->regions, i, class_id);
        if (!det_box_is_sound(box)) continue;
        s->boxes[count] = box;
        s->places[count] = i;
        s->scores[count++] = score;
    }
    return count;
}

static det_status detect_class(const search *s, size_t class_id, det_head_detections *found,
                               det_error *error)
{
    const size_t count = list_candidates(s, class_id);
    const int64_t kept = det_nms_hard(s->boxes, s->scores, count, s->options->iou, s->kept);
    if (kept < 0) return det_fail(error, (det_status)kept, "the candidates cannot be suppressed");
    const size_t needed = found->count + (size_t)kept;
    if (!det_grow_array(&found->items, &found->capacity, needed, sizeof *found->items))
        return det_fail_memory(error, "the detections of a picture");
    for (size_t i = 0; i < (size_t)kept; i++) {
        const size_t at = s->kept[i];
        found->items[found->count++] =
            (det_head_detection){class_id, s->scores[at], s->places[at], s->boxes[at]};
    }
    return DET_OK;
}

static int best_first(const void *a, const void *b)
{
    const det_head_detection *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    if (x->region != y->region) return x->region < y->region ? -1 : 1;
    return x->class_id < y->class_id ? -1 : 1;
}

det_status det_linear_head_detect(const det_linear_head *head, const det_region_features *regions,
                                  const det_head_options *options, det_head_detections *found,
                                  det_error *error)
{
    search s = {.head = head, .regions = regions, .options = options};
    *found = (det_head_detections){0};
    det_status status = prepare(&s, error);
    for (size_t i = 0; status == DET_OK && i < head->class_count; i++)
        status = detect_class(&s, i, found, error);
    free_search(&s);
    if (status < 0 || found->count == 0) return status;
    qsort(found->items, found->count, sizeof *found->items, best_first);
    if (options->most > 0 && found->count > options->most) found->count = options->most;
    return DET_OK;
}
