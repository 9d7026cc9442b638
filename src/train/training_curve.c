/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/training_curve.h"

#include "src/base/file.h"
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/image/chart.h"
#include "src/nn/json_fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { most_points = 1000, chart_width = 700, chart_height = 260 };
static const uint64_t most_bytes = 1 << 30;
static const double room = 1.05; /* so much longer are axes than the values reach */

/* ---- The lists ------------------------------------------------------------------------------ */

static void drop_figures(det_training_curve *curve, uint64_t from)
{
    while (curve->figure_count > 0 && curve->figures[curve->figure_count - 1].step >= from)
        curve->figure_count--;
}

static void drop_steps(det_training_curve *curve, uint64_t from)
{
    if (curve->step_count == 0 || curve->steps[curve->step_count - 1].step < from) return;
    while (curve->step_count > 0 && curve->steps[curve->step_count - 1].step >= from)
        curve->step_count--;
    drop_figures(curve, from);
}

bool det_training_curve_add_step(det_training_curve *curve, uint64_t step, double loss, double rate)
{
    drop_steps(curve, step);
    if (!det_grow_array(&curve->steps, &curve->step_capacity, curve->step_count + 1,
                        sizeof *curve->steps))
        return false;
    curve->steps[curve->step_count++] = (det_curve_step){step, loss, rate};
    return true;
}

bool det_training_curve_add_figure(det_training_curve *curve, uint64_t step, const char *figure,
                                   double value)
{
    drop_figures(curve, step);
    if (!det_grow_array(&curve->figures, &curve->figure_capacity, curve->figure_count + 1,
                        sizeof *curve->figures))
        return false;
    curve->figures[curve->figure_count++] = (det_curve_figure){step, value};
    snprintf(curve->figure, sizeof curve->figure, "%s", figure);
    return true;
}

void det_training_curve_free(det_training_curve *curve)
{
    det_free(curve->steps);
    det_free(curve->figures);
    *curve = (det_training_curve){0};
}

/* ---- The log -------------------------------------------------------------------------------- */

/* A member that is a number or, where the log has none, null. */
static det_status read_number(json_object *line, const char *key, double *number, det_error *error)
{
    json_object *value = NULL;
    *number = NAN;
    if (json_object_object_get_ex(line, key, &value) &&
        (!value || det_json_number_of(value, number)))
        return DET_OK;
    return det_fail(error, DET_FORMAT, "'%s' is not a number", key);
}

static det_status read_step(json_object *line, uint64_t *step, det_error *error)
{
    json_object *value;
    const det_status status = det_json_get(line, "step", json_type_int, &value, error);
    if (status < 0) return status;
    if (json_object_get_int64(value) < 0) return det_fail(error, DET_FORMAT, "'step' is negative");
    *step = json_object_get_uint64(value);
    return DET_OK;
}

static det_status take_step(json_object *line, det_training_curve *curve, det_error *error)
{
    uint64_t step = 0;
    double loss = NAN, rate = NAN;
    det_status status = read_step(line, &step, error);
    if (status == DET_OK) status = read_number(line, "loss", &loss, error);
    if (status == DET_OK) status = read_number(line, "rate", &rate, error);
    if (status < 0 || det_training_curve_add_step(curve, step, loss, rate)) return status;
    return det_fail_memory(error, "the curve of a training");
}

static det_status take_figure(json_object *line, det_training_curve *curve, det_error *error)
{
    uint64_t step = 0;
    double value = NAN;
    const char *figure = "";
    det_status status = read_step(line, &step, error);
    if (status == DET_OK) status = det_json_get_text(line, "figure", &figure, error);
    if (status == DET_OK) status = read_number(line, "value", &value, error);
    if (status < 0 || det_training_curve_add_figure(curve, step, figure, value)) return status;
    return det_fail_memory(error, "the curve of a training");
}

