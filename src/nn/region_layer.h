/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_REGION_LAYER_H
#define DETECT_NN_REGION_LAYER_H

#include "src/nn/graph.h"

/* The layer at which a network is cut in two: what lies before runs once over a picture of any
 * size, what lies behind runs on every region that is pooled from the layer's map (SPP-net, He et
 * al. 2014; Fast R-CNN, Girshick 2015). */

/** Where the cells of a layer's map lie in the picture: the receptive field of cell (i, j) has its
 *  middle at x = x0 + j * step_x, y = y0 + i * step_y, in pixels whose centres are at .5. */
typedef struct det_cells {
    double x0, y0, step_x, step_y;
} det_cells;

/** Works out the cells of a layer from the windows of the layers before it:
 *  step' = step * stride, x0' = x0 + ((dilation * (kernel - 1)) / 2 - pad) * step.
 *  @return DET_OK; DET_UNSUPPORTED (the layer has no map: it lies behind a global pool, an inner
 *          product, or a concat of maps whose cells lie at different places); DET_MEMORY. */
det_status det_region_layer_cells(const det_graph *graph, int layer, det_cells *cells,
                                  det_error *error);

/** Whether all that `target` computes goes through `layer`.
 *  @return DET_OK; DET_ARGUMENT (it does not: error->where is the layer that reads what bypasses
 *          `layer`, or `target`, where that does not come after it); DET_MEMORY. */
det_status det_region_layer_check(const det_graph *graph, int layer, int target, det_error *error);

/** The layer to cut at where none is named: what the last pool with a stride reads, if all goes
 *  through it and it has a map; for GoogLeNet "inception_4e/output". Where there is no such pool,
 *  the last map of more than one cell that all goes through.
 *  @param shapes of the layers at the model's own size.
 *  @param layer  receives it.
 *  @return DET_OK, DET_UNSUPPORTED (there is none), DET_MEMORY. */
det_status det_region_layer_find(const det_graph *graph, const det_shape *shapes, int target,
                                 int *layer, det_error *error);

#endif
