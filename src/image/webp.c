/* SPDX-License-Identifier: Apache-2.0 */
/* WebP (RIFF container, VP8 and VP8L) through libwebp: still pictures and the first frame of
 * animated ones, which may cover a part of the canvas only; the rest, and transparency, is white.
 */
#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/image/decode.h"

#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

/* The container says how long it is, so a file that is cut off shows at once. */
static det_status check_length(const det_encoded *encoded, det_error *error)
{
    const uint8_t *b = encoded->bytes;
    if (memcmp(b, "RIFF", 4) != 0)
        return det_fail(error, DET_FORMAT, "not a picture: begins like WebP, but without \"RIFF\"");
    const uint64_t promised =
        8 + (b[4] | (uint64_t)b[5] << 8 | (uint64_t)b[6] << 16 | (uint64_t)b[7] << 24);
    if (promised > encoded->size) {
        det_fail(error, DET_FORMAT, "the WebP file is cut off: %zu bytes of %llu are there",
                 encoded->size, (unsigned long long)promised);
        det_error_where(error, "byte %zu", encoded->size);
        return DET_FORMAT;
    }
    return DET_OK;
}

static det_status fail_decode(VP8StatusCode code, det_error *error)
{
    switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return det_fail_memory(error, "a WebP picture");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return det_fail(error, DET_FORMAT, "WebP: the picture's data end too early");
    default:
        return det_fail(error, DET_FORMAT, "WebP: the picture's data are corrupt");
    }
}

/* Decodes a frame into memory of the caller's: BGR or BGRA, `stride` bytes a row. */
static det_status decode_frame(const WebPIterator *frame, WEBP_CSP_MODE mode, uint8_t *to,
                               size_t stride, size_t room, det_error *error)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return det_fail(error, DET_INTERNAL, "libwebp has another version than its headers");
    if (stride > INT32_MAX) return det_fail(error, DET_LIMIT, "%zu bytes a row", stride);
    config.output.colorspace = mode;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = (WebPRGBABuffer){to, (int)stride, room};
    const VP8StatusCode code = WebPDecode(frame->fragment.bytes, frame->fragment.size, &config);
    WebPFreeDecBuffer(&config.output);
    return code == VP8_STATUS_OK ? DET_OK : fail_decode(code, error);
}

static det_status draw_transparent(const WebPIterator *frame, uint8_t *corner, size_t stride,
                                   det_error *error)
{
    const size_t width = (size_t)frame->width, height = (size_t)frame->height;
    size_t room;
    uint8_t *bgra = NULL;
    if (det_multiply_size(4 * width, height, &room)) bgra = det_alloc(room);
    if (!bgra) return det_fail_memory(error, "a WebP picture");
    const det_status status = decode_frame(frame, MODE_BGRA, bgra, 4 * width, room, error);
    for (size_t y = 0; status == DET_OK && y < height; y++)
        det_blend_over_white(bgra + y * 4 * width, width, corner + y * stride);
    det_free(bgra);
    return status;
}

static det_status draw_frame(const WebPIterator *frame, const det_image *image, det_error *error)
{
    const size_t at = (size_t)frame->y_offset * image->stride + 3 * (size_t)frame->x_offset;
    const size_t room = (size_t)image->height * image->stride - at;
    memset(image->pixels, 255, (size_t)image->height * image->stride);
    if (frame->has_alpha) return draw_transparent(frame, image->pixels + at, image->stride, error);
    return decode_frame(frame, MODE_BGR, image->pixels + at, image->stride, room, error);
}

static int orientation_of(const WebPDemuxer *demuxer)
{
    WebPChunkIterator chunk;
    if (!WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk)) return 1;
    const int orientation = det_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
    WebPDemuxReleaseChunkIterator(&chunk);
    return orientation;
}

static det_status decode(const det_encoded *encoded, const WebPDemuxer *demuxer, det_image *image,
                         det_error *error)
{
    det_status status =
        det_decode_create(encoded, WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH),
                          WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT), 3, image, error);
    if (status < 0) return status;
    WebPIterator frame;
    if (!WebPDemuxGetFrame(demuxer, 1, &frame))
        return det_fail(error, DET_FORMAT, "WebP: there is no picture in the file");
    status = draw_frame(&frame, image, error);
    WebPDemuxReleaseIterator(&frame);
    return status;
}

static det_status open_container(const det_encoded *encoded, WebPDemuxer **demuxer,
                                 det_error *error)
{
    const det_status length = check_length(encoded, error);
    if (length < 0) return length;
    *demuxer = WebPDemux(&(WebPData){encoded->bytes, encoded->size});
    if (*demuxer) return DET_OK;
    return det_fail(error, DET_FORMAT, "WebP: the container of %zu bytes is corrupt",
                    encoded->size);
}

det_status det_measure_webp(const det_encoded *encoded, det_image_header *header, det_error *error)
{
    WebPDemuxer *demuxer = NULL;
    const det_status status = open_container(encoded, &demuxer, error);
    if (status < 0) return status;
    header->width = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH);
    header->height = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT);
    header->orientation = orientation_of(demuxer);
    WebPDemuxDelete(demuxer);
    return DET_OK;
}

det_status det_decode_webp(const det_encoded *encoded, det_image *image, int *orientation,
                           det_error *error)
{
    WebPDemuxer *demuxer = NULL;
    det_status status = open_container(encoded, &demuxer, error);
    if (status < 0) return status;
    status = decode(encoded, demuxer, image, error);
    if (status == DET_OK) *orientation = orientation_of(demuxer);
    WebPDemuxDelete(demuxer);
    return status;
}
