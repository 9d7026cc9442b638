/* SPDX-License-Identifier: Apache-2.0 */
/* GoogLeNet, layer by layer (Szegedy et al. 2015, table 1 and section 5). The graph is put together
 * first, with the sizes of all weights; then one block of memory is filled with them, which becomes
 * the file of the model. */
#include "src/nn/googlenet.h"

#include "detect/json.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/text.h"

#include <math.h>
#include <string.h>

/* Channels are counted in blocks of so many. */
enum { block = 16, most_side = 4096, most_outputs = 65536 };

static const float epsilon = 1e-3f; /* of the batch norms, as in torchvision's GoogLeNet */
static const double auxiliary_dropout = .7;

typedef struct {
    const det_googlenet_options *options;
    det_model *model;
    det_error *error;
    det_status status; /* of the first layer that failed: none is added behind it */
} builder;

/* ---- Layers --------------------------------------------------------------------------------- */

static int scaled(const builder *b, int channels)
{
    const int blocks = (int)lround(channels * b->options->width / block);
    return block * (blocks > 1 ? blocks : 1);
}

static det_window square(int kernel, int stride, int pad)
{
    return (det_window){kernel, kernel, stride, stride, pad, pad, 1, 1};
}

static det_shape shape_of(const builder *b, int node)
{
    const det_model *model = b->model;
    if (node == DET_PICTURE) return (det_shape){3, model->input.height, model->input.width};
    return model->shapes[node];
}

/* A tensor of so many values; they come when all are known. */
static bool announce(det_weights *weights, const char *layer, const char *suffix, size_t count)
{
    weights->count = count;
    weights->tensor = det_text_join(layer, suffix);
    return weights->tensor;
}

static bool announce_all(const builder *b, det_node *node)
{
    const det_shape in = shape_of(b, node->inputs[0]);
    const size_t channels = (size_t)node->channels;
    const size_t window = (size_t)node->window.kernel_h * (size_t)node->window.kernel_w;
    switch (node->op) {
    case DET_OP_CONVOLUTION:
        return announce(&node->weights, node->name, ".weight",
                        channels * (size_t)in.channels * window);
    case DET_OP_INNER_PRODUCT:
        return announce(&node->weights, node->name, ".weight", channels * det_shape_values(in)) &&
               announce(&node->bias, node->name, ".bias", channels);
    case DET_OP_BATCH_NORM:
        return announce(&node->weights, node->name, ".scale", (size_t)in.channels) &&
               announce(&node->bias, node->name, ".shift", (size_t)in.channels) &&
               announce(&node->mean, node->name, ".mean", (size_t)in.channels) &&
               announce(&node->variance, node->name, ".variance", (size_t)in.channels);
    default:
        return true;
    }
}

static det_status append(builder *b, const char *prefix, const char *name, const det_node *given,
                         const int *inputs)
{
    det_graph *graph = &b->model->graph;
    const size_t count = (size_t)graph->count + 1;
    det_node *nodes = det_realloc_array(graph->nodes, count, sizeof *nodes);
    if (nodes) graph->nodes = nodes;
    det_shape *shapes = det_realloc_array(b->model->shapes, count, sizeof *shapes);
    if (shapes) b->model->shapes = shapes;
    if (!nodes || !shapes) return det_fail_memory(b->error, "the layers of a network");

    det_node *node = &nodes[graph->count++];
    *node = *given;
    node->name = det_text_join(prefix, name);
    node->inputs = det_alloc_array((size_t)node->input_count, sizeof *inputs);
    if (!node->name || !node->inputs) return det_fail_memory(b->error, "the layers of a network");
    memcpy(node->inputs, inputs, (size_t)node->input_count * sizeof *inputs);
    if (!announce_all(b, node)) return det_fail_memory(b->error, "the layers of a network");
    return det_graph_infer(graph, DET_PICTURE, shape_of(b, DET_PICTURE), b->model->shapes,
                           b->error);
}

/* Adds layer "PREFIXname". @return its index; any where something failed. */
static int add(builder *b, const char *prefix, const char *name, det_node node, const int *inputs)
{
    if (node.input_count == 0) node.input_count = 1;
    node.groups = 1;
    if (b->status == DET_OK) b->status = append(b, prefix, name, &node, inputs);
    return b->status == DET_OK ? b->model->graph.count - 1 : 0;
}

