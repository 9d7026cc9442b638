/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support_image.h"

#include "src/image/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>
#include <webp/encode.h>

/* ---- Pictures ------------------------------------------------------------------------------ */

det_image test_picture(int width, int height)
{
    det_image image;
    det_error error = {0};
    test_assert_ok(det_image_create(width, height, &image, &error), &error);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *p = image.pixels + (size_t)y * image.stride + 3 * (size_t)x;
            p[0] = (uint8_t)(40 + (160 * x) / width);
            p[1] = (uint8_t)(220 - (160 * y) / height);
            p[2] = (uint8_t)(60 + (130 * (x + y)) / (width + height));
        }
    return image;
}

uint32_t test_pixel(const det_image *image, int x, int y)
{
    assert_true(x >= 0 && x < image->width && y >= 0 && y < image->height);
    const uint8_t *p = image->pixels + (size_t)y * image->stride + 3 * (size_t)x;
    return (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static int largest_of(uint32_t a, uint32_t b)
{
    int largest = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        const int difference = abs((int)(a >> shift & 255) - (int)(b >> shift & 255));
        if (difference > largest) largest = difference;
    }
    return largest;
}

int test_largest_difference(const det_image *a, const det_image *b)
{
    int largest = 0;
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++) {
            const int difference = largest_of(test_pixel(a, x, y), test_pixel(b, x, y));
            if (difference > largest) largest = difference;
        }
    return largest;
}

void test_assert_pixel(const det_image *image, int x, int y, uint32_t rgb, int tolerance)
{
    const uint32_t found = test_pixel(image, x, y);
    if (largest_of(found, rgb) > tolerance)
        fail_msg("pixel (%d, %d) is #%06X, not #%06X", x, y, found, rgb);
}

det_image test_decode(test_bytes *bytes)
{
    det_image image;
    int width = 0, height = 0;
    det_error error = {0};
    test_assert_ok(det_image_decode(bytes->data, bytes->length, "test", NULL, &image, &error),
                   &error);
    test_assert_ok(det_image_measure(bytes->data, bytes->length, "test", &width, &height, &error),
                   &error);
    assert_int_equal(width, image.width);
    assert_int_equal(height, image.height);
    det_text_free(bytes);
    return image;
}

/* ---- Bytes --------------------------------------------------------------------------------- */

static void add_number(test_bytes *bytes, uint32_t value, int size, bool big_endian)
{
    for (int i = 0; i < size; i++) {
        const char byte = (char)(value >> (8 * (big_endian ? size - 1 - i : i)));
        det_text_append(bytes, &byte, 1);
    }
}

/* A directory of two entries, so that a reader must step to the second. */
void test_add_exif(test_bytes *bytes, int orientation, bool big_endian)
{
    det_text_append(bytes, big_endian ? "MM" : "II", 2);
    add_number(bytes, 42, 2, big_endian);
    add_number(bytes, 8, 4, big_endian);
    add_number(bytes, 2, 2, big_endian);
    const unsigned entries[2][4] = {{0x0100, 4, 1, 640}, {0x0112, 3, 1, (unsigned)orientation}};
    for (int i = 0; i < 2; i++) {
        add_number(bytes, entries[i][0], 2, big_endian);
        add_number(bytes, entries[i][1], 2, big_endian);
        add_number(bytes, entries[i][2], 4, big_endian);
        add_number(bytes, entries[i][3], entries[i][1] == 3 ? 2 : 4, big_endian);
        if (entries[i][1] == 3) add_number(bytes, 0, 2, big_endian);
    }
    add_number(bytes, 0, 4, big_endian);
    assert_false(bytes->failed);
}

/* ---- JPEG ---------------------------------------------------------------------------------- */

static void set_inks(struct jpeg_compress_struct *cinfo, test_inks inks)
{
    static const J_COLOR_SPACE spaces[] = {
        [TEST_YCBCR] = JCS_YCbCr,     [TEST_RGB] = JCS_RGB,   [TEST_GREY] = JCS_GRAYSCALE,
        [TEST_CMYK_ADOBE] = JCS_CMYK, [TEST_YCCK] = JCS_YCCK, [TEST_CMYK_PLAIN] = JCS_CMYK,
    };
    const bool four = inks >= TEST_CMYK_ADOBE;
    cinfo->input_components = four ? 4 : 3;
    cinfo->in_color_space = four ? JCS_CMYK : JCS_EXT_BGR;
    jpeg_set_defaults(cinfo);
    jpeg_set_colorspace(cinfo, spaces[inks]);
    if (inks == TEST_CMYK_PLAIN) cinfo->write_Adobe_marker = FALSE;
}

