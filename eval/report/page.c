/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/report/page.h"

#include <math.h>

const char *det_report_class_name(const det_report_page *page, size_t category)
{
    return page->evaluation->annotations->categories[category].name;
}

size_t det_report_find_iou(const det_evaluation *evaluation, double iou)
{
    size_t i = 0;
    while (i < evaluation->iou_count && fabs(evaluation->ious[i] - iou) > 1e-9) i++;
    return i;
}
