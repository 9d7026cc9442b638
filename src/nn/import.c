/* SPDX-License-Identifier: Apache-2.0 */
/* det_model_import: reads weights and labels, writes a model file. */
#include "detect/json.h"
#include "detect/version.h"
#include "src/base/memory.h"
#include "src/nn/import_caffe.h"
#include "src/nn/labels.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { max_labels_bytes = 64 << 20 };

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static det_status check_options(const det_model_import_options *options, det_error *error)
{
    enum { max_side = 16384 };
    if (!options->weights) return det_fail(error, DET_ARGUMENT, "no weights are named");
    if (options->width < 0 || options->width > max_side || options->height < 0 ||
        options->height > max_side)
        return det_fail(error, DET_ARGUMENT, "an input of %dx%d; each side must be 1 to %d",
                        options->width, options->height, max_side);
    for (int i = 0; options->mean && i < 3; i++)
        if (!isfinite(options->mean[i]))
            return det_fail(error, DET_ARGUMENT, "the mean is not three finite numbers");
    return DET_OK;
}

/* Files that people take for a .caffemodel. */
static det_status check_kind(const det_bytes *bytes, det_error *error)
{
    static const char hdf5[] = "\x89HDF\r\n\x1a\n";
    if (bytes->size == 0) return det_fail(error, DET_FORMAT, "the file is empty");
    if (bytes->size >= 8 && memcmp(bytes->data, hdf5, 8) == 0)
        return det_fail(error, DET_UNSUPPORTED,
                        "weights in HDF5; save them as a binary .caffemodel");
    size_t printable = 0;
    const size_t looked_at = bytes->size < 256 ? bytes->size : 256;
    for (size_t i = 0; i < looked_at; i++) {
        const uint8_t byte = bytes->data[i];
        if (byte == '\t' || byte == '\n' || byte == '\r' || (byte >= 32 && byte < 127)) printable++;
    }
    if (printable < looked_at) return DET_OK;
    return det_fail(error, DET_UNSUPPORTED,
                    "a text file; a .prototxt describes a network but holds no weights, the "
                    "binary .caffemodel is needed");
}

/* ---- Classes -------------------------------------------------------------------------------- */

static det_status read_labels(const char *path, const det_bytes *labels, size_t expected,
                              det_model *model, det_error *error)
{
    det_status status = det_labels_parse((const char *)labels->data, labels->size, model, error);
    if (status == DET_OK && model->class_count != expected)
        status = det_fail(
            error, DET_FORMAT, "%zu classes, but layer '%s' of the network gives %zu probabilities",
            model->class_count, model->graph.nodes[model->probabilities].name, expected);
    return det_error_file(error, path, status);
}

/* ---- Provenance ----------------------------------------------------------------------------- */

static bool add_file(det_json *json, const char *key, const char *path, const det_bytes *bytes)
{
    char digest[DET_DIGEST_SIZE];
    const void *data = bytes->data;
    if (!det_digest(&data, &bytes->size, 1, digest)) return false;
    det_json_begin_object(json, key);
    det_json_string(json, "file", base_name(path));
    det_json_integer(json, "bytes", (int64_t)bytes->size);
    det_json_string(json, "digest", digest);
    det_json_end(json);
    return true;
}

/* Where the model comes from; no time, so that equal imports give equal files. */
static det_status describe(const det_model_import_options *options, const det_caffe_net *net,
                           const det_bytes *weights, const det_bytes *labels, det_model *model,
                           det_error *error)
{
    det_json *json = det_json_create();
    if (!json) return det_fail_memory(error, "the provenance");
    const char *text = NULL;
    det_json_begin_object(json, NULL);
    det_json_string(json, "tool", "detect");
    det_json_string(json, "tool_version", det_version());
    det_json_string(json, "format", net->old_format ? "caffe layers" : "caffe layer");
    if (net->net->name) det_json_string(json, "network", net->net->name);
    bool done = add_file(json, "weights", options->weights, weights);
    if (done && options->labels) done = add_file(json, "labels", options->labels, labels);
    det_json_end(json);
    if (done && det_json_finish(json, &text, NULL, error) == DET_OK)
        model->provenance = det_copy_string(text);
    det_json_free(json);
    return model->provenance ? DET_OK : det_fail_memory(error, "the provenance");
}

/* ---- All of it ------------------------------------------------------------------------------ */

static det_status read_network(const det_model_import_options *options, det_bytes *weights,
                               det_caffe_net *net, det_model *model, det_error *error)
{
    det_status status = det_file_read(options->weights, INT_MAX, weights, error);
    if (status == DET_OK) status = check_kind(weights, error);
    if (status == DET_OK) status = det_caffe_read(weights->data, weights->size, net, error);
    if (status == DET_OK) status = det_caffe_build(net, options, model, error);
    return det_error_file(error, options->weights, status);
}

static det_status add_classes(const det_model_import_options *options, det_bytes *labels,
                              det_model *model, det_error *error)
{
    const size_t count = (size_t)model->shapes[model->probabilities].channels;
    if (!options->labels) return det_labels_number(count, model, error);
    const det_status status = det_file_read(options->labels, max_labels_bytes, labels, error);
    return status < 0 ? status : read_labels(options->labels, labels, count, model, error);
}

det_status det_model_import(const det_model_import_options *options, const char *out_path,
                            det_error *error)
{
    det_bytes weights = {0}, labels = {0};
    det_caffe_net net = {0};
    det_model model = {0};
    det_status status = check_options(options, error);
    if (status == DET_OK) status = read_network(options, &weights, &net, &model, error);
    if (status == DET_OK) status = add_classes(options, &labels, &model, error);
    if (status == DET_OK) status = describe(options, &net, &weights, &labels, &model, error);
    if (status == DET_OK) status = det_model_write(&model, out_path, error);
    det_model_free_contents(&model);
    det_caffe_free(&net);
    det_bytes_free(&labels);
    det_bytes_free(&weights);
    return status;
}
