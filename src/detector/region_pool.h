/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_REGION_POOL_H
#define DETECT_DETECTOR_REGION_POOL_H

#include "detect/data.h"
#include "detect/network.h"
#include "src/image/crop.h"

/* Regions as the input of the second half of a network, pooled from what the first half says of
 * the whole picture (He et al., "Spatial Pyramid Pooling", 2014, section 4; Girshick, "Fast R-CNN",
 * 2015).
 *
 * The picture is resized to a canvas and lies on the model's mean, as crops do, with a frame of it
 * that is as wide as the surroundings of the largest region. A region shows the same rectangle as
 * its crop would, surroundings included: bin (i, j) of the pooled map stands where cell (i, j) of
 * the layer's map would look in the crop. */

/** How regions are pooled for one model. Immutable but for the networks it keeps, and safe to share
 *  between threads. */
typedef struct det_region_pool det_region_pool;

typedef struct det_region_pool_options {
    const char *layer; /**< to pool from; NULL: the model's own, or else det_region_layer_find */
    const char *const *targets; /**< target_count layers whose outputs are wanted; NULL: the
                                   probabilities */
    size_t target_count;
    const float *scales_px; /**< scale_count lengths of the picture's shorter side; a region takes
                               that at which its crop has the area nearest to the network's input,
                               by ratio. A picture more than twice as long as wide is made smaller,
                               so that its longer side is at most twice the length. */
    size_t scale_count;     /**< 1 to 8 */
    bool maximum;           /**< RoI max pooling in place of RoI align */
    det_crop_options crop;  /**< of the model: what a region shows */
    det_precision precision;
    int threads;
} det_region_pool_options;

/** What a configuration says of it: layer, scales and method; it must live as long. The rest is
 *  zero. */
det_region_pool_options det_region_pool_options_of(const det_config *config);

/** @return DET_OK; DET_ARGUMENT (no such layer; a layer that can be bypassed, or that the wanted
 * one does not come after); DET_UNSUPPORTED (a layer without a map); DET_MEMORY; error->where is a
 * layer. */
det_status det_region_pool_create(det_model *model, const det_region_pool_options *options,
                                  det_region_pool **pool, det_error *error);
/** Takes NULL. */
void det_region_pool_free(det_region_pool *pool);

/** The layer that regions are pooled from. */
const char *det_region_pool_layer(const det_region_pool *pool);
/** How many networks for whole pictures are kept. */
size_t det_region_pool_trunks(const det_region_pool *pool);

/** The maps of one picture, made when a region needs them. One caller at a time. */
typedef struct det_region_maps det_region_maps;

/** @param image borrowed until the maps are freed. @return DET_OK, DET_MEMORY. */
det_status det_region_maps_create(const det_region_pool *pool, const det_image *image,
                                  det_region_maps **maps, det_error *error);
/** Takes NULL. */
void det_region_maps_free(det_region_maps *maps);

/** What making maps took. */
typedef struct det_region_times {
    double canvas_ms, network_ms;
} det_region_times;

/** Makes the maps that some regions need.
 *  @param bytes_max of memory, for everything here.
 *  @param times     is added to.
 *  @return DET_OK; DET_ARGUMENT (a region that is empty or not finite); DET_LIMIT (bytes_max);
 *          DET_MEMORY; DET_INTERNAL. */
det_status det_region_maps_prepare(det_region_maps *maps, const det_region *regions, size_t count,
                                   size_t bytes_max, det_region_times *times, det_error *error);

/** Bytes that the maps hold. */
size_t det_region_maps_memory(const det_region_maps *maps);

/** Pools a region that det_region_maps_prepare was called for.
 *  @param out height x width x channels of the layer's map at the model's own size.
 *  @return DET_OK, DET_MEMORY. Thread-safe. */
det_status det_region_maps_pool(const det_region_maps *maps, det_box box, float *out);

#endif
