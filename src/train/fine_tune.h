/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_FINE_TUNE_H
#define DETECT_TRAIN_FINE_TUNE_H

#include "detect/train.h"
#include "src/nn/model_file.h"
#include "src/train/event_log.h"
#include "src/train/training_set.h"

/* A detector whose network itself learns from regions, with its head: fine-tuning (Girshick et al.,
 * "Rich feature hierarchies", 2014, section 2.3; classes and the moves of boxes together as in
 * "Fast R-CNN", 2015, section 2.3). */

/** What a detector learns from, and how. Everything is borrowed. */
typedef struct det_fine_tuning {
    const det_config *config;    /**< `train.network`, thresholds, `classifier`, seed and limits */
    const det_training_set *set; /**< regions and objects; its features are not looked at */
    const bool
        *uses; /**< of each picture of the set: whether it may be learned from, or chosen by */
    det_model *model;         /**< what it begins with, as det_trained_model_write writes it, with a
                                         softmax */
    const char *checkpoint;   /**< file of its state, which a call that is cancelled leaves and an
                                 equal one goes on from; removed at the end */
    const char *begun_with;   /**< digest of everything that the result depends on */
    size_t network, networks; /**< which of how many it is, for those who are told */
    int threads;
    bool (*progress)(void *context,
                     const det_train_step *step); /**< told after each step; or NULL */
    void *progress_context;
    det_event_log *log; /**< or NULL */
} det_fine_tuning;

/** Fine-tunes a detector.
 *  @param out_path the model file that is written: the same layers with what they have learned.
 *  @param run      deadline; its progress is not called.
 *  @return as det_descend; as det_region_sampler_create; DET_UNSUPPORTED (a model without softmax);
 *          DET_IO. */
det_status det_fine_tune(const det_fine_tuning *tuning, const det_run *run, const char *out_path,
                         det_error *error);

#endif
