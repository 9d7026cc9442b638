/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each type of layer: Caffe's parameters become a node of the graph. Defaults and
 * precedence (kernel_h over kernel_size) are those of Caffe's layers. */
#include "src/nn/caffe_layers.h"

#include "src/base/memory.h"
#include "src/base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { max_extent = 65535, max_channels = 1 << 24 };

static det_status read_int(const char *what, uint32_t value, int min, int max, int *result,
                           det_error *error)
{
    if (value < (uint32_t)min || value > (uint32_t)max)
        return det_fail(error, DET_FORMAT, "%s is %u, not in [%d, %d]", what, value, min, max);
    *result = (int)value;
    return DET_OK;
}

/* ---- Kernels, strides and the like ---------------------------------------------------------- */

/* A size along both sides: one or two values of a repeated field, or a field for each side. */
typedef struct side_pair {
    const char *name;
    size_t count;
    const uint32_t *values;
    bool has_h, has_w;
    uint32_t h, w;
    int min;
    uint32_t fallback; /* where the file says nothing; below min: it must */
} side_pair;

static det_status read_pair(const side_pair *pair, int *h, int *w, det_error *error)
{
    uint32_t high = pair->fallback, wide = pair->fallback;
    if (pair->count > 2)
        return det_fail(error, DET_UNSUPPORTED, "%s has %zu values; height and width are supported",
                        pair->name, pair->count);
    if (pair->count > 0) high = pair->values[0], wide = pair->values[pair->count - 1];
    if (pair->has_h) high = pair->h;
    if (pair->has_w) wide = pair->w;
    det_status status = read_int(pair->name, high, pair->min, max_extent, h, error);
    if (status == DET_OK) status = read_int(pair->name, wide, pair->min, max_extent, w, error);
    return status;
}

static det_status read_pairs(const side_pair *pairs, size_t count, det_window *window,
                             det_error *error)
{
    int *const sides[][2] = {{&window->kernel_h, &window->kernel_w},
                             {&window->stride_h, &window->stride_w},
                             {&window->pad_h, &window->pad_w},
                             {&window->dilation_h, &window->dilation_w}};
    for (size_t i = 0; i < count; i++) {
        const det_status status = read_pair(&pairs[i], sides[i][0], sides[i][1], error);
        if (status < 0) return status;
    }
    return DET_OK;
}

/* ---- Weights -------------------------------------------------------------------------------- */

int det_caffe_blob_dimensions(const DetCaffe__BlobProto *blob,
                              int64_t dimensions[DET_CAFFE_MAX_DIMENSIONS])
{
    if (blob->shape) {
        if (blob->shape->n_dim > DET_CAFFE_MAX_DIMENSIONS) return -1;
        for (size_t i = 0; i < blob->shape->n_dim; i++) dimensions[i] = blob->shape->dim[i];
        return (int)blob->shape->n_dim;
    }
    if (!blob->has_num && !blob->has_channels && !blob->has_height && !blob->has_width) return 0;
    dimensions[0] = blob->num;
    dimensions[1] = blob->channels;
    dimensions[2] = blob->height;
    dimensions[3] = blob->width;
    return 4;
}

/* "64x3x7x7" */
static void format_dimensions(const int64_t *dimensions, int count, char *text, size_t size)
{
    size_t length = 0;
    *text = '\0';
    for (int i = 0; i < count && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%lld", i ? "x" : "",
                                   (long long)dimensions[i]);
}

/* Whether the dimensions end in the wanted ones (0: any) and have only ones before them. */
static bool dimensions_fit(const int64_t *dimensions, int count, const int64_t *wanted,
                           int wanted_count)
{
    if (count < wanted_count) return false;
    for (int i = 0; i < count - wanted_count; i++)
        if (dimensions[i] != 1) return false;
    for (int i = 0; i < wanted_count; i++)
        if (wanted[i] != 0 && dimensions[count - wanted_count + i] != wanted[i]) return false;
    return true;
}

static bool product_equals(const int64_t *dimensions, int count, size_t total)
{
    size_t product = 1;
    for (int i = 0; i < count; i++)
        if (dimensions[i] < 0 || !det_multiply_size(product, (size_t)dimensions[i], &product))
            return false;
    return product == total;
}

