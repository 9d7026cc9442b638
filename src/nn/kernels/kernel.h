/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_KERNELS_KERNEL_H
#define DETECT_NN_KERNELS_KERNEL_H

#include <stddef.h>

/** A layer that we compute ourselves, from one map into another. Read-only once made; safe to
 *  share. Maps are in blocks of channels (tiles.h); channels beyond the last are zeros in the
 *  input, and are written as zeros. */
typedef struct det_kernel {
    const char *name; /**< as det_network_step gives it */
    const char *kind; /**< as det_network_step_kind gives it */
    size_t size;      /**< bytes that it holds */
    /** `out` does not overlap `in`. The same values whatever `threads` is. */
    void (*run)(const struct det_kernel *kernel, const void *in, void *out, int threads);
    void (*destroy)(struct det_kernel *kernel);
} det_kernel;

#endif
