/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/picture_cache.h"

#include "src/base/file.h"
#include "src/base/memory.h"

#include <pthread.h>

struct det_picture_cache {
    pthread_mutex_t lock; /* of what is kept */
    bool has_lock;
    det_paths paths;
    det_image_limits limits;
    det_image *kept; /* of each path; {0}: it is not kept, or not yet. Never changed again */
    size_t bytes, most_bytes;
};

/* ---- Life ----------------------------------------------------------------------------------- */

det_status det_picture_cache_create(det_paths *paths, const det_image_limits *limits,
                                    size_t most_bytes, det_picture_cache **cache, det_error *error)
{
    det_picture_cache *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) {
        det_paths_free(paths);
        return det_fail_memory(error, "the pictures to learn from");
    }
    made->paths = *paths;
    *paths = (det_paths){0};
    if (limits) made->limits = *limits;
    made->most_bytes = most_bytes;
    made->kept = det_alloc_zeroed(made->paths.count, sizeof *made->kept);
    made->has_lock = pthread_mutex_init(&made->lock, NULL) == 0;
    if (!made->kept || !made->has_lock) {
        det_picture_cache_free(made);
        return det_fail_memory(error, "the pictures to learn from");
    }
    *cache = made;
    return DET_OK;
}

det_status det_picture_cache_of(const det_annotations *annotations, const det_image_limits *limits,
                                size_t most_bytes, det_picture_cache **cache, det_error *error)
{
    det_paths paths = {0};
    for (size_t i = 0; i < annotations->image_count; i++) {
        char *path = det_path_join(annotations->folder, annotations->images[i].file);
        const det_status status = det_paths_push(&paths, path, error);
        if (status < 0) {
            det_paths_free(&paths);
            return status;
        }
    }
    return det_picture_cache_create(&paths, limits, most_bytes, cache, error);
}

void det_picture_cache_free(det_picture_cache *cache)
{
    if (!cache) return;
    for (size_t i = 0; cache->kept && i < cache->paths.count; i++) det_image_free(&cache->kept[i]);
    det_free(cache->kept);
    det_paths_free(&cache->paths);
    if (cache->has_lock) pthread_mutex_destroy(&cache->lock);
    det_free(cache);
}

size_t det_picture_cache_count(const det_picture_cache *cache)
{
    return cache->paths.count;
}

const char *det_picture_cache_path(const det_picture_cache *cache, size_t index)
{
    return cache->paths.items[index];
}

size_t det_picture_cache_bytes(det_picture_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    const size_t bytes = cache->bytes;
    pthread_mutex_unlock(&cache->lock);
    return bytes;
}

/* ---- Pictures ------------------------------------------------------------------------------- */

/* The kept picture, or NULL. */
static const det_image *find(det_picture_cache *cache, size_t index)
{
    pthread_mutex_lock(&cache->lock);
    const det_image *kept = cache->kept[index].pixels ? &cache->kept[index] : NULL;
    pthread_mutex_unlock(&cache->lock);
    return kept;
}

/* Keeps a picture where there is room for it, unless another thread was faster. */
static const det_image *keep(det_picture_cache *cache, size_t index, det_image *own)
{
    const size_t bytes = own->stride * (size_t)own->height;
    const det_image *image = own;
    pthread_mutex_lock(&cache->lock);
    det_image *kept = &cache->kept[index];
    if (!kept->pixels && bytes <= cache->most_bytes - cache->bytes) {
        *kept = *own;
        *own = (det_image){0};
        cache->bytes += bytes;
        image = kept;
    }
    pthread_mutex_unlock(&cache->lock);
    return image;
}

det_status det_picture_cache_get(det_picture_cache *cache, size_t index, det_image *own,
                                 const det_image **image, det_error *error)
{
    *image = find(cache, index);
    if (*image) return DET_OK;
    const det_status status = det_image_read(cache->paths.items[index], &cache->limits, own, error);
    if (status == DET_OK) *image = keep(cache, index, own);
    return status;
}
