/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_NETWORK_TRAINING_H
#define DETECT_TRAIN_NETWORK_TRAINING_H

#include "src/train/fine_tune.h"
#include "src/train/linear_head.h"

/* The networks of a cross-validation, each trained with its head on the pictures of the other
 * folds, and one on all pictures. Each is kept in the folder of what is computed, as a model file
 * under a digest of everything that it depends on. */

/** What they begin with. Everything is borrowed. */
typedef struct det_network_training {
    const det_config *config;
    const det_model *source;     /**< the network as it was */
    const det_training_set *set; /**< with its features */
    const det_feature_store *store;
    const char *layer; /**< whose map the features are */
    const int *folds;  /**< of each picture */
    size_t count;      /**< networks: folds + 1, the last of which learns from all pictures */
    const char *folder;
    const char *annotations_digest;
    det_train_step_progress *progress; /**< or NULL */
    void *progress_context;
    det_event_log *log; /**< or NULL */
} det_network_training;

/** {0} is empty. */
typedef struct det_trained_networks {
    det_model **models;         /**< count */
    det_feature_store **stores; /**< count: of the features that each network gives */
    det_config **configs;       /**< count, which the stores look at */
    size_t count;
    size_t reused; /**< networks that an earlier call had left */
} det_trained_networks;

/** Trains them.
 *  @param heads    count: where the head of each network begins; replaced by what it has become.
 *  @param run      threads and deadline; progress counts networks.
 *  @param networks det_trained_networks_free it, also after a failure.
 *  @return as det_fine_tune and det_feature_store_open. */
det_status det_train_networks(const det_network_training *training, const det_run *run,
                              det_linear_head *heads, det_trained_networks *networks,
                              det_error *error);
/** Takes {0}. */
void det_trained_networks_free(det_trained_networks *networks);

#endif
