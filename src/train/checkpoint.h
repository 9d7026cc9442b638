/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_CHECKPOINT_H
#define DETECT_TRAIN_CHECKPOINT_H

#include "src/base/error.h"
#include "src/nn/digest.h"

#include <stddef.h>
#include <stdint.h>

/* The state of a training of a network as one file, so that a training which was interrupted goes
 * on where it was and ends as if it had not been. */

/** How far a training is. */
typedef struct det_checkpoint {
    /** Digest of everything that a step depends on beside the state: network, pictures, settings
     *  (src/train/digest_chain.h). */
    char begun_with[DET_DIGEST_SIZE];
    uint64_t seed;
    uint64_t step;      /**< steps that were made */
    double best;        /**< figure of the best state so far; NaN where none was measured */
    uint64_t best_step; /**< after how many steps that was */
} det_checkpoint;

/** Values that belong to the state: of one parameter, its momentum, its mean over the steps, ...,
 *  in the order of model files, since that of an engine differs between processors. */
typedef struct det_checkpoint_values {
    const char *name; /**< of its own, such as "conv1.weight/momentum"; not "training.", where the
                           state itself is kept, and what follows */
    float *values;    /**< `count`: written to the file, or filled from it */
    size_t count;
} det_checkpoint_values;

/** Writes a state (atomically, and on the disk when this returns): after a failure an older file of
 *  that name is as it was.
 *  @return DET_OK; DET_ARGUMENT (a name that is there twice or is not free: error->where);
 *          DET_IO; DET_LIMIT (more names than a file has room for); DET_MEMORY. */
det_status det_checkpoint_write(const char *path, const det_checkpoint *state,
                                const det_checkpoint_values *values, size_t count,
                                det_error *error);

/** Reads a state.
 *  @param state  `begun_with` and `seed` say which training asks; the rest is filled.
 *  @param values what the file must have, no more and no less; filled.
 *  @return DET_OK; DET_IO; DET_ARGUMENT (it is that of a training that was begun with something
 *          else, or with another seed); DET_FORMAT (damaged, no checkpoint, other values than
 * these: error->where is the name); DET_MEMORY. Nothing is filled then. */
det_status det_checkpoint_read(const char *path, det_checkpoint *state,
                               const det_checkpoint_values *values, size_t count, det_error *error);

#endif
