/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support_convert.h"

#include "tests/unit/support.h"
#include "tests/unit/support_annotations.h"

#include <string.h>

det_annotations *test_read_annotations(const char *path)
{
    det_annotations *annotations = NULL;
    det_error error = {0};
    test_assert_ok(det_annotations_read(path, NULL, &annotations, &error), &error);
    return annotations;
}

det_annotations *test_read_coco(const char *text)
{
    return test_read_annotations(test_write_below("read.json", text));
}

det_annotations *test_read_voc(const char *text)
{
    test_write_below("read/Annotations/a.xml", text);
    return test_read_annotations(test_path("read"));
}

det_results *test_read_results(const char *path, const det_annotations *annotations)
{
    det_results *results = NULL;
    det_error error = {0};
    test_assert_ok(det_results_read(path, annotations, NULL, &results, &error), &error);
    return results;
}

det_losses *test_write_annotations(const det_annotations *annotations,
                                   det_annotations_format format, const char *path,
                                   const det_convert_options *options)
{
    det_losses *losses = NULL;
    det_error error = {0};
    test_assert_ok(det_annotations_write(annotations, format, path, options, &losses, &error),
                   &error);
    return losses;
}

det_annotations *test_convert(const det_annotations *annotations, det_annotations_format format,
                              const char *path)
{
    det_losses_free(test_write_annotations(annotations, format, path, NULL));
    return test_read_annotations(path);
}

det_losses *test_write_results_as(const det_results *results, const det_annotations *annotations,
                                  det_results_format format, const char *path,
                                  const det_convert_options *options)
{
    det_losses *losses = NULL;
    det_error error = {0};
    test_assert_ok(det_results_write(results, annotations, format, path, options, &losses, &error),
                   &error);
    return losses;
}

det_results *test_convert_results(const det_results *results, const det_annotations *annotations,
                                  det_results_format format, const char *path)
{
    det_losses_free(test_write_results_as(results, annotations, format, path, NULL));
    return test_read_results(path, annotations);
}

void test_assert_loss(const det_losses *losses, det_loss loss, size_t count, const char *part)
{
    for (size_t i = 0; i < losses->count; i++) {
        if (losses->lines[i].loss != loss) continue;
        assert_int_equal(losses->lines[i].count, count);
        if (!strstr(losses->lines[i].text, part))
            fail_msg("\"%s\" is not in \"%s\"", part, losses->lines[i].text);
        return;
    }
    if (count > 0) fail_msg("no loss of kind %d (%s)", (int)loss, part);
}

void test_assert_no_loss(const det_losses *losses)
{
    if (losses->count > 0) fail_msg("%s", losses->lines[0].text);
}

void test_write_picture(const char *path, int width, int height)
{
    det_image image = {0};
    det_error error = {0};
    test_assert_ok(det_image_create(width, height, &image, &error), &error);
    test_assert_ok(det_image_write(&image, path, &error), &error);
    det_image_free(&image);
}
