/* SPDX-License-Identifier: Apache-2.0 */
/* A run over pictures: settings, inputs and outputs are checked first, then each picture is read,
 * processed, drawn and written, one after the other. */
#include "src/cli/pictures.h"

#include "detect/detector.h"
#include "detect/json.h"
#include "src/cli/drawn.h"
#include "src/cli/input.h"
#include "src/cli/progress.h"
#include "src/cli/report.h"
#include "src/cli/small_boxes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Settings ------------------------------------------------------------------------------- */

det_status cli_set_text(det_config *config, const char *key, const char *value, det_error *error)
{
    const char *text;
    det_json *json = det_json_create();
    if (!json) return cli_fail(error, DET_MEMORY, "out of memory");
    det_json_string(json, NULL, value);
    det_status status = det_json_finish(json, &text, NULL, error);
    if (status == DET_OK) {
        char *assignment = cli_format("%s=%s", key, text);
        status = det_config_set(config, assignment, error);
        free(assignment);
    }
    det_json_free(json);
    return status;
}

/** classifier.models=["a.safetensors", ...], in JSON, because a name may hold any character. */
static det_status set_models(det_config *config, const cli_list *models, det_error *error)
{
    if (models->count == 0) return DET_OK;
    const char *text;
    det_json *json = det_json_create();
    if (!json) return cli_fail(error, DET_MEMORY, "out of memory");
    det_json_begin_array(json, NULL);
    for (size_t i = 0; i < models->count; i++) det_json_string(json, NULL, models->items[i]);
    det_json_end(json);
    det_status status = det_json_finish(json, &text, NULL, error);
    if (status == DET_OK) {
        char *assignment = cli_format("classifier.models=%s", text);
        status = det_config_set(config, assignment, error);
        free(assignment);
    }
    det_json_free(json);
    return status;
}

static det_status set_method(det_config *config, const char *method, det_error *error)
{
    return method ? cli_set_text(config, "proposals.methods", method, error) : DET_OK;
}

static det_status set_threads(det_config *config, int threads, det_error *error)
{
    if (threads == CLI_NOT_GIVEN) return DET_OK;
    char assignment[40];
    snprintf(assignment, sizeof assignment, "runtime.threads=%d", threads);
    return det_config_set(config, assignment, error);
}

det_status cli_pictures_configure(cli_pictures *pictures, const cli_values *values,
                                  det_error *error)
{
    pictures->values = values;
    det_status status = values->config ? det_config_load(values->config, &pictures->config, error)
                                       : det_config_create(&pictures->config, error);
    if (status == DET_OK) status = set_models(pictures->config, &values->models, error);
    if (status == DET_OK) status = set_method(pictures->config, values->method, error);
    if (status == DET_OK) status = set_threads(pictures->config, values->threads, error);
    for (size_t i = 0; status == DET_OK && i < values->settings.count; i++)
        status = det_config_set(pictures->config, values->settings.items[i], error);
    /* A model that cannot be read is complained of where it is wanted. */
    if (status == DET_OK) det_detector_configure(pictures->config, NULL);
    return status;
}

size_t cli_methods(const det_config *config, const char *names[CLI_METHODS])
{
    const struct {
        bool used;
        det_source source;
    } methods[CLI_METHODS] = {
        {config->proposals.selective_search, DET_SOURCE_SELECTIVE_SEARCH},
        {config->proposals.multibox, DET_SOURCE_MULTIBOX},
        {config->proposals.uniform, DET_SOURCE_UNIFORM},
        {config->proposals.sliding, DET_SOURCE_SLIDING},
    };
    size_t count = 0;
    for (size_t i = 0; i < CLI_METHODS; i++)
        if (methods[i].used) names[count++] = det_source_name(methods[i].source);
    return count;
}

/* ---- Inputs and outputs --------------------------------------------------------------------- */

/** The result must not replace what it is made from. */
static det_status check_output(const cli_pictures *pictures, det_error *error)
{
    const char *output = pictures->values->output, *config = pictures->values->config;
    const char *annotations = pictures->values->annotations;
    const det_inputs *inputs = &pictures->inputs;
    if (!output) return cli_check_stdout(error);
    if (access(output, F_OK) != 0) return DET_OK;
    bool same = config && cli_same_file(config, output);
    same = same || (annotations && cli_same_file(annotations, output));
    for (size_t i = 0; !same && i < inputs->count; i++)
        same = cli_same_file(inputs->paths[i], output);
    for (size_t i = 0; !same && i < pictures->config->classifier.model_count; i++)
        same = cli_same_file(pictures->config->classifier.models[i], output);
    if (!same) return DET_OK;
    return cli_fail(error, DET_ARGUMENT, "--output %s would overwrite a file that is to be read",
                    output);
}

