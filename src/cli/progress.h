/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_PROGRESS_H
#define DETECT_CLI_PROGRESS_H

#include "detect/status.h"

/** A progress line on standard error, shown only where that is a terminal. */
typedef struct cli_progress {
    bool enabled, visible;
    const char *unit;        /**< what the steps of a picture are: "regions", or NULL */
    size_t pictures, done;   /**< of the run; 0: it is one job */
    double began_s, drawn_s; /**< on cli_now_s() */
    char note[96];           /**< what else the line says, at its end */
} cli_progress;

/** Seconds on CLOCK_MONOTONIC. */
double cli_now_s(void);

/** @param pictures 0: one job, with steps.
 *  @param unit what the steps are called, or NULL to show none; borrowed. */
cli_progress cli_progress_begin(size_t pictures, const char *unit, bool quiet);
/** Takes the line away, before anything else is written to the terminal. */
void cli_progress_clear(cli_progress *progress);
/** A det_progress: context is a cli_progress. Cancels when a signal asked for the end. */
bool cli_progress_step(void *context, uint64_t done, uint64_t total);

#endif
