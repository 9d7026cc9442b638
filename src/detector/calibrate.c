/* SPDX-License-Identifier: Apache-2.0 */
/* Calibration: the scales of a network in 8-bit integers from pictures, and how far precisions
 * agree with f32. See detect/calibrate.h for the way. */
#include "detect/calibrate.h"

#include "detect/detector.h"
#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/base/run.h"
#include "src/detector/activation_range.h"
#include "src/detector/ensemble.h"
#include "src/detector/layer_inputs.h"
#include "src/nn/model_file.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { default_regions = 3000, batch_size = 8, most_trial_crops = 128, least_trial_crops = 32 };

/* The parts of the crops: ranges come from one; another, which they do not know, chooses among
 * ways to make scales of them and layers to keep; the last measures the agreement. It has thrice as
 * many crops, because chance moves the share of a rare event the more the fewer they are. */
enum { FIT, CHOOSE, MEASURE, PARTS };
static const size_t shares[PARTS] = {1, 1, 3};
enum { all_shares = 5 };

/* Crops, and what f32 says of each. */
typedef struct {
    uint8_t *pixels; /* count crops */
    size_t count, capacity;
    int *classes; /* count: the most probable output */
    float *probabilities;
} crop_set;

typedef struct {
    det_model *model; /* ours alone: its quantization is filled while networks come and go */
    const det_run *run;
    int threads;
    uint64_t done, total; /* batches */
    det_crop_options crop;
    crop_set sets[PARTS];
    det_activation_range **ranges; /* of each layer's channels; NULL for layers not looked at */
    det_layer_inputs inputs;       /* of the first part */
    int8_t **rounded; /* layers x DET_WEIGHT_WIDTHS: the weights with the scales as they are */
    bool *kept;       /* one a layer: stays in higher precision */
} calibration;

static size_t crop_bytes(const calibration *c)
{
    return (size_t)c->crop.width * (size_t)c->crop.height * 3;
}

static size_t batches_of(size_t crops)
{
    return (crops + batch_size - 1) / batch_size;
}

static size_t class_outputs(const calibration *c)
{
    return (size_t)c->model->shapes[c->model->probabilities].channels;
}

/* ---- Crops ---------------------------------------------------------------------------------- */

static det_status add_crop(calibration *c, crop_set *set, const det_image *image, det_box box,
                           det_error *error)
{
    const size_t bytes = crop_bytes(c);
    if (!det_grow_array(&set->pixels, &set->capacity, (set->count + 1) * bytes, 1))
        return det_fail_memory(error, "the crops");
    const det_status status = det_crop(image, box, &c->crop, set->pixels + set->count * bytes);
    if (status < 0) return det_fail(error, status, "a region cannot be cropped");
    set->count++;
    return DET_OK;
}

/* The part of the region `index` of a picture whose regions go to all parts. */
static int part_of(size_t index)
{
    const size_t turn = index % all_shares;
    return turn < MEASURE ? (int)turn : MEASURE;
}

/* `wanted` regions of a picture, evenly from the best to the worst. */
static det_status add_regions(calibration *c, const det_result *found, const det_image *image,
                              size_t wanted, int part, det_error *error)
{
    const size_t count = found->region_count < wanted ? found->region_count : wanted;
    for (size_t i = 0; i < count; i++) {
        const size_t at = i * found->region_count / count;
        const int to = part < PARTS ? part : part_of(i);
        const det_status status = add_crop(c, &c->sets[to], image, found->regions[at].box, error);
        if (status < 0) return status;
    }
    return DET_OK;
}

/* @param part where the picture's regions go; PARTS: to all by turns. */
static det_status add_picture(calibration *c, const det_proposer *proposer, const char *path,
                              size_t wanted, int part, det_error *error)
{
    det_image image = {0};
    det_result found = {.file = path};
    const det_run search = {.threads = c->threads};
    det_status status = det_image_read(path, NULL, &image, error);
    if (status == DET_OK)
        status = det_proposer_propose(proposer, &image, 0, &search, &found, error);
    if (status == DET_OK) status = add_regions(c, &found, &image, wanted, part, error);
    det_result_free(&found);
    det_image_free(&image);
    return det_error_file(error, path, status);
}