/* Values stored as double become float in their place. */
static det_status narrow(DetCaffe__BlobProto *blob, det_error *error)
{
    if (blob->n_data > 0 || blob->n_double_data == 0) return DET_OK;
    float *values = det_alloc_array(blob->n_double_data, sizeof *values);
    if (!values) return det_fail_memory(error, "weights");
    for (size_t i = 0; i < blob->n_double_data; i++) values[i] = (float)blob->double_data[i];
    det_free(blob->data);
    blob->data = values;
    blob->n_data = blob->n_double_data;
    return DET_OK;
}

/* Takes blob `index` as ".weight" (0) or ".bias" (1); its shape must end in the wanted dimensions.
 */
static det_status take_blob(const det_caffe_layer *layer, const det_node *node, size_t index,
                            const int64_t *wanted, int wanted_count, det_weights *weights,
                            det_error *error)
{
    const char *what = index == 0 ? "weights" : "biases";
    if (index >= layer->blob_count)
        return det_fail(error, DET_FORMAT,
                        "it has no %s: the file describes a network but does not hold its values",
                        what);
    DetCaffe__BlobProto *blob = layer->blobs[index];
    det_status status = narrow(blob, error);
    if (status < 0) return status;

    int64_t dimensions[DET_CAFFE_MAX_DIMENSIONS];
    char shape[160], expected[96];
    const int count = det_caffe_blob_dimensions(blob, dimensions);
    format_dimensions(dimensions, count, shape, sizeof shape);
    format_dimensions(wanted, wanted_count, expected, sizeof expected);
    if (count < 0 || (count > 0 && !product_equals(dimensions, count, blob->n_data)))
        return det_fail(error, DET_FORMAT, "%zu %s do not fill their shape %s", blob->n_data, what,
                        count < 0 ? "(more than 8 dimensions)" : shape);
    if (count > 0 && !dimensions_fit(dimensions, count, wanted, wanted_count))
        return det_fail(error, DET_FORMAT,
                        "%s of shape %s do not fit its parameters, which ask for %s (0: any)", what,
                        shape, expected);

    weights->tensor = det_text_join(node->name, index == 0 ? ".weight" : ".bias");
    if (!weights->tensor) return det_fail_memory(error, "the name of a tensor");
    weights->values = blob->data;
    weights->count = blob->n_data;
    return DET_OK;
}

static det_status take_bias(const det_caffe_layer *layer, bool has_bias, det_node *node,
                            det_error *error)
{
    const int64_t wanted[] = {node->channels};
    return has_bias ? take_blob(layer, node, 1, wanted, 1, &node->bias, error) : DET_OK;
}

/* ---- Layers --------------------------------------------------------------------------------- */

static det_status missing(const char *what, det_error *error)
{
    return det_fail(error, DET_FORMAT, "%s is missing", what);
}

static det_status convert_convolution(const det_caffe_layer *layer, det_node *node,
                                      det_error *error)
{
    const DetCaffe__ConvolutionParameter *p = layer->convolution;
    if (!p) return missing("convolution_param", error);
    if (p->axis != 1)
        return det_fail(error, DET_UNSUPPORTED, "axis %d; only 1, the channels, is supported",
                        p->axis);
    const side_pair pairs[] = {
        {"kernel_size", p->n_kernel_size, p->kernel_size, p->has_kernel_h, p->has_kernel_w,
         p->kernel_h, p->kernel_w, 1, 0},
        {"stride", p->n_stride, p->stride, p->has_stride_h, p->has_stride_w, p->stride_h,
         p->stride_w, 1, 1},
        {"pad", p->n_pad, p->pad, p->has_pad_h, p->has_pad_w, p->pad_h, p->pad_w, 0, 0},
        {"dilation", p->n_dilation, p->dilation, false, false, 0, 0, 1, 1},
    };
    node->op = DET_OP_CONVOLUTION;
    det_status status = read_pairs(pairs, 4, &node->window, error);
    if (status == DET_OK)
        status = read_int("num_output", p->num_output, 1, max_channels, &node->channels, error);
    if (status == DET_OK)
        status = read_int("group", p->group, 1, max_channels, &node->groups, error);
    if (status < 0) return status;

    const int64_t wanted[] = {node->channels, 0, node->window.kernel_h, node->window.kernel_w};
    status = take_blob(layer, node, 0, wanted, 4, &node->weights, error);
    return status < 0 ? status : take_bias(layer, p->bias_term, node, error);
}

