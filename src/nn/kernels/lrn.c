/* SPDX-License-Identifier: Apache-2.0 */
/* Pixels go by in runs whose values of all channels stay in the cache near the processor. */
#include "src/nn/kernels/lrn.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"

enum { run_pixels = 64 };

typedef struct {
    det_kernel kernel;
    const det_lrn_code *code;
    size_t planes, area;
    float k, alpha_by_size;
    det_values in_type, out_type;
    float *inverse_step;
} lrn;

bool det_lrn_suits(const det_node *node)
{
    return node->op == DET_OP_LRN && node->local_size == DET_LRN_CHANNELS && node->beta == .75F;
}

typedef struct {
    const lrn *layer;
    const void *in;
    void *out;
} running;

static void run_part(void *context, size_t index, int worker)
{
    (void)worker;
    const running *r = context;
    const lrn *l = r->layer;
    const size_t begin = index * run_pixels, end = begin + run_pixels;
    const det_lrn_call call = {
        .in = r->in,
        .out = r->out,
        .planes = l->planes,
        .area = l->area,
        .begin = begin,
        .end = end < l->area ? end : l->area,
        .k = l->k,
        .alpha_by_size = l->alpha_by_size,
        .in_type = l->in_type,
        .out_type = l->out_type,
        .inverse_step = l->inverse_step,
    };
    l->code->run(&call);
}

static void run(const det_kernel *kernel, const void *in, void *out, int threads)
{
    running r = {(const lrn *)(const void *)kernel, in, out};
    const size_t parts = (r.layer->area + run_pixels - 1) / run_pixels;
    if (threads > 1) {
        det_parallel_for(parts, threads, run_part, &r);
        return;
    }
    for (size_t i = 0; i < parts; i++) run_part(&r, i, 0);
}

static void destroy(det_kernel *kernel)
{
    lrn *l = (lrn *)(void *)kernel;
    det_free(l->inverse_step);
    det_free(l);
}

det_status det_lrn_create(const det_lrn_code *code, const det_node *node, det_shape shape,
                          det_values type, const float *steps, det_kernel **kernel,
                          det_error *error)
{
    lrn *l = det_alloc_zeroed(1, sizeof *l);
    if (!l) return det_fail_memory(error, "a normalisation");
    const size_t channels = (size_t)shape.channels, block = (size_t)code->block;
    l->kernel = (det_kernel){code->name, "LRN", 0, run, destroy};
    l->code = code;
    l->planes = (channels + block - 1) / block;
    l->area = (size_t)shape.height * (size_t)shape.width;
    l->k = node->k;
    l->alpha_by_size = node->alpha / DET_LRN_CHANNELS;
    l->in_type = type;
    l->out_type = steps ? DET_VALUES_BYTES : type;
    if (steps) {
        l->inverse_step = det_alloc_zeroed(l->planes * block, sizeof *l->inverse_step);
        if (!l->inverse_step) {
            destroy(&l->kernel);
            return det_fail_memory(error, "a normalisation");
        }
        for (size_t c = 0; c < channels; c++) l->inverse_step[c] = 1 / steps[c];
    }
    *kernel = &l->kernel;
    return DET_OK;
}
