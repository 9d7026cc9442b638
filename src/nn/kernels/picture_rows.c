/* SPDX-License-Identifier: Apache-2.0 */
#include "src/nn/kernels/picture_rows.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"

typedef struct {
    det_kernel kernel;
    det_shape picture, rows;
    int pad_h, pad_w;
    det_values type;
} picture_rows;

det_shape det_picture_rows_shape(const det_window *window, det_shape picture)
{
    return (det_shape){picture.channels, picture.height + 2 * window->pad_h,
                       picture.width + 2 * window->pad_w + 1};
}

typedef struct {
    const picture_rows *rows;
    const float *in;
    uint8_t *out;
} running;

static void write_f32(const float *plane, int width, int channels, float *out)
{
    for (int x = 0; x < width; x++) out[(ptrdiff_t)x * channels] = plane[x];
}

static void write_bf16(const float *plane, int width, int channels, uint16_t *out)
{
    for (int x = 0; x < width; x++) out[(ptrdiff_t)x * channels] = det_to_bf16(plane[x]);
}

/* `index` is a row of the result. */
static void write_row(void *context, size_t index, int worker)
{
    (void)worker;
    const running *r = context;
    const picture_rows *rows = r->rows;
    const det_shape picture = rows->picture;
    const size_t size = det_values_size(rows->type), channels = (size_t)picture.channels;
    const size_t row_size = (size_t)rows->rows.width * channels * size;
    uint8_t *out = r->out + index * row_size;
    const int y = (int)index - rows->pad_h;
    memset(out, 0, row_size);
    if (y < 0 || y >= picture.height) return;
    uint8_t *first = out + (size_t)rows->pad_w * channels * size;
    for (size_t c = 0; c < channels; c++) {
        const float *plane =
            r->in + (c * (size_t)picture.height + (size_t)y) * (size_t)picture.width;
        void *to = first + c * size;
        if (rows->type == DET_VALUES_F32)
            write_f32(plane, picture.width, picture.channels, to);
        else
            write_bf16(plane, picture.width, picture.channels, to);
    }
}

static void run(const det_kernel *kernel, const void *in, void *out, int threads)
{
    running r = {(const picture_rows *)(const void *)kernel, in, out};
    const size_t count = (size_t)r.rows->rows.height;
    if (threads > 1) {
        det_parallel_for(count, threads, write_row, &r);
        return;
    }
    for (size_t i = 0; i < count; i++) write_row(&r, i, 0);
}

static void destroy(det_kernel *kernel)
{
    det_free(kernel);
}

det_status det_picture_rows_create(const det_window *window, det_shape picture, det_values type,
                                   det_kernel **kernel, det_error *error)
{
    picture_rows *rows = det_alloc(sizeof *rows);
    if (!rows) return det_fail_memory(error, "the rows of a picture");
    *rows = (picture_rows){{"own:rows", "reorder", 0, run, destroy},
                           picture,
                           det_picture_rows_shape(window, picture),
                           window->pad_h,
                           window->pad_w,
                           type};
    *kernel = &rows->kernel;
    return DET_OK;
}
