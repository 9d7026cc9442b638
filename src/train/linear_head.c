/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/linear_head.h"

#include "src/base/memory.h"
#include "src/detector/box_deltas.h"
#include "src/image/nms.h"

#include <math.h>

/* ---- The head ------------------------------------------------------------------------------- */

size_t det_head_outputs(det_head_kind kind, size_t class_count)
{
    return class_count + (kind == DET_HEAD_SOFTMAX);
}

det_status det_linear_head_create(det_head_kind kind, size_t width, size_t class_count, bool deltas,
                                  det_linear_head *head, det_error *error)
{
    const size_t outputs = det_head_outputs(kind, class_count);
    size_t values;
    *head = (det_linear_head){
        .kind = kind, .width = width, .class_count = class_count, .output_count = outputs};
    if (!det_multiply_size(width, outputs, &values)) return det_fail_memory(error, "a head");
    head->weights = det_alloc_zeroed(values, sizeof *head->weights);
    head->biases = det_alloc_zeroed(outputs, sizeof *head->biases);
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

void det_linear_head_change(det_linear_head *head, const det_output_change *changes)
{
    for (size_t o = 0; o < head->output_count; o++) {
        float *weights = head->weights + o * head->width;
        for (size_t i = 0; i < head->width; i++) weights[i] *= changes[o].slope;
        head->biases[o] = head->biases[o] * changes[o].slope + changes[o].offset;
    }
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
    multiply(head->weights, head->biases, head->output_count, regions, region, outputs);
}

static void softmax(float *outputs, size_t count)
{
    float most = outputs[0], sum = 0;
    for (size_t i = 1; i < count; i++) most = fmaxf(most, outputs[i]);
    for (size_t i = 0; i < count; i++) {
        outputs[i] = expf(outputs[i] - most);
        sum += outputs[i];
    }
    for (size_t i = 0; i < count; i++) outputs[i] /= sum;
}

void det_linear_head_probabilities(const det_linear_head *head, float *outputs)
{
    if (head->kind == DET_HEAD_SOFTMAX)
        softmax(outputs, head->output_count);
    else
        for (size_t i = 0; i < head->output_count; i++) outputs[i] = 1 / (1 + expf(-outputs[i]));
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

/* Adds what a region may show. @return false when memory is short. */
static bool add_candidates(const det_linear_head *head, const det_region_features *regions,
                           size_t region, const float *probabilities, float threshold,
                           det_candidates *found)
{
    for (size_t c = 0; c < head->class_count; c++) {
        if (!(probabilities[c] >= threshold)) continue;
        const det_box box = det_linear_head_box(head, regions, region, c);
        if (!det_box_is_sound(box)) continue;
        if (!det_candidates_add(found, (det_candidate){c, region, probabilities[c], box}))
            return false;
    }
    return true;
}

det_status det_linear_head_detect(const det_linear_head *head, const det_region_features *regions,
                                  const det_head_options *options, det_candidates *found,
                                  det_error *error)
{
    *found = (det_candidates){0};
    float *probabilities = det_alloc_array(head->output_count, sizeof *probabilities);
    bool complete = probabilities;
    for (size_t i = 0; complete && i < regions->proposal_count; i++) {
        det_linear_head_outputs(head, regions, i, probabilities);
        det_linear_head_probabilities(head, probabilities);
        complete = add_candidates(head, regions, i, probabilities, options->threshold, found);
    }
    det_free(probabilities);
    return complete ? det_candidates_fuse(found, &options->fusion, error)
                    : det_fail_memory(error, "the candidates of a picture");
}
