/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a training, for people. */
#include "src/cli/trained.h"

#include "src/cli/statistics.h"

#include <math.h>
#include <stdio.h>

enum { NAME_WIDTH = 18, COUNT_WIDTH = 9, SHARE_WIDTH = 7, INTERVAL_WIDTH = 13 };

static void print_interval(const char *name, const det_interval *interval)
{
    printf("%-6s", name);
    cli_print_share(0, interval->value);
    printf(", 95 %% interval [%.3f, %.3f]\n", interval->low, interval->high);
}

/* ---- Classes -------------------------------------------------------------------------------- */

static void print_figure(const det_interval *figure)
{
    char range[32] = "";
    if (figure->samples > 0) snprintf(range, sizeof range, "%.3f-%.3f", figure->low, figure->high);
    cli_print_share(SHARE_WIDTH, figure->value);
    printf("%*s", INTERVAL_WIDTH, range);
}

static const char *remark(det_class_verdict verdict)
{
    switch (verdict) {
    case DET_CLASS_FEW_PICTURES:
        return "too few pictures";
    case DET_CLASS_NOT_LEARNED:
        return "not learned";
    case DET_CLASS_UNSURE:
        return "unsure";
    default:
        return "";
    }
}

static void print_class(const det_trained_class *c)
{
    printf("%-*s%*zu%*zu", NAME_WIDTH, c->name, COUNT_WIDTH, c->images, COUNT_WIDTH, c->objects);
    print_figure(&c->ap50);
    print_figure(&c->ap);
    if (c->verdict != DET_CLASS_LEARNED)
        printf("  %s: %zu more wanted", remark(c->verdict), c->wanted);
    putchar('\n');
}

static void print_classes(const det_training *t)
{
    printf("\n%-*s%*s%*s%*s%*s%*s%*s\n", NAME_WIDTH, "class", COUNT_WIDTH, "pictures", COUNT_WIDTH,
           "objects", SHARE_WIDTH, "AP50", INTERVAL_WIDTH, "95 %", SHARE_WIDTH, "AP",
           INTERVAL_WIDTH, "95 %");
    for (size_t i = 0; i < t->class_count; i++) print_class(&t->classes[i]);
}

/* ---- What does not work --------------------------------------------------------------------- */

static const char *are(size_t count)
{
    return count == 1 ? "is" : "are";
}

static void print_verdicts(const det_training *t)
{
    size_t counts[DET_CLASS_UNSURE + 1] = {0};
    for (size_t i = 0; i < t->class_count; i++) counts[t->classes[i].verdict]++;
    const size_t learned = counts[DET_CLASS_LEARNED], few = counts[DET_CLASS_FEW_PICTURES],
                 failed = counts[DET_CLASS_NOT_LEARNED], unsure = counts[DET_CLASS_UNSURE];
    if (learned == t->class_count) return;
    printf("\n%zu of %zu classes %s learned.\n", learned, t->class_count, are(learned));
    if (few > 0)
        printf(
            "%zu %s on fewer than %d pictures: too few to learn from and to measure on, whatever "
            "came out.\n",
            few, are(few), DET_CLASS_IMAGES);
    if (failed > 0)
        printf("%zu %s not learned: AP50 is surely below %.1f.\n", failed, are(failed),
               DET_CLASS_AP50_GOOD);
    if (unsure > 0)
        printf("%zu %s unsure: AP50 may be below %.1f, as good as nothing.\n", unsure, are(unsure),
               DET_CLASS_AP50_CHANCE);
    printf("Their lines say how many more pictures of them are wanted at least.\n");
}

/** What an earlier training had left in the cache folder. */
static void print_reused(const det_training *t)
{
    const size_t proposals = t->image_count - t->proposed, features = t->image_count - t->extracted;
    if (proposals + features == 0 && !t->reused_boxes && !t->reused_heads) return;
    printf("Kept from before: proposals of %zu of %zu pictures, features of %zu%s%s%s.\n",
           proposals, t->image_count, features, t->reused_boxes ? ", box regression" : "",
           t->reused_heads ? ", heads" : "", t->reused_calibration ? ", calibration" : "");
}

/* ---- More pictures -------------------------------------------------------------------------- */

static void print_curve(const det_training *t)
{
    if (t->curve_count == 0) return;
    printf("\nLearning curve: AP50");
    for (size_t i = 0; i < t->curve_count; i++)
        printf("%s %.3f from %zu%s", i == 0 ? "" : ",", t->curve[i].ap50.value, t->curve[i].images,
               i == 0 ? " pictures" : "");
    printf(".\n%zu more pictures: about %+.1f points of AP50, 95 %% interval [%+.1f, %+.1f].\n",
           t->gain_images, 100 * t->gain.value, 100 * t->gain.low, 100 * t->gain.high);
}

/* ---- The network itself --------------------------------------------------------------------- */

static void print_gain(const char *name, const det_interval *before, const det_interval *gain)
{
    printf("  %-5s", name);
    cli_print_share(0, before->value);
    printf(" as it was; trained %+.3f, 95 %% interval [%+.3f, %+.3f]\n", gain->value, gain->low,
           gain->high);
}

static void print_network(const det_training *t)
{
    if (!t->network) return;
    printf("The network itself was trained. Beside heads on the network as it was, on the same "
           "pictures:\n");
    print_gain("AP50", &t->network->ap50, &t->network->ap50_gain);
    print_gain("AP", &t->network->ap, &t->network->ap_gain);
    if (t->network->ap50_gain.low <= 0)
        printf("The interval of AP50 reaches 0: these pictures do not show that it is better.\n");
}

void cli_print_training(const det_training *t)
{
    printf("Learned from %zu objects of %zu classes on %zu pictures; %.1f %% of the objects are "
           "proposed.\n",
           t->object_count, t->class_count, t->image_count, 100 * t->recall);
    print_reused(t);
    printf("Cross-validated: every picture by a detector that saw only the other %d of %d parts.\n",
           t->folds - 1, t->folds);
    print_interval("AP50", &t->ap50);
    print_interval("AP", &t->ap);
    print_network(t);
    print_classes(t);
    print_verdicts(t);
    print_curve(t);
}
