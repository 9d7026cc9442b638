/* SPDX-License-Identifier: Apache-2.0 */
/* How good a detector is that was trained: as a whole, and class by class. */
#include "eval/report/parts.h"
#include "src/base/html.h"
#include "src/train/report.h"

/* ---- As a whole ----------------------------------------------------------------------------- */

static void add_tile(det_text *html, const char *name, const det_interval *interval)
{
    det_report_begin_tile(html, name, interval->value);
    det_report_add_interval(html, interval);
    det_text_add(html, "</div>\n");
}

void det_training_report_figures(det_text *html, const det_training *training)
{
    det_report_begin_section(html, "figures", "Figures");
    det_text_add(html, "<div class=\"tiles\">\n");
    add_tile(html, "AP50", &training->ap50);
    add_tile(html, "AP", &training->ap);
    det_report_begin_tile(html, "objects proposed", training->recall);
    det_text_format(html, "<small>by %zu regions of %zu pictures</small></div>\n</div>\n",
                    training->proposal_count, training->image_count);
    det_text_format(
        html,
        "<p class=\"note\">Learned from %zu objects. Cross-validated: every picture is "
        "looked at by a detector that saw only the other %d of %d parts of the "
        "pictures. AP50 is COCO's average precision at IoU 0.50, AP its mean from 0.50 "
        "to 0.95. An object is proposed where a region overlaps it by half; one that is "
        "not cannot be found.</p>\n</section>\n",
        training->object_count, training->folds - 1, training->folds);
}

/* ---- Classes -------------------------------------------------------------------------------- */

static void add_range(det_text *html, const det_interval *interval)
{
    det_text_add(html, "<td>");
    if (interval->samples > 0) {
        det_report_number(html, interval->low, 3);
        det_text_add(html, " to ");
        det_report_number(html, interval->high, 3);
    }
    det_text_add(html, "</td>");
}

static void add_verdict(det_text *html, const det_trained_class *c)
{
    static const char *const remarks[] = {
        [DET_CLASS_LEARNED] = "learned",
        [DET_CLASS_FEW_PICTURES] = "too few pictures",
        [DET_CLASS_NOT_LEARNED] = "not learned",
        [DET_CLASS_UNSURE] = "unsure",
    };
    det_text_format(html, "<td>%s", remarks[c->verdict]);
    if (c->wanted > 0) det_text_format(html, ": %zu more wanted", c->wanted);
    det_text_add(html, "</td></tr>\n");
}

static void add_class(det_text *html, const det_trained_class *c)
{
    det_text_add(html, "<tr>");
    det_html_element(html, "th scope=\"row\"", c->name);
    det_report_count_cell(html, c->images);
    det_report_count_cell(html, c->objects);
    det_report_bar_cell(html, c->ap50.value);
    add_range(html, &c->ap50);
    det_report_cell(html, c->ap.value);
    add_range(html, &c->ap);
    add_verdict(html, c);
}

void det_training_report_classes(det_text *html, const det_training *training)
{
    det_report_begin_section(html, "classes", "Classes");
    det_report_begin_table(html, "Classes with their pictures, objects and figures", "classes");
    det_text_add(html, "<thead><tr><th scope=\"col\">class</th><th scope=\"col\">pictures</th>"
                       "<th scope=\"col\">objects</th><th scope=\"col\">AP50</th>"
                       "<th scope=\"col\">95&nbsp;% interval</th><th scope=\"col\">AP</th>"
                       "<th scope=\"col\">95&nbsp;% interval</th><th scope=\"col\">verdict</th>"
                       "</tr></thead><tbody>\n");
    for (size_t i = 0; i < training->class_count; i++) add_class(html, &training->classes[i]);
    det_text_add(html, "</tbody>");
    det_report_end_table(html);
    det_text_add(html, "</section>\n");
}
