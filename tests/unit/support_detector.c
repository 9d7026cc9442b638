/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support_detector.h"

#include "src/base/memory.h"

const det_box test_red_square = {20, 20, 80, 80}, test_blue_square = {120, 60, 180, 130};

det_config *test_config_of(const char *const *models, size_t count)
{
    det_config *config = NULL;
    test_assert_ok(det_config_create(&config, NULL), NULL);
    det_free(config->classifier.models); /* the default, which is empty */
    config->classifier.models = det_alloc_array(count, sizeof(char *));
    config->classifier.model_count = count;
    for (size_t i = 0; i < count; i++) config->classifier.models[i] = det_copy_string(models[i]);
    config->runtime.threads = 2;
    return config;
}

void test_config_set(det_config *config, const char *assignment)
{
    det_error error = {0};
    test_assert_ok(det_config_set(config, assignment, &error), &error);
}

det_detector *test_detector_of(det_config *config)
{
    det_detector *detector = NULL;
    det_error error = {0};
    test_assert_ok(det_detector_create(config, &detector, &error), &error);
    det_config_free(config);
    return detector;
}

static void fill_box(det_image *image, det_box box, uint8_t b, uint8_t g, uint8_t r)
{
    for (int y = (int)box.y0; y < (int)box.y1; y++)
        for (int x = (int)box.x0; x < (int)box.x1; x++) {
            uint8_t *pixel = image->pixels + (size_t)y * image->stride + 3 * (size_t)x;
            pixel[0] = b, pixel[1] = g, pixel[2] = r;
        }
}

det_image test_squares(void)
{
    det_image image = {0};
    test_assert_ok(det_image_create(220, 150, &image, NULL), NULL);
    fill_box(&image, (det_box){0, 0, 220, 150}, 128, 128, 128);
    fill_box(&image, test_red_square, 20, 20, 235);
    fill_box(&image, test_blue_square, 235, 20, 20);
    return image;
}