/* A training that goes on with nothing has nothing before it. */
static det_status take_begin(json_object *line, det_training_curve *curve, det_error *error)
{
    bool resumed;
    const det_status status = det_json_get_bool(line, "resumed", &resumed, error);
    if (status == DET_OK && !resumed) det_training_curve_free(curve);
    return status;
}

static det_status take_event(json_object *line, det_training_curve *curve, det_error *error)
{
    const char *event;
    if (!json_object_is_type(line, json_type_object))
        return det_fail(error, DET_FORMAT, "is not a JSON object");
    const det_status status = det_json_get_text(line, "event", &event, error);
    if (status < 0) return status;
    if (strcmp(event, "run_begun") == 0) return take_begin(line, curve, error);
    if (strcmp(event, "step") == 0) return take_step(line, curve, error);
    if (strcmp(event, "validation") == 0) return take_figure(line, curve, error);
    return DET_OK;
}

static det_status take_line(const char *text, size_t size, det_training_curve *curve,
                            det_error *error)
{
    json_object *line = NULL;
    det_status status = det_json_parse(text, size, &line, error);
    if (status == DET_OK) status = take_event(line, curve, error);
    json_object_put(line);
    return status;
}

static det_status read_lines(const det_bytes *bytes, det_training_curve *curve, det_error *error)
{
    const char *at = (const char *)bytes->data, *end = at ? at + bytes->size : at, *line_end;
    det_status status = DET_OK;
    for (size_t number = 1; at < end && (line_end = memchr(at, '\n', (size_t)(end - at)));
         number++) {
        status = take_line(at, (size_t)(line_end - at), curve, error);
        if (status < 0) {
            char place[32];
            snprintf(place, sizeof place, "line %zu", number);
            return det_error_inside(error, place, ", ", status);
        }
        at = line_end + 1;
    }
    return status;
}

det_status det_training_curve_read(const char *path, det_training_curve *curve, det_error *error)
{
    det_bytes bytes = {0};
    det_status status = det_file_read(path, most_bytes, &bytes, error);
    if (status == DET_OK) status = read_lines(&bytes, curve, error);
    if (status < 0) det_training_curve_free(curve);
    det_bytes_free(&bytes);
    return det_error_file(error, path, status);
}

/* ---- The picture ---------------------------------------------------------------------------- */

/* The charts and what they show. */
typedef struct {
    double steps[most_points], losses[most_points], rates[most_points]; /* point_count */
    size_t point_count;
    double *figure_steps, *figures; /* as many as the curve has; one block */
    det_chart_line lines[3];
    det_chart charts[3];
    size_t chart_count;
} picture;

static double mean(double sum, size_t count)
{
    return count > 0 ? sum / (double)count : NAN;
}

/* The mean of `count` steps; numbers that are none do not count. */
static void add_mean(const det_curve_step *steps, size_t count, picture *p)
{
    double loss = 0, rate = 0, step = 0;
    size_t losses = 0, rates = 0;
    for (size_t i = 0; i < count; i++) {
        step += (double)steps[i].step;
        if (isfinite(steps[i].loss)) loss += steps[i].loss, losses++;
        if (isfinite(steps[i].rate)) rate += steps[i].rate, rates++;
    }
    p->steps[p->point_count] = mean(step, count);
    p->losses[p->point_count] = mean(loss, losses);
    p->rates[p->point_count++] = mean(rate, rates);
}

static void add_steps(const det_training_curve *curve, picture *p)
{
    const size_t group = (curve->step_count + most_points - 1) / most_points;
    for (size_t at = 0; at < curve->step_count; at += group) {
        const size_t left = curve->step_count - at;
        add_mean(curve->steps + at, left < group ? left : group, p);
    }
}

static void add_figures(const det_training_curve *curve, picture *p)
{
    for (size_t i = 0; i < curve->figure_count; i++) {
        p->figure_steps[i] = (double)curve->figures[i].step;
        p->figures[i] = curve->figures[i].value;
    }
}

