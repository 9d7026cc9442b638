/* SPDX-License-Identifier: Apache-2.0 */
/* A report: the analyses, the page, part after part, and its files. The page allows itself nothing
 * but pictures and styles that it holds (a content security policy), so that a browser would refuse
 * whatever else a name or a mistake of ours might bring in. */
#include "eval/report/page.h"

#include "detect/version.h"
#include "src/base/error.h"
#include "src/base/file.h"
#include "src/base/html.h"
#include "src/base/memory.h"
#include "src/data/paths.h"

/* ---- The analyses ---- */

static det_status analyse(det_report_page *page, const det_run *run, det_error *error)
{
    const det_evaluation *e = page->evaluation;
    page->iou = det_report_find_iou(e, .5);
    if (page->iou == e->iou_count) page->iou = 0;
    det_status status = det_evaluation_mistakes(e, &(det_mistake_options){.iou = page->iou}, run,
                                                &page->mistakes, error);
    if (status == DET_OK) status = det_evaluation_scores(e, page->iou, &page->scores, error);
    if (status == DET_OK)
        status = det_evaluation_confusion(e, &(det_confusion_options){.iou = page->iou}, run,
                                          &page->confusion, error);
    return status;
}

static void release(det_report_page *page)
{
    det_text_free(&page->html);
    det_mistake_analysis_free(page->mistakes);
    det_score_analysis_free(page->scores);
    det_confusion_free(page->confusion);
}

/* ---- The page ---- */

static void add_source(det_text *html, const char *what, const char *path, const char *format)
{
    if (!path) return;
    det_text_format(html, "<dt>%s</dt><dd>", what);
    det_html_element(html, "code", path);
    det_text_format(html, "%s%s</dd>", *format ? ", " : "", format);
}

static void add_contents(det_text *html, const det_report_options *options)
{
    static const char *const parts[][2] = {
        {"figures", "Figures"},
        {"costs", "Where AP is lost"},
        {"mistakes", "Worst mistakes"},
        {"classes", "Classes"},
        {"confusion", "What is taken for what"},
        {"counts", "Counts"},
    };
    det_text_add(html, "<nav aria-label=\"Contents\">");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (i != 2 || !options->without_mistakes)
            det_text_format(html, "<a href=\"#%s\">%s</a> ", parts[i][0], parts[i][1]);
    det_text_add(html, "</nav>\n");
}

static void add_head(det_report_page *page)
{
    det_text *html = &page->html;
    const det_report_options *o = page->options;
    const det_evaluation *e = page->evaluation;
    const char *title = o->title ? o->title : "Detections, evaluated";
    det_text_add(html, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                       "img-src data:; style-src 'unsafe-inline'\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<link rel=\"icon\" href=\"data:,\">\n");
    det_html_element(html, "title", title);
    det_text_add(html, "\n<style>\n");
    det_text_add(html, det_report_style);
    det_text_add(html, "</style></head>\n<body><header>");
    det_html_element(html, "h1", title);
    det_text_add(html, "<dl>");
    add_source(html, "results", o->results, det_results_format_name(e->results->format));
    add_source(html, "annotations", o->annotations,
               det_annotations_format_name(e->annotations->format));
    add_source(html, "other results", o->other ? o->other_results : NULL, "");
    det_text_format(html, "<dt>metric</dt><dd>%s</dd></dl>\n", det_metric_name(e->metric));
    add_contents(html, o);
    det_text_add(html, "</header><main>\n");
}

static det_status add_classes(det_report_page *page, const char *curves, const det_run *run,
                              det_error *error)
{
    det_text *html = &page->html;
    det_report_begin_section(html, "classes", "Classes");
    det_text_add(html, "<div class=\"pair\">\n");
    det_status status = det_report_add_mean_curve(page, curves, error);
    if (status < 0) return status;
    det_report_add_scores(page, "all classes", &page->scores->all);
    det_text_add(html, "</div>\n");
    det_report_add_class_table(page);
    status = det_report_add_classes(page, curves, run, error);
    det_text_add(html, "</section>\n");
    return status;
}

static det_status add_parts(det_report_page *page, const char *curves, const det_run *run,
                            det_report_counts *counts, det_error *error)
{
    add_head(page);
    det_report_add_figures(page);
    det_report_add_costs(page);
    det_status status = det_report_add_mistakes(page, run, counts, error);
    if (status == DET_OK) status = add_classes(page, curves, run, error);
    if (status == DET_OK) status = det_report_add_confusion(page, error);
    if (status < 0) return status;
    det_report_add_counts(page);
    det_text_format(&page->html, "</main><footer>Written by detect %s.</footer></body></html>\n",
                    det_version());
    return DET_OK;
}

static det_status write_page(det_report_page *page, const char *folder, const det_run *run,
                             det_report_counts *counts, det_error *error)
{
    char *curves = det_path_join(folder, "curves"), *index = det_path_join(folder, "index.html");
    det_status status = curves && index ? DET_OK : det_fail_memory(error, "a report");
    if (status == DET_OK) status = det_make_folder(folder, error);
    if (status == DET_OK) status = det_make_folder(curves, error);
    if (status == DET_OK) status = add_parts(page, curves, run, counts, error);
    if (status == DET_OK) status = det_file_write(index, &page->html, error);
    det_free(curves);
    det_free(index);
    return status;
}

det_status det_report_write(const det_evaluation *evaluation, const det_report_options *options,
                            const char *folder, const det_run *run, det_report_counts *counts,
                            det_error *error)
{
    static const det_report_options defaults = {0};
    det_report_page page = {.evaluation = evaluation, .options = options ? options : &defaults};
    if (counts) *counts = (det_report_counts){0};
    if (page.options->other && page.options->other->annotations != evaluation->annotations)
        return det_fail(error, DET_ARGUMENT,
                        "the other results were evaluated against other annotations");
    det_status status = analyse(&page, run, error);
    if (status == DET_OK) status = write_page(&page, folder, run, counts, error);
    release(&page);
    return status;
}
