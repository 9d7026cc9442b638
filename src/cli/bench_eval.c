/* SPDX-License-Identifier: Apache-2.0 */
/* How fast detections are evaluated: a set of COCO's size is written into a temporary folder, and
 * read and evaluated several times. */
#include "detect/eval.h"
#include "detect/version.h"
#include "src/cli/commands.h"
#include "src/cli/document.h"
#include "src/cli/progress.h"
#include "src/cli/report.h"
#include "src/cli/statistics.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    IMAGES = 5000,
    OBJECTS = 36000,
    CLASSES = 80,
    DETECTIONS = 500000,
    WIDTH_PX = 640,
    HEIGHT_PX = 480,
    OUTLINE_POINTS = 20,
    DEFAULT_REPEATS = 5
};

/* ---- The set -------------------------------------------------------------------------------- */

typedef struct thing {
    int image, category; /**< from 0 */
    double box[4];       /**< x, y, width, height */
} thing;

/** Uniform in [0, below). */
static double uniform(uint64_t *state, double below)
{
    return (double)(cli_random(state) >> 11) * 0x1p-53 * below;
}

/** Sizes are spread as in photographs: many small boxes, few large ones. */
static thing random_thing(uint64_t *state, int image)
{
    thing t = {.image = image, .category = (int)uniform(state, CLASSES)};
    const double size = uniform(state, 1) * uniform(state, 1);
    t.box[2] = 4 + (WIDTH_PX - 4) * size * (.3 + uniform(state, .7));
    t.box[3] = 4 + (HEIGHT_PX - 4) * size * (.3 + uniform(state, .7));
    t.box[0] = uniform(state, WIDTH_PX - t.box[2]);
    t.box[1] = uniform(state, HEIGHT_PX - t.box[3]);
    return t;
}

/** Near an object of the same class. */
static thing near_thing(uint64_t *state, const thing *object)
{
    thing t = *object;
    for (int i = 0; i < 4; i++) {
        const double side = object->box[2 + i % 2];
        t.box[i] += (uniform(state, .4) - .2) * side;
    }
    return t;
}

static int id_of(int image)
{
    return 139 + image * 116;
}

static void write_object(FILE *file, uint64_t *state, const thing *t, int id)
{
    fprintf(file, "%s\n{\"segmentation\": [[", id > 1 ? "," : "");
    for (int i = 0; i < OUTLINE_POINTS; i++)
        fprintf(file, "%s%.2f, %.2f", i ? ", " : "", t->box[0] + uniform(state, t->box[2]),
                t->box[1] + uniform(state, t->box[3]));
    fprintf(file,
            "]], \"area\": %.4f, \"iscrowd\": %d, \"image_id\": %d, \"bbox\": [%.2f, %.2f, %.2f, "
            "%.2f], \"category_id\": %d, \"id\": %d}",
            t->box[2] * t->box[3] * .7, id % 80 == 0, id_of(t->image), t->box[0], t->box[1],
            t->box[2], t->box[3], t->category + 1, id);
}

static void write_annotations(FILE *file, uint64_t *state, thing *objects)
{
    fprintf(file, "{\"images\": [");
    for (int i = 0; i < IMAGES; i++)
        fprintf(file,
                "%s\n{\"file_name\": \"%012d.jpg\", \"height\": %d, \"width\": %d, \"id\": %d}",
                i ? "," : "", id_of(i), HEIGHT_PX, WIDTH_PX, id_of(i));
    fprintf(file, "],\n\"annotations\": [");
    for (int i = 0; i < OBJECTS; i++) {
        objects[i] = random_thing(state, (int)((int64_t)i * IMAGES / OBJECTS));
        write_object(file, state, &objects[i], i + 1);
    }
    fprintf(file, "],\n\"categories\": [");
    for (int c = 0; c < CLASSES; c++)
        fprintf(file, "%s{\"id\": %d, \"name\": \"class %d\"}", c ? ", " : "", c + 1, c + 1);
    fprintf(file, "]}\n");
}

