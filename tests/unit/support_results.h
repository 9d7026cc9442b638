/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_RESULTS_H
#define DETECT_TESTS_SUPPORT_RESULTS_H

#include "detect/data.h"

/** Three results: "pic/7.jpg" of 200 x 100 pixels with a cat (class 1, category 17) of score 0.75
 * in [10.5, 20, 110.5, 70] and a dog (class 2, no category) of score 1/3 in [0, 0, 200, 100];
 *  "pic/008.png" of 50 x 40 without detections; "pic/9.webp", which failed. The first two
 *  have a region; the first has the labels "dog" (1/2) and "bird, small" (1/3). */
enum { test_result_count = 3 };
extern const det_result test_results[test_result_count];
extern const det_inputs test_inputs;

/** Options for these: three classes ("bird", "cat", "dog"), a model, f32, two threads. */
det_writer_options test_writer_options(det_format format, const char *output);

/** Opens a writer, adds results, closes it. */
det_status test_write_results(const det_writer_options *options, const det_result *results,
                              size_t count, det_error *error);

/** The text of a file, terminated; valid until the next call. Fails the test where it is absent. */
const char *test_text_of(const char *path);

#endif
