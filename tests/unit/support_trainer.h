/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_SUPPORT_TRAINER_H
#define DETECT_TESTS_SUPPORT_TRAINER_H

/* A loss for trainers, and what differences say of its gradients. The loss is the sum of all values
 * of the outputs, each times a random factor. */
#include "src/nn/trainer.h"
#include "tests/unit/support_reference.h"

/** A layer that learns, and what it is fed. */
typedef struct test_lesson {
    const test_sketch *sketch;
    int from, to; /**< nodes; from may be DET_PICTURE */
    size_t batch;
    det_trainer_options options; /**< completed */
    det_trainer *trainer;
    size_t in, out; /**< values of the batch */
    float *input;   /**< what it is fed */
    float *factors;
} test_lesson;

/** Makes the trainer and feeds it.
 *  @param options batch, input, from, to and input_gradient are set here; threads: default 1.
 *  @param step 0, or the inputs are multiples of it. */
test_lesson test_lesson_create(const test_sketch *sketch, int from, int to, size_t batch,
                               det_trainer_options options, float step);
void test_lesson_free(test_lesson *lesson);

/** Runs forward, `learning`, with this seed. @return the loss. */
double test_lesson_forward(const test_lesson *lesson, uint64_t seed);
/** The same, then backward. */
double test_lesson_run(const test_lesson *lesson, uint64_t seed);

/** The gradient of that parameter; fails the test where there is none. */
const det_parameter *test_lesson_parameter(const test_lesson *lesson, const char *layer,
                                           det_parameter_kind kind);

/** Compares the gradients of all parameters and of the input, some values of each, with differences
 *  of the loss as the reference computes it. Without dropout, with running statistics. */
void test_lesson_check(const test_lesson *lesson);

#endif
