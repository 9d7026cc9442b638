/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_NETWORK_H
#define DETECT_TESTS_SUPPORT_NETWORK_H

/* Small networks as model files, made by the tests themselves: no test data is needed to try a
 * model file, a network or the whole program. */
#include "tests/unit/support.h"
#include "tests/unit/support_reference.h"

/** Completes a sketch, so that it can be written: tensors are named after their layers (".weight",
 *  ".bias"), the last layer gives probabilities and the input of the last inner product features,
 *  and each channel of the probabilities is a class ("apple", "banana", "cherry", "date",
 *  "elderberry", then "class 5" and so on). */
void test_sketch_complete(test_sketch *sketch);

/** A window as large, far and padded in height as in width. */
det_window test_window(int kernel, int stride, int pad);

/** A complete network of every operation, 16x16 pixels, mean (104, 117, 123), scale 1/64, five
 *  classes:
 *    conv1 (3 -> 4, 3x3, pad 1), relu1, pool1 (max 3x3, stride 2, ceil), norm1, then two branches,
 *    branch1 (1x1, 4 -> 3) with branch1_relu, branch2 (3x3, pad 1, 4 -> 5) with branch2_relu,
 *    concat, pool2 (average, global), drop, fc (8 -> 5), prob (softmax)
 *  A picture of the mean colour gives every class 0.2; plain yellow and green show a date, every
 *  other plain colour an elderberry. */
test_sketch test_small_sketch(void);
/** Writes the small network with a MultiBox head "boxes" behind the eight values of its pool2, for
 *  three priors; its biases are test_logits and no residuals.
 *  @param weights 15 x 8, or NULL: 0, so that it says the same of every picture. */
enum { TEST_PRIORS = 3, TEST_MULTIBOX_WEIGHTS = 5 * TEST_PRIORS * 8 };
extern const det_box test_priors[TEST_PRIORS];
extern const float test_logits[TEST_PRIORS];
void test_multibox_network(const char *path, const float *weights);
/** Gives the small network's `branch1` scales for int8 and these rounded weights of 8 and 7 bits,
 * 12 each, borrowed, or NULL. */
void test_sketch_round_branch(test_sketch *sketch, const int8_t *rounded_8,
                              const int8_t *rounded_7);
/** Imports the published BVLC GoogLeNet with its names into a new model file of that name, as
 *  test_path gives it; skips the test where the data is absent. @return its path. */
const char *test_googlenet(const char *name);
/** Writes that network as a model file. */
void test_small_network(const char *path);

#endif
