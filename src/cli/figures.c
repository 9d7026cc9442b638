/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of detections as tables for people. */
#include "src/cli/figures.h"

#include "src/cli/statistics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHARE_WIDTH = 8, NAME_WIDTH = 18, COUNT_WIDTH = 10 };

size_t cli_find_iou(const det_evaluation *evaluation, double iou)
{
    size_t i = 0;
    while (i < evaluation->iou_count && fabs(evaluation->ious[i] - iou) > 1e-9) i++;
    return i;
}

static double or_minus_one(double value)
{
    return isnan(value) ? -1 : value;
}

static double ap_at(const det_evaluation *evaluation, const det_eval_figures *figures, double iou)
{
    const size_t at = cli_find_iou(evaluation, iou);
    return at < evaluation->iou_count ? figures->ap_at[at] : (double)NAN;
}

void cli_coco_figures(const det_evaluation *evaluation, double figures[CLI_COCO_FIGURES])
{
    const det_eval_figures *mean = &evaluation->mean;
    const double values[CLI_COCO_FIGURES] = {
        mean->ap,
        ap_at(evaluation, mean, .5),
        ap_at(evaluation, mean, .75),
        mean->ap_size[DET_SIZE_SMALL],
        mean->ap_size[DET_SIZE_MEDIUM],
        mean->ap_size[DET_SIZE_LARGE],
        evaluation->max_detections_count > 0 ? mean->ar_max[0] : (double)NAN,
        evaluation->max_detections_count > 1 ? mean->ar_max[1] : (double)NAN,
        evaluation->max_detections_count > 2 ? mean->ar_max[2] : (double)NAN,
        mean->ar_size[DET_SIZE_SMALL],
        mean->ar_size[DET_SIZE_MEDIUM],
        mean->ar_size[DET_SIZE_LARGE],
    };
    for (size_t i = 0; i < CLI_COCO_FIGURES; i++) figures[i] = or_minus_one(values[i]);
}

/* ---- COCO's table --------------------------------------------------------------------------- */

static const char *const size_names[DET_SIZE_COUNT] = {"all", "small", "medium", "large"};

/** " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.505" */
static void print_line(bool precision, const char *iou, det_object_size size, size_t most,
                       double value)
{
    printf(" %-18s %s @[ IoU=%-9s | area=%6s | maxDets=%3zu ] =",
           precision ? "Average Precision" : "Average Recall", precision ? "(AP)" : "(AR)", iou,
           size_names[size], most);
    cli_print_share(SHARE_WIDTH - 2, value);
    putchar('\n');
}

static const char *iou_range(const det_evaluation *e, char text[32])
{
    if (e->iou_count == 1)
        snprintf(text, 32, "%.2f", e->ious[0]);
    else
        snprintf(text, 32, "%.2f:%.2f", e->ious[0], e->ious[e->iou_count - 1]);
    return text;
}

static void print_coco(const det_evaluation *e)
{
    static const double singles[] = {.5, .75};
    const det_eval_figures *mean = &e->mean;
    const size_t most = e->max_detections[e->max_detections_count - 1];
    char range[32], single[32];
    iou_range(e, range);
    print_line(true, range, DET_SIZE_ALL, most, mean->ap);
    for (size_t i = 0; e->iou_count > 1 && i < 2; i++) {
        const size_t at = cli_find_iou(e, singles[i]);
        snprintf(single, sizeof single, "%.2f", singles[i]);
        if (at < e->iou_count) print_line(true, single, DET_SIZE_ALL, most, mean->ap_at[at]);
    }
    for (int size = DET_SIZE_SMALL; size < DET_SIZE_COUNT; size++)
        print_line(true, range, (det_object_size)size, most, mean->ap_size[size]);
    for (size_t m = 0; m < e->max_detections_count; m++)
        print_line(false, range, DET_SIZE_ALL, e->max_detections[m], mean->ar_max[m]);
    for (int size = DET_SIZE_SMALL; size < DET_SIZE_COUNT; size++)
        print_line(false, range, (det_object_size)size, most, mean->ar_size[size]);
}

/* ---- The others ----------------------------------------------------------------------------- */

static void print_means(const det_evaluation *e)
{
    static const char *const kinds[] = {
        [DET_METRIC_VOC07] = "11-point AP",
        [DET_METRIC_VOC10] = "AP (area)",
        [DET_METRIC_ILSVRC] = "AP (area), IoU less for small objects",
    };
    char range[32];
    printf("Mean %s at IoU %s", kinds[e->metric], iou_range(e, range));
    cli_print_share(SHARE_WIDTH, e->mean.ap);
    printf("\nMean recall at IoU %s", range);
    cli_print_share(SHARE_WIDTH, e->mean.ar);
    putchar('\n');
    for (size_t t = 0; e->iou_count > 1 && t < e->iou_count; t++) {
        printf("  at IoU %.2f: AP", e->ious[t]);
        cli_print_share(SHARE_WIDTH - 1, e->mean.ap_at[t]);
        printf(", recall");
        cli_print_share(SHARE_WIDTH - 1, e->mean.recall_at[t]);
        putchar('\n');
    }
}

