/* SPDX-License-Identifier: Apache-2.0 */
/* Model files: import, info, verify. */
#include "src/cli/model.h"

#include "detect/calibrate.h"
#include "detect/data.h"
#include "src/cli/commands.h"
#include "src/cli/document.h"
#include "src/cli/input.h"
#include "src/cli/progress.h"
#include "src/cli/report.h"

#include <stdlib.h>
#include <string.h>

static det_layer_info layer_at(const det_model *model, size_t index)
{
    det_layer_info info = {0};
    det_model_layer(model, index, &info); /* fails for an index out of range alone */
    return info;
}

cli_totals cli_model_totals(const det_model *model)
{
    cli_totals sum = {0};
    for (size_t i = 0; i < det_model_layer_count(model); i++) {
        const det_layer_info info = layer_at(model, i);
        sum.parameters += info.parameters;
        sum.macs += info.macs;
    }
    return sum;
}

det_status cli_check_models(const det_config *config, const char *command, det_error *error)
{
    if (config->classifier.model_count > 0) return DET_OK;
    return cli_fail(
        error, DET_ARGUMENT,
        "there is no model to classify with. Name one: detect %s--model FILE photo.jpg, "
        "or in classifier.models of a --config file.\n"
        "To make one from Caffe's GoogLeNet: detect model import "
        "bvlc_googlenet.caffemodel --labels synset_words.txt -o googlenet.safetensors\n"
        "To see where objects may be, without a model: detect propose --draw out "
        "photo.jpg",
        command);
}

void cli_print_steps(FILE *stream, const det_network *network)
{
    fprintf(stream, "%s in %s, %zu steps:\n", det_model_path(det_network_model(network)),
            det_precision_name(det_network_precision(network)), det_network_step_count(network));
    for (size_t i = 0; i < det_network_step_count(network); i++) {
        const char *layer, *implementation;
        det_network_step(network, i, &layer, &implementation);
        fprintf(stream, "  %-32s  %s\n", layer, implementation);
    }
}

/** "FILE: 142 layers, 6,998,552 parameters, 1,000 classes, xxh3-128:..." */
static void print_summary(const det_model *model, const char *word)
{
    char layers[32], parameters[32], classes[32];
    printf("%s: %s%s layers, %s parameters, %s classes, %s\n", det_model_path(model), word,
           cli_group_digits(det_model_layer_count(model), layers),
           cli_group_digits(cli_model_totals(model).parameters, parameters),
           cli_group_digits(det_model_class_count(model), classes), det_model_digest(model));
}

static void print_agreement(const det_agreement *agreement)
{
    char bits[32] = "";
    if (agreement->precision == DET_INT8)
        snprintf(bits, sizeof bits, ", weights of %d bits", agreement->weight_bits);
    printf(
        "           %s%s: %.1f %% name the same class as in f32, its probability changes by %.4f "
        "(%zu regions): %s\n",
        det_precision_name(agreement->precision), bits, 100 * agreement->same_class,
        agreement->change, agreement->regions, agreement->verified ? "verified" : "not verified");
}

/** What the model's calibration says, and what "auto" makes of it here. */
static void print_precisions(const det_model *model)
{
    size_t weighted = 0, integer = 0;
    if (!det_model_is_calibrated(model)) {
        puts("Precision  f32, bf16; not calibrated for int8");
        return;
    }
    for (size_t i = 0; i < det_model_layer_count(model); i++) {
        const det_layer_info info = layer_at(model, i);
        weighted += info.weighted;
        integer += info.integer;
    }
    printf("Precision  int8 in %zu of the %zu layers with weights; kept higher:", integer,
           weighted);
    const char *separator = " ";
    for (size_t i = 0; i < det_model_layer_count(model); i++) {
        const det_layer_info info = layer_at(model, i);
        if (!info.weighted || info.integer) continue;
        printf("%s%s", separator, info.name);
        separator = ", ";
    }
    puts(integer == weighted ? " none" : "");
    for (size_t i = 0; i < det_model_agreement_count(model); i++)
        print_agreement(det_model_agreement(model, i));
    printf("           auto on this processor: %s\n",
           det_precision_name(det_fastest_precision(&model, 1)));
}

static det_status open_and_summarise(const char *path, const char *word, det_error *error)
{
    det_model *model = NULL;
    const det_status status = det_model_open(path, &model, error);
    if (status == DET_OK) print_summary(model, word);
    det_model_free(model);
    return status;
}

