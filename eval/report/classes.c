/* SPDX-License-Identifier: Apache-2.0 */
/* Classes: a table, and of each one its curves, scores, mistakes and confusions, folded away. */
#include "eval/report/curves.h"
#include "eval/report/page.h"
#include "src/base/error.h"
#include "src/base/html.h"
#include "src/base/memory.h"
#include "src/base/run.h"

enum { most_shown_curves = 100, most_confusions = 3 };

/* ---- The table ---- */

/* What a row shows of a class, or of all. */
typedef struct {
    const det_eval_figures *figures, *other; /* other: of the other results, or NULL */
    const det_score_figures *scores;
    size_t objects, ignored, detections;
} table_row;

/* The figures of a row; the first is shown as a bar, what is gained with its sign. */
typedef struct {
    const char *names[10];
    double values[10];
    size_t count;
} columns;

static void add_column(columns *c, const char *name, double value)
{
    c->names[c->count] = name;
    c->values[c->count++] = value;
}

static void add_single(columns *c, const det_evaluation *e, const table_row *r, double iou,
                       const char *name)
{
    const size_t at = det_report_find_iou(e, iou);
    if (e->iou_count > 1 && at < e->iou_count) add_column(c, name, r->figures->ap_at[at]);
}

static columns columns_of(const det_evaluation *e, const table_row *r)
{
    columns c = {.count = 0};
    const bool coco = e->metric == DET_METRIC_COCO;
    add_column(&c, "AP", r->figures->ap);
    if (r->other) add_column(&c, "AP gained", r->figures->ap - r->other->ap);
    add_single(&c, e, r, .5, "AP at 0.50");
    add_single(&c, e, r, .75, "AP at 0.75");
    if (coco) {
        add_column(&c, "AP small", r->figures->ap_size[DET_SIZE_SMALL]);
        add_column(&c, "AP medium", r->figures->ap_size[DET_SIZE_MEDIUM]);
        add_column(&c, "AP large", r->figures->ap_size[DET_SIZE_LARGE]);
    }
    add_column(&c, coco ? "AR" : "recall", r->figures->ar);
    add_column(&c, "best F1", r->scores->f1);
    add_column(&c, "from score", r->scores->threshold);
    return c;
}

static void add_head(det_text *html, const det_evaluation *e, const table_row *r)
{
    const columns c = columns_of(e, r);
    det_text_add(html, "<thead><tr><th scope=\"col\">class</th>");
    for (size_t i = 0; i < c.count; i++) det_html_element(html, "th scope=\"col\"", c.names[i]);
    det_text_add(html, "<th scope=\"col\">objects</th><th scope=\"col\">ignored</th>"
                       "<th scope=\"col\">detections</th></tr></thead><tbody>\n");
}

static void add_cells(det_text *html, const det_evaluation *e, const table_row *r)
{
    const columns c = columns_of(e, r);
    det_report_bar_cell(html, c.values[0]);
    for (size_t i = 1; i < c.count; i++) {
        det_text_add(html, r->other && i == 1 && c.values[i] > 0 ? "<td>+" : "<td>");
        det_report_number(html, c.values[i], 3);
        det_text_add(html, "</td>");
    }
    det_report_count_cell(html, r->objects);
    det_report_count_cell(html, r->ignored);
    det_report_count_cell(html, r->detections);
    det_text_add(html, "</tr>\n");
}

/* Whether there is more to say of a class than that it has neither objects nor detections. */
static bool has_details(const det_evaluation *e, size_t category)
{
    return e->classes[category].objects + e->classes[category].detections > 0;
}

static table_row row_of(const det_report_page *page, size_t category)
{
    const det_evaluation *other = page->options->other;
    const det_class_figures *c = &page->evaluation->classes[category];
    return (table_row){.figures = &c->figures,
                       .other = other ? &other->classes[category].figures : NULL,
                       .scores = &page->scores->classes[category],
                       .objects = c->objects,
                       .ignored = c->ignored,
                       .detections = c->detections};
}

static table_row row_of_all(const det_report_page *page)
{
    const det_evaluation *e = page->evaluation, *other = page->options->other;
    return (table_row){.figures = &e->mean,
                       .other = other ? &other->mean : NULL,
                       .scores = &page->scores->all,
                       .objects = e->objects,
                       .ignored = e->ignored,
                       .detections = e->detections};
}

static void add_row(det_report_page *page, size_t category)
{
    det_text *html = &page->html;
    const table_row r = row_of(page, category);
    const bool linked = has_details(page->evaluation, category);
    det_text_add(html, "<tr><th scope=\"row\">");
    if (linked) det_text_format(html, "<a href=\"#class-%zu\">", category + 1);
    det_html_text(html, det_report_class_name(page, category));
    det_text_add(html, linked ? "</a></th>" : "</th>");
    add_cells(html, page->evaluation, &r);
}

void det_report_add_class_table(det_report_page *page)
{
    det_text *html = &page->html;
    const det_evaluation *e = page->evaluation;
    const table_row all = row_of_all(page);
    det_report_begin_table(html, "Figures of the classes", "classes");
    add_head(html, e, &all);
    for (size_t c = 0; c < e->class_count; c++) add_row(page, c);
    det_text_add(html, "</tbody><tfoot><tr><th scope=\"row\">all</th>");
    add_cells(html, e, &all);
    det_text_add(html, "</tfoot>");
    det_report_end_table(html);
    if (page->options->other)
        det_text_add(html, "<p class=\"note\">AP gained: over the other results.</p>\n");
    if (e->measured_count < e->class_count)
        det_text_add(html, "<p class=\"note\">n/a: no object of the class counts, so that it has "
                           "no figures and no part in the means.</p>\n");
}

