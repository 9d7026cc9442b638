/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_KERNELS_PICTURE_ROWS_H
#define DETECT_NN_KERNELS_PICTURE_ROWS_H

#include "src/nn/graph.h"
#include "src/nn/kernels/kernel.h"
#include "src/nn/kernels/values.h"

/** The size of a picture with the padding of a window around it, and a column more, into which the
 *  last step of a row of the window may reach. */
det_shape det_picture_rows_shape(const det_window *window, det_shape picture);

/** From a picture, one plane of f32 a channel, to rows of pixels whose channels follow each other,
 *  zeros around them: a row of a window is then one run of values, however few the channels are.
 *  @param type of the result: f32 or bf16.
 *  @return DET_OK, DET_MEMORY. */
det_status det_picture_rows_create(const det_window *window, det_shape picture, det_values type,
                                   det_kernel **kernel, det_error *error);

#endif
