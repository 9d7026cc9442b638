/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_MULTIBOX_REPORT_H
#define DETECT_TRAIN_MULTIBOX_REPORT_H

#include "detect/train.h"
#include "src/train/multibox_fit.h"

/* How good MultiBox heads are, on pictures and on classes that they never saw, beside a control: as
 * many boxes at the bare priors, which do not look at the picture, the most frequent first. */

typedef struct det_multibox_report {
    det_multibox_comparison pictures;  /**< every picture with the head of the others' folds */
    det_multibox_comparison classes;   /**< every class that could be left out, all together */
    det_multibox_comparison *of_class; /**< class_count, by class id: pictures that show the class,
                                            its objects, with a head and priors that learned from
                                          the pictures that do not. Without objects: not measured,
                                            because no other picture shows an object, or other
                                            classes have more objects (most_classes) */
    size_t class_count;
} det_multibox_report;

/** Takes NULL, {0}, and what is half made. */
void det_multibox_report_free(det_multibox_report *report);

/** Zero in a field means its default. */
typedef struct det_multibox_report_options {
    const int *folds; /**< picture_count: below fold_count */
    size_t fold_count;
    const size_t *boxes; /**< box_counts numbers of boxes, each above 0; NULL: those of 1, 5, 10,
                              20, 50, 100 and 200 that are no more than the priors */
    size_t box_counts;
    /** Regions that another method proposes, or NULL: normalised corners, those of picture i from
     *  first_beside[i] to first_beside[i + 1] - 1, best first. */
    const float (*beside)[DET_MULTIBOX_CORNERS];
    const size_t *first_beside; /**< picture_count + 1 */
    size_t most_classes;        /**< that are left out: those of most objects; default 20 */
    size_t samples;             /**< of the bootstrap; default 1000 */
    float nms_iou;              /**< as in det_multibox_options */
} det_multibox_report_options;

/** Measures heads of these options. Decay is chosen, and priors are made, for each head from what
 *  it learns from alone. Only the first row of a picture is looked at; other rows are learned from.
 *
 *  @param fit    also the seed of the bootstrap.
 *  @param run    progress counts heads.
 *  @param report receives it; det_multibox_report_free it, also after a failure.
 *  @return as det_fit_multibox; DET_ARGUMENT (fewer than two folds). Deterministic. */
det_status det_multibox_measure(const det_multibox_examples *examples,
                                const det_multibox_fit_options *fit,
                                const det_multibox_report_options *options, const det_run *run,
                                det_multibox_report *report, det_error *error);

#endif
