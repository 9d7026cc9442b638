/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/event_log.h"

#include "detect/json.h"
#include "detect/version.h"
#include "src/base/memory.h"
#include "src/base/run.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

struct det_event_log {
    FILE *stream;
    const char *stage;       /* that has begun last */
    double began_s, stage_s; /* when the run and the stage began, on det_now_s() */
};

/* ---- The file ------------------------------------------------------------------------------- */

det_status det_event_log_open(const char *path, det_event_log **log, det_error *error)
{
    *log = NULL;
    if (!path) return DET_OK;
    det_event_log *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "the log");
    made->began_s = det_now_s();
    made->stream = fopen(path, "ae");
    if (made->stream) {
        *log = made;
        return DET_OK;
    }
    det_free(made);
    return det_fail_errno(error, path, "open the log");
}

void det_event_log_close(det_event_log *log)
{
    if (!log) return;
    (void)fclose(log->stream);
    det_free(log);
}

/* ---- A line --------------------------------------------------------------------------------- */

/* @return a line that is begun, or NULL where there is no log or memory is short. */
static det_json *begin(const det_event_log *log, const char *event)
{
    det_json *json = log ? det_json_create() : NULL;
    if (!json) return NULL;
    det_json_begin_object(json, NULL);
    det_json_string(json, "event", event);
    det_json_coordinate(json, "at_s", det_now_s() - log->began_s);
    return json;
}

static void end(const det_event_log *log, det_json *json)
{
    const char *line;
    det_json_end(json);
    if (det_json_finish(json, &line, NULL, NULL) == DET_OK &&
        fprintf(log->stream, "%s\n", line) > 0)
        (void)fflush(log->stream);
    det_json_free(json);
}

/* ---- Events --------------------------------------------------------------------------------- */

static void write_time(det_json *json)
{
    char text[32];
    struct tm utc;
    const time_t now = time(NULL);
    if (gmtime_r(&now, &utc) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) > 0)
        det_json_string(json, "time", text);
}

void det_event_run_begun(det_event_log *log, const det_annotations *annotations, bool resumed)
{
    det_json *json = begin(log, "run_begun");
    if (!json) return;
    det_json_integer(json, "schema_version", 1);
    det_json_string(json, "version", det_version());
    write_time(json);
    det_json_bool(json, "resumed", resumed);
    det_json_integer(json, "images", (int64_t)annotations->image_count);
    det_json_integer(json, "objects", (int64_t)annotations->object_count);
    end(log, json);
}

static void write_interval(det_json *json, const char *key, const det_interval *interval)
{
    det_json_begin_object(json, key);
    det_json_number(json, "value", interval->value);
    det_json_number(json, "low", interval->low);
    det_json_number(json, "high", interval->high);
    det_json_end(json);
}

void det_event_run_ended(det_event_log *log, const det_training *training, const char *output)
{
    det_json *json = begin(log, "run_ended");
    if (!json) return;
    det_json_string(json, "output", output);
    det_json_number(json, "recall", training->recall);
    write_interval(json, "ap50", &training->ap50);
    write_interval(json, "ap", &training->ap);
    det_json_begin_array(json, "classes");
    for (size_t c = 0; c < training->class_count; c++) {
        const det_trained_class *one = &training->classes[c];
        det_json_begin_object(json, NULL);
        det_json_string(json, "name", one->name);
        det_json_integer(json, "images", (int64_t)one->images);
        det_json_integer(json, "objects", (int64_t)one->objects);
        write_interval(json, "ap50", &one->ap50);
        write_interval(json, "ap", &one->ap);
        det_json_end(json);
    }
    det_json_end(json);
    end(log, json);
}

void det_event_run_failed(det_event_log *log, const det_error *error)
{
    char text[sizeof *error + 8];
    det_json *json = begin(log, "run_failed");
    if (!json) return;
    det_error_format(error, text, sizeof text);
    det_json_bool(json, "cancelled", error->status == DET_CANCELLED);
    det_json_string(json, "error", text);
    end(log, json);
}

void det_event_stage_begun(det_event_log *log, const char *stage)
{
    det_json *json = begin(log, "stage_begun");
    if (!json) return;
    log->stage = stage;
    log->stage_s = det_now_s();
    det_json_string(json, "stage", stage);
    end(log, json);
}

void det_event_stage_ended(det_event_log *log, size_t reused, size_t made)
{
    det_json *json = begin(log, "stage_ended");
    if (!json) return;
    det_json_string(json, "stage", log->stage);
    det_json_coordinate(json, "seconds", det_now_s() - log->stage_s);
    det_json_integer(json, "reused", (int64_t)reused);
    det_json_integer(json, "made", (int64_t)made);
    end(log, json);
}

void det_event_iteration(det_event_log *log, uint64_t iteration, const double *losses, size_t count)
{
    det_json *json = begin(log, "iteration");
    if (!json) return;
    det_json_integer(json, "iteration", (int64_t)iteration);
    det_json_begin_array(json, "losses");
    for (size_t i = 0; i < count; i++) det_json_number(json, NULL, losses[i]);
    det_json_end(json);
    end(log, json);
}

void det_event_step(det_event_log *log, const det_train_step *step)
{
    det_json *json = begin(log, "step");
    if (!json) return;
    det_json_integer(json, "network", (int64_t)step->network);
    det_json_integer(json, "step", (int64_t)step->step);
    det_json_integer(json, "steps", (int64_t)step->steps);
    det_json_number(json, "loss", step->loss);
    det_json_number(json, "rate", step->rate);
    det_json_number(json, "gradient_norm", step->gradient_norm);
    if (!isnan(step->validation_loss))
        det_json_number(json, "validation_loss", step->validation_loss);
    det_json_number(json, "regions_per_s", step->regions_per_s);
    end(log, json);
}
