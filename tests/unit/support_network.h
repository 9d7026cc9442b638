/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_NETWORK_H
#define DETECT_TESTS_SUPPORT_NETWORK_H

/* Small networks of known weights, made by the tests themselves: no test data is needed to try a
 * model file, a network or the whole program. */
#include "src/nn/model_file.h"
#include "tests/unit/support.h"

/** A network being built. Add layers in order; each returns the index of its node. An `input` is
 *  such an index, or DET_PICTURE. Weights are uniform in [-0.5, 0.5), drawn from the number of the
 *  layer, and the same in every run. Tests fail where something cannot be done. */
typedef struct test_network {
    det_model model; /**< its weights are plain memory: test_network_weights changes them */
} test_network;

/** An empty network for pictures of that size, BGR minus (104, 117, 123). */
void test_network_begin(test_network *network, int width, int height);

/** A convolution with biases; channels and window as in det_node. */
int test_add_convolution(test_network *network, const char *name, int input, int channels,
                         det_window window, int groups);
/** A layer of DET_OP_RELU, DET_OP_DROPOUT, DET_OP_SOFTMAX, or DET_OP_LRN (local_size 5, alpha 1e-4,
 *  beta 0.75, k 1). */
int test_add_simple(test_network *network, const char *name, det_op op, int input);
/** A pool (DET_OP_MAX_POOL or DET_OP_AVERAGE_POOL) in ceil mode; a kernel of 0 makes it global. */
int test_add_pool(test_network *network, const char *name, det_op op, int input, det_window window);
int test_add_concat(test_network *network, const char *name, const int *inputs, int count);
/** An inner product with biases. */
int test_add_inner_product(test_network *network, const char *name, int input, int channels);

/** The values of a layer's weights, to be changed at will before the network is written. */
float *test_network_weights(test_network *network, int node);
float *test_network_biases(test_network *network, int node);

/** A square window. */
det_window test_window(int kernel, int stride, int pad);

/** Completes the network: shapes, one class a channel of the last layer ("apple", "banana",
 *  "cherry", "date", "elderberry", then "class 5" and so on), the last layer gives probabilities,
 *  the input of the last inner product features. */
void test_network_finish(test_network *network);
void test_network_free(test_network *network);

/** A network of every operation, 16x16 pixels, five classes, finished:
 *    conv1 (3 -> 4, 3x3, pad 1), relu1, pool1 (max 3x3, stride 2), norm1, then two branches,
 *    branch1 (1x1, 4 -> 3) with branch1_relu and branch2 (3x3, pad 1, 4 -> 5) with branch2_relu,
 *    concat, pool2 (average, global), drop, fc (8 -> 5), prob (softmax) */
void test_small_network_build(test_network *network);
/** Writes that network as a model file. */
void test_small_network(const char *path);

#endif
