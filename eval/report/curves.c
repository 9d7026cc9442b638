/* SPDX-License-Identifier: Apache-2.0 */
/* Curves of precision against recall: the best precision at recall of at least so much, which is
 * what average precision is computed from, at up to three IoU thresholds. */
#include "eval/report/curves.h"

#include "src/base/file.h"
#include "src/base/html.h"
#include "src/base/memory.h"
#include "src/base/number.h"
#include "src/data/names.h"
#include "src/image/chart.h"

#include <stdio.h>
#include <string.h>

enum { most_lines = 3, chart_width = 440, chart_height = 300, longest_name = 80 /* bytes */ };

/* IoU .5, .75 and .9 where they are among the thresholds, else the first ones. @return how many. */
static size_t choose_ious(const det_evaluation *e, size_t ious[most_lines])
{
    static const double wanted[most_lines] = {.5, .75, .9};
    size_t count = 0;
    for (size_t i = 0; i < most_lines; i++) {
        const size_t at = det_report_find_iou(e, wanted[i]);
        if (at < e->iou_count) ious[count++] = at;
    }
    for (; count == 0 || (e->iou_count <= most_lines && count < e->iou_count); count++)
        ious[count] = count;
    return count;
}

static det_status draw(const det_report_page *page, const char *title, const double *envelope,
                       det_text *svg, det_error *error)
{
    double recalls[DET_EVAL_RECALLS];
    size_t ious[most_lines];
    char names[most_lines][DET_NUMBER_SIZE + 4], number[DET_NUMBER_SIZE];
    det_chart_line lines[most_lines];
    const size_t count = choose_ious(page->evaluation, ious);
    for (size_t i = 0; i < DET_EVAL_RECALLS; i++) recalls[i] = (double)i / (DET_EVAL_RECALLS - 1);
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "IoU %s",
                 det_fixed_text(number, page->evaluation->ious[ious[i]], 2));
        lines[i] = (det_chart_line){.name = names[i],
                                    .x = recalls,
                                    .y = envelope + ious[i] * DET_EVAL_RECALLS,
                                    .count = DET_EVAL_RECALLS,
                                    .color = (int)i,
                                    .dashed = i == 1};
    }
    const det_chart chart = {.title = title,
                             .x = {"recall", 0, 1, false},
                             .y = {"precision", 0, 1, false},
                             .lines = lines,
                             .line_count = count,
                             .width = chart_width,
                             .height = chart_height};
    return det_chart_svg(&chart, svg, error);
}

static det_status write(const char *folder, const char *name, const det_text *svg, det_error *error)
{
    char *path = det_path_join(folder, name);
    if (!path) return det_fail_memory(error, "a curve");
    const det_status status = det_file_write(path, svg, error);
    det_free(path);
    return status;
}

det_status det_report_curve(det_report_page *page, const det_report_curve_options *curve,
                            det_error *error)
{
    det_text svg = {0}, *html = &page->html;
    det_status status = draw(page, curve->title, curve->envelope, &svg, error);
    if (status == DET_OK) status = write(curve->folder, curve->file, &svg, error);
    if (status == DET_OK && curve->shown) {
        det_text_format(html, "<img class=\"chart\" width=\"%d\" height=\"%d\" alt=\"", chart_width,
                        chart_height);
        det_text_add(html, "Precision against recall: ");
        det_html_text(html, curve->title);
        det_text_add(html, "\" src=\"");
        det_html_data(html, "image/svg+xml", svg.data, svg.length);
        det_text_add(html, "\">\n");
    }
    det_text_free(&svg);
    return status;
}

/* The first bytes of a name, as many whole characters as fit. */
static size_t length_of(const char *name)
{
    const size_t all = strlen(name);
    size_t length = 0;
    while (length < all) {
        const size_t next = det_utf8_length(name + length, all - length);
        if (length + next + (next == 0) > longest_name) break;
        length += next + (next == 0);
    }
    return length;
}

char *det_report_curve_name(const det_report_page *page, size_t category)
{
    const char *class_name = det_report_class_name(page, category);
    const int digits = snprintf(NULL, 0, "%zu", page->evaluation->class_count);
    char *safe = det_safe_name(class_name, length_of(class_name));
    if (!safe) return NULL;
    det_text name = {0};
    det_text_format(&name, "%0*zu-%s.svg", digits, category + 1, safe);
    det_free(safe);
    if (!name.failed) return name.data;
    det_text_free(&name);
    return NULL;
}

/* The mean of the curves of all classes that have one: COCO's AP at a threshold is the mean of this
 * line. */
static void average(const det_evaluation *e, double *mean)
{
    const size_t values = e->iou_count * DET_EVAL_RECALLS;
    for (size_t i = 0; i < values; i++) mean[i] = 0;
    for (size_t c = 0; c < e->class_count; c++) {
        if (e->classes[c].objects == 0) continue;
        for (size_t i = 0; i < values; i++)
            mean[i] += e->classes[c].envelope[i] / (double)e->measured_count;
    }
}

det_status det_report_add_mean_curve(det_report_page *page, const char *folder, det_error *error)
{
    const det_evaluation *e = page->evaluation;
    if (e->measured_count == 0) return DET_OK;
    double *mean = det_alloc_array(e->iou_count * DET_EVAL_RECALLS, sizeof *mean);
    if (!mean) return det_fail_memory(error, "a curve");
    average(e, mean);
    const det_report_curve_options curve = {.title = "Mean over classes",
                                            .envelope = mean,
                                            .folder = folder,
                                            .file = "mean.svg",
                                            .shown = true};
    const det_status status = det_report_curve(page, &curve, error);
    det_free(mean);
    return status;
}
