/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_RECORD_H
#define DETECT_TRAIN_RECORD_H

#include "detect/annotations.h"
#include "detect/data.h"
#include "src/train/digest_chain.h"

/* `training.json` in the cache folder: what a training was begun with, so that it can be gone on
 * with (configs/training.schema.json). */

/** A digest of all that annotations say of pictures, classes and objects.
 *  @return DET_OK, DET_MEMORY. */
det_status det_annotations_digest(const det_annotations *annotations, char digest[DET_DIGEST_SIZE],
                                  det_error *error);

/** Writes the record: the keys that are set, with paths that hold in any working directory.
 *  @param finished whether the model is written.
 *  @return DET_OK, DET_IO, DET_MEMORY. */
det_status det_record_write(const char *folder, const det_config *config, const char *digest,
                            bool finished, det_error *error);

/** Checks that the record in a folder is of these annotations.
 *  @return DET_OK; DET_ARGUMENT (other ones, and what to do); DET_IO, DET_FORMAT, DET_MEMORY. */
det_status det_record_check(const char *folder, const char *digest, det_error *error);

#endif
