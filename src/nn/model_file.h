/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_MODEL_FILE_H
#define DETECT_NN_MODEL_FILE_H

#include "detect/model.h"
#include "src/base/file.h"
#include "src/nn/graph.h"

#include <json-c/json.h>
#include <stdatomic.h>

typedef struct det_class {
    char *name;
    int64_t category_id; /**< "id" in the file: the data set's own; -1 where it has none */
    char *synset;        /**< WordNet id such as "n01440764", or NULL */
} det_class;

/** A model in memory; the public handle. Importers fill one and write it, det_model_open reads one.
 */
struct det_model {
    atomic_int references;
    char *path;
    char digest[64];       /**< "xxh3-128:" and 32 hexadecimal digits */
    det_bytes file;        /**< the mapping, or {0} in an importer */
    json_object *metadata; /**< the whole `model` object: keys we do not know are kept */
    char *provenance;      /**< JSON text */
    det_graph graph;
    det_shape *shapes; /**< of every layer at the model's own input size */
    det_model_input input;
    char *input_name; /**< how the graph names the picture: "data" */
    det_class *classes;
    size_t class_count;
    int background_index; /**< index in the network's output, or -1 */
    int probabilities;    /**< node, or -2 where the model has none */
    int features;         /**< likewise */
};

/** Writes a model file: tensors, then the graph and the rest as JSON, with the digest.
 *  @return DET_OK, DET_IO, DET_MEMORY. */
det_status det_model_write(const det_model *model, const char *path, det_error *error);

#endif
