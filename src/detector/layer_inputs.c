/* SPDX-License-Identifier: Apache-2.0 */
/* Patches of what layers look at, and weights rounded by them. */
#include "src/detector/layer_inputs.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"

#include <stdatomic.h>
#include <string.h>

enum { wanted_patches = 8192 };

static det_window window_of(const det_node *node)
{
    const det_window pixel = {1, 1, 1, 1, 0, 0, 1, 1};
    return node->op == DET_OP_CONVOLUTION ? node->window : pixel;
}

static int find_input(const det_layer_inputs *inputs, int input, const det_window *window)
{
    for (size_t i = 0; i < inputs->count; i++)
        if (inputs->inputs[i].input == input &&
            memcmp(&inputs->inputs[i].window, window, sizeof *window) == 0)
            return (int)i;
    return -1;
}

static det_status add_input(det_layer_inputs *inputs, const det_model *model, int layer,
                            det_error *error)
{
    const det_node *node = &model->graph.nodes[layer];
    const det_window window = window_of(node);
    int at = find_input(inputs, node->inputs[0], &window);
    if (at < 0) {
        const int width =
            model->shapes[node->inputs[0]].channels * window.kernel_h * window.kernel_w;
        at = (int)inputs->count++;
        inputs->inputs[at] = (det_layer_input){.input = node->inputs[0],
                                               .window = window,
                                               .random = det_random_create(1, (uint64_t)at)};
        const det_status status = det_moments_create(width, &inputs->inputs[at].moments, error);
        if (status < 0) return status;
    }
    inputs->of_layer[layer] = at;
    return DET_OK;
}

det_status det_layer_inputs_create(const det_model *model, size_t crops, det_layer_inputs *inputs,
                                   det_error *error)
{
    const size_t layers = (size_t)model->graph.count;
    *inputs = (det_layer_inputs){.patches = (wanted_patches + crops - 1) / crops};
    inputs->inputs = det_alloc_zeroed(layers, sizeof *inputs->inputs);
    inputs->of_layer = det_alloc_array(layers, sizeof *inputs->of_layer);
    if (!inputs->inputs || !inputs->of_layer) return det_fail_memory(error, "the patches");
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < layers; i++) {
        inputs->of_layer[i] = -1;
        if (det_node_can_be_integer(&model->graph, model->shapes, (int)i))
            status = add_input(inputs, model, (int)i, error);
    }
    return status;
}

void det_layer_inputs_free(det_layer_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) det_moments_free(&inputs->inputs[i].moments);
    det_free(inputs->inputs);
    det_free(inputs->of_layer);
    *inputs = (det_layer_inputs){0};
}

/* ---- Patches -------------------------------------------------------------------------------- */

/* What the window sees at the output's place (y, x); zeros beyond the map. */
static float *write_patch(const det_window *w, const float *map, det_shape s, int y, int x,
                          float *out)
{
    for (int c = 0; c < s.channels; c++)
        for (int i = 0; i < w->kernel_h; i++)
            for (int j = 0; j < w->kernel_w; j++) {
                const int row = y * w->stride_h - w->pad_h + i * w->dilation_h;
                const int column = x * w->stride_w - w->pad_w + j * w->dilation_w;
                const bool inside = row >= 0 && row < s.height && column >= 0 && column < s.width;
                *out++ = inside
                             ? map[((size_t)c * (size_t)s.height + (size_t)row) * (size_t)s.width +
                                   (size_t)column]
                             : 0;
            }
    return out;
}

/* Places of the output along a side. */
static uint32_t places(int size, int pad, int kernel, int dilation, int stride)
{
    return (uint32_t)((size + 2 * pad - (dilation * (kernel - 1) + 1)) / stride + 1);
}

