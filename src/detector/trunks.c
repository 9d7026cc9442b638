/* SPDX-License-Identifier: Apache-2.0 */
/* Networks compiled for the few sizes of pictures that came last: photographs of a folder have few
 * sizes, and compiling takes longer than running. */
#include "src/detector/trunks.h"

#include "src/base/error.h"
#include "src/base/memory.h"

#include <pthread.h>

enum { trunks_max = 8 };

typedef struct {
    det_network *network;
    size_t users;
    uint64_t used; /* when it was lent last, by the clock of the trunks */
} trunk;

struct det_trunks {
    pthread_mutex_t lock; /* holds for all below it */
    bool has_lock;
    det_model *model;
    det_network_options options;
    trunk *kept; /* count of them; more than trunks_max only while all are lent */
    size_t count, capacity;
    uint64_t clock;
};

det_status det_trunks_create(det_model *model, const det_network_options *options,
                             det_trunks **trunks, det_error *error)
{
    det_trunks *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "the networks for pictures");
    made->model = det_model_share(model);
    made->options = *options;
    made->has_lock = pthread_mutex_init(&made->lock, NULL) == 0;
    if (!made->has_lock) {
        det_trunks_free(made);
        return det_fail_memory(error, "the networks for pictures");
    }
    *trunks = made;
    return DET_OK;
}

void det_trunks_free(det_trunks *trunks)
{
    if (!trunks) return;
    for (size_t i = 0; i < trunks->count; i++) det_network_free(trunks->kept[i].network);
    det_free(trunks->kept);
    det_model_free(trunks->model);
    if (trunks->has_lock) pthread_mutex_destroy(&trunks->lock);
    det_free(trunks);
}

static size_t total_memory(const det_trunks *trunks)
{
    size_t bytes = 0;
    for (size_t i = 0; i < trunks->count; i++) bytes += det_network_memory(trunks->kept[i].network);
    return bytes;
}

/* The idle one that was not used for the longest time, or `count`. */
static size_t oldest_idle(const det_trunks *trunks)
{
    size_t oldest = trunks->count;
    for (size_t i = 0; i < trunks->count; i++) {
        if (trunks->kept[i].users > 0) continue;
        if (oldest == trunks->count || trunks->kept[i].used < trunks->kept[oldest].used) oldest = i;
    }
    return oldest;
}

static void drop_old(det_trunks *trunks, size_t count_max, size_t bytes_max)
{
    while (trunks->count > count_max || total_memory(trunks) > bytes_max) {
        const size_t oldest = oldest_idle(trunks);
        if (oldest == trunks->count) return;
        det_network_free(trunks->kept[oldest].network);
        trunks->kept[oldest] = trunks->kept[--trunks->count];
    }
}

static size_t find(const det_trunks *trunks, int width, int height)
{
    size_t i = 0;
    for (; i < trunks->count; i++) {
        const det_shape shape = det_network_input_shape(trunks->kept[i].network);
        if (shape.width == width && shape.height == height) break;
    }
    return i;
}

static det_status add(det_trunks *trunks, int width, int height, det_error *error)
{
    if (!det_grow_array(&trunks->kept, &trunks->capacity, trunks->count + 1, sizeof(trunk)))
        return det_fail_memory(error, "the networks for pictures");
    det_network_options options = trunks->options;
    options.width = width;
    options.height = height;
    trunk made = {0};
    const det_status status = det_network_compile(trunks->model, &options, &made.network, error);
    if (status == DET_OK) trunks->kept[trunks->count++] = made;
    return status;
}

det_status det_trunks_borrow(det_trunks *trunks, int width, int height, size_t bytes_max,
                             const det_network **network, det_error *error)
{
    pthread_mutex_lock(&trunks->lock);
    const size_t at = find(trunks, width, height);
    const det_status status = at == trunks->count ? add(trunks, width, height, error) : DET_OK;
    if (status == DET_OK) {
        trunk *lent = &trunks->kept[at];
        lent->users++;
        lent->used = ++trunks->clock;
        *network = lent->network;
        drop_old(trunks, trunks_max, bytes_max);
    }
    pthread_mutex_unlock(&trunks->lock);
    return status;
}

void det_trunks_return(det_trunks *trunks, const det_network *network)
{
    pthread_mutex_lock(&trunks->lock);
    for (size_t i = 0; i < trunks->count; i++)
        if (trunks->kept[i].network == network) trunks->kept[i].users--;
    drop_old(trunks, trunks_max, SIZE_MAX);
    pthread_mutex_unlock(&trunks->lock);
}

size_t det_trunks_count(det_trunks *trunks)
{
    pthread_mutex_lock(&trunks->lock);
    const size_t count = trunks->count;
    pthread_mutex_unlock(&trunks->lock);
    return count;
}
