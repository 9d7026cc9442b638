/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with detections, as a table for people and as JSON. */
#include "src/cli/figures.h"
#include "src/cli/statistics.h"

#include <math.h>
#include <stdio.h>

/* ---- The table ------------------------------------------------------------------------------ */

enum { NAME_WIDTH = 12, MEANING_WIDTH = 50, COUNT_WIDTH = 10, COST_WIDTH = 10 };

static void print_head(const det_mistake_analysis *mistakes)
{
    char head[80];
    snprintf(head, sizeof head, "Kinds of errors (TIDE) at IoU %.2f", mistakes->iou);
    printf("\n%-*s%*s%*s\n", NAME_WIDTH + MEANING_WIDTH, head, COUNT_WIDTH, "how many", COST_WIDTH,
           "AP lost");
}

static void print_row(const char *name, const char *meaning, size_t count, double cost)
{
    printf("%-*s%-*s%*zu", NAME_WIDTH, name, MEANING_WIDTH, meaning, COUNT_WIDTH, count);
    cli_print_share(COST_WIDTH, cost);
    putchar('\n');
}

static void print_threshold(const det_score_figures *f)
{
    if (isnan(f->f1)) return;
    printf("\nBest F1 %.3f at a score of %.4g and more: precision %.3f, recall %.3f\n", f->f1,
           f->threshold, f->precision, f->recall);
}

void cli_mistakes_print(const cli_figures *figures)
{
    static const char *const meanings[DET_MISTAKE_KINDS] = {
        "on an object of another class",
        "on an object of its class, too loosely",
        "neither class nor box fits",
        "on an object of its class that was found already",
        "where no object is",
        "an object that no detection means",
    };
    const det_mistake_figures *f = &figures->mistakes->all;
    print_head(figures->mistakes);
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++)
        print_row(det_mistake_kind_name((det_mistake_kind)kind), meanings[kind], f->count[kind],
                  f->cost[kind]);
    print_row("false", "all of the above but missed", f->false_positives, f->false_positives_cost);
    print_row("not found", "all objects that were not found", f->false_negatives,
              f->false_negatives_cost);
    print_threshold(&figures->scores->all);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void add_kind(det_json *json, const char *key, size_t count, double cost)
{
    det_json_begin_object(json, key);
    det_json_integer(json, "count", (int64_t)count);
    det_json_exact(json, "cost", isnan(cost) ? -1 : cost);
    det_json_end(json);
}

static void add_kinds(det_json *json, const det_mistake_figures *f)
{
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++)
        add_kind(json, det_mistake_kind_name((det_mistake_kind)kind), f->count[kind],
                 f->cost[kind]);
    add_kind(json, "false_positives", f->false_positives, f->false_positives_cost);
    add_kind(json, "false_negatives", f->false_negatives, f->false_negatives_cost);
}

static void add_counts(det_json *json, const char *key, const size_t *counts, size_t count)
{
    det_json_begin_array(json, key);
    for (size_t i = 0; i < count; i++) det_json_integer(json, NULL, (int64_t)counts[i]);
    det_json_end(json);
}

static void add_scores(det_json *json, const det_score_figures *f)
{
    add_counts(json, "true", f->right, DET_SCORE_BINS);
    add_counts(json, "false", f->wrong, DET_SCORE_BINS);
    if (isnan(f->f1)) {
        det_json_null(json, "best");
        return;
    }
    det_json_begin_object(json, "best");
    det_json_exact(json, "score", f->threshold);
    det_json_exact(json, "f1", f->f1);
    det_json_exact(json, "precision", f->precision);
    det_json_exact(json, "recall", f->recall);
    det_json_end(json);
}

static void add_confusion(det_json *json, const det_confusion *confusion)
{
    const size_t side = confusion->class_count + 1;
    det_json_begin_object(json, "confusion");
    det_json_exact(json, "iou", confusion->iou);
    det_json_exact(json, "score", confusion->score);
    det_json_begin_array(json, "counts");
    for (size_t row = 0; row < side; row++)
        add_counts(json, NULL, confusion->counts + row * side, side);
    det_json_end(json);
    det_json_end(json);
}

void cli_mistakes_add(det_json *json, const cli_figures *figures)
{
    det_json_begin_object(json, "mistakes");
    det_json_exact(json, "iou", figures->mistakes->iou);
    det_json_exact(json, "background_iou", figures->mistakes->background);
    add_kinds(json, &figures->mistakes->all);
    det_json_end(json);
    det_json_begin_object(json, "scores");
    det_json_exact(json, "low", figures->scores->low);
    det_json_exact(json, "high", figures->scores->high);
    add_scores(json, &figures->scores->all);
    det_json_end(json);
    add_confusion(json, figures->confusion);
}

void cli_mistakes_add_class(det_json *json, const cli_figures *figures, size_t category)
{
    det_json_begin_object(json, "mistakes");
    add_kinds(json, &figures->mistakes->classes[category]);
    det_json_end(json);
    det_json_begin_object(json, "scores");
    add_scores(json, &figures->scores->classes[category]);
    det_json_end(json);
}
