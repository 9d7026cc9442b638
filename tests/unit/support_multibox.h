/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_MULTIBOX_H
#define DETECT_TESTS_SUPPORT_MULTIBOX_H

#include "src/train/multibox_fit.h"
#include "tests/unit/support.h"

enum {
    TEST_PICTURES = 150,
    TEST_GRID = 4, /* features that tell where the object is: one for each place of a grid */
    TEST_WIDTH = TEST_GRID * TEST_GRID + 8,
    TEST_CLASSES = 2
};

/** Pictures of one object each, .3 wide and high, anywhere; the classes alternate. */
typedef struct test_pictures {
    float features[TEST_PICTURES * TEST_WIDTH];
    size_t first_object[TEST_PICTURES + 1];
    float corners[TEST_PICTURES][DET_MULTIBOX_CORNERS];
    uint32_t classes[TEST_PICTURES];
    det_multibox_examples examples;
} test_pictures;

/** Makes them; the last is overwritten. The features are noise, but where `telling` says so for
 *  those of the grid, each of which is a bell around its place. */
test_pictures *test_pictures_make(uint64_t seed, bool telling);

#endif
