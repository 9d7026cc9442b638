/* SPDX-License-Identifier: Apache-2.0 */
/* Scores as two rows of bars: true detections grow upwards, false ones, hatched, downwards. Their
 * heights are square roots, so that the many of low scores do not flatten the rest. */
#include "eval/report/page.h"

#include "src/base/html.h"

#include <math.h>

static double bin_end(const det_score_analysis *scores, size_t bin)
{
    return scores->low + (scores->high - scores->low) * (double)bin / DET_SCORE_BINS;
}

static size_t most_of(const det_score_figures *figures)
{
    size_t most = 1;
    for (size_t i = 0; i < DET_SCORE_BINS; i++) {
        if (figures->right[i] > most) most = figures->right[i];
        if (figures->wrong[i] > most) most = figures->wrong[i];
    }
    return most;
}

static void add_bar(det_text *html, const char *kind, size_t count, size_t most)
{
    det_text_format(html, "<i class=\"%s\" style=\"--v:", kind);
    det_report_number(html, 100 * sqrt((double)count / (double)most), 1);
    det_text_add(html, "%\"></i>");
}

static void add_bin(det_text *html, const det_score_analysis *scores,
                    const det_score_figures *figures, size_t bin, size_t most)
{
    det_text_add(html, "<span title=\"");
    det_report_number(html, bin_end(scores, bin), 2);
    det_text_add(html, " to ");
    det_report_number(html, bin_end(scores, bin + 1), 2);
    det_text_format(html, ": %zu true, %zu false\">", figures->right[bin], figures->wrong[bin]);
    add_bar(html, "right", figures->right[bin], most);
    add_bar(html, "wrong", figures->wrong[bin], most);
    det_text_add(html, "</span>");
}

static void sum_bins(const det_score_figures *figures, size_t *right, size_t *wrong)
{
    *right = *wrong = 0;
    for (size_t i = 0; i < DET_SCORE_BINS; i++) {
        *right += figures->right[i];
        *wrong += figures->wrong[i];
    }
}

static void add_best(det_text *html, const det_score_figures *figures)
{
    if (isnan(figures->threshold)) {
        det_text_add(html, "No detection is true.");
        return;
    }
    det_text_add(html, "Best F1 ");
    det_report_number(html, figures->f1, 3);
    det_text_add(html, " from score ");
    det_report_number(html, figures->threshold, 3);
    det_text_add(html, " on: precision ");
    det_report_number(html, figures->precision, 3);
    det_text_add(html, ", recall ");
    det_report_number(html, figures->recall, 3);
    det_text_add(html, ".");
}

static void add_mark(det_text *html, const det_score_analysis *scores, double threshold)
{
    const double range = scores->high - scores->low;
    if (isnan(threshold) || !(range > 0)) return;
    det_text_add(html, "<u style=\"left:");
    det_report_number(html, 100 * (threshold - scores->low) / range, 1);
    det_text_add(html, "%\"></u>");
}

void det_report_add_scores(det_report_page *page, const char *name,
                           const det_score_figures *figures)
{
    det_text *html = &page->html;
    const det_score_analysis *scores = page->scores;
    size_t right, wrong;
    sum_bins(figures, &right, &wrong);
    det_text_add(html, "<figure class=\"scores\"><div class=\"bars\" role=\"img\" aria-label=\""
                       "Scores of ");
    det_html_text(html, name);
    det_text_format(html, ": %zu true and %zu false detections\">", right, wrong);
    for (size_t i = 0; i < DET_SCORE_BINS; i++) add_bin(html, scores, figures, i, most_of(figures));
    add_mark(html, scores, figures->threshold);
    det_text_add(html, "</div><div class=\"ends\"><span>");
    det_report_number(html, scores->low, 2);
    det_text_add(html, "</span><span>score</span><span>");
    det_report_number(html, scores->high, 2);
    det_text_format(html,
                    "</span></div><figcaption><span class=\"key right\">%zu true, upwards</span> "
                    "<span class=\"key wrong\">%zu false, downwards</span><br>",
                    right, wrong);
    add_best(html, figures);
    det_text_add(html, "</figcaption></figure>\n");
}
