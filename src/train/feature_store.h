/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_FEATURE_STORE_H
#define DETECT_TRAIN_FEATURE_STORE_H

#include "detect/data.h"
#include "detect/network.h"
#include "src/base/file.h"
#include "src/nn/digest.h"

/* What the network says of the regions of pictures, kept in a folder. Proposals and features are a
 * file a picture each, named by a digest of everything that they depend on: the bytes of the
 * picture, the settings, the model, the annotated boxes. So a second run reads what the first one
 * computed, and what has changed is computed anew, as is what cannot be read (kept_file.h). */

/** Which features of a region are kept: the map of a layer, averaged over a coarse grid of windows
 *  that overlap, so that a part of an object does not look like the whole. */
typedef struct det_feature_recipe {
    const char *layer; /**< whose output it is */
    int grid;          /**< windows along a side, at least 1; a map with fewer cells has as many
                            windows as cells */
} det_feature_recipe;

/** The windows along a side of a map. Window i covers cells [i * stride, i * stride + kernel). */
typedef struct det_grid_windows {
    int count, kernel, stride;
} det_grid_windows;

/** The windows that cover `side` cells (at least 1) without a gap and reach its end: of 7 cells and
 *  a grid of 3, windows of 3 in distances of 2. */
det_grid_windows det_grid_windows_of(int side, int grid);

/** Averages a map over windows.
 *  @param map  channels x height x width.
 *  @param grid receives rows.count x columns.count x channels. */
void det_grid_average(det_shape map_shape, det_grid_windows rows, det_grid_windows columns,
                      const float *map, float *grid);

/** The regions of a picture with their features: its proposals, best first, and behind them its
 *  annotated boxes. Feature j of region i is values[i * width + j] * scales[i]: features are kept
 *  in 8 bits, which is enough for what comes after a rectifier. */
typedef struct det_region_features {
    size_t count, proposal_count;         /**< regions, and how many of them were proposed */
    size_t width;                         /**< features of a region */
    const det_box *boxes;                 /**< count; pixels of the upright picture */
    const float *scales;                  /**< count, each above 0 or the region's features are 0 */
    const uint8_t *values;                /**< count x width */
    int picture_width, picture_height;    /**< pixels, upright */
    det_bytes file;                       /**< that it is mapped from */
    char digest[DET_DIGEST_SIZE];         /**< of everything that the features depend on */
    char picture_digest[DET_DIGEST_SIZE]; /**< of the picture's bytes */
} det_region_features;

/** Takes {0}. */
void det_region_features_free(det_region_features *features);

/** Opened for one configuration; one caller at a time. */
typedef struct det_feature_store det_feature_store;

/** @param folder made where it is missing.
 *  @param config borrowed while the store lives: `proposals`, `classifier` (of one model) and
 *                `runtime` count.
 *  @param recipe copied.
 *  @return as det_extractor_create; DET_IO (the folder). */
det_status det_feature_store_open(const char *folder, const det_config *config,
                                  const det_feature_recipe *recipe, det_feature_store **store,
                                  det_error *error);
/** Takes NULL. */
void det_feature_store_close(det_feature_store *store);

/** Features of a region, and the map's windows. */
size_t det_feature_store_width(const det_feature_store *store);
det_grid_windows det_feature_store_rows(const det_feature_store *store);
det_grid_windows det_feature_store_columns(const det_feature_store *store);

/** The features of a picture: read where they are kept, else computed and kept.
 *  @param objects  object_count boxes, not empty, inside the picture.
 *  @param run      or NULL: the deadline, and whether to go on; progress is not told.
 *  @param features free with det_region_features_free. Untouched on failure.
 *  @return DET_OK; DET_IO, DET_FORMAT, DET_UNSUPPORTED, DET_LIMIT (of the picture: error->file);
 *          DET_MEMORY; DET_CANCELLED. */
det_status det_feature_store_get(det_feature_store *store, const char *picture_path,
                                 const det_box *objects, size_t object_count, const det_run *run,
                                 det_region_features *features, det_error *error);

/** What det_feature_store_get found and what it had to do. */
typedef struct det_feature_store_counts {
    size_t pictures, proposed, extracted; /**< asked for; of these not kept before */
} det_feature_store_counts;
det_feature_store_counts det_feature_store_count(const det_feature_store *store);

#endif
