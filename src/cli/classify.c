/* SPDX-License-Identifier: Apache-2.0 */
/* What pictures show as a whole, and how often that is wrong. */
#include "detect/classify.h"

#include "src/cli/commands.h"
#include "src/cli/document.h"
#include "src/cli/features.h"
#include "src/cli/model.h"
#include "src/cli/pictures.h"
#include "src/cli/report.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_TOP = 5, ERROR_TOP = 5 };

/** How the labels compare with the truth. */
typedef struct figures {
    size_t labelled, unlabelled; /**< pictures with a true class that were classified; without */
    size_t wrong_1, wrong_5;     /**< the true class is not the best; not among the best five */
} figures;

typedef struct job {
    det_classifier *classifier;
    det_true_labels *truth; /**< or NULL */
    size_t top;
    size_t together;  /**< pictures that are classified at a time */
    const char *json; /**< where the figures go as JSON, or NULL */
    figures figures;
} job;

static void count_errors(job *j, const det_result *result)
{
    const int64_t truth = det_true_labels_find(j->truth, result->file);
    if (truth < 0) {
        j->figures.unlabelled++;
        return;
    }
    size_t rank = 0;
    while (rank < result->label_count && result->labels[rank].class_id != truth) rank++;
    j->figures.labelled++;
    j->figures.wrong_1 += rank >= 1;
    j->figures.wrong_5 += rank >= ERROR_TOP;
}

static size_t labels_needed(const job *j)
{
    return j->top < ERROR_TOP ? ERROR_TOP : j->top;
}

static void complete(job *j, det_result *result)
{
    if (j->truth) count_errors(j, result);
    if (result->label_count > j->top) result->label_count = j->top;
}

static det_status process(void *context, const det_image *image, const det_run *run,
                          det_result *result, det_error *error)
{
    job *j = context;
    const det_status status =
        det_classifier_classify(j->classifier, image, labels_needed(j), run, result, error);
    if (status == DET_OK) complete(j, result);
    return status;
}

static det_status process_many(void *context, const det_picture_source *source, size_t count,
                               const det_run *run, det_result *results, det_error *error)
{
    job *j = context;
    const det_status status = det_classifier_classify_many(j->classifier, source, count,
                                                           labels_needed(j), run, results, error);
    for (size_t i = 0; status == DET_OK && i < count; i++)
        if (results[i].error.status == DET_OK) complete(j, &results[i]);
    return status;
}

/* ---- Figures -------------------------------------------------------------------------------- */