static det_status convert_pooling(const det_caffe_layer *layer, det_node *node, det_error *error)
{
    static const DetCaffe__PoolingParameter defaults = DET_CAFFE__POOLING_PARAMETER__INIT;
    const DetCaffe__PoolingParameter *p = layer->pooling ? layer->pooling : &defaults;
    if (p->pool != DET_CAFFE__POOLING_PARAMETER__POOL_METHOD__MAX &&
        p->pool != DET_CAFFE__POOLING_PARAMETER__POOL_METHOD__AVE)
        return det_fail(error, DET_UNSUPPORTED,
                        "pooling method %d%s; maximum (0) and average (1) are supported", p->pool,
                        p->pool == 2 ? " (stochastic)" : "");
    const side_pair pairs[] = {
        {"kernel_size", p->has_kernel_size ? 1 : 0, &p->kernel_size, p->has_kernel_h,
         p->has_kernel_w, p->kernel_h, p->kernel_w, 1, p->global_pooling ? 1 : 0},
        {"stride", p->has_stride ? 1 : 0, &p->stride, p->has_stride_h, p->has_stride_w, p->stride_h,
         p->stride_w, 1, 1},
        {"pad", p->has_pad ? 1 : 0, &p->pad, p->has_pad_h, p->has_pad_w, p->pad_h, p->pad_w, 0, 0},
    };
    node->op = p->pool == DET_CAFFE__POOLING_PARAMETER__POOL_METHOD__MAX ? DET_OP_MAX_POOL
                                                                         : DET_OP_AVERAGE_POOL;
    node->window.dilation_h = node->window.dilation_w = 1;
    node->global = p->global_pooling;
    node->ceil_mode = p->round_mode != DET_CAFFE__POOLING_PARAMETER__ROUND_MODE__FLOOR;
    return read_pairs(pairs, 3, &node->window, error);
}

static det_status convert_relu(const det_caffe_layer *layer, det_node *node, det_error *error)
{
    node->op = DET_OP_RELU;
    node->negative_slope = layer->relu ? layer->relu->negative_slope : 0;
    if (isfinite(node->negative_slope)) return DET_OK;
    return det_fail(error, DET_FORMAT, "negative_slope is not a finite number");
}

static det_status convert_lrn(const det_caffe_layer *layer, det_node *node, det_error *error)
{
    static const DetCaffe__LRNParameter defaults = DET_CAFFE__LRNPARAMETER__INIT;
    const DetCaffe__LRNParameter *p = layer->lrn ? layer->lrn : &defaults;
    if (p->norm_region != DET_CAFFE__LRNPARAMETER__NORM_REGION__ACROSS_CHANNELS)
        return det_fail(error, DET_UNSUPPORTED,
                        "norm_region %d%s; only ACROSS_CHANNELS (0) is supported", p->norm_region,
                        p->norm_region == 1 ? " (WITHIN_CHANNEL)" : "");
    if (p->local_size % 2 == 0)
        return det_fail(error, DET_FORMAT, "local_size %u is not odd", p->local_size);
    if (!isfinite(p->alpha) || !isfinite(p->beta) || !isfinite(p->k))
        return det_fail(error, DET_FORMAT, "alpha %g, beta %g, k %g are not all finite",
                        (double)p->alpha, (double)p->beta, (double)p->k);
    node->op = DET_OP_LRN;
    node->alpha = p->alpha;
    node->beta = p->beta;
    node->k = p->k;
    return read_int("local_size", p->local_size, 1, max_extent, &node->local_size, error);
}

