/* SPDX-License-Identifier: Apache-2.0 */
/* How long a network takes to learn from a picture:
 *   bench_training MODEL.safetensors [--batch N] [--threads N] [--repeats N] [--frozen LAYER]
 *
 * Runs the network forward as it learns and backward from what its probabilities are made of, on
 * random pictures, in f32 and where the processor has it in bf16. With --frozen everything up to
 * and with that layer stays as it is. Prints the median milliseconds a picture, and the memory of
 * the process. */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/run.h"
#include "src/nn/model_file.h"
#include "src/nn/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *model, *frozen;
    size_t batch, repeats;
    int threads;
} arguments;

static void check(det_status status, const det_error *error)
{
    if (status == DET_OK) return;
    char line[2048];
    det_error_format(error, line, sizeof line);
    fprintf(stderr, "%s\n", line);
    exit(1);
}

static arguments parse(int argc, char **argv)
{
    arguments a = {.batch = 32, .repeats = 7};
    if (argc < 2 || argc % 2 != 0) {
        fprintf(stderr, "usage: bench_training MODEL [--batch N] [--threads N] [--repeats N] "
                        "[--frozen LAYER]\n");
        exit(2);
    }
    a.model = argv[1];
    for (int i = 2; i < argc; i += 2) {
        const int number = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--batch") == 0) a.batch = (size_t)number;
        if (strcmp(argv[i], "--repeats") == 0 && number > 0) a.repeats = (size_t)number;
        if (strcmp(argv[i], "--threads") == 0) a.threads = number;
        if (strcmp(argv[i], "--frozen") == 0) a.frozen = argv[i + 1];
    }
    return a;
}

/* What lies behind the last frozen layer learns. */
typedef struct {
    const det_graph *graph;
    int last;
} freezing;

static bool learns(void *context, const char *layer)
{
    const freezing *f = context;
    return det_graph_find(f->graph, layer) > f->last;
}

static const char *logits_of(const det_model *model)
{
    const det_graph *graph = &model->graph;
    if (model->probabilities < 0) {
        fprintf(stderr, "the model has no probabilities\n");
        exit(1);
    }
    return graph->nodes[graph->nodes[model->probabilities].inputs[0]].name;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

static long resident_mb(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    fclose(file);
    return resident * 4 / 1024;
}

static void fill(float *values, size_t count)
{
    det_random random = det_random_create(1, 1);
    for (size_t i = 0; i < count; i++) values[i] = (float)(det_random_double(&random) * 255 - 117);
}

/* Gradients of the size that a softmax gives. */
static void look_at(det_trainer *trainer, size_t count)
{
    for (size_t i = 0; i < count; i++)
        det_trainer_output_gradient(trainer, 0)[i] = det_trainer_output(trainer, 0)[i] * 1e-3F;
}

static void run(const arguments *a, const det_model *model, det_precision precision)
{
    freezing f = {&model->graph, a->frozen ? det_graph_find(&model->graph, a->frozen) : -1};
    const char *const to[] = {logits_of(model)};
    const det_trainer_options options = {
        .batch = a->batch,
        .threads = a->threads,
        .precision = precision,
        .input = {3, model->input.height, model->input.width},
        .to = to,
        .to_count = 1,
        .learns = learns,
        .learns_context = &f,
    };
    det_trainer *trainer = NULL;
    det_error error = {0};
    check(det_trainer_create(&model->graph, &options, &trainer, &error), &error);
    fill(det_trainer_input(trainer), a->batch * det_shape_values(options.input));
    const size_t outputs = a->batch * det_shape_values(det_trainer_output_shape(trainer, 0));
    double *forward_ms = det_alloc_array(3 * a->repeats, sizeof *forward_ms);
    if (!forward_ms) exit(1);
    double *backward_ms = forward_ms + a->repeats, *both_ms = backward_ms + a->repeats;
    for (size_t i = 0; i <= a->repeats; i++) { /* the first one warms up */
        const double begin_s = det_now_s();
        check(det_trainer_forward(trainer, true, i, &error), &error);
        const double between_s = det_now_s();
        look_at(trainer, outputs);
        check(det_trainer_backward(trainer, &error), &error);
        const double end_s = det_now_s(), share = 1e3 / (double)a->batch;
        if (i == 0) continue;
        forward_ms[i - 1] = (between_s - begin_s) * share;
        backward_ms[i - 1] = (end_s - between_s) * share;
        both_ms[i - 1] = (end_s - begin_s) * share;
    }
    printf("%-10s %8.2f %9.2f %6.2f %8ld\n", precision == DET_BF16 ? "bf16" : "f32",
           median(forward_ms, a->repeats), median(backward_ms, a->repeats),
           median(both_ms, a->repeats), resident_mb());
    fflush(stdout);
    det_free(forward_ms);
    det_trainer_free(trainer);
}

int main(int argc, char **argv)
{
    const arguments a = parse(argc, argv);
    det_model *model = NULL;
    det_error error = {0};
    check(det_model_open(a.model, &model, &error), &error);
    printf("precision   forward  backward   both       MB   (ms a picture, batch %zu)\n", a.batch);
    run(&a, model, DET_F32);
    if (det_precision_check(DET_BF16, NULL) == DET_OK) run(&a, model, DET_BF16);
    det_model_free(model);
    return 0;
}
