/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_CAFFE_H
#define DETECT_TESTS_SUPPORT_CAFFE_H

/* Writes .caffemodel files, by hand: protobuf's wire format needs ten lines, and the tests must
 * write what a well-behaved library would not. */
#include "src/base/text.h"
#include "src/nn/model_file.h"
#include "tests/unit/support.h"

/* ---- Wire format: appends one field -----------------------------------------------------------
 */

void test_wire_varint(det_text *text, uint64_t value); /**< without a tag */
void test_wire_number(det_text *text, unsigned field, uint64_t value);
void test_wire_float(det_text *text, unsigned field, float value);
void test_wire_bytes(det_text *text, unsigned field, const void *bytes, size_t size);
void test_wire_string(det_text *text, unsigned field, const char *string);
/** A message: appends `inner` as a field and frees it. */
void test_wire_message(det_text *text, unsigned field, det_text *inner);

/* ---- Layers --------------------------------------------------------------------------------- */

/** Fields of a layer. test_caffe_field gives their numbers in either format. */
typedef enum test_caffe_part {
    TEST_CAFFE_NAME,
    TEST_CAFFE_TYPE,
    TEST_CAFFE_BOTTOM,
    TEST_CAFFE_TOP,
    TEST_CAFFE_BLOBS,
    TEST_CAFFE_INCLUDE,
    TEST_CAFFE_EXCLUDE,
    TEST_CAFFE_TRANSFORM,
    TEST_CAFFE_CONCAT,
    TEST_CAFFE_CONVOLUTION,
    TEST_CAFFE_DROPOUT,
    TEST_CAFFE_INNER_PRODUCT,
    TEST_CAFFE_LRN,
    TEST_CAFFE_POOLING,
    TEST_CAFFE_RELU,
    TEST_CAFFE_SOFTMAX
} test_caffe_part;

unsigned test_caffe_field(test_caffe_part part, bool old_format);

/** Begins a layer: name, type, bottoms and tops, each separated by spaces. `old_type` is the type's
 *  number in the older format, or -1 to write the newer one. */
det_text test_caffe_layer(const char *name, const char *type, int old_type, const char *bottoms,
                          const char *tops);
/** Appends a layer to a network and frees it. */
void test_caffe_add(det_text *network, bool old_format, det_text *layer);

/** A blob of float values with a shape (newer format) or num, channels, height, width (older, which
 *  takes up to four dimensions). */
det_text test_caffe_blob(const float *values, size_t count, const int64_t *shape, int dimensions,
                         bool old_format);

/** Writes a whole model as Caffe would: ReLU and dropout in place, everything else into a blob of
 *  its own name; the input as a layer (newer format) or as fields of the network (older one).
 *  @param ends NULL, or receives the size of the file after each layer (room for 64). */
void test_caffe_model(const det_model *model, bool old_format, det_text *bytes, size_t *ends);

#endif
