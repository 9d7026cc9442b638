/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_REFERENCE_H
#define DETECT_TESTS_SUPPORT_REFERENCE_H

#include "src/nn/model_file.h"

/** A network being put together by a test, and the plain-C computation that the engine must agree
 *  with: every layer as its formula says, in double, on channels x height x width. */
typedef struct test_sketch {
    det_model *model;
    float *values[64]; /**< weights, freed with the sketch */
    int value_count;
} test_sketch;

/** An empty network for pictures of channels (3) x height x width. */
test_sketch test_sketch_create(int height, int width);
void test_sketch_free(test_sketch *sketch);

/** Adds a layer; `node` gives op and attributes, everything it points to is copied. Convolutions,
 * inner products and batch normalisations get random weights of the right size. Inputs are indices,
 * DET_PICTURE for the picture.
 *  @return its index. */
int test_sketch_add(test_sketch *sketch, const char *name, det_node node, const int *inputs,
                    int input_count);
/** Adds a layer with one input. */
int test_sketch_chain(test_sketch *sketch, const char *name, det_node node, int input);

/** `count` values in [-1, 1), the same for the same seed; test_free them with det_free. */
float *test_random_values(size_t count, uint64_t seed);

/** Computes layer `to` from the picture after mean and scale. Free with det_free.
 *  @param input 3 x height x width of the shape the sketch was made for. */
float *test_reference_run(const det_model *model, const float *input, int to);

/** The same in double from start to end, and from any layer on. Batch normalisation goes by its
 *  running statistics.
 *  @param from the layer whose output `input` is, or DET_PICTURE. */
double *test_reference_values(const det_model *model, int from, const double *input, int to);

#endif
