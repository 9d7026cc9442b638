/* SPDX-License-Identifier: Apache-2.0 */
/* Recognises a picture by its first bytes, and hands it to its decoder or refuses it by name. */
#include "src/image/decode.h"

#include "src/base/error.h"
#include "src/base/file.h"
#include "src/base/memory.h"

#include <string.h>

typedef struct {
    det_decoder *decode;
    det_measurer *measure;
} reader;

static const reader jpeg = {det_decode_jpeg, det_measure_jpeg};
static const reader png = {det_decode_png, det_measure_png};
static const reader webp = {det_decode_webp, det_measure_webp};

/* A kind of file: its first bytes, and either its reader or what to tell about it. */
typedef struct {
    size_t at; /* where the bytes are */
    const char *bytes;
    size_t count;
    const reader *reader;
    const char *name;    /* "a TIFF picture" */
    const char *command; /* that converts it */
} kind;

#define SIGNATURE(text) (text), sizeof(text) - 1
#define MAGICK(ending) "convert picture." ending " picture.png"
#define FRAME "ffmpeg -i video -frames:v 1 picture.png"

/* The first match counts, so longer signatures of a family come first. */
static const kind kinds[] = {
    {0, SIGNATURE("\xFF\xD8\xFF"), &jpeg, NULL, NULL},
    {0, SIGNATURE("\x89PNG\r\n\x1A\n"), &png, NULL, NULL},
    {8, SIGNATURE("WEBP"), &webp, NULL, NULL},
    {4, SIGNATURE("ftypavi"), NULL, "an AVIF picture", "avifdec picture.avif picture.png"},
    {4, SIGNATURE("ftyphei"), NULL, "a HEIC picture", "heif-convert picture.heic picture.png"},
    {4, SIGNATURE("ftyphev"), NULL, "a HEIC picture", "heif-convert picture.heic picture.png"},
    {4, SIGNATURE("ftypmif1"), NULL, "a HEIF picture", "heif-convert picture.heif picture.png"},
    {4, SIGNATURE("ftypmsf1"), NULL, "a HEIF picture", "heif-convert picture.heif picture.png"},
    {4, SIGNATURE("ftypcrx"), NULL, "a raw photograph", "darktable-cli picture.cr3 picture.png"},
    {4, SIGNATURE("ftyp"), NULL, "a video", FRAME},
    {0, SIGNATURE("\x1A\x45\xDF\xA3"), NULL, "a video", FRAME},
    {8, SIGNATURE("AVI "), NULL, "a video", FRAME},
    {0, SIGNATURE("II*\0"), NULL, "a TIFF picture", MAGICK("tiff")},
    {0, SIGNATURE("MM\0*"), NULL, "a TIFF picture", MAGICK("tiff")},
    {0, SIGNATURE("II+\0"), NULL, "a BigTIFF picture", MAGICK("tiff")},
    {0, SIGNATURE("MM\0+"), NULL, "a BigTIFF picture", MAGICK("tiff")},
    {0, SIGNATURE("GIF87a"), NULL, "a GIF picture", "convert 'picture.gif[0]' picture.png"},
    {0, SIGNATURE("GIF89a"), NULL, "a GIF picture", "convert 'picture.gif[0]' picture.png"},
    {0, SIGNATURE("\0\0\0\x0CJXL \r\n\x87\n"), NULL, "a JPEG XL picture",
     "djxl picture.jxl picture.png"},
    {0, SIGNATURE("\xFF\x0A"), NULL, "a JPEG XL picture", "djxl picture.jxl picture.png"},
    {0, SIGNATURE("\0\0\0\x0CjP  \r\n\x87\n"), NULL, "a JPEG 2000 picture",
     "opj_decompress -i picture.jp2 -o picture.png"},
    {0, SIGNATURE("\xFF\x4F\xFF\x51"), NULL, "a JPEG 2000 picture",
     "opj_decompress -i picture.j2k -o picture.png"},
    {0, SIGNATURE("%PDF-"), NULL, "a PDF document", "pdftoppm -png document.pdf picture"},
    {0, SIGNATURE("<svg"), NULL, "an SVG drawing", "rsvg-convert picture.svg -o picture.png"},
    {0, SIGNATURE("<?xml"), NULL, "an XML file (an SVG drawing?)",
     "rsvg-convert picture.svg -o picture.png"},
    {0, SIGNATURE("8BPS"), NULL, "a Photoshop picture", "convert 'picture.psd[0]' picture.png"},
    {0, SIGNATURE("\0\0\1\0"), NULL, "an icon", "convert 'picture.ico[0]' picture.png"},
    {0, SIGNATURE("\x76\x2F\x31\x01"), NULL, "an OpenEXR picture", MAGICK("exr")},
    {0, SIGNATURE("qoif"), NULL, "a QOI picture", "ffmpeg -i picture.qoi picture.png"},
    {0, SIGNATURE("P1\n"), NULL, "a PBM picture", MAGICK("pbm")},
    {0, SIGNATURE("P2\n"), NULL, "a PGM picture", MAGICK("pgm")},
    {0, SIGNATURE("P3\n"), NULL, "a PPM picture", MAGICK("ppm")},
    {0, SIGNATURE("P4\n"), NULL, "a PBM picture", MAGICK("pbm")},
    {0, SIGNATURE("P5\n"), NULL, "a PGM picture", MAGICK("pgm")},
    {0, SIGNATURE("P6\n"), NULL, "a PPM picture", MAGICK("ppm")},
    {0, SIGNATURE("BM"), NULL, "a BMP picture", MAGICK("bmp")},
};