static double share(size_t part, size_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static void print_figures(const figures *f)
{
    if (f->labelled > 0) {
        printf("Top-1 error  %6.2f %%  (%zu of %zu pictures)\n",
               100 * share(f->wrong_1, f->labelled), f->wrong_1, f->labelled);
        printf("Top-5 error  %6.2f %%  (%zu of %zu pictures)\n",
               100 * share(f->wrong_5, f->labelled), f->wrong_5, f->labelled);
    }
    if (f->unlabelled > 0)
        printf("Without a true class: %zu pictures, not counted\n", f->unlabelled);
}

static det_json *make_document(const figures *f)
{
    det_json *json = det_json_create();
    if (!json) return NULL;
    det_json_begin_object(json, NULL);
    det_json_integer(json, "schema_version", 1);
    det_json_integer(json, "pictures", (int64_t)f->labelled);
    det_json_integer(json, "pictures_without_label", (int64_t)f->unlabelled);
    det_json_integer(json, "top1_wrong", (int64_t)f->wrong_1);
    det_json_integer(json, "top5_wrong", (int64_t)f->wrong_5);
    if (f->labelled > 0) {
        det_json_number(json, "top1_error", share(f->wrong_1, f->labelled));
        det_json_number(json, "top5_error", share(f->wrong_5, f->labelled));
    } else {
        det_json_null(json, "top1_error");
        det_json_null(json, "top5_error");
    }
    det_json_end(json);
    return json;
}

static det_status conclude(void *context, det_error *error)
{
    const job *j = context;
    if (!j->json || strcmp(j->json, "-") != 0) print_figures(&j->figures);
    return j->json ? cli_write_document(make_document(&j->figures), j->json, error) : DET_OK;
}

/* ---- The run -------------------------------------------------------------------------------- */

/** Options that would have no effect are a mistake. */
static det_status check_options(const cli_values *values, det_error *error)
{
    if (values->json && !values->annotations)
        return cli_fail(error, DET_ARGUMENT, "--json needs --annotations");
    if (values->regions) return cli_fail(error, DET_ARGUMENT, "--regions needs --features");
    if (!values->annotations || values->output) return DET_OK;
    const char *option = values->format                 ? "format"
                         : values->timings              ? "timings"
                         : values->top != CLI_NOT_GIVEN ? "top"
                                                        : NULL;
    if (!option) return DET_OK;
    return cli_fail(error, DET_ARGUMENT,
                    "with --annotations, labels are written only to a file: --%s needs --output "
                    "FILE",
                    option);
}

static det_classify_options options_of(const cli_values *values)
{
    return (det_classify_options){
        .crops = values->crops ? (int)strtol(values->crops, NULL, 10) : 1,
        .shorter_side_px = values->shorter_side == CLI_NOT_GIVEN ? 0 : values->shorter_side};
}

static det_status prepare(cli_pictures *pictures, const cli_values *values, job *j,
                          det_error *error)
{
    det_classify_options options = options_of(values);
    det_status status = check_options(values, error);
    if (status == DET_OK) status = cli_check_figures(values, values->annotations, "labels", error);
    if (status == DET_OK) status = cli_pictures_configure(pictures, values, error);
    if (status == DET_OK) status = cli_check_models(pictures->config, "classify ", error);
    if (status == DET_OK) status = cli_pictures_open(pictures, error);
    if (status < 0) return status;
    options.pictures = j->together = cli_pictures_together(pictures, (size_t)options.crops);
    status = det_classifier_create(pictures->config, &options, &j->classifier, error);
    if (status == DET_OK && values->annotations)
        status = det_true_labels_read(values->annotations, det_classifier_model(j->classifier),
                                      &j->truth, error);
    return status;
}

static int run(cli_pictures *pictures, job *j)
{
    const cli_values *values = pictures->values;
    const det_config *config = pictures->config;
    const det_network *network = det_classifier_network(j->classifier, 0);
    const cli_task task = {.context = j,
                           .process = process,
                           .process_many = process_many,
                           .together = j->together,
                           .conclude = j->truth ? conclude : NULL,
                           .unwritten = j->truth && !values->output,
                           .unit = "crop",
                           .labels = true,
                           .info = {.models = (const char *const *)config->classifier.models,
                                    .model_count = config->classifier.model_count,
                                    .precision = det_precision_name(det_network_precision(network)),
                                    .threads = config->runtime.threads,
                                    .crops = options_of(values).crops}};
    if (values->verbose)
        for (size_t i = 0; i < det_classifier_network_count(j->classifier); i++)
            cli_print_steps(stderr, det_classifier_network(j->classifier, i));

    return cli_pictures_run(pictures, &task);
}

int cli_run_classify(const cli_values *values)
{
    const det_classify_options crops = options_of(values);
    if (values->features) return cli_run_features(values, &crops);
    det_error error = {0};
    cli_pictures pictures = {0};
    job j = {.top = values->top == CLI_NOT_GIVEN ? DEFAULT_TOP : (size_t)values->top,
             .json = values->json};
    const det_status status = prepare(&pictures, values, &j, &error);
    const int result = status == DET_OK ? run(&pictures, &j) : cli_exit_status(&error);
    det_true_labels_free(j.truth);
    det_classifier_free(j.classifier);
    cli_pictures_free(&pictures);
    return result;
}