/* ---- import --------------------------------------------------------------------------------- */

static det_status parse_mean(const char *text, float mean[3], det_error *error)
{
    const char *at = text;
    for (int i = 0; i < 3; i++) {
        char *end;
        mean[i] = strtof(at, &end);
        if (end == at || *end != (i < 2 ? ',' : '\0') || !(mean[i] >= -1e6f && mean[i] <= 1e6f))
            return cli_fail(error, DET_ARGUMENT,
                            "--mean takes three numbers, blue, green and red: 104,117,123, not "
                            "'%s'",
                            text);
        at = end + 1;
    }
    return DET_OK;
}

static det_status import(const cli_values *values, det_error *error)
{
    float mean[3];
    const char *weights = values->operands.items[0];
    if (!values->output)
        return cli_fail(error, DET_ARGUMENT,
                        "where to? Name the model file: --output model.safetensors");
    if (cli_same_file(weights, values->output))
        return cli_fail(error, DET_ARGUMENT, "--output %s would overwrite the weights",
                        values->output);
    if (values->mean && parse_mean(values->mean, mean, error) < 0) return error->status;

    const det_model_import_options options = {
        .weights = weights,
        .labels = values->labels,
        .width = values->width == CLI_NOT_GIVEN ? 0 : values->width,
        .height = values->height == CLI_NOT_GIVEN ? 0 : values->height,
        .mean = values->mean ? mean : NULL};
    const det_status status = det_model_import(&options, values->output, error);
    return status < 0 ? status : open_and_summarise(values->output, "", error);
}

int cli_run_model_import(const cli_values *values)
{
    det_error error = {0};
    return import(values, &error) < 0 ? cli_exit_status(&error) : CLI_DONE;
}

/* ---- verify --------------------------------------------------------------------------------- */

int cli_run_model_verify(const cli_values *values)
{
    det_error error = {0};
    const char *path = values->operands.items[0];
    det_status status = det_model_verify(path, &error);
    if (status == DET_OK) status = open_and_summarise(path, "ok: ", &error);
    return status < 0 ? cli_exit_status(&error) : CLI_DONE;
}

/* ---- calibrate ------------------------------------------------------------------------------ */

static det_status run_calibration(const cli_values *values, const det_inputs *images,
                                  det_error *error)
{
    cli_progress progress = cli_progress_begin(0, "step", values->quiet);
    const det_run run = {.threads = values->threads == CLI_NOT_GIVEN ? 0 : values->threads,
                         .progress = cli_progress_step,
                         .progress_context = &progress};
    const det_calibration_options options = {
        .regions = values->sample == CLI_NOT_GIVEN ? 0 : (size_t)values->sample};
    const det_status status =
        det_model_calibrate(values->operands.items[0], (const char *const *)images->paths,
                            images->count, &options, values->output, &run, error);
    cli_progress_clear(&progress);
    return status;
}

static det_status show_calibration(const char *path, det_error *error)
{
    det_model *model = NULL;
    const det_status status = det_model_open(path, &model, error);
    if (status == DET_OK) {
        print_summary(model, "");
        print_precisions(model);
    }
    det_model_free(model);
    return status;
}

static det_status calibrate(const cli_values *values, det_error *error)
{
    if (!values->output)
        return cli_fail(error, DET_ARGUMENT,
                        "where to? Name the model file: --output model-int8.safetensors");
    if (values->calibration.count == 0)
        return cli_fail(error, DET_ARGUMENT,
                        "which pictures? Name some like those that the model will meet: --images "
                        "FOLDER");
    det_inputs images = {0};
    det_status status = det_inputs_expand(values->calibration.items, values->calibration.count,
                                          values->recursive, &images, error);
    if (status == DET_OK) status = run_calibration(values, &images, error);
    if (status == DET_OK) status = show_calibration(values->output, error);
    det_inputs_free(&images);
    return status;
}

int cli_run_model_calibrate(const cli_values *values)
{
    det_error error = {0};
    return calibrate(values, &error) < 0 ? cli_exit_status(&error) : CLI_DONE;
}

/* ---- info ----------------------------------------------------------------------------------- */

static void print_classes(const det_model *model)
{
    enum { SHOWN = 5 };
    char number[32];
    const size_t count = det_model_class_count(model);
    printf("Classes    %s: ", cli_group_digits(count, number));
    for (size_t i = 0; i < count && i < SHOWN; i++)
        printf("%s%s", i ? "; " : "", det_model_class_name(model, i));
    puts(count > SHOWN ? "; ... (all: --json -)" : "");
}