static det_status add_pictures(calibration *c, const char *const *pictures, size_t count,
                               size_t regions, det_error *error)
{
    det_config *config = NULL;
    det_proposer *proposer = NULL;
    const bool shared = count < PARTS;
    const size_t share = (PARTS * regions + all_shares * count - 1) / (all_shares * count);
    det_status status = det_config_create(&config, error);
    if (status == DET_OK) status = det_proposer_create(config, &proposer, error);
    for (size_t i = 0; status == DET_OK && i < count; i++) {
        status = det_run_check(c->run, i, count + c->total, error);
        const int part = shared ? PARTS : (int)(i % PARTS);
        const size_t wanted = shared ? (regions + count - 1) / count : share * shares[part];
        if (status == DET_OK) status = add_picture(c, proposer, pictures[i], wanted, part, error);
        c->done = i + 1;
    }
    det_proposer_free(proposer);
    det_config_free(config);
    if (status < 0) return status;
    size_t total = 0;
    bool all = true;
    for (int i = 0; i < PARTS; i++) {
        total += c->sets[i].count;
        all = all && c->sets[i].count > 0;
    }
    if (all) return DET_OK;
    return det_fail(error, DET_ARGUMENT,
                    "%zu regions are too few: some are needed to find ranges, some to choose, and "
                    "some to measure",
                    total);
}

/* ---- Running -------------------------------------------------------------------------------- */

/* A network with a batch's outputs. {0} is empty. */
typedef struct {
    det_network *network;
    det_worker *worker;
    float **outputs; /* output_count */
    size_t output_count;
} runner;

static void free_runner(runner *r)
{
    for (size_t i = 0; r->outputs && i < r->output_count; i++) det_free(r->outputs[i]);
    det_free(r->outputs);
    det_worker_free(r->worker);
    det_network_free(r->network);
    *r = (runner){0};
}

static det_status create_runner(const calibration *c, det_network_options options, runner *r,
                                det_error *error)
{
    options.batch = batch_size;
    options.threads = c->threads;
    det_status status = det_network_compile(c->model, &options, &r->network, error);
    if (status < 0) return status;
    const det_network *const network = r->network;
    status = det_worker_create(&network, 1, &r->worker, error);
    if (status < 0) return status;
    r->output_count = det_network_output_count(network);
    r->outputs = det_alloc_zeroed(r->output_count, sizeof *r->outputs);
    if (!r->outputs) return det_fail_memory(error, "the outputs of a network");
    for (size_t i = 0; i < r->output_count; i++) {
        r->outputs[i] = det_alloc_array(det_shape_values(det_network_output_shape(network, i)),
                                        batch_size * sizeof(float));
        if (!r->outputs[i]) return det_fail_memory(error, "the outputs of a network");
    }
    return DET_OK;
}

/* Crops [first, first + *count) of a set, a batch at most. */
static det_status run_batch(calibration *c, const runner *r, const crop_set *set, size_t first,
                            size_t end, size_t *count, det_error *error)
{
    const det_status status = det_run_check(c->run, c->done, c->total, error);
    if (status < 0) return status;
    c->done++;
    *count = end - first < batch_size ? end - first : batch_size;
    return det_network_run_pictures(r->network, r->worker, set->pixels + first * crop_bytes(c),
                                    *count, r->outputs, error);
}

/* ---- f32 ------------------------------------------------------------------------------------ */

static int most_probable(const float *row, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (row[i] > row[best]) best = i;
    return (int)best;
}

/* Whether what `row` says of crop `index` of a set names the same class as f32 did: the most
 * probable output. Of probabilities that are independent of each other none is named where none
 * reaches a half. */
static bool names_same_class(const calibration *c, const crop_set *set, size_t index,
                             const float *row)
{
    const float half = .5F;
    const int winner = most_probable(row, class_outputs(c));
    if (c->model->graph.nodes[c->model->probabilities].op == DET_OP_SIGMOID) {
        const bool named = set->probabilities[index] >= half;
        if (!named || row[winner] < half) return named == (row[winner] >= half);
    }
    return winner == set->classes[index];
}

static bool note_classes(crop_set *set)
{
    set->classes = det_alloc_array(set->count, sizeof *set->classes);
    set->probabilities = det_alloc_array(set->count, sizeof *set->probabilities);
    return set->classes && set->probabilities;
}

