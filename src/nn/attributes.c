/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes of every operation, once for reading and writing model files. */
#include "src/nn/model_file.h"

#include <stddef.h>

#define BIT(op) (1U << (op))

enum {
    max_extent = 65535,
    max_channels = 1 << 24,
    pools = BIT(DET_OP_MAX_POOL) | BIT(DET_OP_AVERAGE_POOL),
    windows = pools | BIT(DET_OP_CONVOLUTION)
};

const det_attribute det_attributes[] = {
    {"channels", DET_ATTRIBUTE_INT, BIT(DET_OP_CONVOLUTION) | BIT(DET_OP_INNER_PRODUCT),
     offsetof(det_node, channels), 1, max_channels},
    {"kernel", DET_ATTRIBUTE_PAIR, windows, offsetof(det_node, window.kernel_h), 1, max_extent},
    {"stride", DET_ATTRIBUTE_PAIR, windows, offsetof(det_node, window.stride_h), 1, max_extent},
    {"pad", DET_ATTRIBUTE_PAIR, windows, offsetof(det_node, window.pad_h), 0, max_extent},
    {"dilation", DET_ATTRIBUTE_PAIR, BIT(DET_OP_CONVOLUTION), offsetof(det_node, window.dilation_h),
     1, max_extent},
    {"groups", DET_ATTRIBUTE_INT, BIT(DET_OP_CONVOLUTION), offsetof(det_node, groups), 1,
     max_channels},
    {"global", DET_ATTRIBUTE_BOOL, pools, offsetof(det_node, global), 0, 0},
    {"ceil_mode", DET_ATTRIBUTE_BOOL, pools, offsetof(det_node, ceil_mode), 0, 0},
    {"negative_slope", DET_ATTRIBUTE_NUMBER, BIT(DET_OP_RELU), offsetof(det_node, negative_slope),
     0, 0},
    {"local_size", DET_ATTRIBUTE_INT, BIT(DET_OP_LRN), offsetof(det_node, local_size), 1,
     max_extent},
    {"alpha", DET_ATTRIBUTE_NUMBER, BIT(DET_OP_LRN), offsetof(det_node, alpha), 0, 0},
    {"beta", DET_ATTRIBUTE_NUMBER, BIT(DET_OP_LRN), offsetof(det_node, beta), 0, 0},
    {"k", DET_ATTRIBUTE_NUMBER, BIT(DET_OP_LRN), offsetof(det_node, k), 0, 0},
    {"ratio", DET_ATTRIBUTE_NUMBER, BIT(DET_OP_DROPOUT), offsetof(det_node, ratio), 0, 0},
    {0},
};