static det_status convert_concat(const det_caffe_layer *layer, det_node *node, det_error *error)
{
    const DetCaffe__ConcatParameter *p = layer->concat;
    const int64_t axis = !p ? 1 : p->has_concat_dim ? (int64_t)p->concat_dim : p->axis;
    node->op = DET_OP_CONCAT;
    if (axis == 1 || axis == -3) return DET_OK;
    return det_fail(error, DET_UNSUPPORTED, "axis %lld; only 1, the channels, is supported",
                    (long long)axis);
}

static det_status convert_dropout(const det_caffe_layer *layer, det_node *node, det_error *error)
{
    static const DetCaffe__DropoutParameter defaults = DET_CAFFE__DROPOUT_PARAMETER__INIT;
    node->op = DET_OP_DROPOUT;
    node->ratio = (layer->dropout ? layer->dropout : &defaults)->dropout_ratio;
    if (node->ratio >= 0 && node->ratio < 1) return DET_OK;
    return det_fail(error, DET_FORMAT, "dropout_ratio %g is not in [0, 1)", (double)node->ratio);
}

static det_status convert_softmax(const det_caffe_layer *layer, det_node *node, det_error *error)
{
    const int axis = layer->softmax ? layer->softmax->axis : 1;
    node->op = DET_OP_SOFTMAX;
    if (axis == 1 || axis == -3) return DET_OK;
    return det_fail(error, DET_UNSUPPORTED, "axis %d; only 1, the channels, is supported", axis);
}

/* Weights stored as inputs x outputs become outputs x inputs. */
static det_status transpose(DetCaffe__BlobProto *blob, int outputs, det_error *error)
{
    const size_t rows = (size_t)outputs, columns = blob->n_data / rows;
    float *values = det_alloc_array(blob->n_data, sizeof *values);
    if (!values) return det_fail_memory(error, "weights");
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) values[r * columns + c] = blob->data[c * rows + r];
    det_free(blob->data);
    blob->data = values;
    return DET_OK;
}

static det_status convert_inner_product(const det_caffe_layer *layer, det_node *node,
                                        det_error *error)
{
    const DetCaffe__InnerProductParameter *p = layer->inner_product;
    if (!p) return missing("inner_product_param", error);
    if (p->axis != 1 && p->axis != -3)
        return det_fail(error, DET_UNSUPPORTED, "axis %d; only 1, the channels, is supported",
                        p->axis);
    node->op = DET_OP_INNER_PRODUCT;
    det_status status =
        read_int("num_output", p->num_output, 1, max_channels, &node->channels, error);
    if (status < 0) return status;

    const int64_t plain[] = {node->channels, 0}, transposed[] = {0, node->channels};
    status = take_blob(layer, node, 0, p->transpose ? transposed : plain, 2, &node->weights, error);
    if (status < 0) return status;
    if (node->weights.count % (size_t)node->channels != 0)
        return det_fail(error, DET_FORMAT, "%zu weights are not a multiple of %d outputs",
                        node->weights.count, node->channels);
    if (p->transpose) {
        status = transpose(layer->blobs[0], node->channels, error);
        node->weights.values = layer->blobs[0]->data;
        if (status < 0) return status;
    }
    return take_bias(layer, p->bias_term, node, error);
}

det_status det_caffe_convert(const det_caffe_layer *layer, det_node *node, det_error *error)
{
    static const struct {
        const char *type;
        det_status (*convert)(const det_caffe_layer *, det_node *, det_error *);
    } converters[] = {
        {"Convolution", convert_convolution},
        {"ReLU", convert_relu},
        {"Pooling", convert_pooling},
        {"LRN", convert_lrn},
        {"Concat", convert_concat},
        {"Dropout", convert_dropout},
        {"InnerProduct", convert_inner_product},
        {"Softmax", convert_softmax},
        {"SoftmaxWithLoss", convert_softmax},
    };
    for (size_t i = 0; i < sizeof converters / sizeof *converters; i++)
        if (strcmp(converters[i].type, layer->type) == 0)
            return converters[i].convert(layer, node, error);

    char importable[512];
    det_caffe_list_types(importable, sizeof importable);
    return det_fail(error, DET_UNSUPPORTED, "layers of type '%s' cannot be imported; these can: %s",
                    layer->type, importable);
}
