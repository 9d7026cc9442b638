/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_DETECTOR_H
#define DETECT_TESTS_SUPPORT_DETECTOR_H

/* What tests of the pipeline share: configurations, and a picture whose objects are known. */
#include "detect/detector.h"
#include "tests/unit/support.h"

/** The defaults with these models and two threads; det_config_free it. */
det_config *test_config_of(const char *const *models, size_t count);
/** "KEY=VALUE", which must be possible. */
void test_config_set(det_config *config, const char *assignment);

/** A detector of that configuration, which is freed. */
det_detector *test_detector_of(det_config *config);

/** 220 x 150 pixels of grey with a red square and a blue one; det_image_free it. */
det_image test_squares(void);
extern const det_box test_red_square, test_blue_square;

#endif