/* One index a layer that is watched. */
typedef struct {
    calibration *calibration;
    const runner *runner;
    const int *layers; /* of output i + 1 */
    size_t count;      /* pictures in the batch */
    atomic_int status; /* det_status of the last that failed */
} watch_job;

static void add_to_range(det_activation_range *ranges, const float *plane, det_shape shape,
                         size_t count)
{
    const size_t area = (size_t)shape.height * (size_t)shape.width;
    for (size_t i = 0; i < count; i++)
        for (int c = 0; c < shape.channels; c++, plane += area)
            det_range_add(&ranges[c], plane, area);
}

static void watch_layer(void *context, size_t index, int worker)
{
    (void)worker;
    watch_job *job = context;
    calibration *c = job->calibration;
    const int layer = job->layers[index];
    const det_shape shape = det_network_output_shape(job->runner->network, index + 1);
    const float *values = job->runner->outputs[index + 1]; /* (count, channels, height, width) */
    if (c->ranges[layer]) add_to_range(c->ranges[layer], values, shape, job->count);
    for (size_t i = 0; i < c->inputs.count; i++) {
        if (c->inputs.inputs[i].input != layer) continue;
        const det_status status =
            det_layer_inputs_add(&c->inputs, i, values, shape, job->count, NULL);
        if (status < 0) atomic_store(&job->status, (int)status);
    }
}

static det_status run_reference(calibration *c, const runner *r, crop_set *set, const int *layers,
                                det_error *error)
{
    const size_t row = class_outputs(c);
    if (!note_classes(set)) return det_fail_memory(error, "the classes of the crops");
    for (size_t first = 0, count = 0; first < set->count; first += count) {
        const det_status status = run_batch(c, r, set, first, set->count, &count, error);
        if (status < 0) return status;
        for (size_t i = 0; i < count; i++) {
            const float *probabilities = r->outputs[0] + i * row;
            const int best = most_probable(probabilities, row);
            set->classes[first + i] = best;
            set->probabilities[first + i] = probabilities[best];
        }
        watch_job job = {c, r, layers, count, DET_OK};
        det_parallel_for(r->output_count - 1, c->threads, watch_layer, &job);
        const det_status watched = (det_status)atomic_load(&job.status);
        if (watched < 0) return det_fail(error, watched, "the values of layers cannot be kept");
    }
    return DET_OK;
}

static bool is_input(const calibration *c, int layer)
{
    for (size_t i = 0; i < c->inputs.count; i++)
        if (c->inputs.inputs[i].input == layer) return true;
    return false;
}

static det_status watch(calibration *c, const char **names, int *layers, det_error *error)
{
    const det_graph *graph = &c->model->graph;
    size_t count = 0;
    names[0] = graph->nodes[c->model->probabilities].name;
    for (int i = 0; i < graph->count; i++) {
        const bool ranged = det_node_has_mean(&graph->nodes[i]);
        if (!ranged && !is_input(c, i)) continue;
        layers[count++] = i;
        names[count] = graph->nodes[i].name;
        if (!ranged) continue;
        c->ranges[i] = det_alloc_zeroed((size_t)c->model->shapes[i].channels, sizeof **c->ranges);
        if (!c->ranges[i]) return det_fail_memory(error, "the ranges of a layer");
    }
    det_status status = DET_OK;
    for (int part = 0; status == DET_OK && part < PARTS; part++) {
        runner r = {0};
        const size_t outputs = part == FIT ? count + 1 : 1;
        status =
            create_runner(c, (det_network_options){.to = names, .to_count = outputs}, &r, error);
        if (status == DET_OK) status = run_reference(c, &r, &c->sets[part], layers, error);
        free_runner(&r);
    }
    return status;
}

/* Classes of all crops in f32; the ranges of the activations and the inputs of layers with weights
 * in the first part. */
static det_status observe(calibration *c, det_error *error)
{
    const size_t count = (size_t)c->model->graph.count;
    const char **names = det_alloc_array(count + 1, sizeof *names);
    int *layers = det_alloc_array(count, sizeof *layers);
    det_status status = det_layer_inputs_create(c->model, c->sets[FIT].count, &c->inputs, error);
    if (status == DET_OK)
        status =
            names && layers ? watch(c, names, layers, error) : det_fail_memory(error, "the layers");
    det_free(layers);
    det_free(names);
    return status;
}

