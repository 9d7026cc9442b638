/* SPDX-License-Identifier: Apache-2.0 */
/* How fast a network runs: random pictures from a fixed seed, a warm-up, then the median and the
 * least time of some runs on a monotonic clock. --layers: the same with a clock around every step,
 * whose times are added by kind. --winograd: direct convolutions beside it, run in turn. */
#include "detect/network.h"

#include "detect/version.h"
#include "src/cli/bench.h"
#include "src/cli/commands.h"
#include "src/cli/document.h"
#include "src/cli/model.h"
#include "src/cli/progress.h"
#include "src/cli/report.h"
#include "src/cli/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 3, DEFAULT_REPEATS = 20, KINDS = 16 };

/** The steps of one kind. */
typedef struct kind {
    const char *name;
    double ms; /**< of a crop, the times of all threads added */
} kind;

/** Direct convolutions beside Winograd's. */
typedef struct direct_figures {
    double median_ms, largest_error, mean_error;
} direct_figures;

typedef struct figures {
    size_t batch;
    int threads, repeats;
    det_shape input;
    uint64_t macs; /**< of one picture */
    double setup_ms, median_ms, least_ms;
    double peak_mb;        /**< of memory, of the whole process */
    direct_figures direct; /**< with --winograd */
    kind kinds[KINDS];     /**< with --layers: kind_count, the longest first */
    size_t kind_count;
} figures;

/** A network with what it needs to run; {0} is empty. */
typedef struct engine {
    det_network *network;
    det_worker *worker;
    float *output;
} engine;

/** What a run needs; {0} is empty. */
typedef struct setup {
    det_model *model;
    engine measured, direct; /**< direct: with --winograd */
    uint8_t *pixels;
} setup;

static void free_engine(engine *e)
{
    free(e->output);
    det_worker_free(e->worker);
    det_network_free(e->network);
}

static void free_setup(setup *s)
{
    free(s->pixels);
    free_engine(&s->measured);
    free_engine(&s->direct);
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

static size_t output_values(const det_network *network)
{
    return det_network_batch(network) * shape_size(det_network_output_shape(network, 0));
}

static det_status make_engine(engine *e, det_model *model, const det_network_options *options,
                              det_error *error)
{
    det_status status = det_network_compile(model, options, &e->network, error);
    if (status < 0) return status;
    const det_network *const network = e->network;
    status = det_worker_create(&network, 1, &e->worker, error);
    if (status == DET_OK) e->output = cli_alloc(output_values(network), sizeof(float));
    return status;
}

static det_status prepare(setup *s, const cli_values *values, det_error *error)
{
    det_network_options options = {
        .precision = precision_of(values),
        .batch = values->batch == CLI_NOT_GIVEN ? 1 : (size_t)values->batch,
        .threads = values->threads == CLI_NOT_GIVEN ? 0 : values->threads,
        .winograd = values->winograd};
    det_status status = det_model_open(values->models.items[0], &s->model, error);
    if (status == DET_OK) status = make_engine(&s->measured, s->model, &options, error);
    if (status < 0) return status;
    const size_t size = options.batch * shape_size(det_network_input_shape(s->measured.network));
    s->pixels = cli_alloc(size, 1);
    cli_fill_random(s->pixels, size);
    return DET_OK;
}

static det_status prepare_direct(setup *s, det_error *error)
{
    const det_network *network = s->measured.network;
    const det_network_options options = {.precision = det_network_precision(network),
                                         .batch = det_network_batch(network),
                                         .threads = det_network_threads(network)};
    return make_engine(&s->direct, s->model, &options, error);
}

static det_status run_once(const setup *s, engine *e, double *ms, det_error *error)
{
    if (cli_stop_signal()) return cli_fail(error, DET_CANCELLED, "interrupted");
    const double began_s = cli_now_s();
    const det_status status = det_network_run_pictures(
        e->network, e->worker, s->pixels, det_network_batch(e->network), &e->output, error);
    *ms = (cli_now_s() - began_s) * 1e3;
    return status;
}

/** Both engines in turn, so that they share what else the machine does. */
static det_status measure(setup *s, figures *f, det_error *error)
{
    const size_t n = (size_t)f->repeats;
    double *times_ms = cli_alloc(n, sizeof *times_ms), *direct_ms = cli_alloc(n, sizeof *direct_ms);
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < WARM_UP + n; i++) {
        const size_t at = i < WARM_UP ? 0 : i - WARM_UP;
        status = run_once(s, &s->measured, &times_ms[at], error);
        if (status == DET_OK && s->direct.network)
            status = run_once(s, &s->direct, &direct_ms[at], error);
    }
    f->median_ms = cli_median(times_ms, n);
    f->least_ms = times_ms[0];
    f->direct.median_ms = cli_median(direct_ms, n);
    free(times_ms);
    free(direct_ms);
    return status;
}

static void compare_outputs(const setup *s, direct_figures *f)
{
    const size_t count = output_values(s->direct.network);
    for (size_t i = 0; i < count; i++) {
        const double error = fabs((double)s->measured.output[i] - (double)s->direct.output[i]);
        f->mean_error += error / (double)count;
        if (error > f->largest_error) f->largest_error = error;
    }
}

/* ---- Kinds of layers ------------------------------------------------------------------------ */

