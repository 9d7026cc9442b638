/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_BASE_RUN_H
#define DETECT_BASE_RUN_H

#include "src/base/error.h"

/** Seconds on CLOCK_MONOTONIC. */
double det_now_s(void);

/** Tells a long call whether to go on: reports progress and looks at the deadline. `run` may be
 *  NULL. Call it between pieces of work, from one thread at a time.
 *  @return DET_OK or DET_CANCELLED. */
det_status det_run_check(const det_run *run, uint64_t done, uint64_t total, det_error *error);

/** The caller's run (or NULL) with other threads, and ending `timeout_s` seconds from now at the
 *  latest; 0 sets no end. */
det_run det_run_within(const det_run *run, int threads, double timeout_s);

#endif
