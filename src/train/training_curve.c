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

enum { most_points = 1000, most_marks = 60, chart_width = 700, chart_height = 260 };
static const uint64_t most_bytes = 1 << 30;
static const double room = 1.05; /* so much longer are axes than the values reach */

/* ---- Steps ---------------------------------------------------------------------------------- */

bool det_training_curve_add(det_training_curve *curve, const det_curve_step *step)
{
    while (curve->count > 0 && curve->steps[curve->count - 1].step >= step->step) curve->count--;
    if (!det_grow_array(&curve->steps, &curve->capacity, curve->count + 1, sizeof *curve->steps))
        return false;
    curve->steps[curve->count++] = *step;
    return true;
}

void det_training_curve_free(det_training_curve *curve)
{
    det_free(curve->steps);
    *curve = (det_training_curve){0};
}

/* ---- The log -------------------------------------------------------------------------------- */

/* @param needed else a member that is missing is NaN, as is null. */
static det_status read_number(json_object *line, const char *key, bool needed, double *number,
                              det_error *error)
{
    json_object *value = NULL;
    *number = NAN;
    const bool is_there = json_object_object_get_ex(line, key, &value);
    if (is_there ? !value || det_json_number_of(value, number) : !needed) return DET_OK;
    return det_fail_at(error, DET_FORMAT, NULL, key, "must be a number");
}

static det_status read_count(json_object *line, const char *key, uint64_t *count, det_error *error)
{
    json_object *value;
    const det_status status = det_json_get(line, key, json_type_int, &value, error);
    if (status < 0) return status;
    *count = json_object_get_uint64(value);
    if (json_object_get_int64(value) >= 0) return DET_OK;
    return det_fail_at(error, DET_FORMAT, NULL, key, "must not be negative");
}

static det_status take_step(json_object *line, size_t network, det_training_curve *curve,
                            det_error *error)
{
    uint64_t of = 0;
    det_curve_step step = {0};
    det_status status = read_count(line, "network", &of, error);
    if (status < 0 || of != network) return status;
    status = read_count(line, "step", &step.step, error);
    if (status == DET_OK) status = read_number(line, "loss", true, &step.loss, error);
    if (status == DET_OK) status = read_number(line, "rate", true, &step.rate, error);
    if (status == DET_OK)
        status = read_number(line, "validation_loss", false, &step.validation_loss, error);
    if (status < 0 || det_training_curve_add(curve, &step)) return status;
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

static det_status take_event(json_object *line, size_t network, det_training_curve *curve,
                             det_error *error)
{
    const char *event;
    if (!json_object_is_type(line, json_type_object))
        return det_fail(error, DET_FORMAT, "is not a JSON object");
    const det_status status = det_json_get_text(line, "event", &event, error);
    if (status < 0) return status;
    if (strcmp(event, "run_begun") == 0) return take_begin(line, curve, error);
    return strcmp(event, "step") == 0 ? take_step(line, network, curve, error) : DET_OK;
}

static det_status take_line(const char *text, size_t size, size_t network,
                            det_training_curve *curve, det_error *error)
{
    json_object *line = NULL;
    det_status status = det_json_parse(text, size, &line, error);
    if (status == DET_OK) status = take_event(line, network, curve, error);
    json_object_put(line);
    return status;
}

static det_status read_lines(const det_bytes *bytes, size_t network, det_training_curve *curve,
                             det_error *error)
{
    const char *at = (const char *)bytes->data, *end = at ? at + bytes->size : at, *line_end;
    det_status status = DET_OK;
    for (size_t number = 1; at < end && (line_end = memchr(at, '\n', (size_t)(end - at)));
         number++) {
        status = take_line(at, (size_t)(line_end - at), network, curve, error);
        if (status < 0) {
            char place[32];
            snprintf(place, sizeof place, "line %zu", number);
            return det_error_inside(error, place, ", ", status);
        }
        at = line_end + 1;
    }
    return status;
}

det_status det_training_curve_read(const char *path, size_t network, det_training_curve *curve,
                                   det_error *error)
{
    det_bytes bytes = {0};
    det_status status = det_file_read(path, most_bytes, &bytes, error);
    if (status == DET_OK) status = read_lines(&bytes, network, curve, error);
    if (status < 0) det_training_curve_free(curve);
    det_bytes_free(&bytes);
    return det_error_file(error, path, status);
}

/* ---- The picture ---------------------------------------------------------------------------- */

/* The charts and what they show. */
typedef struct {
    double steps[most_points], losses[most_points], rates[most_points]; /* point_count */
    size_t point_count;
    double *validated, *validation_losses; /* validation_count; one block with room for all steps */
    size_t validation_count;
    det_chart_line losses_shown[2], rates_shown;
    det_chart charts[2];
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

static void add_points(const det_training_curve *curve, picture *p)
{
    const size_t group = (curve->count + most_points - 1) / most_points;
    for (size_t at = 0; at < curve->count; at += group) {
        const size_t left = curve->count - at;
        add_mean(curve->steps + at, left < group ? left : group, p);
    }
    for (size_t i = 0; i < curve->count; i++) {
        const det_curve_step *step = &curve->steps[i];
        if (!isfinite(step->validation_loss)) continue;
        p->validated[p->validation_count] = (double)step->step;
        p->validation_losses[p->validation_count++] = step->validation_loss;
    }
}

static void extend_range(const double *values, size_t count, double *least, double *most)
{
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) continue;
        *least = fmin(*least, values[i]);
        *most = fmax(*most, values[i]);
    }
}

