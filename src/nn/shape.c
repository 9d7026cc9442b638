/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes and costs of layers.
 *
 *   convolution  out = floor((in + 2 pad - (dilation (kernel - 1) + 1)) / stride) + 1
 *   pool         the same with dilation 1, rounded up in ceil mode; then a last window that begins
 *                at or after in + pad is dropped (Caffe, conv_layer.cpp and pooling_layer.cpp)
 *
 * Caffe drops that window only where there is padding. Without padding it can exist only where the
 * stride exceeds the kernel, and would then be empty, so it is dropped there as well. */
#include "src/nn/graph.h"

#include <limits.h>

int det_pool_size(int size, int kernel, int stride, int pad, bool ceil_mode)
{
    const int64_t room = (int64_t)size + 2 * (int64_t)pad - kernel;
    if (room < 0) return 0;
    int64_t out = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    if (ceil_mode && (out - 1) * stride >= (int64_t)size + pad) out--;
    return out > INT_MAX ? INT_MAX : (int)out;
}

static int convolution_size(int size, int kernel, int stride, int pad, int dilation)
{
    const int64_t room = (int64_t)size + 2 * (int64_t)pad - ((int64_t)dilation * (kernel - 1) + 1);
    if (room < 0) return 0;
    const int64_t out = room / stride + 1;
    return out > INT_MAX ? INT_MAX : (int)out;
}

static det_status check_bias(const det_node *node, det_error *error)
{
    if (!node->bias.values || node->bias.count == (size_t)node->channels) return DET_OK;
    return det_fail(error, DET_ARGUMENT, "%zu biases do not fit %d output channels",
                    node->bias.count, node->channels);
}

/* How many values rows x columns x area are, exactly: none of them exceeds 2^31. */
static bool count_equals(size_t count, int64_t rows, int64_t columns, int64_t area)
{
    size_t product;
    return !__builtin_mul_overflow(rows * columns, area, &product) && product == count;
}

static det_status infer_convolution(const det_node *node, det_shape in, det_shape *out,
                                    det_error *error)
{
    const det_window *w = &node->window;
    if (in.channels % node->groups != 0 || node->channels % node->groups != 0)
        return det_fail(error, DET_ARGUMENT,
                        "%d groups do not divide %d input and %d output channels", node->groups,
                        in.channels, node->channels);
    if (!count_equals(node->weights.count, node->channels, in.channels / node->groups,
                      (int64_t)w->kernel_h * w->kernel_w))
        return det_fail(error, DET_ARGUMENT,
                        "%zu weights do not fit %d output channels x %d input channels / %d groups "
                        "x a kernel of %dx%d",
                        node->weights.count, node->channels, in.channels, node->groups, w->kernel_h,
                        w->kernel_w);
    *out =
        (det_shape){node->channels,
                    convolution_size(in.height, w->kernel_h, w->stride_h, w->pad_h, w->dilation_h),
                    convolution_size(in.width, w->kernel_w, w->stride_w, w->pad_w, w->dilation_w)};
    return check_bias(node, error);
}

static det_shape infer_pool(const det_node *node, det_shape in)
{
    const det_window *w = &node->window;
    if (node->global) return (det_shape){in.channels, 1, 1};
    return (det_shape){
        in.channels, det_pool_size(in.height, w->kernel_h, w->stride_h, w->pad_h, node->ceil_mode),
        det_pool_size(in.width, w->kernel_w, w->stride_w, w->pad_w, node->ceil_mode)};
}

static det_status infer_inner_product(const det_node *node, det_shape in, det_shape *out,
                                      det_error *error)
{
    if (!count_equals(node->weights.count, node->channels, in.channels,
                      (int64_t)in.height * in.width))
        return det_fail(error, DET_ARGUMENT, "%zu weights do not fit %d outputs x %dx%dx%d inputs",
                        node->weights.count, node->channels, in.channels, in.height, in.width);
    *out = (det_shape){node->channels, 1, 1};
    return check_bias(node, error);
}

static det_status check_batch_norm(const det_node *node, det_shape in, det_error *error)
{
    const det_weights *values[] = {&node->weights, &node->bias, &node->mean, &node->variance};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (values[i]->count != (size_t)in.channels)
            return det_fail(error, DET_ARGUMENT,
                            "%zu values do not fit the %d channels of a batch "
                            "normalisation",
                            values[i]->count, in.channels);
    return DET_OK;
}

