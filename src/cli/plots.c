/* SPDX-License-Identifier: Apache-2.0 */
/* Recall as curves. */
#include "src/cli/plots.h"

#include "detect/draw.h"
#include "src/cli/drawn.h"
#include "src/cli/report.h"

#include <limits.h>
#include <stdlib.h>

enum { MOST_LINES = 8, MOST_POINTS = 32 };

/** A chart being made, with room for its points and names. */
typedef struct plot {
    det_chart chart;
    det_chart_line lines[MOST_LINES];
    char names[MOST_LINES][80];
    double x[MOST_LINES][MOST_POINTS], y[MOST_LINES][MOST_POINTS];
} plot;

det_status cli_plots_prepare(const char *folder, det_error *error)
{
    char resolved[PATH_MAX];
    return cli_open_folder("--plots", folder, resolved, error);
}

static plot *begin(const char *title, det_chart_axis x, const char *y)
{
    plot *p = cli_alloc(1, sizeof *p);
    p->chart = (det_chart){.title = title, .x = x, .y = {y, 0, 1, false}, .lines = p->lines};
    return p;
}

/** Adds an empty line. A line beside the first method's is dashed, and tells whose it is. */
static det_chart_line *add_line(plot *p, const char *name, const char *beside, int color)
{
    const size_t index = p->chart.line_count++;
    det_chart_line *line = &p->lines[index];
    snprintf(p->names[index], sizeof p->names[index], "%s%s%s", beside ? beside : "",
             beside ? ", " : "", name);
    *line = (det_chart_line){.name = p->names[index],
                             .x = p->x[index],
                             .y = p->y[index],
                             .color = color,
                             .dashed = beside != NULL,
                             .markers = true};
    return line;
}

static void add_point(plot *p, const det_chart_line *line, double x, double y)
{
    const size_t index = (size_t)(line - p->lines);
    p->x[index][line->count] = x;
    p->y[index][line->count] = y;
    p->lines[index].count++;
}

static det_status write(plot *p, const char *folder, const char *name, det_error *error)
{
    static const char *const endings[] = {"svg", "png"};
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < 2; i++) {
        char *path = cli_format("%s/%s.%s", folder, name, endings[i]);
        status = det_chart_write(&p->chart, path, error);
        free(path);
    }
    free(p);
    return status;
}

/* ---- The curves ----------------------------------------------------------------------------- */

static void add_iou_lines(plot *p, const cli_recall_method *method, const char *beside)
{
    int color = 0;
    for (size_t b = 0; b < method->report->budget_count; b++) {
        const det_recall_figures *f = &method->report->figures[b];
        if (!cli_recall_is_shown(f->budget)) continue;
        char name[32] = "all boxes";
        if (f->budget != SIZE_MAX) snprintf(name, sizeof name, "%zu boxes", f->budget);
        const det_chart_line *line = add_line(p, name, beside, color++);
        for (size_t t = 0; t < DET_RECALL_THRESHOLDS; t++)
            add_point(p, line, det_recall_threshold(t), f->recall[t]);
    }
}

/** One figure against the number of boxes. */
static void add_boxes_line(plot *p, const cli_recall_method *method, const char *name,
                           const char *beside, int threshold, int color)
{
    const det_chart_line *line = add_line(p, name, beside, color);
    for (size_t b = 0; b < method->report->budget_count; b++) {
        const det_recall_figures *f = &method->report->figures[b];
        add_point(p, line, f->boxes_per_image,
                  threshold < 0 ? f->average_recall : f->recall[threshold]);
    }
}

static void add_boxes_lines(plot *p, const cli_recall_method *method, const char *beside)
{
    add_boxes_line(p, method, "IoU .5", beside, 0, 0);
    add_boxes_line(p, method, "IoU .7", beside, 4, 1);
    add_boxes_line(p, method, "IoU .9", beside, 8, 2);
    add_boxes_line(p, method, "average recall", beside, -1, 3);
}

/** From 1 to as many boxes as any method gave. */
static det_chart_axis boxes_axis(const cli_recall *recall)
{
    double most = 10;
    for (size_t m = 0; m < recall->method_count; m++) {
        const det_recall_report *report = recall->methods[m].report;
        const double boxes = report->figures[report->budget_count - 1].boxes_per_image;
        if (boxes > most) most = boxes;
    }
    return (det_chart_axis){"boxes a picture", 1, most, true};
}

det_status cli_plots_write(const cli_recall *recall, const char *folder, det_error *error)
{
    const cli_recall_method *first = recall->methods;
    const cli_recall_method *second = recall->method_count > 1 ? first + 1 : NULL;
    char title[80];
    snprintf(title, sizeof title, "Recall of %.64s", first->name);
    plot *p = begin(title, (det_chart_axis){"IoU", .5, 1, false}, "recall");
    add_iou_lines(p, first, NULL);
    if (second) add_iou_lines(p, second, second->name);
    det_status status = write(p, folder, "recall-iou", error);
    if (status < 0) return status;

    p = begin(title, boxes_axis(recall), "recall");
    add_boxes_lines(p, first, NULL);
    if (second) add_boxes_lines(p, second, second->name);
    status = write(p, folder, "recall-boxes", error);
    if (status < 0) return status;

    p = begin("Average recall", boxes_axis(recall), "average recall");
    for (size_t m = 0; m < recall->method_count; m++)
        add_boxes_line(p, &recall->methods[m], recall->methods[m].name, NULL, -1, (int)m);
    return write(p, folder, "average-recall", error);
}
