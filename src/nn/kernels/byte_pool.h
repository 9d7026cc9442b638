/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_KERNELS_BYTE_POOL_H
#define DETECT_NN_KERNELS_BYTE_POOL_H

#include "src/nn/graph.h"
#include "src/nn/kernels/kernel.h"

/** The maximum of bytes under a window, which does not count what lies outside the map.
 *  @param block 8 or 16: channels of a block.
 *  @return DET_OK, DET_MEMORY. */
det_status det_byte_pool_create(const det_window *window, int block, det_shape in, det_shape out,
                                det_kernel **kernel, det_error *error);

#endif
