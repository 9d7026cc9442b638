/* SPDX-License-Identifier: Apache-2.0 */
/* Which classes are taken for which. Of many classes, those that are confused most. */
#include "eval/report/page.h"

#include "src/base/error.h"
#include "src/base/html.h"
#include "src/base/memory.h"

#include <stdlib.h>

enum { most_classes = 40 };

/* A class and how often it is taken for another or another for it. */
typedef struct {
    size_t category, confused;
} ranked_class;

static int compare_ranked(const void *a, const void *b)
{
    const ranked_class *x = a, *y = b;
    if (x->confused != y->confused) return x->confused < y->confused ? 1 : -1;
    return (x->category > y->category) - (x->category < y->category);
}

static size_t count_at(const det_confusion *confusion, size_t row, size_t column)
{
    return confusion->counts[row * (confusion->class_count + 1) + column];
}

/* The classes that are shown, after the background. @return how many with it. */
static size_t choose_classes(const det_confusion *confusion, ranked_class *classes)
{
    const size_t count = confusion->class_count;
    classes[0] = (ranked_class){.category = count};
    ranked_class *ranked = classes + 1;
    for (size_t c = 0; c < count; c++) {
        ranked[c] = (ranked_class){.category = c};
        for (size_t other = 0; other < count; other++)
            if (other != c)
                ranked[c].confused += count_at(confusion, c, other) + count_at(confusion, other, c);
    }
    if (count <= most_classes) return count + 1;
    qsort(ranked, count, sizeof *ranked, compare_ranked);
    return most_classes + 1;
}

static const char *name_of(const det_report_page *page, size_t category)
{
    return category < page->confusion->class_count ? det_report_class_name(page, category)
                                                   : "background";
}

static void add_head(det_report_page *page, const ranked_class *classes, size_t count)
{
    det_text *html = &page->html;
    det_text_add(html, "<thead><tr><th scope=\"col\">true, below; found, to the right</th>");
    for (size_t i = 0; i < count; i++) {
        det_text_add(html, "<th scope=\"col\"><span>");
        det_html_text(html, name_of(page, classes[i].category));
        det_text_add(html, "</span></th>");
    }
    det_text_add(html, "</tr></thead><tbody>\n");
}

static void add_cell(det_text *html, size_t count, size_t sum, bool right)
{
    if (count == 0) {
        det_text_add(html, "<td></td>");
        return;
    }
    det_text_format(html, "<td class=\"%s\" style=\"--v:", right ? "right" : "wrong");
    det_report_number(html, (double)count / (double)sum, 2);
    det_text_format(html, "\">%zu</td>", count);
}

/* Cells are coloured by their share of all that is in the row, whether shown or not. */
static void add_row(det_report_page *page, const ranked_class *classes, size_t count, size_t row)
{
    det_text *html = &page->html;
    const det_confusion *confusion = page->confusion;
    size_t sum = 0;
    for (size_t c = 0; c <= confusion->class_count; c++) sum += count_at(confusion, row, c);
    det_text_add(html, "<tr>");
    det_html_element(html, "th scope=\"row\"", name_of(page, row));
    for (size_t i = 0; i < count; i++) {
        const size_t column = classes[i].category;
        add_cell(html, count_at(confusion, row, column), sum,
                 row == column && row < confusion->class_count);
    }
    det_text_add(html, "</tr>\n");
}

static void add_note(det_report_page *page)
{
    det_text *html = &page->html;
    det_text_add(html, "<p class=\"note\">Detections of at least score ");
    det_report_number(html, page->confusion->score, 3);
    det_text_add(html, " and objects that overlap at an IoU of ");
    det_report_number(html, page->confusion->iou, 2);
    det_text_add(html, ". The row is what is there, the column what was said. The first row is "
                       "detections of nothing, the first column objects that were missed.");
    if (page->confusion->class_count > most_classes)
        det_text_format(html, " Of %zu classes the %d that are confused most, these first.",
                        page->confusion->class_count, most_classes);
    det_text_add(html, "</p>\n");
}

det_status det_report_add_confusion(det_report_page *page, det_error *error)
{
    det_text *html = &page->html;
    ranked_class *classes = det_alloc_array(page->confusion->class_count + 1, sizeof *classes);
    if (!classes) return det_fail_memory(error, "a confusion matrix");
    const size_t count = choose_classes(page->confusion, classes);
    det_report_begin_section(html, "confusion", "What is taken for what");
    add_note(page);
    det_report_begin_table(html, "Confusion matrix", "confusion");
    add_head(page, classes, count);
    for (size_t i = 0; i < count; i++) add_row(page, classes, count, classes[i].category);
    det_text_add(html, "</tbody>");
    det_report_end_table(html);
    det_text_add(html, "</section>\n");
    det_free(classes);
    return DET_OK;
}
