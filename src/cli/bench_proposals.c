/* SPDX-License-Identifier: Apache-2.0 */
/* How fast selective search is, and with annotations how good, for each preset with superpixels of
 * the usual and of twice the size: all of them on one picture after the other, so that a load of
 * the machine that changes meets them alike. */
#include "detect/detector.h"
#include "detect/eval.h"
#include "detect/version.h"
#include "src/cli/commands.h"
#include "src/cli/document.h"
#include "src/cli/pictures.h"
#include "src/cli/report.h"
#include "src/cli/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/** A way to search, and what it took and gave. */
typedef struct variant {
    const char *preset;
    int superpixel_scale;
    det_config *config;
    det_proposer *proposer;
    det_recall *recall; /**< with annotations */
    det_recall_report *report;
    double *times_ms; /**< of each picture done */
    uint64_t boxes;   /**< of all of them */
} variant;

enum { VARIANTS = 6 };

typedef struct bench {
    const cli_values *values;
    variant variants[VARIANTS];
    size_t done; /**< pictures */
    cli_truth truth;
} bench;

static void free_bench(bench *b)
{
    for (size_t i = 0; i < VARIANTS; i++) {
        variant *v = &b->variants[i];
        det_config_free(v->config);
        det_proposer_free(v->proposer);
        det_recall_free(v->recall);
        det_recall_report_free(v->report);
        free(v->times_ms);
    }
    cli_truth_free(&b->truth);
}

/* ---- Settings ------------------------------------------------------------------------------- */

static det_status configure(variant *v, const cli_values *values, det_error *error)
{
    cli_pictures settings = {0};
    char preset[80], scale[80];
    const char *const assignments[] = {"proposals.methods=selective_search", preset, scale};
    snprintf(preset, sizeof preset, "proposals.selective_search.preset=%s", v->preset);
    snprintf(scale, sizeof scale, "proposals.selective_search.superpixel_scale=%d",
             v->superpixel_scale);
    det_status status = cli_pictures_configure(&settings, values, error);
    for (size_t i = 0; status == DET_OK && i < 3; i++)
        status = det_config_set(settings.config, assignments[i], error);
    v->config = settings.config;
    return status == DET_OK ? det_proposer_create(v->config, &v->proposer, error) : status;
}

static det_status prepare(bench *b, size_t pictures, det_error *error)
{
    static const char *const presets[] = {"single", "fast", "quality"};
    const det_recall_options options = {.without_difficult = b->values->without_difficult};
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < VARIANTS; i++) {
        variant *v = &b->variants[i];
        v->preset = presets[i / 2];
        v->superpixel_scale = 1 + (int)(i % 2);
        v->times_ms = cli_alloc(pictures, sizeof *v->times_ms);
        status = configure(v, b->values, error);
        if (status == DET_OK && b->truth.annotations)
            status = det_recall_create(b->truth.annotations, &options, &v->recall, error);
    }
    return status;
}

/** Keeps `most` of the inputs, evenly spread. */
static det_status choose(det_inputs *inputs, size_t most, det_error *error)
{
    if (inputs->count <= most) return DET_OK;
    const char **chosen = cli_alloc(most, sizeof *chosen);
    for (size_t i = 0; i < most; i++) chosen[i] = inputs->paths[i * inputs->count / most];
    det_inputs fewer;
    const det_status status = det_inputs_expand(chosen, most, false, &fewer, error);
    if (status == DET_OK) {
        det_inputs_free(inputs);
        *inputs = fewer;
    }
    free(chosen);
    return status;
}

/* ---- The run -------------------------------------------------------------------------------- */

static det_status keep(bench *b, det_result results[VARIANTS], bool measured, size_t index,
                       det_error *error)
{
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < VARIANTS; i++) {
        variant *v = &b->variants[i];
        v->times_ms[b->done] = results[i].timings.proposals_ms;
        v->boxes += results[i].region_count;
        if (measured)
            status = det_recall_add(v->recall, index, results[i].regions, results[i].region_count,
                                    error);
    }
    b->done++;
    return status;
}

static det_status process(void *context, const det_image *image, const det_run *run,
                          det_result *result, det_error *error)
{
    bench *b = context;
    size_t index = 0;
    det_result results[VARIANTS] = {{0}};
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < VARIANTS; i++)
        status = det_proposer_propose(b->variants[i].proposer, image, 0, run, &results[i], error);
    if (status == DET_OK) {
        const bool measured =
            b->truth.annotations &&
            cli_truth_meet(&b->truth, result->file, image->width, image->height, &index);
        status = keep(b, results, measured, index, error);
    }
    for (size_t i = 0; i < VARIANTS; i++) det_result_free(&results[i]);
    return status;
}

/* ---- What comes out ------------------------------------------------------------------------- */

/** Of all regions. */
static const det_recall_figures *figures_of(const variant *v)
{
    return v->report ? &v->report->figures[v->report->budget_count - 1] : NULL;
}

static double boxes_of(const bench *b, const variant *v)
{
    return b->done > 0 ? (double)v->boxes / (double)b->done : (double)NAN;
}

