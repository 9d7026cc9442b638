/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_PICTURE_CACHE_H
#define DETECT_TRAIN_PICTURE_CACHE_H

#include "detect/annotations.h"
#include "src/data/paths.h"

/** Decoded pictures, kept up to a number of bytes: those that came first stay, the others are
 *  decoded each time. Where all are asked for equally often, none that stay in their place would
 *  spare more. Safe to share between threads. */
typedef struct det_picture_cache det_picture_cache;

/** @param paths      of the pictures; taken over, also on failure.
 *  @param limits     of a picture, copied, or NULL for the defaults.
 *  @param most_bytes of all pictures that are kept.
 *  @param cache      det_picture_cache_free it. @return DET_OK, DET_MEMORY. */
det_status det_picture_cache_create(det_paths *paths, const det_image_limits *limits,
                                    size_t most_bytes, det_picture_cache **cache, det_error *error);

/** The same for the pictures of annotations, in their order. */
det_status det_picture_cache_of(const det_annotations *annotations, const det_image_limits *limits,
                                size_t most_bytes, det_picture_cache **cache, det_error *error);
/** Takes NULL. */
void det_picture_cache_free(det_picture_cache *cache);

size_t det_picture_cache_count(const det_picture_cache *cache);
/** Where picture `index` lies. */
const char *det_picture_cache_path(const det_picture_cache *cache, size_t index);
/** Bytes of the pictures that are kept. */
size_t det_picture_cache_bytes(det_picture_cache *cache);

/** Gives picture `index`, decoded where it is not kept.
 *  @param own     {0}; receives the picture where it is not kept: det_image_free it in any case,
 *                 after the last use of `image`.
 *  @param image   receives the picture, until then.
 *  @return DET_OK, or as det_image_read. Thread-safe. */
det_status det_picture_cache_get(det_picture_cache *cache, size_t index, det_image *own,
                                 const det_image **image, det_error *error);

#endif
