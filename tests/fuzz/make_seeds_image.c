/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the seeds of fuzz_image: small pictures of every variant, drawn and encoded here.
 *     build/dev/tests/make_seeds_image tests/fuzz/seeds/image */
#include "tests/unit/support_image.h"

#include <stdio.h>
#include <string.h>

#include <png.h>

enum { width = 16, height = 9 };

static const char *folder;

static void save(const char *name, test_bytes bytes)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    test_write_file(path, bytes.data, bytes.length);
    det_text_free(&bytes);
}

static void make_jpegs(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        test_jpeg how;
    } variants[] = {
        {"baseline.jpg", {.subsampled = true, .orientation = 6}},
        {"grey.jpg", {.inks = TEST_GREY}},
        {"rgb_restarts.jpg", {.inks = TEST_RGB, .restart_interval = 1}},
        {"progressive.jpg", {.progressive = true}},
        {"arithmetic.jpg", {.arithmetic = true, .subsampled = true}},
        {"arithmetic_progressive.jpg", {.arithmetic = true, .progressive = true}},
        {"separate.jpg", {.separate = true}},
        {"cmyk.jpg", {.inks = TEST_CMYK_ADOBE}},
        {"ycck.jpg", {.inks = TEST_YCCK, .progressive = true}},
    };
    det_image picture = test_picture(width, height);
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        save(variants[i].name, test_encode_jpeg(&picture, &variants[i].how));
    det_image_free(&picture);
}

static void make_pngs(void **state)
{
    (void)state;
    static const uint8_t palette[6] = {255, 0, 0, 0, 0, 255}, alpha[2] = {255, 100};
    static const struct {
        const char *name;
        int channels;
        test_png how;
    } variants[] = {
        {"rgb.png", 3, {.color_type = PNG_COLOR_TYPE_RGB, .depth = 8, .orientation = 5}},
        {"rgba16_interlaced.png",
         4,
         {.color_type = PNG_COLOR_TYPE_RGB_ALPHA, .depth = 16, .interlaced = true}},
        {"grey_alpha.png", 2, {.color_type = PNG_COLOR_TYPE_GRAY_ALPHA, .depth = 8}},
        {"grey2_keyed.png", 1, {.depth = 2, .keyed = true, .key = 1, .interlaced = true}},
        {"grey16_exif_after.png", 1, {.depth = 16, .orientation = 8, .exif_after = true}},
        {"palette1.png",
         1,
         {.color_type = PNG_COLOR_TYPE_PALETTE,
          .depth = 1,
          .palette = palette,
          .palette_count = 2,
          .alpha = alpha,
          .alpha_count = 2}},
    };
    uint8_t rows[width * height * 8];
    for (size_t i = 0; i < sizeof rows; i++) rows[i] = (uint8_t)(i * i / 7);
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        const test_png *how = &variants[i].how;
        const size_t row_bytes = (size_t)(width * variants[i].channels * how->depth + 7) / 8;
        save(variants[i].name, test_encode_png(rows, row_bytes, width, height, how));
    }
}

static void make_webps(void **state)
{
    (void)state;
    uint8_t bgra[4 * width * height];
    for (size_t i = 0; i < sizeof bgra; i++) bgra[i] = (uint8_t)(i * i / 11);
    save("lossless.webp", test_encode_webp(bgra, width, height, true));
    save("lossy_alpha.webp", test_encode_webp(bgra, width, height, false));
    for (size_t i = 0; i < sizeof bgra; i++) bgra[i] |= i % 4 == 3 ? 255 : 0;
    save("lossy.webp", test_encode_webp(bgra, width, height, false));
    save("animated.webp",
         test_wrap_webp(bgra, width, height, &(test_webp){30, 20, 4, 2, true, true, 7}));
}

static void make_others(void **state)
{
    (void)state;
    save("hostile_size.png", test_png_header(0x7FFFFFFF, 0x7FFFFFFF));
    save("bitmap.bmp", (test_bytes){.data = strdup("BM 54 bytes follow"), .length = 18});
    save("text.jpg", (test_bytes){.data = strdup("plain text, not a picture"), .length = 25});
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    folder = arguments[1];
    const struct CMUnitTest makers[] = {
        cmocka_unit_test(make_jpegs),
        cmocka_unit_test(make_pngs),
        cmocka_unit_test(make_webps),
        cmocka_unit_test(make_others),
    };
    return cmocka_run_group_tests(makers, NULL, NULL);
}
