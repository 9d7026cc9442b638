/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/fit_state.h"

#include "src/base/memory.h"
#include "src/train/kept_file.h"

#include <string.h>

#define FORMAT "detect fit 1"

/* The states, one behind the other. */
static size_t total_size(det_minimizer *const *minimizers, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) total += det_minimizer_state_size(minimizers[i]);
    return total;
}

static det_status write_states(const char *path, det_minimizer *const *minimizers, size_t count,
                               uint64_t passes, uint8_t *states, double *sizes, det_error *error)
{
    const size_t total = total_size(minimizers, count);
    double done = (double)passes;
    for (size_t i = 0, at = 0; i < count; i++) {
        sizes[i] = (double)det_minimizer_state_size(minimizers[i]);
        det_minimizer_save(minimizers[i], states + at);
        at += det_minimizer_state_size(minimizers[i]);
    }
    const det_kept_part parts[] = {{"passes", "F64", &done, 1, sizeof done},
                                   {"sizes", "F64", sizes, count, sizeof *sizes},
                                   {"states", "U8", states, total, 1}};
    return det_kept_write_parts(path, FORMAT, parts, sizeof parts / sizeof *parts, error);
}

det_status det_fit_state_write(const char *path, det_minimizer *const *minimizers, size_t count,
                               uint64_t passes, det_error *error)
{
    uint8_t *states = det_alloc(total_size(minimizers, count));
    double *sizes = det_alloc_array(count, sizeof *sizes);
    const det_status status =
        states && sizes ? write_states(path, minimizers, count, passes, states, sizes, error)
                        : det_fail_memory(error, "the state of a fit");
    det_free(states);
    det_free(sizes);
    return status;
}

static bool take_states(const det_kept_file *file, det_minimizer *const *minimizers, size_t count,
                        uint64_t *passes)
{
    const det_tensor *states = det_safetensors_find(&file->tensors, "states");
    const det_tensor *sizes = det_kept_find(file, "sizes", "F64", count);
    const det_tensor *done = det_kept_find(file, "passes", "F64", 1);
    double number;
    if (!states || !sizes || !done) return false;
    for (size_t i = 0, at = 0; i < count; i++) {
        memcpy(&number, sizes->data + i * sizeof number, sizeof number);
        if (!(number >= 0 && number <= (double)(states->size - at)) ||
            !det_minimizer_restore(minimizers[i], states->data + at, (size_t)number))
            return false;
        at += (size_t)number;
    }
    memcpy(&number, done->data, sizeof number);
    *passes = number > 0 ? (uint64_t)number : 0;
    return true;
}

bool det_fit_state_read(const char *path, det_minimizer *const *minimizers, size_t count,
                        uint64_t *passes)
{
    det_kept_file file = {0};
    if (det_kept_open(path, FORMAT, &file, NULL) < 0) return false;
    const bool taken = take_states(&file, minimizers, count, passes);
    det_kept_close(&file);
    return taken;
}
