/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_TRUNKS_H
#define DETECT_DETECTOR_TRUNKS_H

#include "detect/network.h"

/** A network up to a layer, compiled for the sizes of pictures that came last. Safe to share
 *  between threads: a size is compiled once, while others wait. */
typedef struct det_trunks det_trunks;

/** @param options precision, threads and the layer; its name (options->to) must stay. width and
 *                 height do not count.
 *  @return DET_OK, DET_MEMORY. */
det_status det_trunks_create(det_model *model, const det_network_options *options,
                             det_trunks **trunks, det_error *error);
/** Takes NULL. Nothing may be borrowed any more. */
void det_trunks_free(det_trunks *trunks);

/** Lends the network for pictures of that size.
 *  @param bytes_max what all that are kept may need (det_network_memory): those that were not used
 *                   for the longest time are dropped; what is lent stays.
 *  @return DET_OK, and as det_network_compile. */
det_status det_trunks_borrow(det_trunks *trunks, int width, int height, size_t bytes_max,
                             const det_network **network, det_error *error);
void det_trunks_return(det_trunks *trunks, const det_network *network);

/** How many are kept. */
size_t det_trunks_count(det_trunks *trunks);

#endif