/** A third of the detections lie near objects. */
static void write_results(FILE *file, uint64_t *state, const thing *objects)
{
    for (int i = 0; i < DETECTIONS; i++) {
        const int image = (int)((int64_t)i * IMAGES / DETECTIONS);
        const int object = (int)((int64_t)image * OBJECTS / IMAGES + (int)uniform(state, 7));
        const bool near_one = i % 3 == 0;
        thing t = near_one ? near_thing(state, &objects[object]) : random_thing(state, image);
        t.image = image;
        fprintf(file,
                "%s{\"image_id\": %d, \"category_id\": %d, \"bbox\": [%.2f, %.2f, %.2f, %.2f], "
                "\"score\": %.10f}",
                i ? ", " : "[", id_of(t.image), t.category + 1, t.box[0], t.box[1], t.box[2],
                t.box[3], near_one ? .2 + uniform(state, .8) : uniform(state, .6));
    }
    fprintf(file, "]\n");
}

/* ---- Files ---------------------------------------------------------------------------------- */

/** The temporary folder and what is in it; {0} is none. */
typedef struct files {
    char *folder, *annotations, *results;
    long annotation_bytes, result_bytes;
} files;

static void remove_files(files *f)
{
    if (f->annotations) unlink(f->annotations);
    if (f->results) unlink(f->results);
    if (f->folder) rmdir(f->folder);
    free(f->annotations);
    free(f->results);
    free(f->folder);
}

static det_status close_file(FILE *file, const char *path, long *size, det_error *error)
{
    *size = ftell(file);
    const bool bad = ferror(file) != 0;
    if (fclose(file) != 0 || bad) return cli_fail_errno(error, path, "cannot write");
    return DET_OK;
}

static det_status write_files(files *f, det_error *error)
{
    uint64_t state = 1;
    thing *objects = cli_alloc(OBJECTS, sizeof *objects);
    det_status status = DET_OK;
    FILE *file = fopen(f->annotations, "we");
    if (file) {
        write_annotations(file, &state, objects);
        status = close_file(file, f->annotations, &f->annotation_bytes, error);
        file = status == DET_OK ? fopen(f->results, "we") : NULL;
    }
    if (file) {
        write_results(file, &state, objects);
        status = close_file(file, f->results, &f->result_bytes, error);
    } else if (status == DET_OK) {
        status = cli_fail_errno(error, f->folder, "cannot write");
    }
    free(objects);
    return status;
}

static det_status make_files(files *f, det_error *error)
{
    const char *place = getenv("TMPDIR");
    char *folder = cli_format("%s/detect-bench-XXXXXX", place && *place ? place : "/tmp");
    if (!mkdtemp(folder)) {
        const det_status status = cli_fail_errno(error, folder, "cannot make a temporary folder");
        free(folder);
        return status;
    }
    f->folder = folder;
    f->annotations = cli_format("%s/annotations.json", folder);
    f->results = cli_format("%s/results.json", folder);
    return write_files(f, error);
}

/* ---- The run -------------------------------------------------------------------------------- */

enum { ANNOTATIONS, RESULTS, EVALUATION, TOTAL, STEPS };

typedef struct timing {
    double *ms[STEPS]; /**< of each run */
    int repeats, threads;
    double ap, peak_mb;
} timing;

static det_status run_once(const files *f, timing *t, int repeat, det_error *error)
{
    det_annotations *annotations = NULL;
    det_results *results = NULL;
    det_evaluation *evaluation = NULL;
    const det_results_options options = {.threads = t->threads};
    const det_run run = {.threads = t->threads};
    if (cli_stop_signal()) return cli_fail(error, DET_CANCELLED, "interrupted");
    double at_s[STEPS] = {cli_now_s()};
    det_status status = det_annotations_read(f->annotations, NULL, &annotations, error);
    at_s[RESULTS] = cli_now_s();
    if (status == DET_OK)
        status = det_results_read(f->results, annotations, &options, &results, error);
    at_s[EVALUATION] = cli_now_s();
    if (status == DET_OK)
        status = det_evaluate(annotations, results, NULL, &run, &evaluation, error);
    at_s[TOTAL] = cli_now_s();
    for (int i = 0; i < TOTAL; i++) t->ms[i][repeat] = (at_s[i + 1] - at_s[i]) * 1e3;
    t->ms[TOTAL][repeat] = (at_s[TOTAL] - at_s[ANNOTATIONS]) * 1e3;
    if (status == DET_OK) t->ap = evaluation->mean.ap;
    det_evaluation_free(evaluation);
    det_results_free(results);
    det_annotations_free(annotations);
    return status;
}

