/* SPDX-License-Identifier: Apache-2.0 */
/* How fast a network runs: random pictures from a fixed seed, a warm-up, then the median and the
 * least time of some runs on a monotonic clock. */
#include "detect/network.h"

#include "detect/version.h"
#include "src/cli/bench.h"
#include "src/cli/commands.h"
#include "src/cli/document.h"
#include "src/cli/model.h"
#include "src/cli/progress.h"
#include "src/cli/report.h"
#include "src/cli/statistics.h"

#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 3, DEFAULT_REPEATS = 20 };

typedef struct figures {
    size_t batch;
    int threads, repeats;
    det_shape input;
    uint64_t macs; /**< of one picture */
    double setup_ms, median_ms, least_ms;
    double peak_mb; /**< of memory, of the whole process */
} figures;

/** What a run needs; {0} is empty. */
typedef struct setup {
    det_model *model;
    det_network *network;
    det_worker *worker;
    uint8_t *pixels;
    float *output;
} setup;

static void free_setup(setup *s)
{
    free(s->output);
    free(s->pixels);
    det_worker_free(s->worker);
    det_network_free(s->network);
    det_model_free(s->model);
}

void cli_fill_random(uint8_t *bytes, size_t size)
{
    uint64_t state = 1;
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(cli_random(&state) >> 56);
}

static size_t shape_size(det_shape shape)
{
    return (size_t)shape.channels * (size_t)shape.height * (size_t)shape.width;
}

static det_precision precision_of(const cli_values *values)
{
    det_precision precision = DET_F32;
    if (values->precision) det_precision_parse(values->precision, &precision); /* a choice */
    return precision;
}

static det_status prepare(setup *s, const cli_values *values, det_error *error)
{
    const det_network_options options = {
        .precision = precision_of(values),
        .batch = values->batch == CLI_NOT_GIVEN ? 1 : (size_t)values->batch,
        .threads = values->threads == CLI_NOT_GIVEN ? 0 : values->threads};
    det_status status = det_model_open(values->models.items[0], &s->model, error);
    if (status == DET_OK) status = det_network_compile(s->model, &options, &s->network, error);
    if (status < 0) return status;
    const det_network *const network = s->network;
    status = det_worker_create(&network, 1, &s->worker, error);
    if (status < 0) return status;

    const size_t size = options.batch * shape_size(det_network_input_shape(network));
    s->pixels = cli_alloc(size, 1);
    s->output =
        cli_alloc(options.batch * shape_size(det_network_output_shape(network, 0)), sizeof(float));
    cli_fill_random(s->pixels, size);
    return DET_OK;
}

static det_status run_once(const setup *s, det_error *error)
{
    if (cli_stop_signal()) return cli_fail(error, DET_CANCELLED, "interrupted");
    return det_network_run_pictures(s->network, s->worker, s->pixels, det_network_batch(s->network),
                                    &s->output, error);
}

static det_status measure(const setup *s, figures *f, det_error *error)
{
    det_status status = DET_OK;
    for (int i = 0; status == DET_OK && i < WARM_UP; i++) status = run_once(s, error);
    double *times_ms = cli_alloc((size_t)f->repeats, sizeof *times_ms);
    for (int i = 0; status == DET_OK && i < f->repeats; i++) {
        const double began_s = cli_now_s();
        status = run_once(s, error);
        times_ms[i] = (cli_now_s() - began_s) * 1e3;
    }
    const size_t n = (size_t)f->repeats;
    f->median_ms = cli_median(times_ms, n);
    f->least_ms = times_ms[0];
    free(times_ms);
    return status;
}

static void describe(const setup *s, figures *f)
{
    f->batch = det_network_batch(s->network);
    f->threads = det_network_threads(s->network);
    f->input = det_network_input_shape(s->network);
    f->macs = cli_model_totals(s->model).macs;
    f->peak_mb = cli_peak_memory_mb();
}

static double gmac_per_s(const figures *f)
{
    return (double)f->macs * (double)f->batch / f->median_ms * 1e-6;
}

static void print_table(const setup *s, const figures *f)
{
    const double batch = (double)f->batch;
    printf("Model          %s\n", det_model_path(s->model));
    printf("Engine         %s, %s, %d threads\n", det_version_onednn(),
           det_precision_name(det_network_precision(s->network)), f->threads);
    printf("Input          %zu x %dx%dx%d, %.1f MMAC a crop\n", f->batch, f->input.channels,
           f->input.height, f->input.width, (double)f->macs * 1e-6);
    printf("\n                  median     least   (ms, %d runs)\n", f->repeats);
    printf("A batch        %9.3f %9.3f\n", f->median_ms, f->least_ms);
    printf("A crop         %9.3f %9.3f\n", f->median_ms / batch, f->least_ms / batch);
    printf("\nSpeed          %9.1f GMAC/s\n", gmac_per_s(f));
    printf("Set-up         %9.1f ms\n", f->setup_ms);
    printf("Peak memory    %9.1f MB\n", f->peak_mb);
}

static det_json *make_document(const setup *s, const figures *f)
{
    const double batch = (double)f->batch;
    det_json *json = det_json_create();
    if (!json) return NULL;
    det_json_begin_object(json, NULL);
    det_json_integer(json, "schema_version", 1);
    det_json_string(json, "version", det_version());
    det_json_string(json, "engine", det_version_onednn());
    det_json_string(json, "model", det_model_path(s->model));
    det_json_string(json, "digest", det_model_digest(s->model));
    det_json_string(json, "precision", det_precision_name(det_network_precision(s->network)));
    det_json_integer(json, "batch", (int64_t)f->batch);
    det_json_integer(json, "threads", f->threads);
    det_json_integer(json, "repeats", f->repeats);
    det_json_integer(json, "width", f->input.width);
    det_json_integer(json, "height", f->input.height);
    det_json_integer(json, "macs", (int64_t)f->macs);
    det_json_number(json, "ms_per_crop", f->median_ms / batch);
    det_json_number(json, "ms_per_crop_min", f->least_ms / batch);
    det_json_number(json, "ms_per_batch", f->median_ms);
    det_json_number(json, "ms_per_batch_min", f->least_ms);
    det_json_number(json, "gmac_per_s", gmac_per_s(f));
    det_json_number(json, "setup_ms", f->setup_ms);
    det_json_number(json, "peak_memory_mb", f->peak_mb);
    det_json_end(json);
    return json;
}

static det_status bench(setup *s, const cli_values *values, det_error *error)
{
    if (values->models.count != 1)
        return cli_fail(error, DET_ARGUMENT, "name one model to measure: --model FILE");
    if (values->sample != CLI_NOT_GIVEN) return cli_bench_regions(values, error);
    figures f = {.repeats = values->repeats == CLI_NOT_GIVEN ? DEFAULT_REPEATS : values->repeats};
    const double began_s = cli_now_s();
    det_status status = prepare(s, values, error);
    f.setup_ms = (cli_now_s() - began_s) * 1e3;
    if (status == DET_OK) status = measure(s, &f, error);
    if (status < 0) return status;

    describe(s, &f);
    if (values->verbose) cli_print_steps(stderr, s->network);
    if (values->json) status = cli_write_document(make_document(s, &f), values->json, error);
    if (!values->json || strcmp(values->json, "-") != 0) print_table(s, &f);
    return status;
}

int cli_run_bench_network(const cli_values *values)
{
    det_error error = {0};
    setup s = {0};
    const det_status status = bench(&s, values, &error);
    free_setup(&s);
    return status < 0 ? cli_exit_status(&error) : CLI_DONE;
}
