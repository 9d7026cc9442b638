/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind of mistake costs, as bars of one scale. */
#include "eval/report/page.h"

#include <math.h>

const char *const det_report_kind_meanings[DET_MISTAKE_KINDS] = {
    [DET_MISTAKE_CLASS] = "the box is right, the class is not",
    [DET_MISTAKE_BOX] = "the class is right, the box is not",
    [DET_MISTAKE_BOTH] = "neither class nor box fits",
    [DET_MISTAKE_DUPLICATE] = "the object was found already",
    [DET_MISTAKE_BACKGROUND] = "there is no object",
    [DET_MISTAKE_MISSED] = "an object that nothing points at",
};

typedef struct {
    const char *name, *meaning;
    size_t count;
    double cost;
} row;

static void add_row(det_text *html, const row *r, double most)
{
    det_text_format(html, "<tr><th scope=\"row\">%s<small>%s</small></th>", r->name, r->meaning);
    det_report_count_cell(html, r->count);
    det_text_add(html, "<td class=\"bar\" style=\"--v:");
    det_report_number(html, most > 0 && r->cost > 0 ? 100 * r->cost / most : 0, 1);
    det_text_add(html, "%\">");
    det_report_number(html, r->cost, 3);
    det_text_add(html, "</td></tr>\n");
}

static void add_rows(det_text *html, const det_mistake_figures *figures)
{
    row rows[DET_MISTAKE_KINDS + 2];
    double most = fmax(figures->false_positives_cost, figures->false_negatives_cost);
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++) {
        rows[kind] =
            (row){det_mistake_kind_name((det_mistake_kind)kind), det_report_kind_meanings[kind],
                  figures->count[kind], figures->cost[kind]};
        most = fmax(most, figures->cost[kind]);
    }
    rows[DET_MISTAKE_KINDS] = (row){"all false positives", "every kind but missed",
                                    figures->false_positives, figures->false_positives_cost};
    rows[DET_MISTAKE_KINDS + 1] = (row){"all objects not found", "whatever the reason",
                                        figures->false_negatives, figures->false_negatives_cost};
    for (int i = 0; i < DET_MISTAKE_KINDS + 2; i++) {
        if (i == DET_MISTAKE_KINDS) det_text_add(html, "</tbody><tbody>\n");
        add_row(html, &rows[i], most);
    }
}

void det_report_add_costs(det_report_page *page)
{
    det_text *html = &page->html;
    const det_mistake_analysis *analysis = page->mistakes;
    det_report_begin_section(html, "costs", "Where average precision is lost");
    det_text_add(html, "<p class=\"note\">What AP at IoU ");
    det_report_number(html, analysis->iou, 2);
    det_text_add(html, " (");
    det_report_number(html, analysis->all.ap, 3);
    det_text_add(html,
                 ") would gain if all mistakes of one kind, and no others, were repaired. The "
                 "gains do not add up. Kinds as in TIDE (Bolya et al. 2020).</p>\n");
    det_report_begin_table(html, "Kinds of mistakes and what they cost", "costs");
    det_text_add(html, "<thead><tr><th scope=\"col\">kind</th><th scope=\"col\">how many</th>"
                       "<th scope=\"col\">AP lost</th></tr></thead><tbody>\n");
    add_rows(html, &analysis->all);
    det_text_add(html, "</tbody>");
    det_report_end_table(html);
    det_text_add(html, "</section>\n");
}