static const struct {
    det_model_role role;
    const char *name, *key;
} outputs[] = {
    {DET_ROLE_PROBABILITIES, "probabilities", "probabilities"},
    {DET_ROLE_FEATURES, "features", "features"},
    {DET_ROLE_BOX_DELTAS, "box deltas", "box_deltas"},
    {DET_ROLE_REGIONS, "regions", "regions"},
    {DET_ROLE_MULTIBOX, "MultiBox", "multibox"},
};

enum { output_count = sizeof outputs / sizeof *outputs };

static void print_outputs(const det_model *model)
{
    const char *separator = "";
    printf("Outputs    ");
    for (int i = 0; i < output_count; i++) {
        const char *layer = det_model_output(model, outputs[i].role);
        if (!layer) continue;
        printf("%s%s from %s", separator, outputs[i].name, layer);
        if (outputs[i].role == DET_ROLE_MULTIBOX)
            printf(" (%zu priors)", det_model_prior_count(model));
        separator = ", ";
    }
    puts(*separator ? "" : "none");
}

static void write_outputs(det_json *json, const det_model *model)
{
    det_json_begin_object(json, "outputs");
    for (int i = 0; i < output_count; i++)
        det_json_string(json, outputs[i].key, det_model_output(model, outputs[i].role));
    det_json_end(json);
}

static void write_priors(det_json *json, const det_model *model)
{
    det_json_begin_array(json, "priors");
    for (size_t i = 0; i < det_model_prior_count(model); i++) {
        const det_box box = det_model_prior(model, i);
        const float corners[] = {box.x0, box.y0, box.x1, box.y1};
        det_json_begin_array(json, NULL);
        for (int c = 0; c < 4; c++) det_json_number(json, NULL, (double)corners[c]);
        det_json_end(json);
    }
    det_json_end(json);
}

static void print_head(const det_model *model)
{
    const det_model_input *input = det_model_get_input(model);
    printf("File       %s\n", det_model_path(model));
    printf("Digest     %s\n", det_model_digest(model));
    printf("Input      %d x %d pixels, %s, minus %g %g %g, times %g %g %g\n", input->width,
           input->height, input->channel_order, (double)input->mean[0], (double)input->mean[1],
           (double)input->mean[2], (double)input->scale[0], (double)input->scale[1],
           (double)input->scale[2]);
    printf("Crops      %s, %d px of context on each side\n", input->interpolation,
           input->context_px);
    print_classes(model);
    print_outputs(model);
    print_precisions(model);
}

static const char *shape_text(const int64_t shape[3], char text[64])
{
    snprintf(text, 64, "%lldx%lldx%lld", (long long)shape[0], (long long)shape[1],
             (long long)shape[2]);
    return text;
}

static int name_width(const det_model *model)
{
    size_t widest = strlen("Layer");
    for (size_t i = 0; i < det_model_layer_count(model); i++) {
        const size_t width = strlen(layer_at(model, i).name);
        if (width > widest) widest = width;
    }
    return widest < 60 ? (int)widest : 60;
}

static void print_layers(const det_model *model)
{
    char input[64], output[64], parameters[32];
    const int width = name_width(model);
    printf("\n%-*s  %-13s  %-13s  %-13s  %11s  %10s\n", width, "Layer", "Operation", "Input",
           "Output", "Parameters", "MMAC");
    for (size_t i = 0; i < det_model_layer_count(model); i++) {
        const det_layer_info info = layer_at(model, i);
        printf("%-*s  %-13s  %-13s  %-13s  %11s  %10.3f\n", width, info.name, info.op,
               shape_text(info.input, input), shape_text(info.output, output),
               cli_group_digits(info.parameters, parameters), (double)info.macs * 1e-6);
    }
    const cli_totals sum = cli_model_totals(model);
    snprintf(input, sizeof input, "%zu layers", det_model_layer_count(model));
    printf("%-*s  %-13s  %-13s  %-13s  %11s  %10.3f\n", width, "Total", input, "", "",
           cli_group_digits(sum.parameters, parameters), (double)sum.macs * 1e-6);
}

