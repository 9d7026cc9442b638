/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_NETWORK_FILL_H
#define DETECT_NN_NETWORK_FILL_H

#include "detect/network.h"

/** Writes the input of picture `index` of a batch, all its values, to where the network reads it.
 *  Called from several threads at once, each time on the thread that then runs the picture, so that
 *  the values are still in its cache. @return DET_OK, or what the run is to return. */
typedef det_status det_network_fill(const void *context, size_t index, float *input);

/** Runs the network on inputs that a function makes one by one, in place of a tensor that holds all
 *  of them. Otherwise as det_network_run_tensor.
 *  @return as det_network_run_tensor, or what a call of `fill` returned. */
det_status det_network_run_filled(const det_network *network, det_worker *worker,
                                  det_network_fill *fill, const void *context, size_t count,
                                  float *const *outputs, det_error *error);

#endif