static det_status check_standard_input(const det_inputs *inputs, det_error *error)
{
    for (size_t i = 0; i < inputs->count; i++)
        if (strcmp(inputs->paths[i], "-") == 0 && isatty(STDIN_FILENO))
            return cli_fail(error, DET_ARGUMENT,
                            "- reads a picture from standard input, which is a terminal; redirect "
                            "it: detect ... - < photo.jpg");
    return DET_OK;
}

static det_status plan_drawings(cli_pictures *pictures, det_error *error)
{
    const char *draw = pictures->values->draw, *segments = pictures->values->segments;
    const det_inputs *inputs = &pictures->inputs;
    det_status status = DET_OK;
    if (draw) status = cli_drawn_plan("--draw", draw, false, inputs, &pictures->drawn, error);
    if (segments && status == DET_OK)
        status = cli_drawn_plan("--segments", segments, true, inputs, &pictures->segments, error);
    if (draw && segments && status == DET_OK && cli_same_file(draw, segments))
        status = cli_fail(error, DET_ARGUMENT,
                          "--draw and --segments name one folder; each needs its own, so that no "
                          "picture is overwritten");
    return status;
}

static det_status expand_inputs(cli_pictures *pictures, det_error *error)
{
    const cli_values *values = pictures->values;
    if (values->operands.count > 0 || !pictures->truth)
        return det_inputs_expand(values->operands.items, values->operands.count, values->recursive,
                                 &pictures->inputs, error);
    const size_t count = pictures->truth->annotations->image_count;
    char **paths = cli_truth_paths(pictures->truth);
    const det_status status =
        det_inputs_expand((const char *const *)paths, count, false, &pictures->inputs, error);
    cli_truth_paths_free(paths, count);
    return status;
}

det_status cli_pictures_open(cli_pictures *pictures, det_error *error)
{
    det_status status = expand_inputs(pictures, error);
    if (status == DET_OK) status = check_standard_input(&pictures->inputs, error);
    if (status == DET_OK) status = check_output(pictures, error);
    if (status == DET_OK) status = plan_drawings(pictures, error);
    return status;
}

static det_status open_writer(const cli_pictures *pictures, const cli_task *task,
                              det_writer **writer, det_error *error)
{
    const cli_values *values = pictures->values;
    if (task->unwritten) return DET_OK;
    det_writer_options options = {.output = values->output,
                                  .stream_fd = STDOUT_FILENO,
                                  .timings = values->timings,
                                  .append = task->append,
                                  .proposals = task->proposals,
                                  .labels = task->labels,
                                  .annotations = values->annotations,
                                  .inputs = &pictures->inputs,
                                  .info = task->info};
    const char *format = values->format ? values->format : "json";
    const det_status status = det_format_parse(format, &options.format, error);
    return status < 0 ? status : det_writer_open(&options, writer, error);
}

/* ---- The loop ------------------------------------------------------------------------------- */

typedef struct picture_loop {
    const cli_pictures *pictures;
    const cli_task *task;
    det_writer *writer;
    cli_progress progress;
    cli_small_boxes small_boxes;
    size_t failures;
} picture_loop;

static double milliseconds_since(double began_s)
{
    return (cli_now_s() - began_s) * 1e3;
}

static det_status read_picture(const picture_loop *loop, const char *file, det_image *image,
                               det_error *error)
{
    const det_config *config = loop->pictures->config;
    const det_image_limits limits = {.max_pixels = config->limits.max_pixels,
                                     .max_file_bytes = config->limits.max_file_bytes};
    return cli_input_read(file, &limits, image, error);
}

static det_run run_of(picture_loop *loop, double began_s)
{
    const det_config *config = loop->pictures->config;
    const double timeout_s = config->limits.timeout_s;
    return (det_run){.threads = config->runtime.threads,
                     .progress = cli_progress_step,
                     .progress_context = &loop->progress,
                     .deadline_s = timeout_s > 0 ? began_s + timeout_s : 0};
}

