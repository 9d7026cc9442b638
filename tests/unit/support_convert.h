/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_CONVERT_H
#define DETECT_TESTS_SUPPORT_CONVERT_H

#include "detect/convert.h"

/** Reads annotations, failing the test where that fails; det_annotations_free them. */
det_annotations *test_read_annotations(const char *path);
/** Reads COCO annotations from a text. */
det_annotations *test_read_coco(const char *text);
/** Reads VOC annotations of one picture, "a.xml", from a text. */
det_annotations *test_read_voc(const char *text);
/** Reads results, failing the test where that fails; det_results_free them. */
det_results *test_read_results(const char *path, const det_annotations *annotations);

/** Writes annotations, failing the test where that fails. @return what was lost; free it. */
det_losses *test_write_annotations(const det_annotations *annotations,
                                   det_annotations_format format, const char *path,
                                   const det_convert_options *options);
/** Writes annotations, without looking at the losses, and reads them back. */
det_annotations *test_convert(const det_annotations *annotations, det_annotations_format format,
                              const char *path);

/** Writes results, failing the test where that fails. @return what was lost; free it. */
det_losses *test_write_results_as(const det_results *results, const det_annotations *annotations,
                                  det_results_format format, const char *path,
                                  const det_convert_options *options);
/** Writes results, without looking at the losses, and reads them back against the same. */
det_results *test_convert_results(const det_results *results, const det_annotations *annotations,
                                  det_results_format format, const char *path);

/** Fails the test unless this was lost so often, and `part` is in its line. A count of 0 means that
 *  it was not lost. */
void test_assert_loss(const det_losses *losses, det_loss loss, size_t count, const char *part);
/** Fails the test, printing the first line, unless nothing was lost. */
void test_assert_no_loss(const det_losses *losses);

/** A small JPEG picture at a path. */
void test_write_picture(const char *path, int width, int height);

#endif
