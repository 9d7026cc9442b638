/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a report share. Numbers have a point, whatever the locale says. */
#include "eval/report/page.h"

#include "src/base/html.h"
#include "src/base/number.h"

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

void det_report_begin_section(det_text *html, const char *id, const char *heading)
{
    det_text_format(html, "<section id=\"%s\"><h2>%s</h2>\n", id, heading);
}

void det_report_begin_table(det_text *html, const char *label, const char *kind)
{
    det_text_add(html, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    det_html_text(html, label);
    det_text_format(html, "\"><table class=\"%s\">\n", kind);
}

void det_report_end_table(det_text *html)
{
    det_text_add(html, "</table></div>\n");
}

void det_report_number(det_text *html, double value, int places)
{
    char text[DET_NUMBER_SIZE];
    det_text_add(html, isfinite(value) ? det_fixed_text(text, value, places) : "n/a");
}

void det_report_cell(det_text *html, double value)
{
    det_text_add(html, "<td>");
    det_report_number(html, value, 3);
    det_text_add(html, "</td>");
}

void det_report_count_cell(det_text *html, size_t count)
{
    det_text_format(html, "<td>%zu</td>", count);
}

void det_report_things(det_text *html, size_t count, const char *thing)
{
    det_text_format(html, "%zu %s%s", count, thing, count == 1 ? "" : "s");
}