static void to_cmyk(const uint8_t *bgr, int width, bool inverted, uint8_t *cmyk)
{
    const uint8_t flip = inverted ? 255 : 0;
    for (int x = 0; x < width; x++, bgr += 3, cmyk += 4) {
        cmyk[0] = (uint8_t)((255 - bgr[2]) ^ flip);
        cmyk[1] = (uint8_t)((255 - bgr[1]) ^ flip);
        cmyk[2] = (uint8_t)((255 - bgr[0]) ^ flip);
        cmyk[3] = test_black ^ flip;
    }
}

static void write_exif(struct jpeg_compress_struct *cinfo, int orientation)
{
    test_bytes exif = {0};
    det_text_append(&exif, "Exif\0", 6);
    test_add_exif(&exif, orientation, orientation % 2 == 0);
    jpeg_write_marker(cinfo, JPEG_APP0 + 1, (const JOCTET *)exif.data, (unsigned)exif.length);
    det_text_free(&exif);
}

test_bytes test_encode_jpeg(const det_image *image, const test_jpeg *how)
{
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr manager;
    unsigned char *memory = NULL;
    unsigned long size = 0;
    cinfo.err = jpeg_std_error(&manager); /* ends the program on an error, which no test makes */
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, &memory, &size);
    cinfo.image_width = (JDIMENSION)image->width;
    cinfo.image_height = (JDIMENSION)image->height;
    set_inks(&cinfo, how->inks);
    jpeg_set_quality(&cinfo, 100, TRUE);
    if (!how->subsampled) cinfo.comp_info[0].h_samp_factor = cinfo.comp_info[0].v_samp_factor = 1;
    if (!how->subsampled && cinfo.num_components == 4)
        cinfo.comp_info[3].h_samp_factor = cinfo.comp_info[3].v_samp_factor = 1;
    static const jpeg_scan_info separate[] = {
        {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
    if (how->separate) cinfo.scan_info = separate, cinfo.num_scans = 3;
    if (how->progressive) jpeg_simple_progression(&cinfo);
    cinfo.arith_code = how->arithmetic;
    cinfo.restart_interval = (unsigned)how->restart_interval;
    jpeg_start_compress(&cinfo, TRUE);
    if (how->orientation) write_exif(&cinfo, how->orientation);

    uint8_t *cmyk = malloc(4 * (size_t)image->width);
    assert_non_null(cmyk);
    while (cinfo.next_scanline < cinfo.image_height) {
        JSAMPROW row = image->pixels + cinfo.next_scanline * image->stride;
        if (cinfo.input_components == 4) {
            to_cmyk(row, image->width, how->inks != TEST_CMYK_PLAIN, cmyk);
            row = cmyk;
        }
        jpeg_write_scanlines(&cinfo, &row, 1);
    }
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);

    test_bytes bytes = {0};
    det_text_append(&bytes, (const char *)memory, size);
    free(memory);
    free(cmyk);
    return bytes;
}

/* ---- PNG ----------------------------------------------------------------------------------- */

static void add_bytes(png_structp png, png_bytep from, size_t count)
{
    det_text_append(png_get_io_ptr(png), (const char *)from, count);
}

static void set_transparency(png_structp png, png_infop info, const test_png *how)
{
    png_color_16 key = {0};
    if (how->alpha) png_set_tRNS(png, info, how->alpha, how->alpha_count, NULL);
    if (!how->keyed) return;
    key.gray = key.red = key.green = key.blue = (png_uint_16)how->key;
    png_set_tRNS(png, info, NULL, 0, &key);
}

static void set_palette(png_structp png, png_infop info, const test_png *how)
{
    png_color colors[256];
    for (int i = 0; i < how->palette_count; i++)
        colors[i] =
            (png_color){how->palette[3 * i], how->palette[3 * i + 1], how->palette[3 * i + 2]};
    if (how->palette) png_set_PLTE(png, info, colors, how->palette_count);
}

static void write_png(png_structp png, png_infop info, const uint8_t *rows, size_t row_bytes,
                      int width, int height, const test_png *how)
{
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, how->depth ? how->depth : 8,
                 how->color_type, how->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    set_palette(png, info, how);
    set_transparency(png, info, how);
    test_bytes exif = {0};
    if (how->orientation) test_add_exif(&exif, how->orientation, true);
    if (exif.data && !how->exif_after)
        png_set_eXIf_1(png, info, (png_uint_32)exif.length, (png_bytep)exif.data);
    png_write_info(png, info);

    const int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < height; y++) png_write_row(png, rows + (size_t)y * row_bytes);
    if (exif.data && how->exif_after)
        png_write_chunk(png, (png_const_bytep) "eXIf", (png_const_bytep)exif.data, exif.length);
    png_write_end(png, NULL);
    det_text_free(&exif);
}

