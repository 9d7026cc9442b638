/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of detections as JSON. A figure that does not exist is -1, as in COCO's own tools. */
#include "detect/version.h"
#include "src/cli/figures.h"

#include <math.h>

static const char *const size_keys[DET_SIZE_COUNT] = {"all", "small", "medium", "large"};

static void add_figure(det_json *json, const char *key, double value)
{
    det_json_exact(json, key, isnan(value) ? -1 : value);
}

static void add_figures(det_json *json, const char *key, const double *values, size_t count)
{
    det_json_begin_array(json, key);
    for (size_t i = 0; i < count; i++) add_figure(json, NULL, values[i]);
    det_json_end(json);
}

static void add_mean_or_class(det_json *json, const det_evaluation *e, const det_eval_figures *f)
{
    add_figure(json, "ap", f->ap);
    add_figure(json, "ar", f->ar);
    add_figures(json, "ap_iou", f->ap_at, e->iou_count);
    add_figures(json, "recall_iou", f->recall_at, e->iou_count);
    if (e->metric != DET_METRIC_COCO) return;
    det_json_begin_object(json, "sizes");
    for (int size = DET_SIZE_SMALL; size < DET_SIZE_COUNT; size++) {
        det_json_begin_object(json, size_keys[size]);
        add_figure(json, "ap", f->ap_size[size]);
        add_figure(json, "ar", f->ar_size[size]);
        det_json_end(json);
    }
    det_json_end(json);
    add_figures(json, "ar_max", f->ar_max, e->max_detections_count);
}

/* ---- Classes -------------------------------------------------------------------------------- */

/** Nine digits are enough for a curve to be drawn. */
static void add_envelopes(det_json *json, const det_evaluation *e, const double *envelope)
{
    det_json_begin_array(json, "precision");
    for (size_t t = 0; t < e->iou_count; t++) {
        det_json_begin_array(json, NULL);
        for (size_t i = 0; i < DET_EVAL_RECALLS; i++)
            det_json_number(json, NULL, envelope[t * DET_EVAL_RECALLS + i]);
        det_json_end(json);
    }
    det_json_end(json);
}

static void add_class(det_json *json, const cli_figures *f, size_t category)
{
    const det_evaluation *e = f->evaluation;
    const det_class_figures *c = &e->classes[category];
    const bool measured = c->objects > 0;
    det_json_begin_object(json, NULL);
    det_json_string(json, "class", e->annotations->categories[category].name);
    det_json_integer(json, "category_id", e->annotations->categories[category].id);
    det_json_integer(json, "objects", (int64_t)c->objects);
    det_json_integer(json, "ignored", (int64_t)c->ignored);
    det_json_integer(json, "detections", (int64_t)c->detections);
    det_json_integer(json, "cut", (int64_t)c->cut);
    det_json_string(json, "reason", measured ? NULL : "no object of this class counts");
    add_mean_or_class(json, e, &c->figures);
    if (measured)
        add_envelopes(json, e, c->envelope);
    else
        det_json_null(json, "precision");
    cli_mistakes_add_class(json, f, category);
    det_json_end(json);
}

/* ---- What was read -------------------------------------------------------------------------- */

static void add_warnings(det_json *json, const cli_figures *f)
{
    det_json_begin_array(json, "warnings");
    for (size_t i = 0; i < f->annotations->warning_count; i++)
        det_json_string(json, NULL, f->annotations->warnings[i].text);
    for (size_t i = 0; i < f->results->warning_count; i++)
        det_json_string(json, NULL, f->results->warnings[i]);
    det_json_end(json);
}

static void add_unknown_classes(det_json *json, const det_results *results)
{
    det_json_begin_array(json, "unknown_classes");
    for (size_t i = 0; i < results->unknown_class_count; i++) {
        det_json_begin_object(json, NULL);
        det_json_string(json, "class", results->unknown_classes[i].name);
        det_json_integer(json, "detections", (int64_t)results->unknown_classes[i].count);
        det_json_end(json);
    }
    det_json_end(json);
}

