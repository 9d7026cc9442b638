/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_FIT_STATE_H
#define DETECT_TRAIN_FIT_STATE_H

#include "src/train/minimizer.h"

/* Where a fit that was cancelled goes on: a file with what each of its minimisations has reached.
 */

/** @param passes over the examples that there were.
 *  @return DET_OK, DET_IO, DET_MEMORY. */
det_status det_fit_state_write(const char *path, det_minimizer *const *minimizers, size_t count,
                               uint64_t passes, det_error *error);
/** @return whether the file is there and is that of such a fit; if not, nothing changes. */
bool det_fit_state_read(const char *path, det_minimizer *const *minimizers, size_t count,
                        uint64_t *passes);

#endif
