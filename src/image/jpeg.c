/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG (ITU-T T.81) through libjpeg-turbo: baseline, progressive and arithmetic, 8 bits.
 *
 * CMYK is converted simply, as if inks were filters laid over white: R = 255 (1 - C)(1 - K),
 * likewise G with M and B with Y. Adobe's files, known by their marker, store every ink inverted
 * (255 is none), so that R = C' K' / 255 there. YCCK is CMYK whose C, M, Y were turned into YCbCr;
 * libjpeg turns them back. Colour profiles are not applied.
 *
 * libjpeg calls its error handler where it cannot go on, and where data are corrupt goes on with
 * grey; both leave here by longjmp. The jump lands in `guarded`, whose only variable lives in its
 * caller, so nothing can be clobbered. */
#include "src/base/error.h"
#include "src/image/decode.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

enum {
    /* An encoder makes about ten; a hostile file makes thousands, each costing a pass over all. */
    max_scans = 100
};

/* What the frame header says, read before libjpeg sees the file. */
typedef struct {
    unsigned marker; /* 0xC0 to 0xCF, 0xF7; 0 when there is none before the first scan */
    unsigned precision, width, height, components;
    int orientation;
} frame;

typedef struct {
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    const det_encoded *encoded;
    det_image *image;
    det_error *error;
    det_status status;
} reader;

/* ---- The frame header ---------------------------------------------------------------------- */

static bool is_frame(unsigned marker)
{
    const bool other = marker == 0xC4 || marker == 0xC8 || marker == 0xCC; /* tables, extensions */
    return (marker >= 0xC0 && marker <= 0xCF && !other) || marker == 0xF7;
}

static bool stands_alone(unsigned marker)
{
    return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
}

static void read_segment(unsigned marker, const uint8_t *body, size_t size, frame *f)
{
    if (marker == 0xE1 && size > 6 && memcmp(body, "Exif\0", 6) == 0 && f->orientation == 0)
        f->orientation = det_exif_orientation(body, size);
    if (!is_frame(marker) || size < 6 || f->marker) return;
    f->marker = marker;
    f->precision = body[0];
    f->height = (unsigned)(body[1] << 8 | body[2]);
    f->width = (unsigned)(body[3] << 8 | body[4]);
    f->components = body[5];
}

/* Walks from marker to marker up to the first scan, skipping bytes between them, and segments that
 * claim to be shorter than their length, as libjpeg does. */
static frame read_frame(const uint8_t *bytes, size_t size)
{
    frame f = {0};
    size_t at = 2;
    while (at + 4 <= size) {
        if (bytes[at] != 0xFF || bytes[at + 1] == 0xFF || bytes[at + 1] == 0) {
            at++;
            continue;
        }
        const unsigned marker = bytes[at + 1];
        at += 2;
        if (stands_alone(marker)) continue;
        if (marker == 0xD9 || marker == 0xDA) break; /* end of image, start of scan */
        const size_t claimed = (size_t)bytes[at] << 8 | bytes[at + 1];
        const size_t length = claimed < 2 ? 2 : claimed; /* the length counts itself */
        if (length > size - at) break;
        read_segment(marker, bytes + at + 2, length - 2, &f);
        at += length;
    }
    return f;
}

static det_status refuse_kind(const frame *f, det_error *error)
{
    if (f->marker == 0) return DET_OK; /* libjpeg will say what is wrong */
    if (f->marker == 0xF7)
        return det_fail(error, DET_UNSUPPORTED,
                        "a JPEG-LS picture is not read; convert it first: "
                        "ffmpeg -i picture.jls picture.png");
    if (f->marker == 0xC3 || f->marker == 0xCB)
        return det_fail(error, DET_UNSUPPORTED,
                        "a lossless JPEG picture is not read; convert it first: "
                        "ffmpeg -i picture.jpg picture.png");
    if ((f->marker >= 0xC5 && f->marker <= 0xC7) || f->marker >= 0xCD)
        return det_fail(error, DET_UNSUPPORTED, "a hierarchical JPEG picture is not read");
    if (f->precision != 8)
        return det_fail(error, DET_UNSUPPORTED,
                        "a JPEG picture of %u bits is not read, only of 8; convert it first: "
                        "ffmpeg -i picture.jpg picture.png",
                        f->precision);
    if (f->components != 1 && f->components != 3 && f->components != 4)
        return det_fail(error, DET_UNSUPPORTED, "a JPEG picture of %u components is not read",
                        f->components);
    return DET_OK;
}

/* ---- Errors -------------------------------------------------------------------------------- */

static det_status status_of(int code)
{
    switch (code) {
    case JERR_OUT_OF_MEMORY:
        return DET_MEMORY;
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
        return DET_LIMIT;
    default:
        return DET_FORMAT;
    }
}

/* Within a row, libjpeg takes bytes in advance, so the place is near rather than exact. */
static size_t bytes_taken(const reader *r)
{
    const struct jpeg_source_mgr *source = r->cinfo.src;
    const size_t size = r->encoded->size;
    return source && source->bytes_in_buffer <= size ? size - source->bytes_in_buffer : 0;
}

static void name_place(const reader *r, size_t byte)
{
    const struct jpeg_decompress_struct *cinfo = &r->cinfo;
    if (cinfo->output_height > 0 && cinfo->output_scanline > 0)
        det_error_where(r->error, "byte %zu, row %u of %u", byte, cinfo->output_scanline,
                        cinfo->output_height);
    else if (cinfo->input_scan_number > 0)
        det_error_where(r->error, "byte %zu, scan %d", byte, cinfo->input_scan_number);
    else
        det_error_where(r->error, "byte %zu", byte);
}