/** Boxes of superpixels of this scale in proportion to those of scale 1. */
static double ratio_of(const bench *b, size_t index)
{
    return boxes_of(b, &b->variants[index]) / boxes_of(b, &b->variants[index - index % 2]);
}

static void print_variant(const bench *b, size_t index)
{
    const variant *v = &b->variants[index];
    const det_recall_figures *figures = figures_of(v);
    printf("%-10s%6d%10.1f%10.1f%10.2f", v->preset, v->superpixel_scale,
           cli_median(v->times_ms, b->done), boxes_of(b, v), ratio_of(b, index));
    if (figures) {
        cli_print_share(10, figures->recall[0]);
        cli_print_share(10, figures->mabo);
    }
    putchar('\n');
}

static void print_table(const bench *b)
{
    const int threads = b->variants[0].config->runtime.threads;
    const bool measured = b->truth.annotations != NULL;
    printf("Pictures       %zu, ", b->done);
    if (threads > 0)
        printf("on %d threads\n", threads);
    else
        printf("on all processors\n");
    if (measured)
        printf("Annotations    %s (%s), %zu objects\n", b->values->truth,
               det_annotations_format_name(b->truth.annotations->format),
               b->variants[0].report->object_count);
    printf("\n%-10s%6s%10s%10s%10s%s\n", "preset", "scale", "ms", "boxes", "ratio",
           measured ? " recall .5      MABO" : "");
    for (size_t i = 0; i < VARIANTS; i++) print_variant(b, i);
    printf("\nscale: superpixel_scale. ms: median of a picture. ratio: boxes to those of scale 1.\n"
           "Peak memory    %.1f MB\n",
           cli_peak_memory_mb());
}

static void add_variant(det_json *json, const bench *b, size_t index)
{
    const variant *v = &b->variants[index];
    const det_recall_figures *figures = figures_of(v);
    det_json_begin_object(json, NULL);
    det_json_string(json, "preset", v->preset);
    det_json_integer(json, "superpixel_scale", v->superpixel_scale);
    det_json_number(json, "ms_per_image", cli_median(v->times_ms, b->done));
    det_json_number(json, "boxes_per_image", boxes_of(b, v));
    det_json_number(json, "boxes_ratio", ratio_of(b, index));
    if (figures) {
        det_json_number(json, "recall_50", figures->recall[0]);
        det_json_number(json, "mabo", figures->mabo);
    }
    det_json_end(json);
}

static det_json *make_document(const bench *b)
{
    det_json *json = det_json_create();
    if (!json) return NULL;
    det_json_begin_object(json, NULL);
    det_json_integer(json, "schema_version", 1);
    det_json_string(json, "version", det_version());
    det_json_integer(json, "images", (int64_t)b->done);
    det_json_integer(json, "threads", b->variants[0].config->runtime.threads);
    if (b->truth.annotations) {
        det_json_string(json, "annotations", b->values->truth);
        det_json_integer(json, "objects", (int64_t)b->variants[0].report->object_count);
    }
    det_json_begin_array(json, "variants");
    for (size_t i = 0; i < VARIANTS; i++) add_variant(json, b, i);
    det_json_end(json);
    det_json_number(json, "peak_memory_mb", cli_peak_memory_mb());
    det_json_end(json);
    return json;
}

static det_status conclude(void *context, det_error *error)
{
    bench *b = context;
    const char *json = b->values->json;
    det_status status = DET_OK;
    for (size_t i = 0; b->truth.annotations && status == DET_OK && i < VARIANTS; i++)
        status = det_recall_finish(b->variants[i].recall, &b->variants[i].report, error);
    if (status < 0) return status;
    if (b->truth.annotations) cli_truth_say(&b->truth);
    if (!json || strcmp(json, "-") != 0) print_table(b);
    return json ? cli_write_document(make_document(b), json, error) : DET_OK;
}

/* ---- The command ---------------------------------------------------------------------------- */

static det_status open_all(bench *b, cli_pictures *pictures, det_error *error)
{
    const cli_values *values = b->values;
    det_status status = cli_truth_check_options(values, error);
    if (status == DET_OK) status = cli_pictures_configure(pictures, values, error);
    if (status == DET_OK && values->truth) {
        status = cli_truth_read(&b->truth, values, error);
        pictures->truth = &b->truth;
    }
    if (status == DET_OK) status = cli_check_figures(values, values->truth, "regions", error);
    if (status == DET_OK) status = cli_pictures_open(pictures, error);
    if (status == DET_OK && values->pictures != CLI_NOT_GIVEN)
        status = choose(&pictures->inputs, (size_t)values->pictures, error);
    return status == DET_OK ? prepare(b, pictures->inputs.count, error) : status;
}

int cli_run_bench_proposals(const cli_values *values)
{
    det_error error = {0};
    cli_pictures pictures = {0};
    bench b = {.values = values};
    const cli_task task = {
        .context = &b, .process = process, .conclude = conclude, .unwritten = true};
    const det_status status = open_all(&b, &pictures, &error);
    const int result =
        status == DET_OK ? cli_pictures_run(&pictures, &task) : cli_exit_status(&error);
    free_bench(&b);
    cli_pictures_free(&pictures);
    return result;
}
