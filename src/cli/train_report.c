/* SPDX-License-Identifier: Apache-2.0 */
/* What a training says of the labels, and its page. */
#include "src/cli/train_report.h"

#include "detect/report.h"
#include "src/cli/drawn.h"
#include "src/cli/progress.h"

#include <stdio.h>

enum { KIND_WIDTH = 11 };

det_status cli_train_report_prepare(const cli_values *values, det_error *error)
{
    char resolved[PATH_MAX];
    return values->report ? cli_open_folder("--report", values->report, resolved, error) : DET_OK;
}

void cli_print_suspicions(const det_training *training, const det_annotations *annotations)
{
    if (training->suspicion_count == 0) return;
    printf("\nLabels worth a look, the most doubtful first, with x0, y0, x1, y1 of the box:\n");
    for (size_t i = 0; i < training->suspicion_count; i++) {
        const det_suspicion *s = &training->suspicions[i];
        const det_box box =
            s->object == SIZE_MAX ? s->box : det_annotations_box(annotations, s->object);
        printf("  %-*s  %s [%.0f, %.0f, %.0f, %.0f]: %s\n", KIND_WIDTH,
               det_suspicion_kind_name(s->kind), annotations->images[s->image].file, (double)box.x0,
               (double)box.y0, (double)box.x1, (double)box.y1, s->why);
    }
}

det_status cli_train_report_write(const det_training *training, const det_annotations *annotations,
                                  const det_config *config, const cli_values *values,
                                  det_error *error)
{
    if (!values->report) return DET_OK;
    const det_training_report_options options = {
        .annotations = config->train.annotations, .model = config->train.output, .config = config};
    cli_progress progress = cli_progress_begin(0, NULL, values->quiet);
    const det_run run = {.progress = cli_progress_step, .progress_context = &progress};
    det_report_counts counts;
    const det_status status = det_training_report_write(training, annotations, &options,
                                                        values->report, &run, &counts, error);
    cli_progress_clear(&progress);
    if (status == DET_OK)
        printf("\nReport: %s/index.html, with %zu of these labels as pictures.\n", values->report,
               counts.pictures);
    return status;
}
