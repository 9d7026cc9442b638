/* SPDX-License-Identifier: Apache-2.0 */
/* Measures detections against annotations: reads both, evaluates, prints. */
#include "src/cli/class_map.h"
#include "src/cli/commands.h"
#include "src/cli/document.h"
#include "src/cli/eval_report.h"
#include "src/cli/eval_run.h"
#include "src/cli/figures.h"
#include "src/cli/input.h"
#include "src/cli/progress.h"
#include "src/cli/report.h"
#include "src/cli/truth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SAMPLES = 1000, SEED = 1 };

/* ---- Options -------------------------------------------------------------------------------- */

/** What the options say, in the library's terms; {0} is empty. */
typedef struct request {
    det_eval_options options;
    double *ious;
    size_t *most;
    det_image_class *left_out;
    cli_class_map class_map;
    size_t samples;
    bool mistakes; /**< look at them */
} request;

static void free_request(request *r)
{
    cli_class_map_free(&r->class_map);
    free(r->ious);
    free(r->most);
    det_image_classes_free(r->left_out);
}

static size_t count_parts(const char *list)
{
    size_t count = 1;
    for (; *list; list++) count += *list == ',';
    return count;
}

/** Reads "A,B,...". The library checks the values. */
static det_status read_numbers(const char *option, const char *list, double *numbers,
                               det_error *error)
{
    const char *at = list;
    for (size_t i = 0, count = count_parts(list); i < count; i++) {
        char *end;
        numbers[i] = strtod(at, &end);
        if (end == at || !isfinite(numbers[i]) || (*end && *end != ',') || (!*end && i + 1 < count))
            return cli_fail(error, DET_ARGUMENT, "--%s must be numbers with commas, not '%s'",
                            option, list);
        at = end + 1;
    }
    return DET_OK;
}

static det_status read_ious(request *r, const char *list, det_error *error)
{
    if (!list) return DET_OK;
    r->options.iou_count = count_parts(list);
    r->options.ious = r->ious = cli_alloc(r->options.iou_count, sizeof *r->ious);
    return read_numbers("iou", list, r->ious, error);
}

static det_status read_most(request *r, const char *list, det_error *error)
{
    const double most = 1e9;
    if (!list) return DET_OK;
    const size_t count = count_parts(list);
    double *numbers = cli_alloc(count, sizeof *numbers);
    r->options.max_detections = r->most = cli_alloc(count, sizeof *r->most);
    r->options.max_detections_count = count;
    det_status status = read_numbers("max-detections", list, numbers, error);
    for (size_t i = 0; status == DET_OK && i < count; i++) {
        if (!(numbers[i] >= 1 && numbers[i] <= most && numbers[i] == floor(numbers[i])))
            status = cli_fail(error, DET_ARGUMENT,
                              "--max-detections must be whole numbers from 1 to %.0f, not '%s'",
                              most, list);
        else
            r->most[i] = (size_t)numbers[i];
    }
    free(numbers);
    return status;
}

static det_status read_request(request *r, const cli_values *values, det_error *error)
{
    if (!values->truth || !values->results)
        return cli_fail(error, DET_ARGUMENT,
                        "detect eval needs --annotations PATH, and --results PATH or a detector to "
                        "run: --config FILE or --model FILE");
    if (values->metric) det_metric_parse(values->metric, &r->options.metric); /* a choice */
    const bool sampled = values->bootstrap != CLI_NOT_GIVEN;
    r->samples = sampled ? (size_t)values->bootstrap : values->other_results ? DEFAULT_SAMPLES : 0;
    r->mistakes = values->errors || values->json;
    r->options.keep_matches = r->samples > 0 || r->mistakes || values->report;
    r->options.corrected = values->corrected;
    if (values->corrected && r->options.metric != DET_METRIC_COCO)
        return cli_fail(error, DET_ARGUMENT, "--corrected is for --metric coco");
    if (values->left_out && r->options.metric != DET_METRIC_ILSVRC)
        return cli_fail(error, DET_ARGUMENT, "--left-out is for --metric ilsvrc");
    det_status status = read_ious(r, values->ious, error);
    if (status == DET_OK) status = read_most(r, values->max_detections, error);
    if (status == DET_OK) status = cli_class_map_read(&values->class_map, &r->class_map, error);
    return status;
}

/* ---- Files ---------------------------------------------------------------------------------- */

static det_status read_results(const request *r, const cli_values *values, const char *path,
                               const det_annotations *annotations, det_results **results,
                               det_error *error)
{
    const det_results_options options = {
        .class_map = r->class_map.pairs,
        .class_map_count = r->class_map.count,
        .threads = values->threads == CLI_NOT_GIVEN ? 0 : values->threads};
    const det_status status = det_results_read(path, annotations, &options, results, error);
    for (size_t i = 0; status == DET_OK && i < (*results)->warning_count; i++)
        cli_warn(values->quiet, path, (*results)->warnings[i]);
    if (status == DET_OK && (*results)->unknown_class_objects > 0 && values->class_map.count == 0)
        cli_warn(values->quiet, path,
                 "--class-map FROM=TO says what else the annotations call a class");
    return status;
}

/** Runs the detector, unless the figures that are asked for are senseless. */
static det_status make_results(const request *r, const cli_values *values, cli_figures *f,
                               det_error *error)
{
    const det_results none = {.form = DET_BOX_SIZED};
    det_evaluation *evaluation = NULL;
    const det_status status =
        det_evaluate(f->annotations, &none, &r->options, NULL, &evaluation, error);
    det_evaluation_free(evaluation);
    return status == DET_OK ? cli_eval_run(values, f->annotations, error) : status;
}

