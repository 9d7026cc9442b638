/* SPDX-License-Identifier: Apache-2.0 */
/* What a model gives, checked against its classes: probabilities, box deltas, and the map that
 * regions are pooled from. */
#include "src/base/error.h"
#include "src/nn/model_file.h"
#include "src/nn/region_layer.h"

/* A probability for each class and for the background, no more and no fewer. */
static det_status check_class_count(const det_model *model, det_error *error)
{
    if (model->probabilities == DET_NO_NODE) return DET_OK;
    const int channels = model->shapes[model->probabilities].channels;
    const size_t expected = model->class_count + (model->background_index >= 0 ? 1 : 0);
    if ((size_t)channels != expected)
        return det_fail_at(error, DET_FORMAT, NULL, "classes",
                           "%zu classes%s, but layer '%s' gives %d probabilities",
                           model->class_count,
                           model->background_index >= 0 ? " and the background" : "",
                           model->graph.nodes[model->probabilities].name, channels);
    if (model->background_index < channels) return DET_OK;
    return det_fail_at(error, DET_FORMAT, NULL, "background_index",
                       "%d, but there are %d probabilities", model->background_index, channels);
}

static det_status check_box_deltas(const det_model *model, det_error *error)
{
    if (model->box_deltas == DET_NO_NODE) return DET_OK;
    const size_t values = det_shape_values(model->shapes[model->box_deltas]);
    if (values == 4 || values == 4 * model->class_count) return DET_OK;
    return det_fail_at(error, DET_FORMAT, NULL, "outputs.box_deltas",
                       "layer '%s' gives %zu values a region; %zu classes have 4 each, or 4 in all",
                       model->graph.nodes[model->box_deltas].name, values, model->class_count);
}

/* Where a region's map does not lead to what is wanted of it. */
static det_status check_way(const det_model *model, int output, det_error *error)
{
    if (output == DET_NO_NODE) return DET_OK;
    const det_status status = det_region_layer_check(&model->graph, model->regions, output, error);
    if (status == DET_ARGUMENT && error) error->status = DET_FORMAT;
    return status == DET_ARGUMENT ? DET_FORMAT : status;
}

static det_status check_regions(const det_model *model, det_error *error)
{
    if (model->regions == DET_NO_NODE) return DET_OK;
    det_cells cells;
    det_status status = det_region_layer_cells(&model->graph, model->regions, &cells, error);
    if (status == DET_OK) status = check_way(model, model->probabilities, error);
    if (status == DET_OK) status = check_way(model, model->box_deltas, error);
    return det_error_inside(error, "outputs.regions", ": ", status);
}

det_status det_model_check_outputs(const det_model *model, det_error *error)
{
    det_status status = check_class_count(model, error);
    if (status == DET_OK) status = check_box_deltas(model, error);
    return status == DET_OK ? check_regions(model, error) : status;
}
