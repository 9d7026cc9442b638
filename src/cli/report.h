/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_REPORT_H
#define DETECT_CLI_REPORT_H

#include "detect/status.h"

#include <stdbool.h>
#include <stdio.h>

/* What the program says about its own running, and how it ends. */

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/** Fills an error and returns its status. */
det_status cli_fail(det_error *error, det_status status, const char *format, ...) DET_PRINTF(3, 4);
/** DET_IO with the reason of errno: "cannot write: No space left on device". */
det_status cli_fail_errno(det_error *error, const char *file, const char *doing);

/** Writes "detect: file: where: message" to standard error. */
void cli_report(const det_error *error);

/** Writes "detect: file: text" to standard error, unless `quiet`. */
void cli_warn(bool quiet, const char *file, const char *text);

/** Reports a failure. @return the exit status: 2 for what the user can only type differently,
 *  128 + signal when a signal ended the work, else 1. */
int cli_exit_status(const det_error *error);

/** Says that memory is short and exits. */
_Noreturn void cli_out_of_memory(void);
/** Allocates zeroed memory, or ends as above. */
void *cli_alloc(size_t count, size_t size);
/** The text that printf would give; free it. */
char *cli_format(const char *format, ...) DET_PRINTF(1, 2);

/** Flushes and checks a stream that was printed to. */
det_status cli_flush(FILE *stream, const char *name, det_error *error);

/** Whether standard output can be written at all; found before long work. */
det_status cli_check_stdout(det_error *error);

/** Makes sure that descriptors 0 to 2 are open, so that no other file takes their place, ignores
 *  SIGPIPE (a closed pipe becomes an error of write), and turns SIGINT and SIGTERM into
 *  cli_stop_signal(). */
void cli_start(void);
/** The signal that asked for the end, or 0. */
int cli_stop_signal(void);

#endif
