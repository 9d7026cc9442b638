/* SPDX-License-Identifier: Apache-2.0 */
/* PNG (ISO/IEC 15948) through libpng: every colour type, depth and interlace. 16 bits are scaled to
 * 8, grey becomes three equal channels, alpha is laid over white. Gamma and colour profiles are not
 * applied. Animated PNG gives its default picture.
 *
 * Chunks that do not matter here are skipped unread: some are compressed, and a few kilobytes can
 * claim gigabytes. libpng leaves by longjmp on an error; see jpeg.c for how that is kept safe. */
#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/image/decode.h"

#include <setjmp.h>
#include <string.h>

#include <png.h>

typedef struct {
    png_structp png;
    png_infop info, after; /* chunks before and after the pixels */
    jmp_buf escape;
    size_t at; /* bytes read so far */
    const det_encoded *encoded;
    det_image *image;
    det_error *error;
    det_status status;
    bool out_of_memory, rows_begun;
} reader;

static void give_up(png_structp png, png_const_charp text)
{
    reader *r = png_get_error_ptr(png);
    if (r->out_of_memory)
        r->status = det_fail_memory(r->error, "a PNG picture");
    else if (r->status == DET_OK)
        r->status = det_fail(r->error, DET_FORMAT, "PNG: %s", text);
    if (r->rows_begun)
        det_error_where(r->error, "byte %zu, row %u of %d", r->at, png_get_current_row_number(png),
                        r->image->height);
    else
        det_error_where(r->error, "byte %zu", r->at);
    longjmp(r->escape, 1);
}

static void ignore_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
    void *block = det_alloc(size);
    if (!block) ((reader *)png_get_mem_ptr(png))->out_of_memory = true;
    return block;
}

static void release(png_structp png, png_voidp block)
{
    (void)png;
    det_free(block);
}

static void feed(png_structp png, png_bytep to, size_t count)
{
    reader *r = png_get_io_ptr(png);
    if (count > r->encoded->size - r->at) {
        r->status = det_fail(r->error, DET_FORMAT,
                             "the PNG file is cut off: it ends after %zu bytes, before the end of "
                             "the picture",
                             r->encoded->size);
        r->at = r->encoded->size;
        png_error(png, "");
    }
    memcpy(to, r->encoded->bytes + r->at, count);
    r->at += count;
}

/* A chunk that is longer than the file is refused before memory for it is asked for. */
static void skip_other_chunks(png_structp png, size_t file_size)
{
    static const png_byte skipped[] = "bKGD\0cHRM\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0"
                                      "sBIT\0sCAL\0sPLT\0sRGB\0sTER\0tEXt\0tIME\0zTXt";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, skipped, sizeof skipped / 5);
    png_set_chunk_malloc_max(png, file_size);
    png_set_chunk_cache_max(png, 16);
}

/* Asks libpng for BGR, or BGRA where the picture has any transparency. */
static void ask_for_bgr(reader *r)
{
    png_set_expand(r->png);
    png_set_scale_16(r->png);
    png_set_gray_to_rgb(r->png);
    png_set_bgr(r->png);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
}

static void read_rows(reader *r)
{
    const det_image *image = r->image;
    const int passes = png_get_interlace_type(r->png, r->info) == PNG_INTERLACE_ADAM7 ? 7 : 1;
    r->rows_begun = true;
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < image->height; y++)
            png_read_row(r->png, image->pixels + (size_t)y * image->stride, NULL);
}

static void decode(reader *r)
{
    png_set_read_fn(r->png, r, feed);
    png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    skip_other_chunks(r->png, r->encoded->size);
    png_read_info(r->png, r->info);
    const uint32_t width = png_get_image_width(r->png, r->info);
    const uint32_t height = png_get_image_height(r->png, r->info);
    r->status = det_decode_check(r->encoded, width, height, r->error);
    if (r->status < 0) return;

    ask_for_bgr(r); /* allocates rows */
    const size_t channels = png_get_channels(r->png, r->info);
    r->status = det_decode_create(r->encoded, width, height, channels, r->image, r->error);
    if (r->status < 0) return;
    read_rows(r);
    png_read_end(r->png, r->after);
    if (r->out_of_memory) png_error(r->png, ""); /* libpng goes on without a chunk it cannot hold */
    if (channels == 4) det_decode_blend(r->image);
}

static void guarded(reader *r)
{
    if (setjmp(r->escape) == 0) decode(r);
}

static int orientation_of(reader *r)
{
    png_bytep exif;
    png_uint_32 size;
    if (png_get_eXIf_1(r->png, r->info, &size, &exif) ||
        png_get_eXIf_1(r->png, r->after, &size, &exif))
        return det_exif_orientation(exif, size);
    return 1;
}

det_status det_decode_png(const det_encoded *encoded, det_image *image, int *orientation,
                          det_error *error)
{
    reader r = {.encoded = encoded, .image = image, .error = error};
    r.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &r, give_up, ignore_warning, &r,
                                     allocate, release);
    if (r.png) r.info = png_create_info_struct(r.png);
    if (r.png) r.after = png_create_info_struct(r.png);
    if (!r.info || !r.after) {
        png_destroy_read_struct(&r.png, &r.info, &r.after);
        return det_fail_memory(error, "a PNG decoder");
    }
    guarded(&r);
    if (r.status == DET_OK) *orientation = orientation_of(&r);
    png_destroy_read_struct(&r.png, &r.info, &r.after);
    return r.status;
}

static uint32_t read_u32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Steps from chunk to chunk: length, type, data, checksum. The orientation may follow the pixels.
 */
det_status det_measure_png(const det_encoded *encoded, det_image_header *header, det_error *error)
{
    enum { signature = 8, around = 12, ihdr_bytes = 13 };
    bool sized = false;
    for (size_t at = signature; encoded->size - at >= around;) {
        const uint8_t *chunk = encoded->bytes + at;
        const uint32_t length = read_u32(chunk);
        if (length > encoded->size - at - around) break;
        if (!sized && (memcmp(chunk + 4, "IHDR", 4) != 0 || length < ihdr_bytes)) break;
        if (!sized) {
            header->width = read_u32(chunk + 8);
            header->height = read_u32(chunk + 12);
            sized = true;
        }
        if (memcmp(chunk + 4, "eXIf", 4) == 0) {
            header->orientation = det_exif_orientation(chunk + 8, length);
            break;
        }
        at += (size_t)length + around;
    }
    if (sized) return DET_OK;
    return det_fail(error, DET_FORMAT, "PNG: there is no header (IHDR) at byte %d", signature);
}