det_status det_layer_inputs_add(det_layer_inputs *inputs, size_t index, const float *maps,
                                det_shape shape, size_t count, det_error *error)
{
    det_layer_input *input = &inputs->inputs[index];
    const det_window *w = &input->window;
    const uint32_t rows = places(shape.height, w->pad_h, w->kernel_h, w->dilation_h, w->stride_h);
    const uint32_t columns = places(shape.width, w->pad_w, w->kernel_w, w->dilation_w, w->stride_w);
    const size_t all = (size_t)rows * columns;
    const size_t each = all < inputs->patches ? all : inputs->patches;
    float *patches = det_alloc_array(count * each, (size_t)input->moments.width * sizeof *patches);
    if (!patches) return det_fail_memory(error, "the patches");
    float *next = patches;
    for (size_t i = 0; i < count; i++, maps += det_shape_values(shape))
        for (size_t p = 0; p < each; p++) {
            const uint32_t place = det_random_below(&input->random, (uint32_t)all);
            next =
                write_patch(w, maps, shape, (int)(place / columns), (int)(place % columns), next);
        }
    const det_status status = det_moments_add(&input->moments, patches, count * each, error);
    det_free(patches);
    return status;
}

/* ---- Rounding ------------------------------------------------------------------------------- */

/* One index an input: the layers that look at it so. */
typedef struct {
    const det_layer_inputs *inputs;
    const det_model *model;
    float *const *scales;
    int8_t **rounded;
    atomic_bool failed; /* memory was short */
} round_job;

static void round_rows(const det_rounding *rounding, const det_integer_layer *layer, float *values,
                       int8_t *rounded)
{
    const size_t width = (size_t)rounding->width;
    for (int o = 0; o < layer->node->channels; o++) {
        det_weights_in_steps(layer, o, values);
        det_round_weights(rounding, values, layer->limit, values + width,
                          rounded + (size_t)o * width);
    }
}

/* @param values room for two patches. */
static bool round_layer(const round_job *job, const det_rounding *rounding, int index,
                        float *values)
{
    const det_node *node = &job->model->graph.nodes[index];
    for (int w = 0; w < DET_WEIGHT_WIDTHS; w++) {
        int8_t **const rounded = &job->rounded[index * DET_WEIGHT_WIDTHS + w];
        if (!*rounded) *rounded = det_alloc_array(node->weights.count, sizeof **rounded);
        if (!*rounded) return false;
        const det_integer_layer layer = {.node = node,
                                         .input_channels =
                                             job->model->shapes[node->inputs[0]].channels,
                                         .input = job->scales[node->inputs[0]],
                                         .weights = job->model->quantization.layers[index].weights,
                                         .limit = det_weight_limit((det_weight_width)w)};
        round_rows(rounding, &layer, values, *rounded);
    }
    return true;
}

static void fill_steps(const det_layer_input *input, const float *scales, float *steps)
{
    const int area = input->window.kernel_h * input->window.kernel_w;
    for (int i = 0; i < input->moments.width; i++) steps[i] = scales[i / area];
}

static void round_input(void *context, size_t index, int worker)
{
    (void)worker;
    round_job *job = context;
    const det_layer_input *input = &job->inputs->inputs[index];
    const float *scales = job->scales[input->input];
    if (!scales || input->moments.count == 0) return;
    det_rounding rounding = {0};
    float *values = det_alloc_array(2 * (size_t)input->moments.width, sizeof *values);
    bool done = values;
    if (done) {
        fill_steps(input, scales, values);
        done = det_rounding_create(&input->moments, values, &rounding, NULL) == DET_OK;
    }
    for (int i = 0; done && i < job->model->graph.count; i++)
        if (job->inputs->of_layer[i] == (int)index && job->model->quantization.layers[i].weights)
            done = round_layer(job, &rounding, i, values);
    if (!done) atomic_store(&job->failed, true);
    det_rounding_free(&rounding);
    det_free(values);
}

det_status det_layer_inputs_round(const det_layer_inputs *inputs, const det_model *model,
                                  float *const *scales, int threads, int8_t **rounded,
                                  det_error *error)
{
    round_job job = {.inputs = inputs, .model = model, .scales = scales, .rounded = rounded};
    atomic_init(&job.failed, false);
    det_parallel_for(inputs->count, threads, round_input, &job);
    return atomic_load(&job.failed) ? det_fail_memory(error, "rounded weights") : DET_OK;
}
