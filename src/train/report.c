/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a training; its parts are files of their own. */
#include "src/train/report.h"

#include "eval/report/parts.h"
#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/data/paths.h"

typedef struct {
    const det_training *training;
    const det_annotations *annotations;
    const det_training_report_options *options;
} trained;

static void add_contents(det_text *html, const trained *t)
{
    static const det_report_link all[] = {
        {"figures", "Figures"},
        {"classes", "Classes"},
        {"curve", "Learning curve"},
        {"labels", "Labels worth a look"},
        {"settings", "What it was made from"},
    };
    det_report_link links[sizeof all / sizeof *all];
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (i != 2 || t->training->curve_count > 0) links[count++] = all[i];
    det_report_add_contents(html, links, count);
}

static void add_head(det_text *html, const trained *t)
{
    const det_training_report_options *o = t->options;
    det_report_begin_page(html, o->title ? o->title : "A detector, trained");
    det_text_add(html, "<dl>");
    det_report_add_source(html, "model", o->model, "");
    det_report_add_source(html, "annotations", o->annotations,
                          det_annotations_format_name(t->annotations->format));
    det_text_add(html, "</dl>\n");
    add_contents(html, t);
    det_text_add(html, "</header><main>\n");
}

static det_status add_parts(det_text *html, const trained *t, const det_run *run,
                            det_report_counts *counts, det_error *error)
{
    add_head(html, t);
    det_training_report_figures(html, t->training);
    det_training_report_classes(html, t->training);
    det_status status = det_training_report_curve(html, t->training, error);
    if (status == DET_OK)
        status = det_training_report_labels(html, t->training, t->annotations, run, counts, error);
    if (status == DET_OK)
        status = det_training_report_settings(html, t->training, t->options->config, error);
    det_report_end_page(html);
    return status;
}

det_status det_training_report_write(const det_training *training,
                                     const det_annotations *annotations,
                                     const det_training_report_options *options, const char *folder,
                                     const det_run *run, det_report_counts *counts,
                                     det_error *error)
{
    static const det_training_report_options defaults = {0};
    const trained t = {training, annotations, options ? options : &defaults};
    det_report_counts shown = {0};
    det_text html = {0};
    char *index = det_path_join(folder, "index.html");
    det_status status = index ? DET_OK : det_fail_memory(error, "a report");
    if (status == DET_OK) status = det_make_folder(folder, error);
    if (status == DET_OK) status = add_parts(&html, &t, run, &shown, error);
    if (status == DET_OK) status = det_file_write(index, &html, error);
    if (counts) *counts = shown;
    det_text_free(&html);
    det_free(index);
    return status;
}
