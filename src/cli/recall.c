/* SPDX-License-Identifier: Apache-2.0 */
/* Measures proposals against annotations: a table for people, and all figures as JSON. */
#include "src/cli/recall.h"

#include "detect/version.h"
#include "src/cli/pictures.h"
#include "src/cli/report.h"
#include "src/cli/statistics.h"

#include <stdlib.h>
#include <string.h>

/* 1, 2, 5 in every decade, for curves; the table shows some of them. */
static const size_t budgets[] = {1,   2,   5,    10,   20,   50,    100,
                                 200, 500, 1000, 2000, 5000, 10000, SIZE_MAX};
enum { BUDGETS = sizeof budgets / sizeof *budgets, SHARE_WIDTH = 8 };

bool cli_recall_is_shown(size_t budget)
{
    return budget == 10 || budget == 100 || budget == 1000 || budget == SIZE_MAX;
}

/* ---- Methods -------------------------------------------------------------------------------- */

static det_status add_method(cli_recall *recall, const cli_truth *truth, const cli_values *values,
                             const char *name, det_error *error)
{
    const det_recall_options options = {.budgets = budgets,
                                        .budget_count = BUDGETS,
                                        .without_difficult = values->without_difficult};
    for (size_t i = 0; i < recall->method_count; i++)
        if (strcmp(recall->methods[i].name, name) == 0)
            return cli_fail(error, DET_ARGUMENT, "--compare %s: it is measured already", name);
    cli_recall_method *method = &recall->methods[recall->method_count++];
    snprintf(method->name, sizeof method->name, "%s", name);
    return det_recall_create(truth->annotations, &options, &method->recall, error);
}

/** A method beside the first, with all settings of the command line. */
static det_status add_compared(cli_recall *recall, const cli_truth *truth, const cli_values *values,
                               const char *name, det_error *error)
{
    cli_pictures settings = {0};
    char assignment[80];
    snprintf(assignment, sizeof assignment, "proposals.methods=%s", name);
    det_status status = add_method(recall, truth, values, name, error);
    if (status == DET_OK) status = cli_pictures_configure(&settings, values, error);
    if (status == DET_OK) status = det_config_set(settings.config, assignment, error);
    if (status == DET_OK)
        status = det_proposer_create(settings.config,
                                     &recall->methods[recall->method_count - 1].proposer, error);
    det_config_free(settings.config);
    return status;
}

static void join_methods(const det_config *config, char name[64])
{
    const char *names[CLI_METHODS];
    const size_t count = cli_methods(config, names);
    name[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const size_t used = strlen(name);
        snprintf(name + used, 64 - used, "%s%s", i > 0 ? "+" : "", names[i]);
    }
}

det_status cli_recall_begin(cli_recall *recall, const cli_truth *truth, const cli_values *values,
                            const det_config *config, det_error *error)
{
    static const char *const chance[] = {"uniform"};
    char name[64];
    join_methods(config, name);
    const char *const *compared = values->compare.items;
    size_t count = values->compare.count;
    if (count == 0 && strcmp(name, *chance) != 0) {
        compared = chance;
        count = 1;
    }
    if (count > CLI_RECALL_METHODS - 1)
        return cli_fail(error, DET_ARGUMENT, "--compare takes %d methods at most",
                        CLI_RECALL_METHODS - 1);
    det_status status = add_method(recall, truth, values, name, error);
    for (size_t i = 0; status == DET_OK && i < count; i++)
        status = add_compared(recall, truth, values, compared[i], error);
    return status;
}

static det_status add_proposed(const cli_recall_method *method, size_t index,
                               const det_image *image, const det_run *run, size_t most,
                               det_error *error)
{
    det_result result = {0};
    det_status status = DET_OK;
    if (most > 0) status = det_proposer_propose(method->proposer, image, most, run, &result, error);
    if (status == DET_OK)
        status = det_recall_add(method->recall, index, result.regions, result.region_count, error);
    det_result_free(&result);
    return status;
}