/* ---- A class ---- */

static void add_mistakes(det_text *html, const det_mistake_figures *figures)
{
    det_report_begin_table(html, "Mistakes of the class", "kinds");
    det_text_add(html, "<thead><tr><th scope=\"col\">mistakes</th>");
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++)
        det_html_element(html, "th scope=\"col\"", det_mistake_kind_name((det_mistake_kind)kind));
    det_text_add(html, "</tr></thead><tbody><tr><th scope=\"row\">how many</th>");
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++)
        det_report_count_cell(html, figures->count[kind]);
    det_text_add(html, "</tr><tr><th scope=\"row\">AP lost</th>");
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++) det_report_cell(html, figures->cost[kind]);
    det_text_add(html, "</tr></tbody>");
    det_report_end_table(html);
}

/* Number `other` of the row or the column of a class in the confusion matrix, its own being none.
 */
static size_t confused_with(const det_confusion *confusion, size_t category, size_t other, bool row)
{
    if (other == category) return 0;
    const size_t side = confusion->class_count + 1;
    return confusion->counts[row ? category * side + other : other * side + category];
}

/* The class that comes next in number of confusions after `before`; class_count: none. */
static size_t next_confused(const det_confusion *confusion, size_t category, bool row,
                            size_t before)
{
    const size_t none = confusion->class_count;
    const size_t limit =
        before == none ? SIZE_MAX : confused_with(confusion, category, before, row);
    size_t best = none, most = 0;
    for (size_t c = 0; c < none; c++) {
        const size_t count = confused_with(confusion, category, c, row);
        const bool later = count < limit || (count == limit && c > before);
        if (later && count > most) {
            most = count;
            best = c;
        }
    }
    return best;
}

static void add_confused(det_report_page *page, size_t category, bool row)
{
    det_text *html = &page->html;
    const det_confusion *confusion = page->confusion;
    const size_t none = confusion->class_count;
    size_t at = next_confused(confusion, category, row, none);
    if (at == none) return;
    det_text_add(html, row ? "<p>Taken for " : "<p>What is taken for it: ");
    for (int i = 0; i < most_confusions && at != none; i++) {
        if (i > 0) det_text_add(html, ", ");
        det_html_text(html, det_report_class_name(page, at));
        det_text_format(html, " (%zu)", confused_with(confusion, category, at, row));
        at = next_confused(confusion, category, row, at);
    }
    det_text_add(html, at == none ? ".</p>\n" : " and others.</p>\n");
}

static void begin_details(det_report_page *page, size_t category)
{
    det_text *html = &page->html;
    const det_class_figures *c = &page->evaluation->classes[category];
    det_text_add(html, "<details><summary><b>");
    det_html_text(html, det_report_class_name(page, category));
    det_text_add(html, "</b> <span>AP ");
    det_report_number(html, c->figures.ap, 3);
    det_text_add(html, "</span> <small>");
    det_report_things(html, c->objects, "object");
    det_text_add(html, ", ");
    det_report_things(html, c->detections, "detection");
    det_text_format(html, "</small></summary><div id=\"class-%zu\"><div class=\"pair\">\n",
                    category + 1);
}

static det_status add_curve(det_report_page *page, size_t category, const char *folder,
                            size_t *shown, det_error *error)
{
    const det_class_figures *c = &page->evaluation->classes[category];
    if (c->objects == 0) return DET_OK;
    char *file = det_report_curve_name(page, category);
    if (!file) return det_fail_memory(error, "a curve");
    const det_report_curve_options curve = {.title = det_report_class_name(page, category),
                                            .envelope = c->envelope,
                                            .folder = folder,
                                            .file = file,
                                            .shown = *shown < most_shown_curves};
    const det_status status = det_report_curve(page, &curve, error);
    if (!curve.shown) {
        det_text_add(&page->html, "<p class=\"note\">Its curve is in <code>curves/");
        det_html_text(&page->html, file);
        det_text_add(&page->html, "</code>.</p>\n");
    }
    (*shown)++;
    det_free(file);
    return status;
}

static det_status add_class(det_report_page *page, size_t category, const char *folder,
                            size_t *shown, det_error *error)
{
    if (!has_details(page->evaluation, category)) return DET_OK;
    begin_details(page, category);
    const det_status status = add_curve(page, category, folder, shown, error);
    if (status < 0) return status;
    det_report_add_scores(page, det_report_class_name(page, category),
                          &page->scores->classes[category]);
    det_text_add(&page->html, "</div>\n");
    add_mistakes(&page->html, &page->mistakes->classes[category]);
    add_confused(page, category, true);
    add_confused(page, category, false);
    det_text_add(&page->html, "</div></details>\n");
    return DET_OK;
}

det_status det_report_add_classes(det_report_page *page, const char *folder, const det_run *run,
                                  det_error *error)
{
    size_t shown = 0;
    const size_t count = page->evaluation->class_count;
    det_status status = DET_OK;
    for (size_t c = 0; status == DET_OK && c < count; c++) {
        status = det_run_check(run, c, count, error);
        if (status == DET_OK) status = add_class(page, c, folder, &shown, error);
    }
    return status;
}
