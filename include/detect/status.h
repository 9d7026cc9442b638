/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_STATUS_H
#define DETECT_STATUS_H

#include "detect/export.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What every call that can fail returns. Failures are negative, so that a call which returns a
 *  count can return one of them in its place. */
typedef enum det_status {
    DET_OK = 0,
    DET_ARGUMENT = -1,    /**< the caller asked for something senseless */
    DET_IO = -2,          /**< the operating system refused: missing file, full disk, closed pipe */
    DET_FORMAT = -3,      /**< the bytes are not what they claim to be */
    DET_UNSUPPORTED = -4, /**< sound, but not something this library reads or does */
    DET_LIMIT = -5,       /**< larger than the configured limits allow */
    DET_MEMORY = -6,      /**< the allocation failed */
    DET_CANCELLED = -7,   /**< the progress callback or the deadline ended it */
    DET_INTERNAL = -8     /**< a library underneath failed, or an invariant of ours broke */
} det_status;

/** The reason of a failure. Optional and owned by the caller: every function takes NULL in its
 *  place. A call that fails fills it; a call that succeeds leaves it alone. Texts are UTF-8,
 *  always terminated, and cut at the size of their field. */
typedef struct det_error {
    det_status status;
    char file[512];    /**< the file at fault, or "" */
    char where[192];   /**< the place in it: "line 3, column 7", "byte 812", a layer, a key path; or
                          "" */
    char message[768]; /**< what is wrong, with the offending numbers, and what to do about it */
} det_error;

/** The name of a status, in lower case ("format"). Never NULL; unknown values give "unknown". */
DET_API const char *det_status_name(det_status status);

/** Writes an error as one line, "file: where: message", without the parts that are empty.
 *  @param text room for `size` bytes; always terminated when size > 0.
 *  @return the length the whole line needs, like snprintf. */
DET_API size_t det_error_format(const det_error *error, char *text, size_t size);

/** Called now and then during long work, from the calling thread or from a worker, never from two
 *  at once. @return true to go on, false to cancel (the call then returns DET_CANCELLED). */
typedef bool det_progress(void *context, uint64_t done, uint64_t total);

/** How a long call runs. NULL in its place means the defaults, which are all zero. */
typedef struct det_run {
    int threads;            /**< 0: as many as the process may use */
    det_progress *progress; /**< or NULL */
    void *progress_context;
    double
        deadline_s; /**< seconds on CLOCK_MONOTONIC after which the call is cancelled; 0: never */
} det_run;

#ifdef __cplusplus
}
#endif
#endif
