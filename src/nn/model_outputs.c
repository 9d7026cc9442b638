/* SPDX-License-Identifier: Apache-2.0 */
/* What a model gives, checked against its classes and priors: probabilities, box deltas, the map
 * that regions are pooled from, and the boxes of MultiBox. */
#include "src/base/error.h"
#include "src/nn/model_file.h"
#include "src/nn/region_layer.h"

#include <stdio.h>

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

static bool is_prior(det_box box)
{
    return box.x0 >= 0 && box.x0 < box.x1 && box.x1 <= 1 && box.y0 >= 0 && box.y0 < box.y1 &&
           box.y1 <= 1;
}

static det_status check_priors(const det_model *model, det_error *error)
{
    for (size_t i = 0; i < model->prior_count; i++) {
        const det_box box = model->priors[i];
        char place[40];
        if (is_prior(box)) continue;
        snprintf(place, sizeof place, "priors[%zu]", i);
        return det_fail_at(error, DET_FORMAT, NULL, place,
                           "[%g, %g, %g, %g] is no box in a picture of 1 x 1: corners x0 < x1 and "
                           "y0 < y1, from 0 to 1",
                           (double)box.x0, (double)box.y0, (double)box.x1, (double)box.y1);
    }
    return DET_OK;
}

static det_status check_multibox(const det_model *model, det_error *error)
{
    if (model->multibox == DET_NO_NODE) {
        if (model->prior_count == 0) return DET_OK;
        return det_fail_at(error, DET_FORMAT, NULL, "priors",
                           "%zu priors, but no layer moves them (outputs.multibox)",
                           model->prior_count);
    }
    const size_t values = det_shape_values(model->shapes[model->multibox]);
    if (model->prior_count > 0 && values == 5 * model->prior_count)
        return check_priors(model, error);
    return det_fail_at(error, DET_FORMAT, NULL, "outputs.multibox",
                       "layer '%s' gives %zu values; %zu priors have 5 each",
                       model->graph.nodes[model->multibox].name, values, model->prior_count);
}

det_status det_model_check_outputs(const det_model *model, det_error *error)
{
    det_status status = check_class_count(model, error);
    if (status == DET_OK) status = check_box_deltas(model, error);
    if (status == DET_OK) status = check_multibox(model, error);
    return status == DET_OK ? check_regions(model, error) : status;
}
