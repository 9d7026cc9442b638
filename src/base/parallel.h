/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_BASE_PARALLEL_H
#define DETECT_BASE_PARALLEL_H

#include <stddef.h>

/** One step of a parallel loop. `worker` in [0, threads) is the thread that runs it: it indexes
 *  buffers that no other thread touches. */
typedef void det_parallel_body(void *context, size_t index, int worker);

/** Runs body(context, 0 .. count - 1, worker) on up to `threads` threads (0: det_thread_count())
 * and returns when all are done. Indices are handed out one by one, in order, to whichever thread
 * is free. Inside another parallel loop it runs on the calling thread alone. The caller's OpenMP
 *  settings are left as they were. */
void det_parallel_for(size_t count, int threads, det_parallel_body *body, void *context);

/** Processors this process may use (its affinity mask and OMP_NUM_THREADS respected), at least 1.
 */
int det_thread_count(void);

/** `threads` as an option gives it: 0 means det_thread_count(), and never less than 1. */
int det_resolve_threads(int threads);

/** Calls call(context) with OpenMP's thread count for this thread set to `threads`, and restores
 * it: for libraries that read that setting (oneDNN while it creates and runs primitives). */
void det_with_threads(int threads, void (*call)(void *context), void *context);

#endif