/* ---- Scales --------------------------------------------------------------------------------- */

static det_status set_weight_scales(calibration *c, float *const *scales, det_error *error)
{
    const det_graph *graph = &c->model->graph;
    for (int i = 0; i < graph->count; i++) {
        const det_node *node = &graph->nodes[i];
        det_layer_scales *layer = &c->model->quantization.layers[i];
        det_free(layer->weights);
        *layer = (det_layer_scales){.activation = layer->activation, .mean = layer->mean};
        if (c->kept[i] || !det_node_can_be_integer(graph, c->model->shapes, i) ||
            !scales[node->inputs[0]])
            continue;
        layer->weights = det_alloc_array((size_t)node->channels, sizeof *layer->weights);
        if (!layer->weights) return det_fail_memory(error, "the scales of a layer");
        det_weight_scales(node, c->model->shapes[node->inputs[0]].channels, scales[node->inputs[0]],
                          layer->weights);
        for (int w = 0; w < DET_WEIGHT_WIDTHS; w++)
            layer->rounded[w] = c->rounded[i * DET_WEIGHT_WIDTHS + w];
    }
    return DET_OK;
}

/* How ranges become scales. One range for all channels of a layer leaves most of them steps that
 * are coarser than they need; but what a channel showed here is no bound of what it can show, and
 * what is clipped is lost. So a channel gets twice its own range, at least `floor` and at most all
 * of the layer's. */
typedef struct {
    det_range_rule rule;
    float floor;
} scheme;

static const scheme schemes[] = {
    {DET_RANGE_LARGEST, 1},
    {DET_RANGE_LARGEST, .25f},
    {DET_RANGE_PERCENTILE, .25f},
    {DET_RANGE_ERROR, .25f},
};

enum { scheme_count = sizeof schemes / sizeof *schemes };

static bool has_negative(const det_activation_range *ranges, int channels)
{
    for (int c = 0; c < channels; c++)
        if (ranges[c].negative) return true;
    return false;
}

static void fill_activation(const det_activation_range *ranges, int channels, const scheme *how,
                            float *scales)
{
    float layer = 0;
    for (int c = 0; c < channels; c++) {
        scales[c] = det_range_limit(&ranges[c], how->rule);
        layer = fmaxf(layer, scales[c]);
    }
    if (!(layer > 0)) layer = 1;
    for (int c = 0; c < channels; c++)
        scales[c] = fminf(fmaxf(2 * scales[c], how->floor * layer), layer) / 255;
}

/* The scales of a layer's values, and their means. */
static det_status set_layer(calibration *c, int index, const scheme *how, det_error *error)
{
    const int channels = c->model->shapes[index].channels;
    const det_activation_range *ranges = c->ranges[index];
    det_layer_scales *layer = &c->model->quantization.layers[index];
    if (!ranges || has_negative(ranges, channels)) return DET_OK;
    if (!layer->mean) layer->mean = det_alloc_array((size_t)channels, sizeof *layer->mean);
    if (!layer->mean) return det_fail_memory(error, "the means of a layer");
    for (int i = 0; i < channels; i++)
        layer->mean[i] = ranges[i].total ? (float)(ranges[i].sum / (double)ranges[i].total) : 0;
    if (!det_node_has_activation(&c->model->graph.nodes[index])) return DET_OK;
    if (!layer->activation)
        layer->activation = det_alloc_array((size_t)channels, sizeof *layer->activation);
    if (!layer->activation) return det_fail_memory(error, "the scales of a layer");
    fill_activation(ranges, channels, how, layer->activation);
    return DET_OK;
}

/* The scales of all layers that are not kept; @param round whether to round their weights anew. */
static det_status set_scales(calibration *c, const scheme *how, bool round, det_error *error)
{
    const det_graph *graph = &c->model->graph;
    det_status status = DET_OK;
    for (int i = 0; status == DET_OK && i < graph->count; i++) status = set_layer(c, i, how, error);
    if (status < 0) return status;
    float **scales = det_alloc_zeroed((size_t)graph->count, sizeof *scales);
    if (!scales) return det_fail_memory(error, "the scales of a network");
    status = det_channel_values(graph, c->model->shapes, &c->model->quantization,
                                DET_CHANNEL_SCALES, scales, error);
    if (status == DET_OK) status = set_weight_scales(c, scales, error);
    if (status == DET_OK && round) {
        status =
            det_layer_inputs_round(&c->inputs, c->model, scales, c->threads, c->rounded, error);
        if (status == DET_OK) status = set_weight_scales(c, scales, error);
    }
    det_channel_values_free(graph, DET_CHANNEL_SCALES, scales);
    det_free(scales);
    return status;
}