static det_status process(picture_loop *loop, det_image *image, det_result *result,
                          cli_segments *segments, det_error *error)
{
    const cli_task *task = loop->task;
    const double began_s = cli_now_s();
    const det_run run = run_of(loop, began_s);

    det_status status = read_picture(loop, result->file, image, error);
    const double decode_ms = milliseconds_since(began_s);
    if (status == DET_OK) {
        result->width = image->width;
        result->height = image->height;
        status = task->process(task->context, image, &run, result, error);
    }
    if (status == DET_OK && loop->pictures->segments)
        status = task->segment(task->context, image, &run, segments, error);
    result->timings.decode_ms = decode_ms;
    result->timings.total_ms = milliseconds_since(began_s);
    if (status == DET_OK && task->measure)
        status = task->measure(task->context, image, &run, result, error);
    return status;
}

/** Counts and reports a failure that leaves the other pictures alone. */
static void report_failure(picture_loop *loop, const char *file, det_error *error)
{
    if (!error->file[0]) snprintf(error->file, sizeof error->file, "%s", file);
    if (error->status == DET_CANCELLED && !error->where[0])
        strcpy(error->where, "limits.timeout_s"); /* signals do not come here */
    cli_report(error);
    loop->failures++;
}

static void say_result(const picture_loop *loop, const det_result *result,
                       const cli_segments *segments)
{
    if (result->error.status < 0) return;
    const cli_task *task = loop->task;
    fprintf(stderr, "detect: %s: %d x %d pixels", result->file, result->width, result->height);
    if (!task->labels) fprintf(stderr, ", %zu regions", result->proposal_count);
    if (!task->labels && !task->proposals)
        fprintf(stderr, ", %zu detections", result->detection_count);
    if (segments->count > 0) fprintf(stderr, ", %d segments", segments->count);
    fprintf(stderr, ", %.0f ms\n", result->timings.total_ms);
    cli_small_boxes_say(result, loop->pictures->config);
}

/** Draws the result onto the picture and writes what --draw and --segments ask for. */
static void write_drawings(picture_loop *loop, size_t index, det_image *image,
                           const det_result *result, const cli_segments *segments)
{
    det_error error = {0};
    const cli_pictures *pictures = loop->pictures;
    if (pictures->segments) {
        const char *path = pictures->segments[index];
        if (det_image_write(&segments->drawn, path, &error) < 0) report_failure(loop, path, &error);
    }
    if (pictures->drawn) {
        const char *path = pictures->drawn[index];
        det_status status = loop->task->draw(loop->task->context, result, image, &error);
        if (status == DET_OK) status = det_image_write(image, path, &error);
        if (status < 0) report_failure(loop, path, &error);
    }
}

/** What is done with the result of picture `index`, or with the failure in its error.
 *  @return a failure only where the run has to end. */
static det_status conclude_picture(picture_loop *loop, size_t index, det_image *image,
                                   det_result *result, const cli_segments *segments,
                                   det_error *error)
{
    cli_progress_clear(&loop->progress);
    loop->progress.done++;
    if (cli_stop_signal()) return cli_fail(error, DET_CANCELLED, "interrupted");
    if (result->error.status < 0) report_failure(loop, result->file, &result->error);
    if (loop->pictures->values->verbose) say_result(loop, result, segments);
    cli_small_boxes_count(&loop->small_boxes, result);
    if (result->error.status == DET_OK) write_drawings(loop, index, image, result, segments);
    return loop->writer ? det_writer_add(loop->writer, result, error) : DET_OK;
}

static det_status do_picture(picture_loop *loop, size_t index, det_error *error)
{
    det_image image = {0};
    det_result result = {.file = loop->pictures->inputs.paths[index]};
    cli_segments segments = {0};
    det_error failure = {0};
    process(loop, &image, &result, &segments, &failure);
    result.error = failure;
    const det_status status = conclude_picture(loop, index, &image, &result, &segments, error);
    det_result_free(&result);
    det_image_free(&segments.drawn);
    det_image_free(&image);
    return status;
}

/** The pictures that are worked on together. */
typedef struct picture_group {
    picture_loop *loop;
    size_t count;
    det_result *results;
    double *decode_ms;
} picture_group;

static det_status read_of_group(void *context, size_t index, det_image *image, det_error *error)
{
    picture_group *group = context;
    const double began_s = cli_now_s();
    const det_status status = read_picture(group->loop, group->results[index].file, image, error);
    group->decode_ms[index] = milliseconds_since(began_s);
    return status;
}

