/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_SVM_HEAD_H
#define DETECT_TRAIN_SVM_HEAD_H

#include "src/train/feature_rows.h"

/* Linear support vector machines, each of a class against the rest, as R-CNN trains them (Girshick
 * et al., "Rich feature hierarchies", 2014, sections 2.3 and appendix B): from all positive
 * examples, and from those negative ones that are hard. The machine of a class is the least of
 *
 *     |w|^2 / 2 + b^2 / 2 + C sum over examples of weight max(0, 1 - y (w . x + bias b))
 *
 * with y 1 for a positive and -1 for a negative example, and x the features times a factor that
 * gives them a certain norm on average. */

/** What a class is learned from: rows by their number. */
typedef struct det_svm_examples {
    const uint32_t *positives; /**< positive_count, each once */
    size_t positive_count;
    const uint32_t
        *negatives; /**< negative_count, each once; in the order in which they are tried */
    size_t negative_count;
    double positive_weight; /**< 0: that of the options */
} det_svm_examples;

/** Zero in a field means its default, which is R-CNN's. */
typedef struct det_svm_options {
    double c;               /**< default .001 */
    double positive_weight; /**< of a positive example; a negative one has 1; default 2 */
    double bias;            /**< the constant feature; default 10 */
    double norm;            /**< of features on average; default 20 */
    size_t retrain_every;   /**< hard negatives that are collected before the next training; default
                                 2000 */
    int passes;             /**< over the negatives; default 1 */
    double tolerance; /**< a training ends where the gradients of the dual, projected onto what
                           its bounds allow, lie within an interval so long; default .01 */
    int rounds;       /**< of a training over its examples, at most; default 1000 */
    uint64_t seed;    /**< of the order of examples in a round */
} det_svm_options;

/** How the machine of a class came about. */
typedef struct det_svm_report {
    size_t added,
        kept; /**< negatives that were hard when they were tried; that were so at the end */
    int trainings, rounds; /**< rounds: of all trainings */
} det_svm_report;

/** Where the machines of all classes go; the caller's. */
typedef struct det_svm_results {
    float *weights;          /**< class_count x width; for features as they are */
    float *biases;           /**< class_count: the score is weights . features + bias */
    det_svm_report *reports; /**< class_count, or NULL */
} det_svm_results;

/** Trains a machine for each class by dual coordinate descent (Hsieh et al., "A Dual Coordinate
 *  Descent Method for Large-scale Linear SVM", 2008, algorithm 3). Its negatives are tried one
 *  after another; those above -1.0001 are collected, and with every `retrain_every` of them the
 *  machine is trained on, after which negatives below -1.2 are let go. Whoever is collected is kept
 *  as numbers: some thousand rows for each thread.
 *
 *  @param rows        every feature finite.
 *  @param classes     class_count.
 *  @param run         progress counts classes. Classes are spread over its threads.
 *  @return DET_OK; DET_ARGUMENT (an option out of range); DET_MEMORY; DET_CANCELLED. Equal calls
 *          give equal results, on any number of threads. */
det_status det_fit_svms(const det_feature_rows *rows, const det_svm_examples *classes,
                        size_t class_count, const det_svm_options *options, const det_run *run,
                        const det_svm_results *results, det_error *error);

#endif
