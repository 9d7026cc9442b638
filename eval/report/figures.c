/* SPDX-License-Identifier: Apache-2.0 */
/* What an evaluation says as a whole: the few figures that are looked at first, and all of them. */
#include "eval/report/page.h"

#include "src/base/html.h"

/* ---- At first sight ---- */

static void add_tile(det_text *html, const char *name, double value)
{
    det_report_begin_tile(html, name, value);
    det_text_add(html, "</div>\n");
}

static void add_single(det_text *html, const det_evaluation *e, double iou, const char *name)
{
    const size_t at = det_report_find_iou(e, iou);
    if (e->iou_count > 1 && at < e->iou_count) add_tile(html, name, e->mean.ap_at[at]);
}

static void add_difference(det_text *html, const det_report_options *options)
{
    det_report_begin_tile(html, "AP of the other results", options->other->mean.ap);
    if (options->difference && options->difference->samples > 0) {
        det_text_add(html,
                     options->difference->value > 0 ? "<small>difference +" : "<small>difference ");
        det_report_number(html, options->difference->value, 3);
        det_text_add(html, ", 95&nbsp;% interval ");
        det_report_number(html, options->difference->low, 3);
        det_text_add(html, " to ");
        det_report_number(html, options->difference->high, 3);
        det_text_add(html, "</small>");
    }
    det_text_add(html, "</div>\n");
}

static void add_tiles(det_report_page *page)
{
    det_text *html = &page->html;
    const det_evaluation *e = page->evaluation;
    const bool coco = e->metric == DET_METRIC_COCO;
    det_text_add(html, "<div class=\"tiles\">\n");
    det_report_begin_tile(html, coco ? "AP" : "mAP", e->mean.ap);
    if (page->options->interval) det_report_add_interval(html, page->options->interval);
    det_text_add(html, "</div>\n");
    add_single(html, e, .5, "AP at IoU 0.50");
    add_single(html, e, .75, "AP at IoU 0.75");
    add_tile(html, coco ? "AR" : "Recall", e->mean.ar);
    if (page->options->other) add_difference(html, page->options);
    det_text_add(html, "</div>\n");
}

/* ---- All of them ---- */

/* A row of COCO's table: what, at which IoU, of which objects, of how many detections. */
static void add_row(det_text *html, bool precision, const char *iou, det_object_size size,
                    size_t most, double value)
{
    static const char *const names[DET_SIZE_COUNT] = {"all", "small", "medium", "large"};
    det_text_format(html, "<tr><th scope=\"row\">%s</th>",
                    precision ? "Average precision (AP)" : "Average recall (AR)");
    det_report_cell(html, value);
    det_text_format(html, "<td>%s</td><td>%s</td><td>%zu</td></tr>\n", iou, names[size], most);
}

static void range_text(const det_evaluation *e, det_text *range)
{
    det_report_number(range, e->ious[0], 2);
    if (e->iou_count == 1) return;
    det_text_add(range, " to ");
    det_report_number(range, e->ious[e->iou_count - 1], 2);
}

static void add_coco_rows(det_text *html, const det_evaluation *e, const char *range)
{
    static const char *const texts[] = {"0.50", "0.75"};
    const det_eval_figures *mean = &e->mean;
    const size_t most = e->max_detections[e->max_detections_count - 1];
    const size_t singles[] = {det_report_find_iou(e, .5), det_report_find_iou(e, .75)};
    add_row(html, true, range, DET_SIZE_ALL, most, mean->ap);
    for (size_t i = 0; i < 2; i++)
        if (e->iou_count > 1 && singles[i] < e->iou_count)
            add_row(html, true, texts[i], DET_SIZE_ALL, most, mean->ap_at[singles[i]]);
    for (int size = DET_SIZE_SMALL; size < DET_SIZE_COUNT; size++)
        add_row(html, true, range, (det_object_size)size, most, mean->ap_size[size]);
    for (size_t m = 0; m < e->max_detections_count; m++)
        add_row(html, false, range, DET_SIZE_ALL, e->max_detections[m], mean->ar_max[m]);
    for (int size = DET_SIZE_SMALL; size < DET_SIZE_COUNT; size++)
        add_row(html, false, range, (det_object_size)size, most, mean->ar_size[size]);
}

static void add_coco(det_report_page *page)
{
    det_text *html = &page->html, range = {0};
    range_text(page->evaluation, &range);
    det_report_begin_table(html, "The figures of COCO", "figures");
    det_text_add(html, "<thead><tr><th scope=\"col\">figure</th><th scope=\"col\">value</th>"
                       "<th scope=\"col\">IoU</th><th scope=\"col\">objects</th>"
                       "<th scope=\"col\">most detections</th></tr></thead><tbody>\n");
    if (range.failed)
        html->failed = true;
    else
        add_coco_rows(html, page->evaluation, range.data);
    det_text_add(html, "</tbody>");
    det_report_end_table(html);
    det_text_free(&range);
}

static void add_thresholds(det_report_page *page)
{
    det_text *html = &page->html;
    const det_evaluation *e = page->evaluation;
    det_report_begin_table(html, "Figures at each IoU threshold", "figures");
    det_text_add(html, "<thead><tr><th scope=\"col\">IoU</th><th scope=\"col\">mAP</th>"
                       "<th scope=\"col\">recall</th></tr></thead><tbody>\n");
    for (size_t t = 0; t < e->iou_count; t++) {
        det_text_add(html, "<tr><th scope=\"row\">");
        det_report_number(html, e->ious[t], 2);
        det_text_add(html, "</th>");
        det_report_cell(html, e->mean.ap_at[t]);
        det_report_cell(html, e->mean.recall_at[t]);
        det_text_add(html, "</tr>\n");
    }
    det_text_add(html, "</tbody>");
    det_report_end_table(html);
}

void det_report_add_figures(det_report_page *page)
{
    static const char *const meanings[] = {
        [DET_METRIC_COCO] = "COCO: the mean over classes and IoU thresholds of the best precision "
                            "at 101 recalls; the most detections are those of a picture and class",
        [DET_METRIC_VOC07] = "VOC2007: the mean over classes of the best precision at 11 recalls",
        [DET_METRIC_VOC10] = "VOC2010: the mean over classes of the area below the curve of "
                             "precision against recall",
        [DET_METRIC_ILSVRC] = "ILSVRC: the mean over classes of the area below the curve of "
                              "precision against recall; small objects need less overlap",
    };
    det_text *html = &page->html;
    const det_evaluation *e = page->evaluation;
    det_report_begin_section(html, "figures", "Figures");
    add_tiles(page);
    det_text_format(html, "<p class=\"note\">%s. ", meanings[e->metric]);
    det_text_format(html, "Classes that have objects which count: %zu of %zu.</p>\n",
                    e->measured_count, e->class_count);
    if (e->metric == DET_METRIC_COCO)
        add_coco(page);
    else if (e->iou_count > 1)
        add_thresholds(page);
    det_text_add(html, "</section>\n");
}
