/* SPDX-License-Identifier: Apache-2.0 */
/* Average precision three ways (Everingham et al., IJCV 2010, section 4.2; the VOC2010 development
 * kit; pycocotools' accumulate). */
#include "eval/curve.h"

#include "detect/eval.h"

static void make_envelope(double *precision, size_t count)
{
    for (size_t i = count; i-- > 1;)
        if (precision[i] > precision[i - 1]) precision[i - 1] = precision[i];
}

size_t det_curve_points(const uint8_t *outcomes, size_t count, const det_curve_weights *weights,
                        double positives, double epsilon, double *recall, double *precision)
{
    uint64_t right = 0, wrong = 0;
    size_t points = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t weight = weights ? weights->of_image[weights->images[i]] : 1;
        if (outcomes[i] == DET_FALSE_POSITIVE) wrong += weight;
        if (outcomes[i] != DET_TRUE_POSITIVE || weight == 0) continue;
        right += weight;
        recall[points] = (double)right / positives;
        precision[points++] = (double)right / ((double)wrong + (double)right + epsilon);
    }
    make_envelope(precision, points);
    return points;
}

void det_curve_sample(const double *recall, const double *precision, size_t count, double step,
                      size_t samples, double *values)
{
    size_t at = 0;
    for (size_t i = 0; i < samples; i++) {
        while (at < count && recall[at] < (double)i * step) at++;
        values[i] = at < count ? precision[at] : 0;
    }
}

double det_curve_average_101(const double *recall, const double *precision, size_t count)
{
    double values[DET_EVAL_RECALLS], sum = 0;
    det_curve_sample(recall, precision, count, .01, DET_EVAL_RECALLS, values);
    for (size_t i = 0; i < DET_EVAL_RECALLS; i++) sum += values[i];
    return sum / DET_EVAL_RECALLS;
}

double det_curve_average_11(const double *recall, const double *precision, size_t count)
{
    enum { recalls = 11 };
    double values[recalls], sum = 0;
    det_curve_sample(recall, precision, count, .1, recalls, values);
    for (size_t i = 0; i < recalls; i++) sum += values[i];
    return sum / recalls;
}

double det_curve_area(const double *recall, const double *precision, size_t count)
{
    double area = 0, before = 0;
    for (size_t i = 0; i < count; i++) {
        area += (recall[i] - before) * precision[i];
        before = recall[i];
    }
    return area;
}