/* A convolution "PREFIXpart" of the paper's channels, its batch norm and its ReLU. */
static int add_convolution(builder *b, const char *prefix, const char *part, int channels,
                           det_window window, int input)
{
    char norm[32], relu[32];
    snprintf(norm, sizeof norm, "%s/bn", part);
    snprintf(relu, sizeof relu, "relu_%s", part);
    const det_node convolution = {
        .op = DET_OP_CONVOLUTION, .channels = scaled(b, channels), .window = window};
    int at = add(b, prefix, part, convolution, &input);
    at = add(b, prefix, norm, (det_node){.op = DET_OP_BATCH_NORM, .epsilon = epsilon}, &at);
    return add(b, prefix, relu, (det_node){.op = DET_OP_RELU}, &at);
}

static int add_pool(builder *b, const char *name, det_op op, det_window window, int input)
{
    return add(b, "", name, (det_node){.op = op, .window = window, .ceil_mode = true}, &input);
}

/* ---- Modules -------------------------------------------------------------------------------- */

/* Channels of the branches; reduce: of the 1x1 convolution before. */
typedef struct {
    const char *prefix;
    int ones, reduce_threes, threes, reduce_fives, fives, projection;
} inception;

static int add_inception(builder *b, const inception *m, int input)
{
    const det_window one = square(1, 1, 0);
    int ends[4];
    ends[0] = add_convolution(b, m->prefix, "1x1", m->ones, one, input);
    ends[1] = add_convolution(b, m->prefix, "3x3_reduce", m->reduce_threes, one, input);
    ends[1] = add_convolution(b, m->prefix, "3x3", m->threes, square(3, 1, 1), ends[1]);
    ends[2] = add_convolution(b, m->prefix, "5x5_reduce", m->reduce_fives, one, input);
    ends[2] = add_convolution(b, m->prefix, "5x5", m->fives, square(5, 1, 2), ends[2]);
    const det_node pool = {.op = DET_OP_MAX_POOL, .window = square(3, 1, 1), .ceil_mode = true};
    ends[3] = add(b, m->prefix, "pool", pool, &input);
    ends[3] = add_convolution(b, m->prefix, "pool_proj", m->projection, one, ends[3]);
    return add(b, m->prefix, "output", (det_node){.op = DET_OP_CONCAT, .input_count = 4}, ends);
}

static int add_product(builder *b, const char *prefix, const char *name, int outputs, int input)
{
    const det_node product = {.op = DET_OP_INNER_PRODUCT, .channels = outputs};
    return add(b, prefix, name, product, &input);
}

static int add_dropout(builder *b, const char *prefix, const char *name, double ratio, int input)
{
    if (ratio == 0) return input;
    const det_node dropout = {.op = DET_OP_DROPOUT, .ratio = (float)ratio};
    return add(b, prefix, name, dropout, &input);
}

static void add_auxiliary(builder *b, const char *prefix, int input)
{
    const det_node pool = {.op = DET_OP_AVERAGE_POOL, .window = square(5, 3, 0), .ceil_mode = true};
    int at = add(b, prefix, "ave_pool", pool, &input);
    at = add_convolution(b, prefix, "conv", 128, square(1, 1, 0), at);
    at = add_product(b, prefix, "fc", scaled(b, 1024), at);
    at = add(b, prefix, "relu_fc", (det_node){.op = DET_OP_RELU}, &at);
    at = add_dropout(b, prefix, "drop_fc", auxiliary_dropout, at);
    add_product(b, prefix, "classifier", b->options->outputs, at);
}

static int add_stem(builder *b)
{
    int at = add_convolution(b, "conv1/", "7x7_s2", 64, square(7, 2, 3), DET_PICTURE);
    at = add_pool(b, "pool1/3x3_s2", DET_OP_MAX_POOL, square(3, 2, 0), at);
    at = add_convolution(b, "conv2/", "3x3_reduce", 64, square(1, 1, 0), at);
    at = add_convolution(b, "conv2/", "3x3", 192, square(3, 1, 1), at);
    return add_pool(b, "pool2/3x3_s2", DET_OP_MAX_POOL, square(3, 2, 0), at);
}