det_status cli_recall_add(cli_recall *recall, size_t index, const det_image *image,
                          const det_run *run, const det_result *result, det_error *error)
{
    det_status status = det_recall_add(recall->methods[0].recall, index, result->regions,
                                       result->region_count, error);
    for (size_t i = 1; status == DET_OK && i < recall->method_count; i++)
        status = add_proposed(&recall->methods[i], index, image, run, result->region_count, error);
    return status;
}

det_status cli_recall_finish(cli_recall *recall, det_error *error)
{
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < recall->method_count; i++)
        status = det_recall_finish(recall->methods[i].recall, &recall->methods[i].report, error);
    return status;
}

void cli_recall_free(cli_recall *recall)
{
    for (size_t i = 0; i < recall->method_count; i++) {
        det_recall_free(recall->methods[i].recall);
        det_recall_report_free(recall->methods[i].report);
        det_proposer_free(recall->methods[i].proposer);
    }
    *recall = (cli_recall){0};
}

/* ---- The table ------------------------------------------------------------------------------ */

/** A column for a number of boxes; the last budget is all. */
static const char *budget_text(size_t budget, char text[24])
{
    if (budget == SIZE_MAX) return "all";
    snprintf(text, 24, "%zu", budget);
    return text;
}

static void print_figures(const char *name, const det_recall_figures *f)
{
    char budget[24];
    printf("%-18s %6s %9.1f", name, budget_text(f->budget, budget), f->boxes_per_image);
    cli_print_share(SHARE_WIDTH, f->recall[0]);
    cli_print_share(SHARE_WIDTH, f->recall[4]);
    cli_print_share(SHARE_WIDTH, f->recall[8]);
    cli_print_share(SHARE_WIDTH, f->average_recall);
    cli_print_share(SHARE_WIDTH, f->mabo);
    putchar('\n');
}

static void print_method(const cli_recall_method *method)
{
    const char *name = method->name;
    for (size_t b = 0; b < method->report->budget_count; b++) {
        if (!cli_recall_is_shown(method->report->figures[b].budget)) continue;
        print_figures(name, &method->report->figures[b]);
        name = "";
    }
}

/** "bicycle        12   0.4 ..." for the class, a group of columns for each method. */
static void print_class(const cli_recall *recall, const det_annotations *annotations, size_t class)
{
    const det_recall_report *first = recall->methods[0].report;
    printf("%-18s %8zu", annotations->categories[class].name, first->category_objects[class]);
    for (size_t m = 0; m < recall->method_count; m++)
        for (size_t b = 0; b < first->budget_count; b++)
            if (cli_recall_is_shown(budgets[b]))
                cli_print_share(SHARE_WIDTH, recall->methods[m].report->figures[b].abo[class]);
    putchar('\n');
}

static void print_classes(const cli_recall *recall, const det_annotations *annotations)
{
    enum { SHOWN = 4 };
    char budget[24];
    printf("\nAverage best overlap (ABO) by class, at so many boxes\n%27s", "");
    for (size_t m = 0; m < recall->method_count; m++)
        printf("%*s", SHOWN * SHARE_WIDTH, recall->methods[m].name);
    printf("\n%-18s %8s", "class", "objects");
    for (size_t m = 0; m < recall->method_count; m++)
        for (size_t b = 0; b < BUDGETS; b++)
            if (cli_recall_is_shown(budgets[b]))
                printf("%*s", SHARE_WIDTH, budget_text(budgets[b], budget));
    putchar('\n');
    for (size_t c = 0; c < annotations->category_count; c++)
        if (recall->methods[0].report->category_objects[c] > 0) print_class(recall, annotations, c);
}

static void print_left_out(const det_recall_report *report)
{
    const size_t all = report->crowd_count + report->difficult_count + report->empty_count;
    if (all == 0) return;
    printf("Left out       %zu objects: %zu of a crowd or to be ignored, %zu difficult, %zu "
           "without an area\n",
           all, report->crowd_count, report->difficult_count, report->empty_count);
}

