/* SPDX-License-Identifier: Apache-2.0 */
/* What was read, what does not count, and what was strange. */
#include "eval/report/page.h"

#include "src/base/html.h"

static void add_row(det_text *html, const char *what, size_t count)
{
    det_text_add(html, "<tr>");
    det_html_element(html, "th scope=\"row\"", what);
    det_report_count_cell(html, count);
    det_text_add(html, "</tr>\n");
}

/* What is usually none is shown only where it is some. */
static void add_some(det_text *html, const char *what, size_t count)
{
    if (count > 0) add_row(html, what, count);
}

static void add_rows(det_text *html, const det_evaluation *e)
{
    const det_results *results = e->results;
    add_row(html, "pictures", e->annotations->image_count);
    add_row(html, "objects that count", e->objects);
    add_row(html, "objects that do not (crowds, difficult ones)", e->ignored);
    add_some(html, "objects left out with their picture and class", e->left_out_objects);
    add_some(html, "objects with the id 0, never found, as pycocotools counts", e->never_found);
    add_some(html, "objects counted as a later one of their id, as pycocotools counts",
             e->replaced);
    add_some(html, "objects marked \"ignore\" that count, as pycocotools counts",
             e->ignore_unheeded);
    add_row(html, "detections in the results", results->listed_count);
    add_row(html, "detections that take part", e->detections);
    add_row(html, "detections left out: unknown pictures", results->unknown_image_count);
    add_row(html, "detections left out: unknown classes", results->unknown_class_objects);
    add_row(html, "detections left out: beyond the most of a picture and class", e->cut);
    add_some(html, "detections left out with their picture and class", e->left_out_detections);
    add_some(html, "detections whose box is empty", results->empty_count);
}

static void add_unknown_classes(det_text *html, const det_results *results)
{
    if (results->unknown_class_count == 0) return;
    det_text_add(html, "<p>Classes that the annotations do not have: ");
    for (size_t i = 0; i < results->unknown_class_count; i++) {
        det_text_add(html, i > 0 ? ", " : "");
        det_html_text(html, results->unknown_classes[i].name);
        det_text_format(html, " (%zu)", results->unknown_classes[i].count);
    }
    det_text_add(html, ".</p>\n");
}

static void add_warnings(det_text *html, const det_evaluation *e)
{
    if (e->annotations->warning_count + e->results->warning_count == 0) return;
    det_text_add(html, "<h3>Warnings</h3><ul>\n");
    for (size_t i = 0; i < e->annotations->warning_count; i++)
        det_html_element(html, "li", e->annotations->warnings[i].text);
    for (size_t i = 0; i < e->results->warning_count; i++)
        det_html_element(html, "li", e->results->warnings[i]);
    det_text_add(html, "</ul>\n");
}

void det_report_add_counts(det_report_page *page)
{
    det_text *html = &page->html;
    det_report_begin_section(html, "counts", "What was read and what was left out");
    det_report_begin_table(html, "Counts of pictures, objects and detections", "counts");
    det_text_add(html, "<tbody>\n");
    add_rows(html, page->evaluation);
    det_text_add(html, "</tbody>");
    det_report_end_table(html);
    add_unknown_classes(html, page->evaluation->results);
    add_warnings(html, page->evaluation);
    det_text_add(html, "</section>\n");
}