static int add_modules(builder *b, int at)
{
    static const struct {
        inception module;
        const char *pool, *auxiliary; /* what follows it, or NULL */
    } modules[] = {
        {{"inception_3a/", 64, 96, 128, 16, 32, 32}, NULL, NULL},
        {{"inception_3b/", 128, 128, 192, 32, 96, 64}, "pool3/3x3_s2", NULL},
        {{"inception_4a/", 192, 96, 208, 16, 48, 64}, NULL, "loss1/"},
        {{"inception_4b/", 160, 112, 224, 24, 64, 64}, NULL, NULL},
        {{"inception_4c/", 128, 128, 256, 24, 64, 64}, NULL, NULL},
        {{"inception_4d/", 112, 144, 288, 32, 64, 64}, NULL, "loss2/"},
        {{"inception_4e/", 256, 160, 320, 32, 128, 128}, "pool4/3x3_s2", NULL},
        {{"inception_5a/", 256, 160, 320, 32, 128, 128}, NULL, NULL},
        {{"inception_5b/", 384, 192, 384, 48, 128, 128}, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        at = add_inception(b, &modules[i].module, at);
        if (modules[i].auxiliary && b->options->auxiliary)
            add_auxiliary(b, modules[i].auxiliary, at);
        if (modules[i].pool)
            at = add_pool(b, modules[i].pool, DET_OP_MAX_POOL, square(3, 2, 0), at);
    }
    return at;
}

static det_status build_graph(builder *b)
{
    const det_node whole = {.op = DET_OP_AVERAGE_POOL, .window = square(1, 1, 0), .global = true};
    int at = add_modules(b, add_stem(b));
    at = b->model->features = add(b, "", "pool5/7x7_s1", whole, &at);
    at = add_dropout(b, "", "pool5/drop_7x7_s1", b->options->dropout, at);
    at = add_product(b, "", "loss3/classifier", b->options->outputs, at);
    b->model->probabilities = add(b, "", "prob", (det_node){.op = DET_OP_SOFTMAX}, &at);
    return b->status;
}

/* ---- Weights -------------------------------------------------------------------------------- */

/* A stream for every name (FNV-1a), so that layers which come or go change no other. */
static det_random stream_of(uint64_t seed, const char *name)
{
    uint64_t hash = 0xCBF29CE484222325U;
    for (; *name; name++) hash = (hash ^ (uint8_t)*name) * 0x100000001B3U;
    return det_random_create(seed, hash);
}

/* Box and Muller 1958. */
static float normal(det_random *random, double deviation)
{
    const double radius = sqrt(-2 * log(1 - det_random_double(random)));
    return (float)(deviation * radius * cos(2 * acos(-1) * det_random_double(random)));
}

static bool feeds_relu(const det_graph *graph, int layer)
{
    for (int i = layer + 1; i < graph->count; i++)
        if (graph->nodes[i].op == DET_OP_RELU && graph->nodes[i].inputs[0] == layer) return true;
    return false;
}

static void fill(float *values, size_t count, float value)
{
    for (size_t i = 0; i < count; i++) values[i] = value;
}

/* Weights of `channels` rows. */
static void draw(const builder *b, int layer, float *values)
{
    const det_node *node = &b->model->graph.nodes[layer];
    const size_t count = node->weights.count;
    const double inputs = (double)count / node->channels, bound = sqrt(3 / inputs);
    const bool rectified = node->op == DET_OP_CONVOLUTION || feeds_relu(&b->model->graph, layer);
    det_random random = stream_of(b->options->seed, node->name);
    for (size_t i = 0; i < count; i++)
        values[i] = rectified ? normal(&random, sqrt(2 / inputs))
                              : (float)(bound * (2 * det_random_double(&random) - 1));
}

/* The next values of the block belong to a tensor. */
static float *place(det_weights *weights, float **next)
{
    float *values = *next;
    if (weights->count > 0) weights->values = values;
    *next += weights->count;
    return values;
}

static void fill_node(const builder *b, int layer, float **next)
{
    det_node *node = &b->model->graph.nodes[layer];
    float *weights = place(&node->weights, next);
    if (node->op == DET_OP_BATCH_NORM)
        fill(weights, node->weights.count, 1);
    else if (node->weights.count > 0)
        draw(b, layer, weights);
    fill(place(&node->bias, next), node->bias.count, 0);
    fill(place(&node->mean, next), node->mean.count, 0);
    fill(place(&node->variance, next), node->variance.count, 1);
}

static det_status fill_weights(builder *b)
{
    det_model *model = b->model;
    const det_graph *graph = &model->graph;
    size_t count = 0;
    for (int i = 0; i < graph->count; i++) {
        const det_node *node = &graph->nodes[i];
        count += node->weights.count + node->bias.count + node->mean.count + node->variance.count;
    }
    float *next = det_alloc_aligned(count * sizeof *next);
    if (!next) return det_fail_memory(b->error, "the weights of a network");
    model->file = (det_bytes){.data = (uint8_t *)next, .size = count * sizeof *next};
    for (int i = 0; i < graph->count; i++) fill_node(b, i, &next);
    const void *const bytes = model->file.data;
    if (det_digest(&bytes, &model->file.size, 1, model->digest)) return DET_OK;
    return det_fail_memory(b->error, "a digest");
}

/* ---- The model ------------------------------------------------------------------------------ */

static det_status check_options(const det_googlenet_options *o, det_error *error)
{
    if (o->side < 1 || o->side > most_side)
        return det_fail(error, DET_ARGUMENT, "an input of %d pixels a side; it must be 1 to %d",
                        o->side, most_side);
    if (!(o->width > 0 && o->width <= 4))
        return det_fail(error, DET_ARGUMENT,
                        "%g times the channels of GoogLeNet; it must be above 0 and at most 4",
                        o->width);
    if (o->outputs < 2 || o->outputs > most_outputs)
        return det_fail(error, DET_ARGUMENT, "%d outputs; there must be 2 to %d", o->outputs,
                        most_outputs);
    if (o->dropout >= 0 && o->dropout < 1) return DET_OK;
    return det_fail(error, DET_ARGUMENT, "dropout of %g; it must be 0 or above, and below 1",
                    o->dropout);
}

/* What the network was begun from, for the provenance of what becomes of it. */
static det_status describe(det_model *model, const det_googlenet_options *o, det_error *error)
{
    const char *text;
    det_json *json = det_json_create();
    if (!json) return det_fail_memory(error, "the provenance of a network");
    det_json_begin_object(json, NULL);
    det_json_string(json, "architecture", "GoogLeNet with batch norm");
    det_json_number(json, "width", o->width);
    det_json_number(json, "dropout", o->dropout);
    det_json_bool(json, "auxiliary", o->auxiliary);
    det_json_integer(json, "seed", (int64_t)o->seed);
    det_json_end(json);
    const det_status status = det_json_finish(json, &text, NULL, error);
    if (status == DET_OK) model->provenance = det_copy_string(text);
    det_json_free(json);
    if (status < 0 || model->provenance) return status;
    return det_fail_memory(error, "the provenance of a network");
}

/* ImageNet's colours in BGR: 255 times the means and deviations that torchvision gives. */
static void prepare(det_model *model, int side)
{
    atomic_init(&model->references, 1);
    model->input = (det_model_input){.width = side,
                                     .height = side,
                                     .channel_order = "BGR",
                                     .mean = {103.53f, 116.28f, 123.675f},
                                     .scale = {1 / 57.375f, 1 / 57.12f, 1 / 58.395f},
                                     .interpolation = "bilinear"};
    model->background_index = -1;
    model->probabilities = model->features = DET_NO_NODE;
    model->box_deltas = model->regions = model->multibox = DET_NO_NODE;
    model->path = det_copy_string("GoogLeNet");
    model->input_name = det_copy_string("data");
}

det_status det_googlenet_create(const det_googlenet_options *options, det_model **model,
                                det_error *error)
{
    *model = NULL;
    det_status status = check_options(options, error);
    if (status < 0) return status;
    det_model *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "a network");
    builder b = {.options = options, .model = made, .error = error};
    prepare(made, options->side);
    status = made->path && made->input_name ? build_graph(&b) : det_fail_memory(error, "a network");
    if (status == DET_OK) status = fill_weights(&b);
    if (status == DET_OK) status = describe(made, options, error);
    if (status < 0)
        det_model_free(made);
    else
        *model = made;
    return status;
}