void cli_recall_print(const cli_recall *recall, const cli_truth *truth, const cli_values *values)
{
    const det_annotations *annotations = truth->annotations;
    const det_recall_report *report = recall->methods[0].report;
    printf("Annotations    %s (%s)\n", values->truth,
           det_annotations_format_name(annotations->format));
    printf("Pictures       %zu of %zu, with %zu objects\n", report->image_count,
           annotations->image_count, report->object_count);
    print_left_out(report);
    printf("\n%33s %33s\n", "boxes a picture", "recall at IoU");
    printf("%-18s %6s %9s%8s%8s%8s%8s%8s\n", "method", "most", "mean", ".5", ".7", ".9", "AR",
           "MABO");
    for (size_t m = 0; m < recall->method_count; m++) print_method(&recall->methods[m]);
    print_classes(recall, annotations);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void add_shares(det_json *json, const char *key, const double *shares, size_t count)
{
    det_json_begin_array(json, key);
    for (size_t i = 0; i < count; i++) det_json_number(json, NULL, shares[i]);
    det_json_end(json);
}

static void add_figures(det_json *json, const det_recall_figures *f, size_t categories)
{
    det_json_begin_object(json, NULL);
    if (f->budget == SIZE_MAX)
        det_json_null(json, "max_boxes");
    else
        det_json_integer(json, "max_boxes", (int64_t)f->budget);
    det_json_number(json, "boxes_per_image", f->boxes_per_image);
    add_shares(json, "recall", f->recall, DET_RECALL_THRESHOLDS);
    det_json_number(json, "average_recall", f->average_recall);
    det_json_number(json, "mabo", f->mabo);
    add_shares(json, "abo", f->abo, categories);
    det_json_end(json);
}

static void add_methods(det_json *json, const cli_recall *recall)
{
    det_json_begin_array(json, "methods");
    for (size_t m = 0; m < recall->method_count; m++) {
        const det_recall_report *report = recall->methods[m].report;
        det_json_begin_object(json, NULL);
        det_json_string(json, "method", recall->methods[m].name);
        det_json_begin_array(json, "budgets");
        for (size_t b = 0; b < report->budget_count; b++)
            add_figures(json, &report->figures[b], report->category_count);
        det_json_end(json);
        det_json_end(json);
    }
    det_json_end(json);
}

static void add_classes(det_json *json, const det_annotations *annotations,
                        const det_recall_report *report)
{
    det_json_begin_array(json, "classes");
    for (size_t c = 0; c < annotations->category_count; c++) {
        det_json_begin_object(json, NULL);
        det_json_string(json, "class", annotations->categories[c].name);
        det_json_integer(json, "category_id", annotations->categories[c].id);
        det_json_integer(json, "objects", (int64_t)report->category_objects[c]);
        det_json_end(json);
    }
    det_json_end(json);
}

static void add_counts(det_json *json, const cli_truth *truth, const det_recall_report *report)
{
    det_json_begin_object(json, "images");
    det_json_integer(json, "measured", (int64_t)report->image_count);
    det_json_integer(json, "annotated", (int64_t)truth->annotations->image_count);
    det_json_integer(json, "without_annotations", (int64_t)truth->unknown_count);
    det_json_end(json);
    det_json_begin_object(json, "objects");
    det_json_integer(json, "counted", (int64_t)report->object_count);
    det_json_integer(json, "crowd", (int64_t)report->crowd_count);
    det_json_integer(json, "difficult", (int64_t)report->difficult_count);
    det_json_integer(json, "empty", (int64_t)report->empty_count);
    det_json_end(json);
}

det_json *cli_recall_document(const cli_recall *recall, const cli_truth *truth,
                              const cli_values *values)
{
    const det_recall_report *report = recall->methods[0].report;
    double thresholds[DET_RECALL_THRESHOLDS];
    for (size_t t = 0; t < DET_RECALL_THRESHOLDS; t++) thresholds[t] = det_recall_threshold(t);
    det_json *json = det_json_create();
    if (!json) return NULL;
    det_json_begin_object(json, NULL);
    det_json_integer(json, "schema_version", 1);
    det_json_string(json, "version", det_version());
    det_json_string(json, "annotations", values->truth);
    det_json_string(json, "format", det_annotations_format_name(truth->annotations->format));
    add_counts(json, truth, report);
    add_classes(json, truth->annotations, report);
    add_shares(json, "iou", thresholds, DET_RECALL_THRESHOLDS);
    add_methods(json, recall);
    det_json_end(json);
    return json;
}