static double end_of_steps(const det_training_curve *curve)
{
    const double step = (double)curve->steps[curve->step_count - 1].step;
    const double figure =
        curve->figure_count > 0 ? (double)curve->figures[curve->figure_count - 1].step : 0;
    return fmax(fmax(step, figure), 1) * room;
}

static void find_range(const double *values, size_t count, double *least, double *most)
{
    *least = INFINITY;
    *most = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) continue;
        *least = fmin(*least, values[i]);
        *most = fmax(*most, values[i]);
    }
}

/* From 0 on, or from below where values lie there, with some room above. */
static det_chart_axis axis_of(const char *label, const double *values, size_t count)
{
    double least, most;
    find_range(values, count, &least, &most);
    const double low = fmin(isfinite(least) ? least : 0, 0), high = fmax(most, 0);
    return (det_chart_axis){label, low, high > low ? low + room * (high - low) : low + 1, false};
}

static det_chart_axis loss_axis(const double *values, size_t count)
{
    enum { wide = 30 };
    double least, most;
    find_range(values, count, &least, &most);
    if (!(least > 0 && most > wide * least)) return axis_of("loss", values, count);
    return (det_chart_axis){"loss", least / 1.1, most * 1.1, true};
}

static void add_charts(const det_training_curve *curve, picture *p)
{
    const det_chart_line lines[] = {
        {.x = p->steps, .y = p->losses, .count = p->point_count},
        {.x = p->steps, .y = p->rates, .count = p->point_count, .color = 1},
        {.x = p->figure_steps,
         .y = p->figures,
         .count = curve->figure_count,
         .color = 2,
         .markers = true}};
    const det_chart_axis axes[] = {loss_axis(p->losses, p->point_count),
                                   axis_of("learning rate", p->rates, p->point_count),
                                   axis_of(curve->figure, p->figures, curve->figure_count)};
    static const char *const titles[] = {"Loss", "Learning rate", "On what it does not learn from"};
    p->chart_count = curve->figure_count > 0 ? 3 : 2;
    for (size_t i = 0; i < p->chart_count; i++) {
        p->lines[i] = lines[i];
        p->charts[i] = (det_chart){.title = titles[i],
                                   .x = {.label = "steps", .maximum = end_of_steps(curve)},
                                   .y = axes[i],
                                   .lines = &p->lines[i],
                                   .line_count = 1,
                                   .width = chart_width,
                                   .height = chart_height};
    }
}

static void free_picture(picture *p)
{
    if (p) det_free(p->figure_steps);
    det_free(p);
}

static det_status make_picture(const det_training_curve *curve, picture **made, det_error *error)
{
    if (curve->step_count == 0)
        return det_fail(error, DET_ARGUMENT, "the log has no step of a network's training");
    picture *p = *made = det_alloc_zeroed(1, sizeof *p);
    if (p) p->figure_steps = det_alloc_array(curve->figure_count, 2 * sizeof *p->figure_steps);
    if (!p || !p->figure_steps) return det_fail_memory(error, "the curve of a training");
    p->figures = p->figure_steps + curve->figure_count;
    add_steps(curve, p);
    add_figures(curve, p);
    add_charts(curve, p);
    return DET_OK;
}

det_status det_training_curve_write(const det_training_curve *curve, const char *path,
                                    det_error *error)
{
    picture *p = NULL;
    det_status status = make_picture(curve, &p, error);
    if (status == DET_OK) status = det_charts_write(p->charts, p->chart_count, path, error);
    free_picture(p);
    return status;
}

det_status det_training_curve_svg(const det_training_curve *curve, det_text *svg, det_error *error)
{
    picture *p = NULL;
    det_status status = make_picture(curve, &p, error);
    if (status == DET_OK) status = det_charts_svg(p->charts, p->chart_count, svg, error);
    free_picture(p);
    return status;
}
