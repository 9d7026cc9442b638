/* SPDX-License-Identifier: Apache-2.0 */
/* A report: the analyses, the page, part after part, and its files. */
#include "eval/report/page.h"

#include "src/base/error.h"
#include "src/base/file.h"
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

static void add_contents(det_text *html, const det_report_options *options)
{
    static const det_report_link all[] = {
        {"figures", "Figures"},
        {"costs", "Where AP is lost"},
        {"mistakes", "Worst mistakes"},
        {"classes", "Classes"},
        {"confusion", "What is taken for what"},
        {"counts", "Counts"},
    };
    det_report_link links[sizeof all / sizeof *all];
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (i != 2 || !options->without_mistakes) links[count++] = all[i];
    det_report_add_contents(html, links, count);
}

static void add_head(det_report_page *page)
{
    det_text *html = &page->html;
    const det_report_options *o = page->options;
    const det_evaluation *e = page->evaluation;
    det_report_begin_page(html, o->title ? o->title : "Detections, evaluated");
    det_text_add(html, "<dl>");
    det_report_add_source(html, "results", o->results, det_results_format_name(e->results->format));
    det_report_add_source(html, "annotations", o->annotations,
                          det_annotations_format_name(e->annotations->format));
    det_report_add_source(html, "other results", o->other ? o->other_results : NULL, "");
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
    det_report_end_page(&page->html);
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
