/* SPDX-License-Identifier: Apache-2.0 */
/* How fast regions of a picture are classified: cropped one by one, and pooled from a map of the
 * whole picture. Both run by turns, so that whatever else the machine does meets both. The first
 * pooled picture, for whose size the network is compiled, counts by itself. */
#include "detect/detector.h"
#include "detect/version.h"
#include "src/cli/bench.h"
#include "src/cli/document.h"
#include "src/cli/progress.h"
#include "src/cli/report.h"
#include "src/cli/statistics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CROP, POOL, WAYS };
enum { DEFAULT_REPEATS = 5, WIDTH = 500, HEIGHT = 375 };

static const char *const ways[WAYS] = {"crop", "pool"};

/** What a run needs; {0} is empty. */
typedef struct setup {
    det_config *config;
    det_detector *detectors[WAYS];
    det_image image;
    det_result regions;
} setup;

typedef struct figures {
    int repeats;
    double first_ms; /**< pooled, compilation included */
    double median_ms[WAYS], least_ms[WAYS];
    double crops_ms[WAYS], network_ms[WAYS]; /**< medians: regions made ready, and classified */
} figures;

static void free_setup(setup *s)
{
    for (int i = 0; i < WAYS; i++) det_detector_free(s->detectors[i]);
    det_result_free(&s->regions);
    det_image_free(&s->image);
    det_config_free(s->config);
}

/* Sets KEY=VALUE. */
static det_status set(det_config *config, const char *key, const char *value, det_error *error)
{
    char text[4200];
    snprintf(text, sizeof text, "%s=%s", key, value);
    return det_config_set(config, text, error);
}

static det_status set_number(det_config *config, const char *key, int value, det_error *error)
{
    char text[16];
    snprintf(text, sizeof text, "%d", value);
    return set(config, key, text, error);
}

static det_status configure(det_config *config, const cli_values *values, det_error *error)
{
    det_status status = set(config, "classifier.models", values->models.items[0], error);
    if (status == DET_OK) status = set(config, "proposals.methods", "uniform", error);
    if (status == DET_OK) status = set_number(config, "proposals.max", values->sample, error);
    if (status == DET_OK) status = set_number(config, "limits.max_regions", values->sample, error);
    if (status == DET_OK && values->precision)
        status = set(config, "classifier.precision", values->precision, error);
    if (status == DET_OK && values->batch != CLI_NOT_GIVEN)
        status = set_number(config, "classifier.batch", values->batch, error);
    if (status == DET_OK && values->threads != CLI_NOT_GIVEN)
        status = set_number(config, "runtime.threads", values->threads, error);
    return status;
}

static det_status propose(setup *s, det_error *error)
{
    det_proposer *proposer = NULL;
    det_status status = det_proposer_create(s->config, &proposer, error);
    if (status == DET_OK)
        status = det_proposer_propose(proposer, &s->image, 0, NULL, &s->regions, error);
    det_proposer_free(proposer);
    return status;
}

static det_status prepare(setup *s, const cli_values *values, det_error *error)
{
    det_status status = det_config_create(&s->config, error);
    if (status == DET_OK) status = configure(s->config, values, error);
    if (status == DET_OK) status = det_image_create(WIDTH, HEIGHT, &s->image, error);
    if (status < 0) return status;
    cli_fill_random(s->image.pixels, s->image.stride * HEIGHT);
    status = propose(s, error);
    for (int i = 0; status == DET_OK && i < WAYS; i++) {
        status = set(s->config, "classifier.regions", ways[i], error);
        if (status == DET_OK) status = det_detector_create(s->config, &s->detectors[i], error);
    }
    return status;
}

/** What is measured of a run. */
enum { TOTAL, CROPS, NETWORK, TIMES };

static det_status run_once(const setup *s, int way, double times_ms[TIMES], det_error *error)
{
    if (cli_stop_signal()) return cli_fail(error, DET_CANCELLED, "interrupted");
    det_result result = {0};
    const det_status status =
        det_detector_classify(s->detectors[way], &s->image, s->regions.regions,
                              s->regions.region_count, NULL, &result, error);
    times_ms[TOTAL] = result.timings.total_ms;
    times_ms[CROPS] = result.timings.crops_ms;
    times_ms[NETWORK] = result.timings.network_ms;
    det_result_free(&result);
    return status;
}

/** runs[time][run] of one way; they are sorted. */
static void take_medians(double *runs[TIMES], int way, figures *f)
{
    const size_t n = (size_t)f->repeats;
    f->median_ms[way] = cli_median(runs[TOTAL], n);
    f->least_ms[way] = runs[TOTAL][0];
    f->crops_ms[way] = cli_median(runs[CROPS], n);
    f->network_ms[way] = cli_median(runs[NETWORK], n);
}

