/* SPDX-License-Identifier: Apache-2.0 */
/* How good the MultiBox head of a training is, for people. */
#include "src/cli/trained.h"

#include "src/cli/statistics.h"

#include <stdio.h>

enum { BOXES_WIDTH = 8, SHARE_WIDTH = 11 };

static void print_recall(const det_multibox_recall *r)
{
    printf("%*zu", BOXES_WIDTH, r->boxes);
    cli_print_share(SHARE_WIDTH, r->recall);
    cli_print_share(SHARE_WIDTH, r->control_recall);
    cli_print_share(SHARE_WIDTH, r->beside_recall);
    cli_print_share(SHARE_WIDTH, r->both_recall);
    putchar('\n');
}

/** @param what the heads did not see: "pictures". */
static void print_comparison(const det_multibox_comparison *c, const char *what)
{
    if (!c->at) {
        printf("\nOn %s that the head never saw nothing could be measured.\n", what);
        return;
    }
    printf("\nOn %s that the head never saw (%zu objects on %zu pictures):\n", what,
           c->object_count, c->picture_count);
    printf("%*s%*s%*s%*s%*s\n", BOXES_WIDTH, "boxes", SHARE_WIDTH, "MultiBox", SHARE_WIDTH,
           "priors", SHARE_WIDTH, "proposals", SHARE_WIDTH, "both");
    for (size_t i = 0; i < c->count; i++) print_recall(&c->at[i]);
    printf("%s its priors: %+.3f, 95 %% interval [%+.3f, %+.3f].\n",
           c->better ? "The head is better than" : "The head is no better than", c->gain.value,
           c->gain.low, c->gain.high);
}

void cli_print_multibox(const det_training *t)
{
    if (t->prior_count == 0) return;
    printf(
        "\nMultiBox proposes from %zu priors, boxes that do not look at the picture. Recall at IoU "
        ".5\nof as many boxes: of the head, of its priors alone, of what was proposed to learn "
        "from,\nand of this and the head by turns.\n",
        t->prior_count);
    print_comparison(t->multibox_pictures, "pictures");
    print_comparison(t->multibox_classes, "classes");
}