static det_status read_files(request *r, const cli_values *values, cli_figures *f, det_error *error)
{
    /* Ids of 0 are told below, if they count. */
    det_status status = cli_read_annotations(values->truth, values, 1U << DET_ODDITY_ID_ZERO,
                                             &f->annotations, error);
    if (status == DET_OK && values->other_results)
        status = read_results(r, values, values->other_results, f->annotations, &f->other_results,
                              error);
    if (status == DET_OK && values->left_out)
        status = det_image_classes_read(values->left_out, f->annotations, &r->left_out,
                                        &r->options.left_out_count, error);
    r->options.left_out = r->left_out;
    if (status == DET_OK && cli_eval_runs(values)) status = make_results(r, values, f, error);
    if (status == DET_OK)
        status = read_results(r, values, values->results, f->annotations, &f->results, error);
    return status;
}

/* ---- Figures -------------------------------------------------------------------------------- */

static void warn_of_evaluation(const cli_values *values, const det_evaluation *evaluation)
{
    const struct {
        size_t count;
        const char *objects;
    } oddities[] = {{evaluation->never_found, "with the id 0 count as never found"},
                    {evaluation->replaced, "with the id of a later one count as that one"},
                    {evaluation->ignore_unheeded, "marked \"ignore\" or \"difficult\" count"}};
    for (size_t i = 0; i < sizeof oddities / sizeof *oddities; i++) {
        char text[160];
        snprintf(text, sizeof text, "objects %s, as pycocotools counts them; see --corrected: %zu",
                 oddities[i].objects, oddities[i].count);
        if (oddities[i].count > 0) cli_warn(values->quiet, values->truth, text);
    }
}

/** What is wrong, at an IoU of .5 where that is among the thresholds, else at the first one. */
static det_status find_mistakes(cli_figures *f, const det_run *run, det_error *error)
{
    const size_t half = cli_find_iou(f->evaluation, .5);
    const size_t iou = half < f->evaluation->iou_count ? half : 0;
    const det_mistake_options mistakes = {.iou = iou};
    const det_confusion_options confusion = {.iou = iou};
    det_status status = det_evaluation_mistakes(f->evaluation, &mistakes, run, &f->mistakes, error);
    if (status == DET_OK) status = det_evaluation_scores(f->evaluation, iou, &f->scores, error);
    if (status == DET_OK)
        status = det_evaluation_confusion(f->evaluation, &confusion, run, &f->confusion, error);
    return status;
}

static det_status measure(const request *r, const cli_values *values, cli_figures *f,
                          cli_progress *progress, det_error *error)
{
    const det_run run = {.threads = values->threads == CLI_NOT_GIVEN ? 0 : values->threads,
                         .progress = cli_progress_step,
                         .progress_context = progress};
    det_status status =
        det_evaluate(f->annotations, f->results, &r->options, &run, &f->evaluation, error);
    if (status == DET_OK && f->other_results)
        status =
            det_evaluate(f->annotations, f->other_results, &r->options, &run, &f->other, error);
    f->samples = r->samples;
    if (status == DET_OK && r->samples > 0)
        status = det_evaluation_bootstrap(f->evaluation, NULL, r->samples, SEED, &run, &f->interval,
                                          error);
    if (status == DET_OK && f->other)
        status = det_evaluation_bootstrap(f->evaluation, f->other, r->samples, SEED, &run,
                                          &f->difference, error);
    if (status == DET_OK && r->mistakes) status = find_mistakes(f, &run, error);
    return status;
}

/** The figures must not replace what they are of. */
static det_status check_json(const cli_values *values, det_error *error)
{
    const char *const results[] = {values->results, values->other_results, values->left_out};
    for (size_t i = 0; values->json && i < sizeof results / sizeof *results; i++)
        if (results[i] &&
            (strcmp(values->json, results[i]) == 0 || cli_same_file(values->json, results[i])))
            return cli_fail(error, DET_ARGUMENT, "--json %s would overwrite %s", values->json,
                            results[i]);
    return cli_check_figures(values, values->truth, "results", error);
}

static det_status evaluate(const cli_values *values, request *r, cli_figures *f, det_error *error)
{
    det_status status = read_request(r, values, error);
    if (status == DET_OK) status = cli_eval_check_run(values, error);
    if (status == DET_OK) status = check_json(values, error);
    if (status == DET_OK) status = cli_eval_report_prepare(values, error);
    if (status == DET_OK) status = read_files(r, values, f, error);
    if (status < 0) return status;
    cli_progress progress = cli_progress_begin(0, "samples", values->quiet);
    status = measure(r, values, f, &progress, error);
    cli_progress_clear(&progress);
    if (status < 0) return status;
    warn_of_evaluation(values, f->evaluation);
    if (values->json)
        status = cli_write_document(cli_figures_document(f, values), values->json, error);
    if (!values->json || strcmp(values->json, "-") != 0) cli_figures_print(f, values);
    if (status == DET_OK) status = cli_eval_report_write(f, values, error);
    return status;
}

static void free_figures(cli_figures *f)
{
    det_mistake_analysis_free(f->mistakes);
    det_score_analysis_free(f->scores);
    det_confusion_free(f->confusion);
    det_evaluation_free(f->evaluation);
    det_evaluation_free(f->other);
    det_results_free(f->results);
    det_results_free(f->other_results);
    det_annotations_free(f->annotations);
}

int cli_run_eval(const cli_values *values)
{
    det_error error = {0};
    cli_values settled = *values;
    settled.results = cli_eval_results(values);
    request r = {0};
    cli_figures figures = {0};
    const det_status status = evaluate(&settled, &r, &figures, &error);
    const bool failed =
        cli_eval_runs(values) && figures.results && figures.results->failed_image_count > 0;
    free_figures(&figures);
    free_request(&r);
    if (status < 0) return cli_exit_status(&error);
    return failed ? CLI_FAILED : CLI_DONE;
}