static det_status measure(const setup *s, figures *f, det_error *error)
{
    const size_t n = (size_t)f->repeats;
    double times_ms[TIMES] = {0}, *runs[WAYS][TIMES];
    for (int i = 0; i < WAYS * TIMES; i++)
        runs[i / TIMES][i % TIMES] = cli_alloc(n, sizeof(double));
    det_status status = run_once(s, POOL, times_ms, error);
    f->first_ms = times_ms[TOTAL];
    for (size_t i = 0; i < n; i++)
        for (int way = 0; status == DET_OK && way < WAYS; way++) {
            status = run_once(s, way, times_ms, error);
            for (int time = 0; time < TIMES; time++) runs[way][time][i] = times_ms[time];
        }
    for (int way = 0; way < WAYS; way++) take_medians(runs[way], way, f);
    for (int i = 0; i < WAYS * TIMES; i++) free(runs[i / TIMES][i % TIMES]);
    return status;
}

static double regions_per_s(const setup *s, double ms)
{
    return (double)s->regions.region_count * 1e3 / ms;
}

static void print_table(const setup *s, const figures *f)
{
    const det_network *network = det_detector_network(s->detectors[POOL], 0);
    printf("Model          %s\n", det_model_path(det_detector_model(s->detectors[POOL])));
    printf("Engine         %s, %s, %d threads\n", det_version_onednn(),
           det_precision_name(det_network_precision(network)), det_network_threads(network));
    printf("Regions        %zu random ones of a picture of %dx%d, in batches of %zu\n",
           s->regions.region_count, WIDTH, HEIGHT, det_network_batch(network));
    printf("\n                  median     least   (ms, %d runs)   regions/s\n", f->repeats);
    for (int way = 0; way < WAYS; way++)
        printf("%-13s  %9.1f %9.1f %24.0f\n", way == CROP ? "Cropped" : "Pooled", f->median_ms[way],
               f->least_ms[way], regions_per_s(s, f->median_ms[way]));
    printf("First pooled   %9.1f\n", f->first_ms);
    printf("\nMaking the crops took %.1f ms, %.1f %% on top of the %.1f ms of the network.\n",
           f->crops_ms[CROP], 100 * f->crops_ms[CROP] / f->network_ms[CROP], f->network_ms[CROP]);
    printf("Pooled is %.2f times as fast.\n", f->median_ms[CROP] / f->median_ms[POOL]);
}

static det_json *make_document(const setup *s, const figures *f)
{
    const det_network *network = det_detector_network(s->detectors[POOL], 0);
    det_json *json = det_json_create();
    if (!json) return NULL;
    det_json_begin_object(json, NULL);
    det_json_integer(json, "schema_version", 1);
    det_json_string(json, "version", det_version());
    det_json_string(json, "engine", det_version_onednn());
    det_json_string(json, "model", det_model_path(det_detector_model(s->detectors[POOL])));
    det_json_string(json, "precision", det_precision_name(det_network_precision(network)));
    det_json_integer(json, "batch", (int64_t)det_network_batch(network));
    det_json_integer(json, "threads", det_network_threads(network));
    det_json_integer(json, "repeats", f->repeats);
    det_json_integer(json, "width", WIDTH);
    det_json_integer(json, "height", HEIGHT);
    det_json_integer(json, "regions", (int64_t)s->regions.region_count);
    for (int way = 0; way < WAYS; way++) {
        det_json_begin_object(json, ways[way]);
        det_json_number(json, "ms", f->median_ms[way]);
        det_json_number(json, "ms_min", f->least_ms[way]);
        det_json_number(json, "crops_ms", f->crops_ms[way]);
        det_json_number(json, "network_ms", f->network_ms[way]);
        det_json_number(json, "regions_per_s", regions_per_s(s, f->median_ms[way]));
        if (way == POOL) det_json_number(json, "first_ms", f->first_ms);
        det_json_end(json);
    }
    det_json_number(json, "ratio", f->median_ms[CROP] / f->median_ms[POOL]);
    det_json_end(json);
    return json;
}

det_status cli_bench_regions(const cli_values *values, det_error *error)
{
    setup s = {0};
    figures f = {.repeats = values->repeats == CLI_NOT_GIVEN ? DEFAULT_REPEATS : values->repeats};
    det_status status = prepare(&s, values, error);
    if (status == DET_OK) status = measure(&s, &f, error);
    if (status == DET_OK && values->json)
        status = cli_write_document(make_document(&s, &f), values->json, error);
    if (status == DET_OK && (!values->json || strcmp(values->json, "-") != 0)) print_table(&s, &f);
    free_setup(&s);
    return status;
}