static const char *const step_names[STEPS] = {"annotations", "results", "evaluation", "total"};

static void print_timing(const files *f, timing *t)
{
    const size_t n = (size_t)t->repeats;
    printf("Annotations    %d pictures, %d objects, %d classes, %.1f MB\n", IMAGES, OBJECTS,
           CLASSES, (double)f->annotation_bytes * 1e-6);
    printf("Results        %d detections, %.1f MB; AP %.3f\n", DETECTIONS,
           (double)f->result_bytes * 1e-6, t->ap);
    printf("\n%-14s    median     least   (ms, %d runs)\n", "", t->repeats);
    for (int i = 0; i < STEPS; i++) {
        const double median_ms = cli_median(t->ms[i], n);
        printf("%-14s %9.1f %9.1f\n", step_names[i], median_ms, t->ms[i][0]);
    }
    printf("\nPeak memory    %9.1f MB\n", t->peak_mb);
}

static det_json *make_document(const files *f, timing *t)
{
    det_json *json = det_json_create();
    if (!json) return NULL;
    det_json_begin_object(json, NULL);
    det_json_integer(json, "schema_version", 1);
    det_json_string(json, "version", det_version());
    det_json_integer(json, "images", IMAGES);
    det_json_integer(json, "objects", OBJECTS);
    det_json_integer(json, "classes", CLASSES);
    det_json_integer(json, "detections", DETECTIONS);
    det_json_integer(json, "annotation_bytes", f->annotation_bytes);
    det_json_integer(json, "result_bytes", f->result_bytes);
    det_json_integer(json, "threads", t->threads);
    det_json_integer(json, "repeats", t->repeats);
    det_json_number(json, "ap", t->ap);
    for (int i = 0; i < STEPS; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s_ms", step_names[i]);
        det_json_number(json, key, cli_median(t->ms[i], (size_t)t->repeats));
        snprintf(key, sizeof key, "%s_ms_min", step_names[i]);
        det_json_number(json, key, t->ms[i][0]);
    }
    det_json_number(json, "peak_memory_mb", t->peak_mb);
    det_json_end(json);
    return json;
}

static det_status bench(const cli_values *values, files *f, timing *t, det_error *error)
{
    det_status status = cli_check_figures(values, NULL, "results", error);
    if (status == DET_OK) status = make_files(f, error);
    for (int i = 0; status == DET_OK && i < t->repeats; i++) status = run_once(f, t, i, error);
    if (status < 0) return status;
    t->peak_mb = cli_peak_memory_mb();
    if (values->json) status = cli_write_document(make_document(f, t), values->json, error);
    if (!values->json || strcmp(values->json, "-") != 0) print_timing(f, t);
    return status;
}

int cli_run_bench_eval(const cli_values *values)
{
    det_error error = {0};
    files f = {0};
    timing t = {.repeats = values->repeats == CLI_NOT_GIVEN ? DEFAULT_REPEATS : values->repeats,
                .threads = values->threads == CLI_NOT_GIVEN ? 0 : values->threads};
    for (int i = 0; i < STEPS; i++) t.ms[i] = cli_alloc((size_t)t.repeats, sizeof *t.ms[i]);
    const det_status status = bench(values, &f, &t, &error);
    for (int i = 0; i < STEPS; i++) free(t.ms[i]);
    remove_files(&f);
    return status < 0 ? cli_exit_status(&error) : CLI_DONE;
}