static det_status infer_concat(const det_node *node, const det_shape *shapes, det_shape picture,
                               det_shape *out, det_error *error)
{
    int64_t channels = 0;
    const int first = node->inputs[0];
    const det_shape like = first == DET_PICTURE ? picture : shapes[first];
    for (int i = 0; i < node->input_count; i++) {
        const int input = node->inputs[i];
        const det_shape in = input == DET_PICTURE ? picture : shapes[input];
        if (in.height != like.height || in.width != like.width)
            return det_fail(error, DET_ARGUMENT,
                            "input 0 is %dx%d but input %d is %dx%d (height x width)", like.height,
                            like.width, i, in.height, in.width);
        channels += in.channels;
    }
    if (channels > INT_MAX)
        return det_fail(error, DET_LIMIT, "%lld channels are more than %d", (long long)channels,
                        INT_MAX);
    *out = (det_shape){(int)channels, like.height, like.width};
    return DET_OK;
}

static det_status infer_node(const det_node *node, const det_shape *shapes, det_shape picture,
                             det_shape *out, det_error *error)
{
    const det_shape in = node->inputs[0] == DET_PICTURE ? picture : shapes[node->inputs[0]];
    switch (node->op) {
    case DET_OP_CONVOLUTION:
        return infer_convolution(node, in, out, error);
    case DET_OP_MAX_POOL:
    case DET_OP_AVERAGE_POOL:
        *out = infer_pool(node, in);
        return DET_OK;
    case DET_OP_INNER_PRODUCT:
        return infer_inner_product(node, in, out, error);
    case DET_OP_CONCAT:
        return infer_concat(node, shapes, picture, out, error);
    case DET_OP_BATCH_NORM:
        *out = in;
        return check_batch_norm(node, in, error);
    default:
        *out = in;
        return DET_OK;
    }
}

static det_status check_size(const det_node *node, det_shape in, det_shape out, det_error *error)
{
    const det_window *w = &node->window;
    if (out.height < 1 || out.width < 1)
        return det_fail(error, DET_ARGUMENT,
                        "a window of %dx%d (dilation %dx%d) is larger than its input of %dx%d with "
                        "padding %dx%d (height x width)",
                        w->kernel_h, w->kernel_w, w->dilation_h, w->dilation_w, in.height, in.width,
                        w->pad_h, w->pad_w);
    if ((int64_t)out.height * out.width > INT_MAX / out.channels)
        return det_fail(error, DET_LIMIT, "an output of %dx%dx%d exceeds %d values a picture",
                        out.channels, out.height, out.width, INT_MAX);
    return DET_OK;
}

static bool is_known(const det_node *node, int from, const det_shape *shapes)
{
    for (int i = 0; i < node->input_count; i++) {
        const int input = node->inputs[i];
        if (input == DET_PICTURE ? from != DET_PICTURE : shapes[input].channels == 0) return false;
    }
    return true;
}

det_status det_graph_infer(const det_graph *graph, int from, det_shape input, det_shape *shapes,
                           det_error *error)
{
    return det_graph_infer_needed(graph, NULL, from, input, shapes, error);
}

det_status det_graph_infer_needed(const det_graph *graph, const bool *needed, int from,
                                  det_shape input, det_shape *shapes, det_error *error)
{
    if (input.channels < 1 || input.height < 1 || input.width < 1)
        return det_fail(error, DET_ARGUMENT, "an input of %dx%dx%d is empty", input.channels,
                        input.height, input.width);
    for (int i = 0; i < graph->count; i++) {
        const det_node *node = &graph->nodes[i];
        shapes[i] = (det_shape){0, 0, 0};
        if (i == from) shapes[i] = input;
        if (i <= from || (needed && !needed[i]) || !is_known(node, from, shapes)) continue;

        det_status status = infer_node(node, shapes, input, &shapes[i], error);
        if (status == DET_OK) {
            const int first = node->inputs[0];
            status =
                check_size(node, first == DET_PICTURE ? input : shapes[first], shapes[i], error);
        }
        if (status < 0) {
            det_error_where(error, "layer '%s'", node->name);
            return status;
        }
    }
    return DET_OK;
}

size_t det_shape_values(det_shape shape)
{
    return (size_t)shape.channels * (size_t)shape.height * (size_t)shape.width;
}

uint64_t det_node_macs(const det_node *node, det_shape input, det_shape output)
{
    const uint64_t positions = (uint64_t)output.height * (uint64_t)output.width;
    const uint64_t channels = (uint64_t)output.channels * (uint64_t)input.channels;
    if (node->op == DET_OP_CONVOLUTION)
        return positions * channels / (uint64_t)node->groups * (uint64_t)node->window.kernel_h *
               (uint64_t)node->window.kernel_w;
    if (node->op == DET_OP_INNER_PRODUCT)
        return channels * (uint64_t)input.height * (uint64_t)input.width;
    return 0;
}