/* ---- Classes -------------------------------------------------------------------------------- */

/** The columns of a class: its AP, at .5 and .75, by size, and its recall. */
typedef struct columns {
    const char *names[8];
    double values[8];
    size_t count;
} columns;

static void add_column(columns *c, const char *name, double value)
{
    c->names[c->count] = name;
    c->values[c->count++] = value;
}

static columns columns_of(const det_evaluation *e, const det_eval_figures *f)
{
    columns c = {.count = 0};
    const bool coco = e->metric == DET_METRIC_COCO;
    add_column(&c, "AP", f->ap);
    if (e->iou_count > 1) {
        if (cli_find_iou(e, .5) < e->iou_count) add_column(&c, "AP50", ap_at(e, f, .5));
        if (cli_find_iou(e, .75) < e->iou_count) add_column(&c, "AP75", ap_at(e, f, .75));
    }
    if (coco) {
        add_column(&c, "APs", f->ap_size[DET_SIZE_SMALL]);
        add_column(&c, "APm", f->ap_size[DET_SIZE_MEDIUM]);
        add_column(&c, "APl", f->ap_size[DET_SIZE_LARGE]);
    }
    add_column(&c, coco ? "AR" : "recall", f->ar);
    return c;
}

static void print_class_head(const det_evaluation *e)
{
    const columns c = columns_of(e, &e->mean);
    printf("\n%-*s%*s%*s%*s", NAME_WIDTH, "class", COUNT_WIDTH, "objects", COUNT_WIDTH, "ignored",
           COUNT_WIDTH + 2, "detections");
    for (size_t i = 0; i < c.count; i++) printf("%*s", SHARE_WIDTH, c.names[i]);
    putchar('\n');
}

static void print_class(const det_evaluation *e, const char *name, const det_class_figures *figures)
{
    const columns c = columns_of(e, &figures->figures);
    printf("%-*s%*zu%*zu%*zu", NAME_WIDTH, name, COUNT_WIDTH, figures->objects, COUNT_WIDTH,
           figures->ignored, COUNT_WIDTH + 2, figures->detections);
    for (size_t i = 0; i < c.count; i++) cli_print_share(SHARE_WIDTH, c.values[i]);
    putchar('\n');
}

static void print_classes(const det_evaluation *e)
{
    print_class_head(e);
    for (size_t c = 0; c < e->class_count; c++)
        print_class(e, e->annotations->categories[c].name, &e->classes[c]);
    if (e->measured_count < e->class_count)
        printf("\nn/a: of %zu of %zu classes no object counts, so that they have no figures and no "
               "part in the means.\n",
               e->class_count - e->measured_count, e->class_count);
}

/* ---- All of it ------------------------------------------------------------------------------ */

static void print_counts(const cli_figures *f, const cli_values *values)
{
    const det_evaluation *e = f->evaluation;
    printf("Annotations    %s (%s), %zu pictures, %zu objects that count, %zu ignored\n",
           values->truth, det_annotations_format_name(f->annotations->format),
           f->annotations->image_count, e->objects, e->ignored);
    printf("Results        %s (%s), %zu detections, of which %zu take part\n", values->results,
           det_results_format_name(f->results->format), f->results->listed_count, e->detections);
    printf("Left out       %zu on unknown pictures, %zu of unknown classes, %zu beyond the most of "
           "a picture and class\n",
           f->results->unknown_image_count, f->results->unknown_class_objects, e->cut);
    if (f->results->failed_image_count > 0)
        printf("Failed         %zu pictures, which count as pictures without detections\n",
               f->results->failed_image_count);
    if (e->left_out_objects + e->left_out_detections > 0)
        printf("               %zu objects and %zu detections by --left-out\n", e->left_out_objects,
               e->left_out_detections);
    putchar('\n');
}

static void print_intervals(const cli_figures *f, const cli_values *values)
{
    const char *name = f->evaluation->metric == DET_METRIC_COCO ? "AP" : "mAP";
    if (f->samples == 0) return;
    if (f->interval.samples == 0) {
        printf("\nNo interval: in none of %zu samples of the pictures does an object count.\n",
               f->samples);
        return;
    }
    printf("\n95 %% interval of %s over %zu samples of the pictures: [%.3f, %.3f]\n", name,
           f->samples, f->interval.low, f->interval.high);
    if (f->interval.samples < f->samples)
        printf("(%zu samples have no object that counts.)\n", f->samples - f->interval.samples);
    if (!f->other) return;
    printf("%s has %s", values->other_results, name);
    cli_print_share(SHARE_WIDTH - 2, f->other->mean.ap);
    printf(". Difference %+.3f, 95 %% interval [%+.3f, %+.3f], above 0 in %.1f %% of the samples\n",
           f->difference.value, f->difference.low, f->difference.high,
           100 * f->difference.above_zero);
}

void cli_figures_print(const cli_figures *f, const cli_values *values)
{
    print_counts(f, values);
    if (f->evaluation->metric == DET_METRIC_COCO)
        print_coco(f->evaluation);
    else
        print_means(f->evaluation);
    print_intervals(f, values);
    print_classes(f->evaluation);
    if (values->errors) cli_mistakes_print(f);
}
