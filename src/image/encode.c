/* SPDX-License-Identifier: Apache-2.0 */
/* Writes pictures, under a temporary name until all is on the disk. The encoders leave by longjmp
 * on an error; see jpeg.c for how that is kept safe. */
#include "src/image/encode.h"

#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>
#include <png.h>

enum {
    usual_quality = 92,
    png_compression = 3 /* 2.4 times as fast as zlib's 6, files 3 % larger */
};

typedef struct {
    const det_image *image;
    FILE *stream;
    det_error *error;
    det_status status;
    jmp_buf escape;
} writer;

/* ---- JPEG ---------------------------------------------------------------------------------- */

typedef struct {
    writer base;
    int quality;
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr manager;
} jpeg_writer;

static void give_up_jpeg(j_common_ptr common)
{
    writer *w = common->client_data;
    char text[JMSG_LENGTH_MAX];
    common->err->format_message(common, text);
    w->status = ferror(w->stream) ? det_fail_errno(w->error, NULL, "write")
                                  : det_fail(w->error, DET_INTERNAL, "JPEG: %s", text);
    longjmp(w->escape, 1);
}

static void encode_jpeg(jpeg_writer *w)
{
    j_compress_ptr cinfo = &w->cinfo;
    const det_image *image = w->base.image;
    jpeg_create_compress(cinfo);
    cinfo->client_data = w;
    jpeg_stdio_dest(cinfo, w->base.stream);
    cinfo->image_width = (JDIMENSION)image->width;
    cinfo->image_height = (JDIMENSION)image->height;
    cinfo->input_components = 3;
    cinfo->in_color_space = JCS_EXT_BGR;
    jpeg_set_defaults(cinfo);
    jpeg_set_quality(cinfo, w->quality, TRUE);
    jpeg_start_compress(cinfo, TRUE);
    while (cinfo->next_scanline < cinfo->image_height) {
        JSAMPROW row = image->pixels + cinfo->next_scanline * image->stride;
        jpeg_write_scanlines(cinfo, &row, 1);
    }
    jpeg_finish_compress(cinfo);
}

static void guarded_jpeg(jpeg_writer *w)
{
    if (setjmp(w->base.escape) == 0) encode_jpeg(w);
    jpeg_destroy_compress(&w->cinfo);
}

static det_status write_jpeg(const writer *base, int quality)
{
    if (base->image->width > JPEG_MAX_DIMENSION || base->image->height > JPEG_MAX_DIMENSION)
        return det_fail(base->error, DET_ARGUMENT,
                        "%d x %d pixels do not fit in a JPEG file, whose sides are %ld at most: "
                        "write a PNG file",
                        base->image->width, base->image->height, JPEG_MAX_DIMENSION);
    jpeg_writer w = {.base = *base, .quality = quality};
    w.cinfo.err = jpeg_std_error(&w.manager);
    w.cinfo.client_data = &w;
    w.manager.error_exit = give_up_jpeg;
    guarded_jpeg(&w);
    return w.base.status;
}

/* ---- PNG ----------------------------------------------------------------------------------- */

typedef struct {
    writer base;
    png_structp png;
    png_infop info;
    bool out_of_memory;
} png_writer;

static void give_up_png(png_structp png, png_const_charp text)
{
    png_writer *w = png_get_error_ptr(png);
    if (w->out_of_memory)
        w->base.status = det_fail_memory(w->base.error, "writing a PNG picture");
    else if (ferror(w->base.stream))
        w->base.status = det_fail_errno(w->base.error, NULL, "write");
    else
        w->base.status = det_fail(w->base.error, DET_INTERNAL, "PNG: %s", text);
    longjmp(w->base.escape, 1);
}

static void ignore_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
    void *block = det_alloc(size);
    if (!block) ((png_writer *)png_get_mem_ptr(png))->out_of_memory = true;
    return block;
}

static void release(png_structp png, png_voidp block)
{
    (void)png;
    det_free(block);
}

static void encode_png(png_writer *w)
{
    const det_image *image = w->base.image;
    png_init_io(w->png, w->base.stream);
    png_set_user_limits(w->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_compression_level(w->png, png_compression);
    png_set_IHDR(w->png, w->info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(w->png, w->info);
    png_set_bgr(w->png);
    for (int y = 0; y < image->height; y++)
        png_write_row(w->png, image->pixels + (size_t)y * image->stride);
    png_write_end(w->png, w->info);
}

static void guarded_png(png_writer *w)
{
    if (setjmp(w->base.escape) == 0) encode_png(w);
}

static det_status write_png(const writer *base)
{
    png_writer w = {.base = *base};
    w.png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &w, give_up_png, ignore_warning, &w,
                                      allocate, release);
    if (w.png) w.info = png_create_info_struct(w.png);
    if (w.info)
        guarded_png(&w);
    else
        w.base.status = det_fail_memory(base->error, "a PNG encoder");
    png_destroy_write_struct(&w.png, &w.info);
    return w.base.status;
}

/* -------------------------------------------------------------------------------------------- */

det_status det_image_write(const det_image *image, const char *path, det_error *error)
{
    const bool jpeg = det_text_ends_fold(path, ".jpg") || det_text_ends_fold(path, ".jpeg");
    if (!jpeg && !det_text_ends_fold(path, ".png"))
        return det_fail_at(error, DET_ARGUMENT, path, NULL,
                           "pictures are written as .png, .jpg or .jpeg");
    if (image->width < 1 || image->height < 1)
        return det_fail_at(error, DET_ARGUMENT, path, NULL, "the picture is empty");

    det_output output;
    det_status status = det_output_open(path, &output, error);
    if (status < 0) return status;
    const writer w = {.image = image, .stream = output.stream, .error = error};
    status = jpeg ? write_jpeg(&w, usual_quality) : write_png(&w);
    if (status == DET_OK) return det_output_commit(&output, error);
    det_output_abandon(&output);
    return det_error_file(error, path, status);
}

det_status det_image_encode_jpeg(const det_image *image, int quality, det_text *bytes,
                                 det_error *error)
{
    if (image->width < 1 || image->height < 1)
        return det_fail(error, DET_ARGUMENT, "the picture is empty");
    FILE *stream = det_text_stream(bytes);
    if (!stream) return det_fail_memory(error, "a JPEG picture");
    const writer w = {.image = image, .stream = stream, .error = error};
    const det_status status = write_jpeg(&w, quality);
    fclose(stream);
    return bytes->failed ? det_fail_memory(error, "a JPEG picture") : status;
}
