/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support_multibox.h"

#include "src/base/random.h"

#include <math.h>

static void fill_features(float *features, double u, double v, bool telling, det_random *random)
{
    for (size_t i = 0; i < TEST_WIDTH; i++) features[i] = (float)(3 + det_random_double(random));
    for (size_t i = 0; telling && i < (size_t)TEST_GRID * TEST_GRID; i++) {
        const size_t column = i % TEST_GRID, row = i / TEST_GRID;
        const double x = u - .7 * (double)column / (TEST_GRID - 1);
        const double y = v - .7 * (double)row / (TEST_GRID - 1);
        features[i] = (float)(5 * exp(-(x * x + y * y) / (2 * .15 * .15)));
    }
}

test_pictures *test_pictures_make(uint64_t seed, bool telling)
{
    static test_pictures t;
    det_random random = det_random_create(seed, 9);
    for (size_t i = 0; i < TEST_PICTURES; i++) {
        const double u = .7 * det_random_double(&random), v = .7 * det_random_double(&random);
        const double box[] = {u, v, u + .3, v + .3};
        for (size_t j = 0; j < DET_MULTIBOX_CORNERS; j++) t.corners[i][j] = (float)box[j];
        fill_features(t.features + i * TEST_WIDTH, u, v, telling, &random);
        t.classes[i] = (uint32_t)(i % TEST_CLASSES);
        t.first_object[i] = i;
    }
    t.first_object[TEST_PICTURES] = TEST_PICTURES;
    t.examples = (det_multibox_examples){.count = TEST_PICTURES,
                                         .width = TEST_WIDTH,
                                         .features = t.features,
                                         .picture_count = TEST_PICTURES,
                                         .first_object = t.first_object,
                                         .corners = (const float(*)[4])t.corners,
                                         .classes = t.classes};
    return &t;
}