static bool matches(const det_encoded *encoded, const kind *k)
{
    return encoded->size >= k->at + k->count &&
           memcmp(encoded->bytes + k->at, k->bytes, k->count) == 0;
}

static const kind *recognise(const det_encoded *encoded)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (matches(encoded, &kinds[i])) return &kinds[i];
    return NULL;
}

/* Quotes the first line of what looks like text, and anything else as bytes. */
static det_status refuse_unknown(const det_encoded *encoded, det_error *error)
{
    enum { shown = 24, enough = 4 };
    char text[shown + 1] = "", hex[3 * shown + 1] = "";
    const size_t count = encoded->size < shown ? encoded->size : shown;
    size_t printable = 0;
    while (printable < count && encoded->bytes[printable] >= ' ' &&
           encoded->bytes[printable] < 0x7F)
        printable++;
    memcpy(text, encoded->bytes, printable);
    for (size_t i = 0; i < count; i++) snprintf(hex + 3 * i, 4, " %02X", encoded->bytes[i]);

    const bool is_text = printable >= enough || printable == encoded->size;
    return det_fail(error, DET_FORMAT,
                    "not a picture: begins with %s%s%s; JPEG, PNG and WebP are read",
                    is_text ? "\"" : "the bytes", is_text ? text : hex, is_text ? "\"" : "");
}

/* The kind of a file that is read; any other is an error. */
static det_status find_kind(const det_encoded *encoded, const kind **found, det_error *error)
{
    if (encoded->size == 0) return det_fail(error, DET_FORMAT, "the file is empty");
    *found = recognise(encoded);
    if (!*found) return refuse_unknown(encoded, error);
    if ((*found)->reader) return DET_OK;
    return det_fail(error, DET_UNSUPPORTED, "%s is not read; convert it first: %s", (*found)->name,
                    (*found)->command);
}

static det_status decode(const det_encoded *encoded, det_image *image, det_error *error)
{
    const kind *k = NULL;
    int orientation = 1;
    det_status status = find_kind(encoded, &k, error);
    if (status < 0) return status;
    status = k->reader->decode(encoded, image, &orientation, error);
    if (status == DET_OK) status = det_image_orient(image, orientation, error);
    if (status < 0) det_image_free(image);
    return status;
}

static det_image_limits effective(const det_image_limits *limits)
{
    det_image_limits result = limits ? *limits : (det_image_limits){0};
    if (result.max_pixels == 0) result.max_pixels = 100000000;
    if (result.max_file_bytes == 0) result.max_file_bytes = 1 << 30;
    return result;
}

