/* SPDX-License-Identifier: Apache-2.0 */
/* The page of an evaluation. */
#include "src/cli/eval_report.h"

#include "detect/report.h"
#include "src/cli/drawn.h"
#include "src/cli/eval_run.h"
#include "src/cli/progress.h"
#include "src/cli/report.h"

#include <string.h>

det_status cli_eval_report_prepare(const cli_values *values, det_error *error)
{
    char resolved[PATH_MAX];
    if (values->report) return cli_open_folder("--report", values->report, resolved, error);
    if (values->mistakes != CLI_NOT_GIVEN)
        return cli_fail(error, DET_ARGUMENT, "--mistakes needs --report FOLDER");
    if (values->images && !cli_eval_runs(values))
        return cli_fail(error, DET_ARGUMENT,
                        "--images needs --report FOLDER, or a detector to run: --config FILE or "
                        "--model FILE");
    return DET_OK;
}

static void say(const cli_values *values, const det_report_counts *counts)
{
    if (values->json && strcmp(values->json, "-") == 0) return;
    printf("\nReport         %s/index.html", values->report);
    if (counts->mistakes > 0)
        printf(", %zu mistakes, %zu with a picture", counts->mistakes, counts->pictures);
    putchar('\n');
}

det_status cli_eval_report_write(const cli_figures *f, const cli_values *values, det_error *error)
{
    if (!values->report) return DET_OK;
    const det_report_options options = {
        .annotations = values->truth,
        .results = values->results,
        .mistakes = values->mistakes > 0 ? (size_t)values->mistakes : 0,
        .without_mistakes = values->mistakes == 0,
        .interval = f->samples > 0 ? &f->interval : NULL,
        .other = f->other,
        .other_results = values->other_results,
        .difference = f->other ? &f->difference : NULL,
    };
    cli_progress progress = cli_progress_begin(0, NULL, values->quiet);
    const det_run run = {.threads = values->threads == CLI_NOT_GIVEN ? 0 : values->threads,
                         .progress = cli_progress_step,
                         .progress_context = &progress};
    det_report_counts counts = {0};
    const det_status status =
        det_report_write(f->evaluation, &options, values->report, &run, &counts, error);
    cli_progress_clear(&progress);
    if (status == DET_OK) say(values, &counts);
    return status;
}