/* ---- Agreement ------------------------------------------------------------------------------ */

/* Runs the model as it is now on the first `count` crops of a set. */
static det_status measure(calibration *c, int part, size_t count, det_agreement *agreement,
                          det_error *error)
{
    const crop_set *set = &c->sets[part];
    const size_t row = class_outputs(c);
    size_t same = 0;
    double change = 0;
    runner r = {0};
    det_status status = create_runner(c,
                                      (det_network_options){.precision = agreement->precision,
                                                            .weight_bits = agreement->weight_bits},
                                      &r, error);
    for (size_t first = 0, some = 0; status == DET_OK && first < count; first += some) {
        status = run_batch(c, &r, set, first, count, &some, error);
        for (size_t i = 0; status == DET_OK && i < some; i++) {
            const float *probabilities = r.outputs[0] + i * row;
            const float before = set->probabilities[first + i];
            same += names_same_class(c, set, first + i, probabilities);
            change += fabs((double)(probabilities[set->classes[first + i]] - before));
        }
    }
    free_runner(&r);
    agreement->regions = count;
    agreement->same_class = (double)same / (double)count;
    agreement->change = change / (double)count;
    return status;
}

static bool is_good(const det_agreement *a)
{
    const bool bf16 = a->precision == DET_BF16;
    return a->same_class >= (bf16 ? DET_BF16_SAME_CLASS : DET_INT8_SAME_CLASS) &&
           a->change <= (bf16 ? DET_BF16_CHANGE : DET_INT8_CHANGE);
}

/* What is chosen on some regions does worse on others: a fifth fewer may change their class. */
static bool is_good_with_margin(const det_agreement *a)
{
    return 1 - a->same_class <= .8 * (1 - DET_INT8_SAME_CLASS) && a->change <= .8 * DET_INT8_CHANGE;
}

/* The scheme whose network in int8 changes the probabilities least. */
static det_status choose_scheme(calibration *c, const scheme **best, det_error *error)
{
    double least = INFINITY;
    for (int i = 0; i < scheme_count; i++) {
        det_agreement tried = {.precision = DET_INT8};
        det_status status = set_scales(c, &schemes[i], true, error);
        if (status == DET_OK) status = measure(c, CHOOSE, c->sets[CHOOSE].count, &tried, error);
        if (status < 0) return status;
        if (tried.change < least) {
            least = tried.change;
            *best = &schemes[i];
        }
    }
    return set_scales(c, *best, true, error);
}

/* Layers in the order in which they leave int8, and how many do with weights of each width. Layers
 * that leave with weights of 8 bits leave with those of 7 as well. */
typedef struct {
    calibration *calibration;
    const scheme *how;
    int *order;
    double *costs; /* one a layer */
    size_t count;
    size_t kept[DET_WEIGHT_WIDTHS];
} selection;

static det_status apply_kept(const selection *s, det_error *error)
{
    calibration *c = s->calibration;
    for (size_t i = 0; i < s->count; i++) c->kept[s->order[i]] = i < s->kept[DET_WEIGHTS_8];
    const det_status status = set_scales(c, s->how, false, error);
    for (size_t i = s->kept[DET_WEIGHTS_8]; i < s->kept[DET_WEIGHTS_7]; i++)
        c->model->quantization.layers[s->order[i]].only_in_8_bits = true;
    return status;
}

/* The change on some crops with just one layer in integers, with weights of 7 bits, whose effect is
 * the clearest; -1: with none. */
static det_status measure_alone(const selection *s, int layer, double *change, det_error *error)
{
    calibration *c = s->calibration;
    const size_t all = c->sets[CHOOSE].count;
    det_agreement alone = {.precision = DET_INT8, .weight_bits = 7};
    for (int i = 0; i < c->model->graph.count; i++) c->kept[i] = i != layer;
    det_status status = set_scales(c, s->how, false, error);
    if (status == DET_OK)
        status = measure(c, CHOOSE, all < most_trial_crops ? all : most_trial_crops, &alone, error);
    *change = alone.change;
    return status;
}

