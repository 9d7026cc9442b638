/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_IMAGE_H
#define DETECT_TESTS_SUPPORT_IMAGE_H

/* Pictures drawn and encoded by the tests themselves, in every variant that a decoder must read.
 * A failure in here fails the test. */
#include "detect/image.h"
#include "src/base/text.h"
#include "tests/unit/support.h"

/** A smooth picture whose every pixel differs from its neighbours; det_image_free it. */
det_image test_picture(int width, int height);

/** Pixel (x, y) as 0xRRGGBB. */
uint32_t test_pixel(const det_image *image, int x, int y);

/** The largest difference of any channel of any pixel; the sizes must be equal. */
int test_largest_difference(const det_image *a, const det_image *b);

/** Asserts that every channel of pixel (x, y) is within `tolerance` of 0xRRGGBB. */
void test_assert_pixel(const det_image *image, int x, int y, uint32_t rgb, int tolerance);

/** A text used as bytes, for encoded pictures; det_text_free it. */
typedef det_text test_bytes;

/** Appends an EXIF block (the TIFF part, without "Exif\0\0") that holds an orientation. */
void test_add_exif(test_bytes *bytes, int orientation, bool big_endian);

typedef enum test_inks {
    TEST_YCBCR,
    TEST_RGB,
    TEST_GREY,
    TEST_CMYK_ADOBE, /* inverted, with Adobe's marker */
    TEST_YCCK,       /* likewise */
    TEST_CMYK_PLAIN  /* 255 is full ink, no marker */
} test_inks;

/** How a JPEG file is written; {0} is baseline YCbCr without subsampling, quality 100. */
typedef struct test_jpeg {
    test_inks inks;
    bool progressive, arithmetic, subsampled;
    bool separate; /* a scan a component */
    int restart_interval;
    int orientation; /* 0: no EXIF */
} test_jpeg;

/** Four channels (CMYK): the picture's are C = 255 - R, M = 255 - G, Y = 255 - B, K = `black`. */
enum { test_black = 51 };

test_bytes test_encode_jpeg(const det_image *image, const test_jpeg *how);

/** How a PNG file is written; {0} is 8-bit grey, not interlaced. */
typedef struct test_png {
    int color_type; /* PNG_COLOR_TYPE_* */
    int depth;      /* 0: 8 */
    bool interlaced;
    int orientation;        /* 0: no eXIf */
    bool exif_after;        /* the chunk follows the pixels */
    const uint8_t *palette; /* RGB triples */
    int palette_count;
    const uint8_t *alpha; /* tRNS: one a palette entry, or NULL */
    int alpha_count;
    bool keyed; /* tRNS of grey and RGB pictures: `key` in every channel is transparent */
    int key;
} test_png;

/** @param rows height rows of packed samples as PNG stores them, `row_bytes` apart. */
test_bytes test_encode_png(const uint8_t *rows, size_t row_bytes, int width, int height,
                           const test_png *how);

/** Decodes, failing the test where that fails or where the headers tell another size, and frees the
 *  bytes; det_image_free the picture. */
det_image test_decode(test_bytes *bytes);

/** A PNG file of 8-bit grey that claims a size and has no pixels. */
test_bytes test_png_header(uint32_t width, uint32_t height);

/** A lossless or lossy (quality 100) still WebP picture. @param bgra width x height x 4 bytes. */
test_bytes test_encode_webp(const uint8_t *bgra, int width, int height, bool lossless);

/** The same pixels as the first frame of an animation, at (x, y) of a canvas, or still; with an
 *  EXIF chunk unless `orientation` is 0. */
typedef struct test_webp {
    int canvas_width, canvas_height, x, y;
    bool animated, alpha;
    int orientation;
} test_webp;
test_bytes test_wrap_webp(const uint8_t *bgra, int width, int height, const test_webp *how);

#endif
