/* SPDX-License-Identifier: Apache-2.0 */
/* A maximum needs no arithmetic of the channel's step, so bytes stay bytes. A block of channels is
 * one register of every processor, and the compiler keeps it there. */
#include "src/nn/kernels/byte_pool.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"

#include <stdint.h>
#include <string.h>

typedef struct {
    det_kernel kernel;
    det_window window;
    int block;
    det_shape in, out;
} byte_pool;

/* The part of a window's side that lies on the map. */
typedef struct {
    int begin, end;
} span;

static span span_of(int at, int stride, int pad, int kernel, int size)
{
    const int begin = at * stride - pad, end = begin + kernel;
    return (span){begin < 0 ? 0 : begin, end < size ? end : size};
}

static inline __attribute__((always_inline)) void
pool_pixel(const uint8_t *plane, int width, span rows, span columns, int block, uint8_t *out)
{
    uint8_t most[16] = {0};
    for (int y = rows.begin; y < rows.end; y++)
        for (int x = columns.begin; x < columns.end; x++) {
            const uint8_t *pixel = plane + (ptrdiff_t)(y * width + x) * block;
            for (int i = 0; i < block; i++) most[i] = most[i] > pixel[i] ? most[i] : pixel[i];
        }
    memcpy(out, most, (size_t)block);
}

static inline __attribute__((always_inline)) void
pool_plane(const byte_pool *p, const uint8_t *plane, int block, uint8_t *out)
{
    const det_window *w = &p->window;
    for (int y = 0; y < p->out.height; y++) {
        const span rows = span_of(y, w->stride_h, w->pad_h, w->kernel_h, p->in.height);
        for (int x = 0; x < p->out.width; x++, out += block)
            pool_pixel(plane, p->in.width, rows,
                       span_of(x, w->stride_w, w->pad_w, w->kernel_w, p->in.width), block, out);
    }
}

typedef struct {
    const byte_pool *pool;
    const uint8_t *in;
    uint8_t *out;
} running;

static void run_plane(void *context, size_t index, int worker)
{
    (void)worker;
    const running *r = context;
    const byte_pool *p = r->pool;
    const size_t block = (size_t)p->block;
    const uint8_t *plane = r->in + index * block * (size_t)p->in.height * (size_t)p->in.width;
    uint8_t *out = r->out + index * block * (size_t)p->out.height * (size_t)p->out.width;
    if (p->block == 16)
        pool_plane(p, plane, 16, out);
    else
        pool_plane(p, plane, 8, out);
}

static void run(const det_kernel *kernel, const void *in, void *out, int threads)
{
    running r = {(const byte_pool *)(const void *)kernel, in, out};
    const int planes = (r.pool->in.channels + r.pool->block - 1) / r.pool->block;
    det_parallel_for((size_t)planes, threads, run_plane, &r);
}

static void destroy(det_kernel *kernel)
{
    det_free(kernel);
}

det_status det_byte_pool_create(const det_window *window, int block, det_shape in, det_shape out,
                                det_kernel **kernel, det_error *error)
{
    byte_pool *pool = det_alloc(sizeof *pool);
    if (!pool) return det_fail_memory(error, "a pool");
    *pool = (byte_pool){{"own:maximum", "pooling", 0, run, destroy}, *window, block, in, out};
    *kernel = &pool->kernel;
    return DET_OK;
}