static void add_counts(det_json *json, const cli_figures *f)
{
    const det_evaluation *e = f->evaluation;
    det_json_integer(json, "images", (int64_t)f->annotations->image_count);
    det_json_integer(json, "failed_images", (int64_t)f->results->failed_image_count);
    det_json_begin_object(json, "objects");
    det_json_integer(json, "counted", (int64_t)e->objects);
    det_json_integer(json, "ignored", (int64_t)e->ignored);
    det_json_integer(json, "left_out", (int64_t)e->left_out_objects);
    det_json_integer(json, "never_found", (int64_t)e->never_found);
    det_json_integer(json, "replaced", (int64_t)e->replaced);
    det_json_end(json);
    det_json_begin_object(json, "detections");
    det_json_integer(json, "listed", (int64_t)f->results->listed_count);
    det_json_integer(json, "counted", (int64_t)e->detections);
    det_json_integer(json, "cut", (int64_t)e->cut);
    det_json_integer(json, "left_out", (int64_t)e->left_out_detections);
    det_json_integer(json, "unknown_images", (int64_t)f->results->unknown_image_count);
    det_json_integer(json, "unknown_classes", (int64_t)f->results->unknown_class_objects);
    det_json_end(json);
    add_unknown_classes(json, f->results);
    add_warnings(json, f);
}

/* ---- Intervals ------------------------------------------------------------------------------ */

static void add_bootstrap(det_json *json, const cli_figures *f)
{
    if (f->samples == 0) {
        det_json_null(json, "bootstrap");
        return;
    }
    det_json_begin_object(json, "bootstrap");
    det_json_integer(json, "samples", (int64_t)f->samples);
    add_figure(json, "low", f->interval.low);
    add_figure(json, "high", f->interval.high);
    det_json_end(json);
}

/** A difference may be negative: null where it does not exist. */
static void add_compared(det_json *json, const cli_figures *f, const cli_values *values)
{
    if (!f->other) {
        det_json_null(json, "compared");
        return;
    }
    det_json_begin_object(json, "compared");
    det_json_string(json, "results", values->other_results);
    add_figure(json, "ap", f->other->mean.ap);
    det_json_exact(json, "difference", f->difference.value);
    det_json_exact(json, "low", f->difference.low);
    det_json_exact(json, "high", f->difference.high);
    det_json_exact(json, "above_zero", f->difference.above_zero);
    det_json_end(json);
}

/* ---- The document --------------------------------------------------------------------------- */

static void add_settings(det_json *json, const cli_figures *f, const cli_values *values)
{
    const det_evaluation *e = f->evaluation;
    det_json_integer(json, "schema_version", 1);
    det_json_string(json, "version", det_version());
    det_json_string(json, "annotations", values->truth);
    det_json_string(json, "annotations_format",
                    det_annotations_format_name(f->annotations->format));
    det_json_string(json, "results", values->results);
    det_json_string(json, "results_format", det_results_format_name(f->results->format));
    det_json_string(json, "metric", det_metric_name(e->metric));
    det_json_bool(json, "corrected", e->corrected);
    add_figures(json, "iou", e->ious, e->iou_count);
    det_json_begin_array(json, "max_detections");
    for (size_t m = 0; m < e->max_detections_count; m++)
        det_json_integer(json, NULL, (int64_t)e->max_detections[m]);
    det_json_end(json);
}

det_json *cli_figures_document(const cli_figures *f, const cli_values *values)
{
    const det_evaluation *e = f->evaluation;
    det_json *json = det_json_create();
    if (!json) return NULL;
    det_json_begin_object(json, NULL);
    add_settings(json, f, values);
    add_counts(json, f);
    if (e->metric == DET_METRIC_COCO) {
        double stats[CLI_COCO_FIGURES];
        cli_coco_figures(e, stats);
        add_figures(json, "stats", stats, CLI_COCO_FIGURES);
    }
    det_json_begin_object(json, "mean");
    add_mean_or_class(json, e, &e->mean);
    det_json_integer(json, "classes", (int64_t)e->measured_count);
    det_json_end(json);
    add_bootstrap(json, f);
    add_compared(json, f, values);
    cli_mistakes_add(json, f);
    det_json_begin_array(json, "classes");
    for (size_t c = 0; c < e->class_count; c++) add_class(json, f, c);
    det_json_end(json);
    det_json_end(json);
    return json;
}