static void add_kind(figures *f, const char *name, double ms)
{
    size_t i = 0;
    while (i < f->kind_count && strcmp(f->kinds[i].name, name) != 0) i++;
    if (i == KINDS) return; /* there are fewer kinds than that */
    if (i == f->kind_count) f->kinds[f->kind_count++] = (kind){name, 0};
    f->kinds[i].ms += ms;
}

static int longer_first(const void *a, const void *b)
{
    const kind *x = a, *y = b;
    return (y->ms > x->ms) - (y->ms < x->ms);
}

static det_status time_kinds(setup *s, figures *f, det_error *error)
{
    engine *e = &s->measured;
    const size_t steps = det_network_step_count(e->network), batch = det_network_batch(e->network);
    double *step_ms = cli_alloc(steps + 1, sizeof *step_ms);
    for (size_t i = 0; i <= steps; i++) step_ms[i] = 0;
    det_status status = DET_OK;
    for (int i = 0; status == DET_OK && i < f->repeats; i++)
        status = det_network_time_steps(e->network, e->worker, s->pixels, batch, &e->output,
                                        step_ms, error);
    const double crops = (double)f->repeats * (double)batch;
    for (size_t i = 0; i < steps; i++)
        add_kind(f, det_network_step_kind(e->network, i), step_ms[i] / crops);
    add_kind(f, "input and output", step_ms[steps] / crops);
    qsort(f->kinds, f->kind_count, sizeof *f->kinds, longer_first);
    free(step_ms);
    return status;
}

static double kinds_ms(const figures *f)
{
    double sum = 0;
    for (size_t i = 0; i < f->kind_count; i++) sum += f->kinds[i].ms;
    return sum;
}

static void describe(const setup *s, figures *f)
{
    const det_network *network = s->measured.network;
    f->batch = det_network_batch(network);
    f->threads = det_network_threads(network);
    f->input = det_network_input_shape(network);
    f->macs = cli_model_totals(s->model).macs;
    if (s->direct.network) compare_outputs(s, &f->direct);
}

/* ---- Output --------------------------------------------------------------------------------- */

static double gmac_per_s(const figures *f)
{
    return (double)f->macs * (double)f->batch / f->median_ms * 1e-6;
}

static void print_kinds(const figures *f)
{
    if (f->kind_count == 0) return;
    printf("\n                     share        ms  (a crop, threads added)\n");
    for (size_t i = 0; i < f->kind_count; i++)
        printf("%-16s %7.1f %% %9.3f\n", f->kinds[i].name, 100 * f->kinds[i].ms / kinds_ms(f),
               f->kinds[i].ms);
}

static void print_direct(const setup *s, const figures *f)
{
    if (!s->direct.network) return;
    printf("\nWinograd: a crop takes %.3f ms, with direct convolutions %.3f\n",
           f->median_ms / (double)f->batch, f->direct.median_ms / (double)f->batch);
    printf("Probabilities differ by %.1e at most, %.1e on average\n", f->direct.largest_error,
           f->direct.mean_error);
}

static void print_table(const setup *s, const figures *f)
{
    const double batch = (double)f->batch;
    printf("Model          %s\n", det_model_path(s->model));
    printf("Engine         %s, %s, %d threads\n", det_version_onednn(),
           det_precision_name(det_network_precision(s->measured.network)), f->threads);
    printf("Input          %zu x %dx%dx%d, %.1f MMAC a crop\n", f->batch, f->input.channels,
           f->input.height, f->input.width, (double)f->macs * 1e-6);
    printf("\n                  median     least   (ms, %d runs)\n", f->repeats);
    printf("A batch        %9.3f %9.3f\n", f->median_ms, f->least_ms);
    printf("A crop         %9.3f %9.3f\n", f->median_ms / batch, f->least_ms / batch);
    printf("\nSpeed          %9.1f GMAC/s\n", gmac_per_s(f));
    printf("Set-up         %9.1f ms\n", f->setup_ms);
    printf("Peak memory    %9.1f MB\n", f->peak_mb);
    print_direct(s, f);
    print_kinds(f);
}

static void write_kinds(det_json *json, const figures *f)
{
    det_json_begin_array(json, "layers");
    for (size_t i = 0; i < f->kind_count; i++) {
        det_json_begin_object(json, NULL);
        det_json_string(json, "kind", f->kinds[i].name);
        det_json_number(json, "ms_per_crop", f->kinds[i].ms);
        det_json_number(json, "share", f->kinds[i].ms / kinds_ms(f));
        det_json_end(json);
    }
    det_json_end(json);
}

static void write_direct(det_json *json, const figures *f)
{
    det_json_begin_object(json, "direct");
    det_json_number(json, "ms_per_crop", f->direct.median_ms / (double)f->batch);
    det_json_number(json, "largest_error", f->direct.largest_error);
    det_json_number(json, "mean_error", f->direct.mean_error);
    det_json_end(json);
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
    det_json_string(json, "precision",
                    det_precision_name(det_network_precision(s->measured.network)));
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
    if (s->direct.network) write_direct(json, f);
    if (f->kind_count > 0) write_kinds(json, f);
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
    if (status == DET_OK && values->winograd) status = prepare_direct(s, error);
    if (status == DET_OK) status = measure(s, &f, error);
    if (status < 0) return status;

    f.peak_mb = cli_peak_memory_mb();
    describe(s, &f);
    if (values->layers) status = time_kinds(s, &f, error);
    if (status < 0) return status;
    if (values->verbose) cli_print_steps(stderr, s->measured.network);
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