det_status det_decode_check(const det_encoded *encoded, uint32_t width, uint32_t height,
                            det_error *error)
{
    if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX)
        return det_fail(error, DET_FORMAT, "the header claims %u x %u pixels", width, height);
    if ((uint64_t)width * height > encoded->max_pixels)
        return det_fail(error, DET_LIMIT,
                        "%u x %u pixels are more than the limit of %llu (max_pixels)", width,
                        height, (unsigned long long)encoded->max_pixels);
    return DET_OK;
}

det_status det_decode_create(const det_encoded *encoded, uint32_t width, uint32_t height,
                             size_t channels, det_image *image, det_error *error)
{
    const det_status status = det_decode_check(encoded, width, height, error);
    if (status < 0) return status;
    size_t stride;
    uint8_t *pixels = NULL;
    if (det_multiply_size(width, channels, &stride)) pixels = det_alloc_zeroed(height, stride);
    if (!pixels)
        return det_fail(error, DET_MEMORY, "out of memory for a picture of %u x %u pixels", width,
                        height);
    *image = (det_image){(int)width, (int)height, stride, pixels};
    return DET_OK;
}

void det_blend_over_white(const uint8_t *bgra, size_t count, uint8_t *bgr)
{
    for (size_t i = 0; i < count; i++, bgra += 4, bgr += 3) {
        const unsigned alpha = bgra[3], white = 255 * (255 - alpha) + 127;
        const unsigned b = bgra[0], g = bgra[1], r = bgra[2];
        bgr[0] = (uint8_t)((b * alpha + white) / 255);
        bgr[1] = (uint8_t)((g * alpha + white) / 255);
        bgr[2] = (uint8_t)((r * alpha + white) / 255);
    }
}

void det_decode_blend(det_image *image)
{
    det_blend_over_white(image->pixels, (size_t)image->width * (size_t)image->height,
                         image->pixels);
    image->stride = 3 * (size_t)image->width;
}

det_status det_image_decode(const void *bytes, size_t size, const char *name,
                            const det_image_limits *limits, det_image *image, det_error *error)
{
    const det_image_limits most = effective(limits);
    const det_encoded encoded = {bytes, size, most.max_pixels};
    *image = (det_image){0};
    if (size > most.max_file_bytes)
        return det_fail_at(error, DET_LIMIT, name, NULL,
                           "%zu bytes are more than the limit of %llu (max_file_bytes)", size,
                           (unsigned long long)most.max_file_bytes);
    return det_error_file(error, name, decode(&encoded, image, error));
}

det_status det_image_read(const char *path, const det_image_limits *limits, det_image *image,
                          det_error *error)
{
    det_bytes bytes = {0};
    *image = (det_image){0};
    det_status status = det_file_read(path, effective(limits).max_file_bytes, &bytes, error);
    if (status == DET_OK)
        status = det_image_decode(bytes.data, bytes.size, path, limits, image, error);
    det_bytes_free(&bytes);
    return status;
}

det_status det_image_inspect(const void *bytes, size_t size, const char *name,
                             det_image_header *header, det_error *error)
{
    const det_encoded encoded = {bytes, size, UINT64_MAX};
    const kind *k = NULL;
    *header = (det_image_header){.orientation = 1};
    det_status status = find_kind(&encoded, &k, error);
    if (status == DET_OK) status = k->reader->measure(&encoded, header, error);
    if (status == DET_OK) status = det_decode_check(&encoded, header->width, header->height, error);
    return det_error_file(error, name, status);
}

det_status det_image_measure(const void *bytes, size_t size, const char *name, int *width,
                             int *height, det_error *error)
{
    det_image_header header;
    const det_status status = det_image_inspect(bytes, size, name, &header, error);
    if (status < 0) return status;
    const bool turned = header.orientation >= 5; /* a quarter turn, mirrored or not */
    *width = (int)(turned ? header.height : header.width);
    *height = (int)(turned ? header.width : header.height);
    return DET_OK;
}

det_status det_image_size(const char *path, int *width, int *height, det_error *error)
{
    det_bytes bytes = {0};
    det_status status = det_file_map(path, &bytes, error);
    if (status == DET_OK)
        status = det_image_measure(bytes.data, bytes.size, path, width, height, error);
    det_bytes_free(&bytes);
    return status;
}
