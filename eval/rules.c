/* SPDX-License-Identifier: Apache-2.0 */
/* What tells the metrics apart, as a table, and the check of their options. */
#include "eval/rules.h"

#include "eval/curve.h"
#include "eval/match.h"
#include "src/base/error.h"

#include <float.h>
#include <string.h>

/* .5, .55, ... .95 as numpy.linspace(.5, .95, 10) gives them: i * ((.95 - .5) / 9) + .5, and the
 * last one .95 itself. */
static const double coco_ious[] = {0 * ((.95 - .5) / 9) + .5, 1 * ((.95 - .5) / 9) + .5,
                                   2 * ((.95 - .5) / 9) + .5, 3 * ((.95 - .5) / 9) + .5,
                                   4 * ((.95 - .5) / 9) + .5, 5 * ((.95 - .5) / 9) + .5,
                                   6 * ((.95 - .5) / 9) + .5, 7 * ((.95 - .5) / 9) + .5,
                                   8 * ((.95 - .5) / 9) + .5, .95};
static const double voc_ious[] = {.5};
static const size_t coco_max_detections[] = {1, 10, 100};

static const struct {
    const char *name;
    det_eval_rules rules;
} metrics[] = {
    [DET_METRIC_COCO] = {"coco",
                         {.metric = DET_METRIC_COCO,
                          .form = DET_BOX_SIZED,
                          .image_order = true,
                          .size_count = DET_SIZE_COUNT,
                          .ious = coco_ious,
                          .iou_count = sizeof coco_ious / sizeof *coco_ious,
                          .max_detections = coco_max_detections,
                          .max_detections_count = 3,
                          .epsilon = DBL_EPSILON,
                          .match = det_match_coco,
                          .average = det_curve_average_101}},
    [DET_METRIC_VOC07] = {"voc07",
                          {.metric = DET_METRIC_VOC07,
                           .form = DET_BOX_INCLUSIVE,
                           .size_count = 1,
                           .ious = voc_ious,
                           .iou_count = 1,
                           .match = det_match_voc,
                           .average = det_curve_average_11}},
    [DET_METRIC_VOC10] = {"voc10",
                          {.metric = DET_METRIC_VOC10,
                           .form = DET_BOX_INCLUSIVE,
                           .size_count = 1,
                           .ious = voc_ious,
                           .iou_count = 1,
                           .match = det_match_voc,
                           .average = det_curve_area}},
    [DET_METRIC_ILSVRC] = {"ilsvrc",
                           {.metric = DET_METRIC_ILSVRC,
                            .form = DET_BOX_INCLUSIVE,
                            .image_order = true,
                            .size_count = 1,
                            .ious = voc_ious,
                            .iou_count = 1,
                            .match = det_match_ilsvrc,
                            .average = det_curve_area}},
};

enum { METRICS = sizeof metrics / sizeof *metrics };

const char *det_metric_name(det_metric metric)
{
    return (unsigned)metric < METRICS ? metrics[metric].name : "unknown";
}

bool det_metric_parse(const char *name, det_metric *metric)
{
    for (size_t i = 0; i < METRICS; i++) {
        if (strcmp(metrics[i].name, name) != 0) continue;
        *metric = (det_metric)i;
        return true;
    }
    return false;
}

void det_object_size_range(det_object_size size, double range[2])
{
    static const double ranges[DET_SIZE_COUNT][2] = {[DET_SIZE_ALL] = {0, 1e10},
                                                     [DET_SIZE_SMALL] = {0, 32 * 32},
                                                     [DET_SIZE_MEDIUM] = {32 * 32, 96 * 96},
                                                     [DET_SIZE_LARGE] = {96 * 96, 1e10}};
    range[0] = ranges[size][0];
    range[1] = ranges[size][1];
}

/* ---- Options ---- */

static det_status set_ious(const det_eval_options *options, det_eval_rules *rules, det_error *error)
{
    if (!options->ious) return DET_OK;
    if (rules->metric == DET_METRIC_ILSVRC)
        return det_fail(error, DET_ARGUMENT,
                        "ilsvrc has an IoU threshold for each object and takes no others");
    if (options->iou_count == 0) return det_fail(error, DET_ARGUMENT, "no IoU threshold at all");
    for (size_t i = 0; i < options->iou_count; i++) {
        const double iou = options->ious[i];
        if (!(iou > 0 && iou <= 1) || (i > 0 && iou <= options->ious[i - 1]))
            return det_fail(error, DET_ARGUMENT,
                            "IoU threshold %zu of %zu, %g, does not ascend in (0, 1]", i + 1,
                            options->iou_count, iou);
    }
    rules->ious = options->ious;
    rules->iou_count = options->iou_count;
    return DET_OK;
}

static det_status set_max_detections(const det_eval_options *options, det_eval_rules *rules,
                                     det_error *error)
{
    const size_t *most = options->max_detections, count = options->max_detections_count;
    if (!most) return DET_OK;
    if (rules->metric != DET_METRIC_COCO)
        return det_fail(error, DET_ARGUMENT, "%s takes all detections of a picture",
                        det_metric_name(rules->metric));
    if (count == 0) return det_fail(error, DET_ARGUMENT, "no number of detections at all");
    for (size_t i = 0; i < count; i++)
        if (most[i] == 0 || (i > 0 && most[i] <= most[i - 1]))
            return det_fail(error, DET_ARGUMENT,
                            "number %zu of %zu of detections, %zu, does not ascend from above 0",
                            i + 1, count, most[i]);
    rules->max_detections = most;
    rules->max_detections_count = count;
    return DET_OK;
}

det_status det_eval_rules_make(const det_eval_options *options, det_eval_rules *rules,
                               det_error *error)
{
    if ((unsigned)options->metric >= METRICS)
        return det_fail(error, DET_ARGUMENT, "there is no metric number %d", (int)options->metric);
    if (options->left_out_count > 0 && options->metric != DET_METRIC_ILSVRC)
        return det_fail(error, DET_ARGUMENT, "%s leaves out no pairs of picture and class",
                        det_metric_name(options->metric));
    *rules = metrics[options->metric].rules;
    rules->corrected = options->corrected;
    const det_status status = set_ious(options, rules, error);
    return status < 0 ? status : set_max_detections(options, rules, error);
}
