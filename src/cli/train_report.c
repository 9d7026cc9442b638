/* SPDX-License-Identifier: Apache-2.0 */
/* What a training says of the labels. */
#include "src/cli/train_report.h"

#include <stdio.h>

enum { KIND_WIDTH = 11 };

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