/* What a layer does to the result for the work that it saves: the squared change that it adds where
 * it alone is computed in integers, by multiplication. */
static det_status measure_layers(const selection *s, det_error *error)
{
    calibration *c = s->calibration;
    double none = 0;
    c->total += (s->count + 1) * batches_of(most_trial_crops);
    det_status status = measure_alone(s, -1, &none, error);
    for (size_t i = 0; status == DET_OK && i < s->count; i++) {
        det_layer_info info;
        double alone = 0;
        det_model_layer(c->model, (size_t)s->order[i], &info);
        status = measure_alone(s, s->order[i], &alone, error);
        s->costs[s->order[i]] = fmax(0, alone * alone - none * none) / (double)info.macs;
    }
    return status;
}

/* The dearest first; equal ones by position. */
static int compare_costs(const void *a, const void *b, void *context)
{
    const double *costs = context;
    const int i = *(const int *)a, j = *(const int *)b;
    if (costs[i] != costs[j]) return costs[i] < costs[j] ? 1 : -1;
    return (i > j) - (i < j);
}

static det_status order_layers(selection *s, det_error *error)
{
    const calibration *c = s->calibration;
    for (int i = 0; i < c->model->graph.count; i++)
        if (c->model->quantization.layers[i].weights) s->order[s->count++] = i;
    const det_status status = measure_layers(s, error);
    if (status == DET_OK) qsort_r(s->order, s->count, sizeof *s->order, compare_costs, s->costs);
    return status;
}

static det_status try_kept(selection *s, det_weight_width width, size_t kept, bool *good,
                           det_error *error)
{
    calibration *c = s->calibration;
    det_agreement agreement = {.precision = DET_INT8,
                               .weight_bits = width == DET_WEIGHTS_8 ? 8 : 7};
    s->kept[width] = kept;
    c->total += batches_of(c->sets[CHOOSE].count);
    det_status status = apply_kept(s, error);
    if (status == DET_OK) status = measure(c, CHOOSE, c->sets[CHOOSE].count, &agreement, error);
    *good = status == DET_OK && is_good_with_margin(&agreement);
    return status;
}

/* Takes as few layers out of int8, the dearest first, as make the rest good enough to stay so on
 * other regions: the number is found by halving. */
static det_status keep_layers(selection *s, det_weight_width width, det_error *error)
{
    size_t few = s->kept[DET_WEIGHTS_8], enough = s->count;
    bool good = false;
    det_status status = try_kept(s, width, few, &good, error);
    /* Chance would decide with fewer crops. */
    if (status < 0 || good || s->calibration->sets[CHOOSE].count < least_trial_crops) return status;
    if (s->count == 0) {
        status = order_layers(s, error);
        enough = s->count;
    }
    while (status == DET_OK && enough - few > 1) {
        const size_t middle = few + (enough - few) / 2;
        status = try_kept(s, width, middle, &good, error);
        if (good)
            enough = middle;
        else
            few = middle;
    }
    s->kept[width] = enough;
    return status;
}

/* Weights of 8 bits only where this processor can run them. */
static det_status choose_layers(calibration *c, det_error *error)
{
    const size_t count = (size_t)c->model->graph.count;
    selection s = {.calibration = c,
                   .order = det_alloc_array(count, sizeof *s.order),
                   .costs = det_alloc_zeroed(count, sizeof *s.costs)};
    det_status status = s.order && s.costs ? choose_scheme(c, &s.how, error)
                                           : det_fail_memory(error, "the costs of layers");
    if (status == DET_OK && det_integer_weight_bits() == 8)
        status = keep_layers(&s, DET_WEIGHTS_8, error);
    if (status == DET_OK) status = keep_layers(&s, DET_WEIGHTS_7, error);
    if (status == DET_OK) status = apply_kept(&s, error);
    det_free(s.costs);
    det_free(s.order);
    return status;
}