/* From 0 on, or from below where values lie there, with some room above. */
static det_chart_axis axis_of(const char *label, double least, double most)
{
    const double low = fmin(least, 0), high = fmax(most, 0);
    return (det_chart_axis){label, low, high > low ? low + room * (high - low) : low + 1, false};
}

static det_chart_axis loss_axis(const picture *p)
{
    enum { wide = 30 };
    double least = INFINITY, most = -INFINITY;
    extend_range(p->losses, p->point_count, &least, &most);
    extend_range(p->validation_losses, p->validation_count, &least, &most);
    if (!(least > 0 && most > wide * least)) return axis_of("loss", least, most);
    return (det_chart_axis){"loss", least / 1.1, most * 1.1, true};
}

static det_chart_axis rate_axis(const picture *p)
{
    double least = INFINITY, most = -INFINITY;
    extend_range(p->rates, p->point_count, &least, &most);
    return axis_of("learning rate", least, most);
}

static void add_charts(const det_training_curve *curve, picture *p)
{
    const double last = fmax((double)curve->steps[curve->count - 1].step, 1);
    const det_chart_axis steps = {.label = "steps", .maximum = room * last};
    const size_t validated = p->validation_count > 0;
    p->losses_shown[0] = (det_chart_line){.name = "validation",
                                          .x = p->validated,
                                          .y = p->validation_losses,
                                          .count = p->validation_count,
                                          .color = 1,
                                          .markers = p->validation_count <= most_marks};
    p->losses_shown[1] = (det_chart_line){.name = validated ? "training" : NULL,
                                          .x = p->steps,
                                          .y = p->losses,
                                          .count = p->point_count};
    p->rates_shown = (det_chart_line){.x = p->steps, .y = p->rates, .count = p->point_count};
    p->charts[0] = (det_chart){.title = "Loss",
                               .x = steps,
                               .y = loss_axis(p),
                               .lines = p->losses_shown + 1 - validated,
                               .line_count = 1 + validated};
    p->charts[1] = (det_chart){.title = "Learning rate",
                               .x = steps,
                               .y = rate_axis(p),
                               .lines = &p->rates_shown,
                               .line_count = 1};
    for (int i = 0; i < 2; i++) {
        p->charts[i].width = chart_width;
        p->charts[i].height = chart_height;
    }
}

static void free_picture(picture *p)
{
    if (p) det_free(p->validated);
    det_free(p);
}

static det_status make_picture(const det_training_curve *curve, picture **made, det_error *error)
{
    if (curve->count == 0)
        return det_fail(error, DET_ARGUMENT, "the log has no step of this network's training");
    picture *p = *made = det_alloc_zeroed(1, sizeof *p);
    if (p) p->validated = det_alloc_array(curve->count, 2 * sizeof *p->validated);
    if (!p || !p->validated) return det_fail_memory(error, "the curve of a training");
    p->validation_losses = p->validated + curve->count;
    add_points(curve, p);
    add_charts(curve, p);
    return DET_OK;
}

det_status det_training_curve_write(const det_training_curve *curve, const char *path,
                                    det_error *error)
{
    picture *p = NULL;
    det_status status = make_picture(curve, &p, error);
    if (status == DET_OK) status = det_charts_write(p->charts, 2, path, error);
    free_picture(p);
    return status;
}

det_status det_training_curve_svg(const det_training_curve *curve, det_text *svg, det_error *error)
{
    picture *p = NULL;
    det_status status = make_picture(curve, &p, error);
    if (status == DET_OK) status = det_charts_svg(p->charts, 2, svg, error);
    free_picture(p);
    return status;
}
