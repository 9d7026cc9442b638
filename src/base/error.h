/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_BASE_ERROR_H
#define DETECT_BASE_ERROR_H

#include "detect/status.h"

/* How the library reports a failure: `return det_fail(error, DET_FORMAT, "...", ...)` where it is
 * found, and `det_error_place(error, path, "byte %zu", at)` wherever the file or place is known. */

/** Fills an error (file and place empty) and returns its status. `error` may be NULL. */
det_status det_fail(det_error *error, det_status status, const char *format, ...) DET_PRINTF(3, 4);

/** The same with the file and the place; either may be NULL. */
det_status det_fail_at(det_error *error, det_status status, const char *file, const char *where,
                       const char *format, ...) DET_PRINTF(5, 6);

/** DET_MEMORY with a plain message that says what for: "out of memory for %s". */
det_status det_fail_memory(det_error *error, const char *what);

/** DET_IO with the reason of errno. */
det_status det_fail_errno(det_error *error, const char *file, const char *doing);

/* Compilers cannot see that these return the status they are given, and so suspect that a call
 * which failed may look as if it had not. Each call is therefore told; the status is a constant. */
static inline det_status det_failed(det_status returned, det_status status)
{
    (void)returned;
    return status;
}
#define det_fail(error, status, ...) det_failed(det_fail(error, status, __VA_ARGS__), status)
#define det_fail_at(error, status, ...) det_failed(det_fail_at(error, status, __VA_ARGS__), status)
#define det_fail_memory(error, what) det_failed(det_fail_memory(error, what), DET_MEMORY)
#define det_fail_errno(error, file, doing) det_failed(det_fail_errno(error, file, doing), DET_IO)

/** Names the file in a failure that has none yet. Returns the error's status argument unchanged, so
 *  that it can wrap a call: return det_error_file(error, path, parse(...)). */
det_status det_error_file(det_error *error, const char *file, det_status status);

/** Names the place in a failure that has none yet. */
void det_error_where(det_error *error, const char *format, ...) DET_PRINTF(2, 3);

/** Puts a failure inside an outer place: "prefix" and, where it has a place already, the separator
 *  and that place. Returns the status unchanged; DET_OK does nothing. */
det_status det_error_inside(det_error *error, const char *prefix, const char *separator,
                            det_status status);

#endif