static void write_input(det_json *json, const det_model_input *input)
{
    det_json_begin_object(json, "input");
    det_json_integer(json, "width", input->width);
    det_json_integer(json, "height", input->height);
    det_json_string(json, "channel_order", input->channel_order);
    det_json_begin_array(json, "mean");
    for (int i = 0; i < 3; i++) det_json_number(json, NULL, input->mean[i]);
    det_json_end(json);
    det_json_begin_array(json, "scale");
    for (int i = 0; i < 3; i++) det_json_number(json, NULL, input->scale[i]);
    det_json_end(json);
    det_json_string(json, "interpolation", input->interpolation);
    det_json_integer(json, "context_px", input->context_px);
    det_json_end(json);
}

static void write_classes(det_json *json, const det_model *model)
{
    det_json_begin_array(json, "classes");
    for (size_t i = 0; i < det_model_class_count(model); i++) {
        const int64_t category = det_model_class_category(model, i);
        det_json_begin_object(json, NULL);
        det_json_string(json, "name", det_model_class_name(model, i));
        if (category >= 0) det_json_integer(json, "category_id", category);
        det_json_end(json);
    }
    det_json_end(json);
}

static void write_shape(det_json *json, const char *key, const int64_t shape[3])
{
    det_json_begin_array(json, key);
    for (int i = 0; i < 3; i++) det_json_integer(json, NULL, shape[i]);
    det_json_end(json);
}

static void write_layers(det_json *json, const det_model *model)
{
    det_json_begin_array(json, "layers");
    for (size_t i = 0; i < det_model_layer_count(model); i++) {
        const det_layer_info info = layer_at(model, i);
        det_json_begin_object(json, NULL);
        det_json_string(json, "name", info.name);
        det_json_string(json, "op", info.op);
        write_shape(json, "input", info.input);
        write_shape(json, "output", info.output);
        det_json_integer(json, "parameters", (int64_t)info.parameters);
        det_json_integer(json, "macs", (int64_t)info.macs);
        if (info.weighted && det_model_is_calibrated(model))
            det_json_bool(json, "int8", info.integer);
        det_json_end(json);
    }
    det_json_end(json);
}

static void write_precisions(det_json *json, const det_model *model)
{
    det_json_bool(json, "calibrated", det_model_is_calibrated(model));
    det_json_begin_array(json, "agreement");
    for (size_t i = 0; i < det_model_agreement_count(model); i++) {
        const det_agreement *agreement = det_model_agreement(model, i);
        det_json_begin_object(json, NULL);
        det_json_string(json, "precision", det_precision_name(agreement->precision));
        if (agreement->precision == DET_INT8)
            det_json_integer(json, "weight_bits", agreement->weight_bits);
        det_json_integer(json, "regions", (int64_t)agreement->regions);
        det_json_number(json, "same_class", agreement->same_class);
        det_json_number(json, "change", agreement->change);
        det_json_bool(json, "verified", agreement->verified);
        det_json_end(json);
    }
    det_json_end(json);
}

static det_json *make_document(const det_model *model)
{
    const cli_totals sum = cli_model_totals(model);
    det_json *json = det_json_create();
    if (!json) return NULL;
    det_json_begin_object(json, NULL);
    det_json_integer(json, "schema_version", 1);
    det_json_string(json, "file", det_model_path(model));
    det_json_string(json, "digest", det_model_digest(model));
    write_input(json, det_model_get_input(model));
    write_classes(json, model);
    write_outputs(json, model);
    write_priors(json, model);
    write_layers(json, model);
    det_json_integer(json, "parameters", (int64_t)sum.parameters);
    det_json_integer(json, "macs", (int64_t)sum.macs);
    write_precisions(json, model);
    det_json_raw(json, "provenance", det_model_provenance(model));
    det_json_end(json);
    return json;
}

static det_status show(const det_model *model, const cli_values *values, det_error *error)
{
    det_status status = DET_OK;
    if (values->json) status = cli_write_document(make_document(model), values->json, error);
    if (values->json && strcmp(values->json, "-") == 0) return status;
    if (values->provenance) {
        puts(det_model_provenance(model));
        return status;
    }
    print_head(model);
    print_layers(model);
    return status;
}

int cli_run_model_info(const cli_values *values)
{
    det_error error = {0};
    det_model *model = NULL;
    det_status status = det_model_open(values->operands.items[0], &model, &error);
    if (status == DET_OK) status = show(model, values, &error);
    det_model_free(model);
    return status < 0 ? cli_exit_status(&error) : CLI_DONE;
}
