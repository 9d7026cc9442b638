/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_ROI_POOL_H
#define DETECT_NN_ROI_POOL_H

#include "detect/image.h"
#include "detect/network.h"

/* Regions of a map, brought to one size. A box is in cells of the map: cell (i, j) covers
 * [j, j + 1) x [i, i + 1), and its value stands at its middle. */

/** A map of a layer, channels innermost. */
typedef struct det_roi_map {
    const float *values; /**< shape.height x shape.width x shape.channels */
    det_shape shape;
} det_roi_map;

/** RoI align (He et al., "Mask R-CNN", 2017, section 3): the box is not rounded but divided into
 *  equal bins, and a bin is the mean of samples in it, each interpolated bilinearly. A bin has
 *  ceil(its side in cells) samples along each side, in equal distances: a bin that is a cell gives
 *  the value of the cell, bit for bit. Beyond the map stand the values at its edge.
 *
 *  @param box    finite, x1 > x0 and y1 > y0; may reach beyond the map or lie outside.
 *  @param height, width of the result, in bins, at least 1.
 *  @param out    height x width x channels.
 *  @return DET_OK, DET_MEMORY (a row of the result). Thread-safe. */
det_status det_roi_align(const det_roi_map *map, det_box box, int height, int width, float *out);

/** RoI max pooling (Girshick, "Fast R-CNN", 2015, section 2.1): the corners are rounded to cells,
 *  at least one cell remains, and bin k of n cells takes the greatest value from cell
 *  floor(k * n / bins) to before ceil((k + 1) * n / bins). Cells outside the map do not count; a
 *  bin without cells is 0. Parameters as of det_roi_align. Thread-safe. */
void det_roi_max(const det_roi_map *map, det_box box, int height, int width, float *out);

/** The gradient of a loss with respect to regions that were pooled from one map. Borrowed. */
typedef struct det_roi_gradients {
    const det_box *boxes; /**< count, as they were pooled */
    size_t count;
    int height, width;   /**< of each, in bins */
    const float *values; /**< count x height x width x channels of the map */
} det_roi_gradients;

/** The gradient of that loss with respect to the map: what each bin took from a cell, times the
 * bin's gradient, is added to the cell. Of each cell the regions are added in order, so that
 * results do not depend on threads.
 *
 *  @param shape     of the map.
 *  @param gradients shape.height x shape.width x shape.channels, added to.
 *  @param threads   0: as many as the process may use.
 *  @return DET_OK, DET_MEMORY (nothing was added). Thread-safe. */
det_status det_roi_align_gradient(const det_roi_gradients *regions, det_shape shape,
                                  float *gradients, int threads);

/** The same for the greatest values: a bin's gradient goes to its greatest cell, the first one
 * (from left to right, then down) where several are equal.
 *  @param map as it was pooled. */
void det_roi_max_gradient(const det_roi_gradients *regions, const det_roi_map *map,
                          float *gradients, int threads);

#endif