static void process_group(picture_group *group)
{
    const cli_task *task = group->loop->task;
    const det_picture_source source = {group, read_of_group};
    const det_run run = run_of(group->loop, cli_now_s());
    det_error error = {0};
    const det_status status =
        task->process_many(task->context, &source, group->count, &run, group->results, &error);
    for (size_t i = 0; i < group->count; i++) {
        det_result *result = &group->results[i];
        result->timings.decode_ms = group->decode_ms[i];
        result->timings.total_ms += group->decode_ms[i];
        if (status < 0) result->error = error;
    }
}

static det_status do_group(picture_loop *loop, size_t first, size_t count, det_error *error)
{
    picture_group group = {.loop = loop,
                           .count = count,
                           .results = cli_alloc(count, sizeof(det_result)),
                           .decode_ms = cli_alloc(count, sizeof(double))};
    for (size_t i = 0; i < count; i++)
        group.results[i] = (det_result){.file = loop->pictures->inputs.paths[first + i]};
    process_group(&group);
    det_status status = DET_OK;
    for (size_t i = 0; i < count; i++) {
        if (status == DET_OK)
            status = conclude_picture(loop, first + i, NULL, &group.results[i], &(cli_segments){0},
                                      error);
        det_result_free(&group.results[i]);
    }
    free(group.decode_ms);
    free(group.results);
    return status;
}

static det_status do_all(picture_loop *loop, det_error *error)
{
    const size_t count = loop->pictures->inputs.count, together = loop->task->together;
    det_status status = DET_OK;
    if (!loop->task->process_many || together < 2) {
        for (size_t i = 0; status == DET_OK && i < count; i++) status = do_picture(loop, i, error);
        return status;
    }
    for (size_t i = 0; status == DET_OK && i < count; i += together)
        status = do_group(loop, i, count - i < together ? count - i : together, error);
    return status;
}

size_t cli_pictures_together(const cli_pictures *pictures, size_t steps)
{
    const det_config *config = pictures->config;
    const det_inputs *inputs = &pictures->inputs;
    if (config->limits.timeout_s > 0) return 1;
    for (size_t i = 0; i < inputs->count; i++)
        if (strcmp(inputs->paths[i], "-") == 0) return 1;
    const size_t fill = config->classifier.batch / steps;
    const size_t together = fill < inputs->count ? fill : inputs->count;
    return together > 1 ? together : 1;
}

/** Ends the output. An interrupted run leaves no file, but what went to standard output so far is
 *  made a whole document. */
static det_status finish(picture_loop *loop, det_status status, det_error *error)
{
    det_error ignored;
    if (status == DET_OK) return loop->writer ? det_writer_close(loop->writer, error) : DET_OK;
    if (loop->writer && cli_stop_signal() && !loop->pictures->values->output)
        det_writer_close(loop->writer, &ignored);
    else
        det_writer_abandon(loop->writer);
    return status;
}

det_status cli_pictures_work(cli_pictures *pictures, const cli_task *task, size_t *failures,
                             det_error *error)
{
    const size_t count = pictures->inputs.count;
    picture_loop loop = {.pictures = pictures,
                         .task = task,
                         .progress =
                             cli_progress_begin(count, task->unit, pictures->values->quiet)};
    det_status status = open_writer(pictures, task, &loop.writer, error);
    if (status < 0) return status;

    status = do_all(&loop, error);
    status = finish(&loop, status, error);
    if (status == DET_OK && task->conclude) status = task->conclude(task->context, error);
    if (status < 0) return status;
    if (!pictures->values->quiet) cli_small_boxes_advise(&loop.small_boxes, pictures->config);
    if (loop.failures > 0 && count > 1)
        fprintf(stderr, "detect: %zu pictures, failures: %zu\n", count, loop.failures);
    *failures = loop.failures;
    return DET_OK;
}

int cli_pictures_run(cli_pictures *pictures, const cli_task *task)
{
    size_t failures = 0;
    det_error error = {0};
    if (cli_pictures_work(pictures, task, &failures, &error) < 0) return cli_exit_status(&error);
    return failures > 0 ? CLI_FAILED : CLI_DONE;
}

void cli_pictures_free(cli_pictures *pictures)
{
    cli_drawn_free(pictures->drawn, pictures->inputs.count);
    cli_drawn_free(pictures->segments, pictures->inputs.count);
    det_inputs_free(&pictures->inputs);
    det_config_free(pictures->config);
    *pictures = (cli_pictures){0};
}