test_bytes test_encode_png(const uint8_t *rows, size_t row_bytes, int width, int height,
                           const test_png *how)
{
    test_bytes bytes = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    assert_non_null(png);
    png_infop info = png_create_info_struct(png);
    assert_non_null(info);
    if (setjmp(png_jmpbuf(png)) != 0) fail_msg("libpng refuses to write the test's picture");
    png_set_write_fn(png, &bytes, add_bytes, NULL);
    write_png(png, info, rows, row_bytes, width, height, how);
    png_destroy_write_struct(&png, &info);
    assert_false(bytes.failed);
    return bytes;
}

test_bytes test_png_header(uint32_t width, uint32_t height)
{
    test_bytes bytes = {0}, body = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    assert_non_null(png);
    png_set_write_fn(png, &bytes, add_bytes, NULL);
    add_number(&body, width, 4, true);
    add_number(&body, height, 4, true);
    det_text_append(&body, "\x08\0\0\0", 5);
    png_write_sig(png);
    png_write_chunk(png, (png_const_bytep) "IHDR", (png_const_bytep)body.data, body.length);
    png_write_chunk(png, (png_const_bytep) "IDAT", NULL, 0);
    png_write_chunk(png, (png_const_bytep) "IEND", NULL, 0);
    png_destroy_write_struct(&png, NULL);
    det_text_free(&body);
    return bytes;
}

/* ---- WebP ---------------------------------------------------------------------------------- */

test_bytes test_encode_webp(const uint8_t *bgra, int width, int height, bool lossless)
{
    uint8_t *memory = NULL;
    const size_t size = lossless ? WebPEncodeLosslessBGRA(bgra, width, height, 4 * width, &memory)
                                 : WebPEncodeBGRA(bgra, width, height, 4 * width, 100, &memory);
    assert_true(size > 0);
    test_bytes bytes = {0};
    det_text_append(&bytes, (const char *)memory, size);
    WebPFree(memory);
    return bytes;
}

static void add_chunk(test_bytes *bytes, const char *name, const char *body, size_t size)
{
    det_text_append(bytes, name, 4);
    add_number(bytes, (uint32_t)size, 4, false);
    det_text_append(bytes, body, size);
    if (size % 2) det_text_append(bytes, "", 1);
}

static void add_canvas(test_bytes *bytes, const test_webp *how)
{
    test_bytes body = {0};
    const unsigned flags =
        (how->animated ? 2u : 0) | (how->alpha ? 16u : 0) | (how->orientation ? 8u : 0);
    add_number(&body, flags, 4, false);
    add_number(&body, (uint32_t)how->canvas_width - 1, 3, false);
    add_number(&body, (uint32_t)how->canvas_height - 1, 3, false);
    add_chunk(bytes, "VP8X", body.data, body.length);
    det_text_free(&body);
}

static void add_frame(test_bytes *bytes, const char *picture, size_t size, int width, int height,
                      const test_webp *how)
{
    add_chunk(bytes, "ANIM", "\0\0\xFF\xFF\0\0", 6); /* a red background, to be ignored */
    test_bytes body = {0};
    add_number(&body, (uint32_t)how->x / 2, 3, false);
    add_number(&body, (uint32_t)how->y / 2, 3, false);
    add_number(&body, (uint32_t)width - 1, 3, false);
    add_number(&body, (uint32_t)height - 1, 3, false);
    add_number(&body, 100, 3, false); /* milliseconds */
    add_number(&body, 0, 1, false);
    det_text_append(&body, picture, size);
    add_chunk(bytes, "ANMF", body.data, body.length);
    add_chunk(bytes, "ANMF", body.data, body.length);
    det_text_free(&body);
}

test_bytes test_wrap_webp(const uint8_t *bgra, int width, int height, const test_webp *how)
{
    test_bytes still = test_encode_webp(bgra, width, height, true), body = {0}, bytes = {0};
    const char *picture = still.data + 12; /* after "RIFF", size, "WEBP" */
    const size_t size = still.length - 12;
    add_canvas(&body, how);
    if (how->animated)
        add_frame(&body, picture, size, width, height, how);
    else
        det_text_append(&body, picture, size);
    if (how->orientation) {
        test_bytes exif = {0};
        test_add_exif(&exif, how->orientation, false);
        add_chunk(&body, "EXIF", exif.data, exif.length);
        det_text_free(&exif);
    }
    det_text_append(&bytes, "RIFF", 4);
    add_number(&bytes, (uint32_t)body.length + 4, 4, false);
    det_text_append(&bytes, "WEBP", 4);
    det_text_append(&bytes, body.data, body.length);
    assert_false(bytes.failed);
    det_text_free(&body);
    det_text_free(&still);
    return bytes;
}
