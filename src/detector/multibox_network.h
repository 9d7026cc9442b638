/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_MULTIBOX_NETWORK_H
#define DETECT_DETECTOR_MULTIBOX_NETWORK_H

#include "proposals/multibox/multibox.h"
#include "src/detector/ensemble.h"

/** A network with a MultiBox head: one look at a whole picture proposes regions. Immutable and safe
 *  to share between threads; {0} is none. */
typedef struct det_multibox_network {
    det_ensemble ensemble; /**< of that one network, which gives what the head says */
    det_multibox_priors priors;
    size_t max; /**< regions of a picture */
} det_multibox_network;

/** Compiles the first model of a configuration that has a MultiBox head;
 *  det_multibox_network_free also after a failure.
 *  @param config `classifier`, `proposals.multibox` and `runtime.threads` count.
 *  @return DET_OK; DET_ARGUMENT (no model has such a head; the message says how to get one); as
 *          det_detector_create. */
det_status det_multibox_network_create(const det_config *config, det_multibox_network *network,
                                       det_error *error);
void det_multibox_network_free(det_multibox_network *network);

/** Bytes that the network holds and one caller's run needs; of {0} 0. */
size_t det_multibox_network_memory(const det_multibox_network *network);

/** Proposes regions of a picture, which is warped to the network's input as a region of its own,
 *  without surroundings.
 *  @param regions as det_multibox_decode gives them; free with det_regions_free.
 *  @return DET_OK, DET_ARGUMENT (an empty picture), DET_MEMORY, DET_INTERNAL. Thread-safe. */
det_status det_multibox_network_propose(const det_multibox_network *network, const det_image *image,
                                        det_region **regions, size_t *count, det_error *error);

#endif