static void fail_cut_off(reader *r)
{
    const size_t size = r->encoded->size;
    r->status = det_fail(r->error, DET_FORMAT,
                         "the JPEG file is cut off: it ends after %zu bytes, before the end of the "
                         "picture",
                         size);
    name_place(r, size);
}

static void give_up(j_common_ptr common)
{
    reader *r = common->client_data;
    const int code = common->err->msg_code;
    if (code == JWRN_JPEG_EOF || code == JERR_INPUT_EOF) {
        fail_cut_off(r);
    } else {
        char text[JMSG_LENGTH_MAX];
        common->err->format_message(common, text);
        r->status = det_fail(r->error, status_of(code), "JPEG: %s", text);
        name_place(r, bytes_taken(r));
    }
    longjmp(r->escape, 1);
}

/* Warnings after which pixels are as they were meant. */
static bool is_harmless(const struct jpeg_error_mgr *manager)
{
    switch (manager->msg_code) {
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_BOGUS_ICC:
        return true;
    case JWRN_EXTRANEOUS_DATA: /* stray bytes before a marker, unless inside a scan */
        return manager->msg_parm.i[1] < 0xD0 || manager->msg_parm.i[1] > 0xD7;
    default:
        return false;
    }
}

static void judge_message(j_common_ptr common, int level)
{
    if (level < 0 && !is_harmless(common->err)) give_up(common);
}

static void ignore_output(j_common_ptr common)
{
    (void)common;
}

static void limit_scans(j_common_ptr common)
{
    reader *r = common->client_data;
    if (r->cinfo.input_scan_number <= max_scans) return;
    r->status = det_fail(r->error, DET_LIMIT, "the JPEG file has more than %d scans", max_scans);
    name_place(r, bytes_taken(r));
    longjmp(r->escape, 1);
}

/* ---- Pixels -------------------------------------------------------------------------------- */

static uint8_t through(unsigned ink, unsigned black)
{
    return (uint8_t)((ink * black + 127) / 255);
}

/* `inverted` is 0 where 255 already means no ink, and 255 where 0 does. */
static void cmyk_to_bgr(const uint8_t *cmyk, unsigned inverted, int width, uint8_t *bgr)
{
    for (int x = 0; x < width; x++, cmyk += 4, bgr += 3) {
        const unsigned black = cmyk[3] ^ inverted;
        bgr[0] = through(cmyk[2] ^ inverted, black);
        bgr[1] = through(cmyk[1] ^ inverted, black);
        bgr[2] = through(cmyk[0] ^ inverted, black);
    }
}

static void read_rows(reader *r)
{
    j_decompress_ptr cinfo = &r->cinfo;
    const bool cmyk = cinfo->out_color_space == JCS_CMYK;
    const unsigned inverted = cinfo->saw_Adobe_marker ? 0 : 255;
    JSAMPARRAY inks = cmyk ? cinfo->mem->alloc_sarray((j_common_ptr)cinfo, JPOOL_IMAGE,
                                                      4 * cinfo->output_width, 1)
                           : NULL;
    while (cinfo->output_scanline < cinfo->output_height) {
        JSAMPROW row = r->image->pixels + cinfo->output_scanline * r->image->stride;
        jpeg_read_scanlines(cinfo, cmyk ? inks : &row, 1);
        if (cmyk) cmyk_to_bgr(inks[0], inverted, r->image->width, row);
    }
}

static void decode(reader *r)
{
    j_decompress_ptr cinfo = &r->cinfo;
    jpeg_create_decompress(cinfo);
    cinfo->client_data = r;
    r->progress.progress_monitor = limit_scans;
    cinfo->progress = &r->progress;
    jpeg_mem_src(cinfo, r->encoded->bytes, r->encoded->size);
    jpeg_read_header(cinfo, TRUE);

    r->status = det_decode_create(r->encoded, cinfo->image_width, cinfo->image_height, 3, r->image,
                                  r->error);
    if (r->status < 0) return;
    cinfo->out_color_space = cinfo->num_components == 4 ? JCS_CMYK : JCS_EXT_BGR;
    jpeg_start_decompress(cinfo);
    read_rows(r);
    jpeg_finish_decompress(cinfo);
}

static void guarded(reader *r)
{
    if (setjmp(r->escape) == 0) decode(r);
    jpeg_destroy_decompress(&r->cinfo);
}

det_status det_measure_jpeg(const det_encoded *encoded, det_image_header *header, det_error *error)
{
    const frame f = read_frame(encoded->bytes, encoded->size);
    if (!f.marker)
        return det_fail(error, DET_FORMAT, "JPEG: there is no frame header in %zu bytes",
                        encoded->size);
    header->width = f.width;
    header->height = f.height;
    if (f.orientation) header->orientation = f.orientation;
    return refuse_kind(&f, error);
}

det_status det_decode_jpeg(const det_encoded *encoded, det_image *image, int *orientation,
                           det_error *error)
{
    const frame f = read_frame(encoded->bytes, encoded->size);
    det_status status = refuse_kind(&f, error);
    if (status == DET_OK && f.marker) status = det_decode_check(encoded, f.width, f.height, error);
    if (status < 0) return status;
    if (f.orientation) *orientation = f.orientation;

    reader r = {.encoded = encoded, .image = image, .error = error};
    r.cinfo.err = jpeg_std_error(&r.manager);
    r.cinfo.client_data = &r;
    r.manager.error_exit = give_up;
    r.manager.emit_message = judge_message;
    r.manager.output_message = ignore_output;
    guarded(&r);
    return r.status;
}
