/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/measure.h"

#include "src/base/memory.h"

void det_measured_ap_free(det_measured_ap *ap)
{
    det_free(ap->values);
    det_free(ap->resamples.values);
    *ap = (det_measured_ap){0};
}

static det_status take_values(const det_evaluation *evaluation, det_measured_ap *ap,
                              det_error *error)
{
    const size_t count = evaluation->class_count;
    ap->values = det_alloc_array(count + 1, sizeof *ap->values);
    if (!ap->values) return det_fail_memory(error, "the figures of a training");
    for (size_t c = 0; c < count; c++) ap->values[c] = evaluation->classes[c].figures.ap;
    ap->values[count] = evaluation->mean.ap;
    return DET_OK;
}

det_status det_measure_ap(const det_measuring *measuring, const double *iou, det_measured_ap *ap,
                          det_error *error)
{
    const det_results results = {.form = DET_BOX_SIZED,
                                 .objects = measuring->found->items,
                                 .object_count = measuring->found->count,
                                 .listed_count = measuring->found->count};
    const det_eval_options options = {.ious = iou, .iou_count = iou != NULL, .keep_matches = true};
    const det_run run = {.threads = measuring->threads};
    det_evaluation *evaluation = NULL;
    *ap = (det_measured_ap){0};
    det_status status =
        det_evaluate(measuring->set->annotations, &results, &options, &run, &evaluation, error);
    if (status == DET_OK) status = take_values(evaluation, ap, error);
    if (status == DET_OK)
        status = det_evaluation_resample(evaluation, NULL, measuring->samples, measuring->seed,
                                         &run, &ap->resamples, error);
    det_evaluation_free(evaluation);
    return status;
}

/* The samples stay in their order, so that they can be compared with others. */
static det_status make_interval(double value, const double *samples, const double *minus,
                                size_t count, det_interval *interval, det_error *error)
{
    double *values = det_alloc_array(count, sizeof *values);
    if (!values) return det_fail_memory(error, "the interval of a figure");
    for (size_t i = 0; i < count; i++) values[i] = samples[i] - (minus ? minus[i] : 0);
    *interval = det_interval_make(value, values, count);
    det_free(values);
    return DET_OK;
}

det_status det_measured_interval(const det_measured_ap *ap, size_t category, det_interval *interval,
                                 det_error *error)
{
    return make_interval(ap->values[category], det_resamples_of(&ap->resamples, category), NULL,
                         ap->resamples.samples, interval, error);
}

det_status det_measured_gain(const det_measured_ap *before, const det_measured_ap *after,
                             size_t category, det_interval *gain, det_error *error)
{
    return make_interval(after->values[category] - before->values[category],
                         det_resamples_of(&after->resamples, category),
                         det_resamples_of(&before->resamples, category), after->resamples.samples,
                         gain, error);
}
