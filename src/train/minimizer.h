/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_MINIMIZER_H
#define DETECT_TRAIN_MINIMIZER_H

#include "src/base/error.h"

/** Minimises a smooth convex function by L-BFGS (Nocedal and Wright, "Numerical Optimization",
 *  2006, algorithms 7.4 and 7.5) with a backtracking line search. It does not call the function: it
 *  is asked for a point and told the function there, so that many functions can be evaluated in one
 *  pass over their data. Deterministic. */
typedef struct det_minimizer det_minimizer;

typedef struct det_minimizer_options {
    int iterations;   /**< at most; above 0 */
    double tolerance; /**< ends where an iteration lowers the function by a smaller share of it */
} det_minimizer_options;

/** @param count variables; the first point is 0. @return DET_OK, DET_MEMORY. */
det_status det_minimizer_create(size_t count, const det_minimizer_options *options,
                                det_minimizer **minimizer, det_error *error);
/** The first point: count variables, to be written before anything is told. */
float *det_minimizer_start(det_minimizer *minimizer);
/** Takes NULL. */
void det_minimizer_free(det_minimizer *minimizer);

/** Whether the best point is found; det_minimizer_point then gives it. */
bool det_minimizer_is_done(const det_minimizer *minimizer);
/** The point where the function is wanted: count variables. */
const float *det_minimizer_point(const det_minimizer *minimizer);
/** Tells the function and its gradient (count) at that point. */
void det_minimizer_tell(det_minimizer *minimizer, double value, const float *gradient);

/** Everything that a minimisation has reached, as bytes: another one of the same size and options
 *  that takes them goes on as this one would. Only for programs of one machine. */
size_t det_minimizer_state_size(const det_minimizer *minimizer);
/** @param state det_minimizer_state_size bytes. */
void det_minimizer_save(const det_minimizer *minimizer, void *state);
/** @return whether the bytes are the state of such a minimisation; if not, nothing changes. */
bool det_minimizer_restore(det_minimizer *minimizer, const void *state, size_t size);

#endif