/* What this processor can run. @return how many. */
static size_t list_precisions(det_agreement list[3])
{
    size_t count = 0;
    if (det_precision_check(DET_BF16, NULL) == DET_OK)
        list[count++] = (det_agreement){.precision = DET_BF16};
    if (det_integer_weight_bits() == 8)
        list[count++] = (det_agreement){.precision = DET_INT8, .weight_bits = 8};
    list[count++] = (det_agreement){.precision = DET_INT8, .weight_bits = 7};
    return count;
}

static det_status measure_precisions(calibration *c, det_error *error)
{
    det_quantization *q = &c->model->quantization;
    q->agreements = det_alloc_array(3, sizeof *q->agreements);
    if (!q->agreements) return det_fail_memory(error, "the agreement of precisions");
    const size_t count = list_precisions(q->agreements);
    for (size_t i = 0; i < count; i++) {
        const det_status status =
            measure(c, MEASURE, c->sets[MEASURE].count, &q->agreements[i], error);
        if (status < 0) return status;
        q->agreements[i].verified = is_good(&q->agreements[i]);
        q->agreement_count = i + 1;
    }
    return DET_OK;
}

/* ---- All of it ------------------------------------------------------------------------------ */

static det_status prepare(calibration *c, const char *path, det_error *error)
{
    det_status status = det_model_open(path, &c->model, error);
    if (status < 0) return status;
    const size_t count = (size_t)c->model->graph.count;
    if (c->model->probabilities < 0)
        return det_fail_at(error, DET_ARGUMENT, path, NULL, "the model has no probabilities");
    c->crop = det_input_crop_options(&c->model->input, -1);
    det_quantization_free(&c->model->quantization);
    c->model->quantization.layers = det_alloc_zeroed(count, sizeof(det_layer_scales));
    c->model->quantization.layer_count = (int)count;
    c->ranges = det_alloc_zeroed(count, sizeof *c->ranges);
    c->rounded = det_alloc_zeroed(count * DET_WEIGHT_WIDTHS, sizeof *c->rounded);
    c->kept = det_alloc_zeroed(count, sizeof *c->kept);
    if (c->model->quantization.layers && c->ranges && c->rounded && c->kept) return DET_OK;
    return det_fail_memory(error, "a calibration");
}

static void free_calibration(calibration *c)
{
    for (int i = 0; i < PARTS; i++) {
        det_free(c->sets[i].pixels);
        det_free(c->sets[i].classes);
        det_free(c->sets[i].probabilities);
    }
    for (int i = 0; c->ranges && i < c->model->graph.count; i++) det_free(c->ranges[i]);
    for (int i = 0; c->rounded && i < c->model->graph.count * DET_WEIGHT_WIDTHS; i++)
        det_free(c->rounded[i]);
    det_layer_inputs_free(&c->inputs);
    det_free(c->ranges);
    det_free(c->rounded);
    det_free(c->kept);
    det_model_free(c->model);
}

static det_status calibrate(calibration *c, const char *const *pictures, size_t count,
                            size_t regions, det_error *error)
{
    det_agreement list[3];
    c->total = 5 * batches_of(regions); /* about; known once the regions are */
    det_status status = add_pictures(c, pictures, count, regions, error);
    if (status < 0) return status;
    c->total = count + batches_of(c->sets[FIT].count) +
               batches_of(c->sets[CHOOSE].count) * (1 + scheme_count + 2) +
               batches_of(c->sets[MEASURE].count) * (1 + list_precisions(list));
    status = observe(c, error);
    if (status == DET_OK) status = choose_layers(c, error);
    return status == DET_OK ? measure_precisions(c, error) : status;
}

det_status det_model_calibrate(const char *model_path, const char *const *pictures,
                               size_t picture_count, const det_calibration_options *options,
                               const char *out_path, const det_run *run, det_error *error)
{
    if (picture_count == 0) return det_fail(error, DET_ARGUMENT, "no picture to calibrate with");
    const size_t regions = options && options->regions > 0 ? options->regions : default_regions;
    calibration c = {.run = run, .threads = det_resolve_threads(run ? run->threads : 0)};
    det_status status = prepare(&c, model_path, error);
    if (status == DET_OK) status = calibrate(&c, pictures, picture_count, regions, error);
    if (status == DET_OK) status = det_run_check(run, c.done, c.total, error);
    if (status == DET_OK) status = det_model_write(c.model, out_path, error);
    free_calibration(&c);
    return status;
}
