/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_BASE_RANDOM_H
#define DETECT_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/** A stream of random numbers: PCG32 (O'Neill 2014, XSH-RR). The same seed and stream give the same
 *  numbers on every machine; different streams of one seed are independent. */
typedef struct det_random {
    uint64_t state, increment;
} det_random;

det_random det_random_create(uint64_t seed, uint64_t stream);
uint32_t det_random_u32(det_random *random);
/** Uniform in [0, 1), a multiple of 2^-53. */
double det_random_double(det_random *random);
/** Uniform in [0, bound), without bias; 0 for bound 0. */
uint32_t det_random_below(det_random *random, uint32_t bound);
/** The numbers from 0 to count - 1, at most 2^32 of them, in an order that each has the same chance
 *  of (Fisher and Yates). */
void det_random_order(det_random *random, size_t *order, size_t count);

/** A stream for a place, such as a step of a training and a slot of its batch: what is drawn there
 *  depends on neither what was drawn before nor on threads. Streams of different seeds, steps and
 *  slots are independent. */
det_random det_random_at(uint64_t seed, uint64_t step, uint64_t slot);

/** The numbers from 0 to count - 1 again and again, each time all of them in another order, without
 *  a list: which one comes at place `index`. Each order is as likely as another, nearly so.
 *  @param count at most 2^32; 0 gives 0. */
size_t det_random_turn(uint64_t seed, uint64_t index, size_t count);

#endif
