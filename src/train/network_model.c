/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/network_model.h"

#include "detect/json.h"
#include "detect/version.h"
#include "src/base/memory.h"
#include "src/nn/folding.h"

#include <string.h>

/* ---- Provenance ----------------------------------------------------------------------------- */

static void write_provenance(det_json *json, const det_network_provenance *p)
{
    det_json_begin_object(json, NULL);
    det_json_string(json, "tool", "detect train");
    det_json_string(json, "version", det_version());
    det_json_string(json, "procedure", p->procedure);
    det_json_begin_object(json, "network");
    det_json_string(json, "digest", det_model_digest(p->source));
    det_json_raw(json, "provenance", det_model_provenance(p->source));
    det_json_end(json);
    det_json_integer(json, "images", (int64_t)p->images);
    det_json_string(json, "pictures_digest", p->pictures_digest);
    det_json_string(json, "labels_digest", p->labels_digest);
    det_json_integer(json, "seed", (int64_t)p->seed);
    det_json_integer(json, "steps", (int64_t)p->steps);
    det_json_raw(json, "settings", p->settings);
    if (p->figure) {
        det_json_begin_object(json, "validation");
        det_json_integer(json, "images", (int64_t)p->unseen_images);
        det_json_number(json, p->figure, p->value);
        det_json_end(json);
    }
    det_json_end(json);
}

det_status det_network_provenance_write(const det_network_provenance *provenance, char **text,
                                        det_error *error)
{
    const char *written = NULL;
    *text = NULL;
    det_json *json = det_json_create();
    if (!json) return det_fail_memory(error, "the provenance of a model");
    write_provenance(json, provenance);
    det_status status = det_json_finish(json, &written, NULL, error);
    if (status == DET_OK) *text = det_copy_string(written);
    if (status == DET_OK && !*text) status = det_fail_memory(error, "the provenance of a model");
    det_json_free(json);
    return status;
}

/* ---- The model ------------------------------------------------------------------------------ */

static det_weights *weights_of(det_node *node, det_parameter_kind kind)
{
    switch (kind) {
    case DET_PARAMETER_WEIGHT:
    case DET_PARAMETER_SCALE:
        return &node->weights;
    case DET_PARAMETER_BIAS:
    case DET_PARAMETER_SHIFT:
        return &node->bias;
    case DET_PARAMETER_MEAN:
        return &node->mean;
    default:
        return &node->variance;
    }
}

static det_status replace(const det_graph *graph, const det_parameter *parameter, det_error *error)
{
    int layer;
    const det_status status = det_graph_require(graph, parameter->layer, &layer, error);
    if (status < 0) return status;
    det_weights *weights = weights_of(&graph->nodes[layer], parameter->kind);
    if (weights->count != parameter->count)
        return det_fail_at(error, DET_ARGUMENT, NULL, parameter->layer,
                           "%zu values were learned as its %s, where the model has %zu",
                           parameter->count, det_parameter_kind_name(parameter->kind),
                           weights->count);
    weights->values = parameter->values;
    return DET_OK;
}

/* `model` has nodes of its own, which borrow what they point to. */
static det_status write_learned(det_model *model, const det_trainer *trainer,
                                const det_model_recipe *recipe, const char *path, det_error *error)
{
    det_folded_model folded;
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < det_trainer_parameter_count(trainer); i++)
        status = replace(&model->graph, det_trainer_parameter(trainer, i), error);
    if (status == DET_OK) status = det_model_fold(model, &folded, error);
    if (status < 0) return status;
    status = det_model_derive(&folded.model, recipe, path, error);
    det_folded_model_free(&folded);
    return status;
}

det_status det_network_model_write(const det_model *source, const det_trainer *trainer,
                                   const det_model_recipe *recipe, const char *path,
                                   det_error *error)
{
    const size_t layers = (size_t)source->graph.count;
    det_node *nodes = det_alloc_array(layers, sizeof *nodes);
    if (!nodes) return det_fail_memory(error, "the layers of a network");
    memcpy(nodes, source->graph.nodes, layers * sizeof *nodes);
    det_model model = *source;
    model.graph.nodes = nodes;
    const det_status status = write_learned(&model, trainer, recipe, path, error);
    det_free(nodes);
    return status;
}
