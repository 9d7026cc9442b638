/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_MODEL_FILE_H
#define DETECT_NN_MODEL_FILE_H

#include "detect/image.h"
#include "detect/model.h"
#include "src/base/file.h"
#include "src/nn/digest.h"
#include "src/nn/graph.h"
#include "src/nn/quantization.h"
#include "src/nn/safetensors.h"

#include <json-c/json.h>
#include <stdatomic.h>

typedef struct det_class {
    char *name;
    int64_t category_id; /**< "id" in the file: the data set's own; -1 where it has none */
    char *synset;        /**< WordNet id such as "n01440764", or NULL */
    char **synonyms;     /**< names beside `name`, synonym_count of them */
    size_t synonym_count;
} det_class;

/** A model in memory; the public handle. Importers fill one and write it, det_model_open reads one.
 */
struct det_model {
    atomic_int references;
    char *path;
    char digest[DET_DIGEST_SIZE]; /**< "xxh3-128:" and 32 hexadecimal digits */
    det_bytes file;               /**< the mapping, or {0} in an importer */
    json_object *metadata;        /**< the whole `model` object: keys we do not know are kept */
    char *provenance;             /**< JSON text, or NULL */
    char *settings;               /**< JSON text, or NULL: keys of a configuration */
    det_graph graph;
    det_shape *shapes; /**< of every layer at the model's own input size */
    det_model_input input;
    char *input_name; /**< how the graph names the picture: "data" */
    det_class *classes;
    size_t class_count;
    int background_index; /**< index in the network's output, or -1 */
    int probabilities;    /**< node, or DET_NO_NODE where the model has none */
    int features;         /**< likewise */
    int box_deltas;       /**< likewise: how far the boxes of regions are moved, 4 values, or 4 a
                               class (src/detector/box_deltas.h) */
    int regions;          /**< likewise: the layer that regions are pooled from where the
                               configuration names none */
    int multibox;         /**< likewise: where objects are in a whole picture; of P priors 4 P
                               residuals of corners, prior by prior, then P logits */
    det_box *priors;      /**< prior_count: corners in shares of the picture's sides */
    size_t prior_count;
    det_quantization quantization;
};

/** Works out the shapes of every layer at the model's own input size. @return as det_graph_infer.
 */
det_status det_model_infer_shapes(det_model *model, det_error *error);

/** The version of the format that this library writes, and the newest it reads. */
#define DET_MODEL_FORMAT_VERSION 1

/** Frees what a model holds and empties it; not the model itself. */
void det_model_free_contents(det_model *model);

/** Fills a model from a parsed file: graph, input, classes, and the rest; weights point into the
 *  file's data. The digest is taken over, not checked.
 *  @param model {0}; half filled after a failure: det_model_free_contents it in any case.
 *  @return DET_OK, DET_FORMAT, DET_UNSUPPORTED, DET_LIMIT, DET_MEMORY; error->where is a key path
 *          such as "model.graph[3].op", or a layer. */
det_status det_model_read(const det_safetensors *file, det_model *model, det_error *error);

/** Opens a model from bytes, as det_model_open does. The bytes must outlive the model.
 *  @param file receives the parsed file, which borrows the bytes too; det_safetensors_free it. */
det_status det_model_open_bytes(const uint8_t *bytes, size_t size, det_model *model,
                                det_safetensors *file, det_error *error);

/** What det_model_verify checks besides. */
det_status det_model_verify_contents(const det_model *model, const det_safetensors *file,
                                     det_error *error);

/** Checks what the model gives: as many probabilities as there are classes, with the background;
 *  box deltas of 4 values, or 4 a class; regions that are pooled from a map which all probabilities
 *  and deltas come from; 5 values a prior of MultiBox, and priors that are boxes in the picture.
 *  @return DET_OK, DET_FORMAT (error->where is a key such as "outputs.box_deltas"), DET_MEMORY. */
det_status det_model_check_outputs(const det_model *model, det_error *error);

/** Checks that weights are finite. @return DET_OK, DET_FORMAT (error->where is the tensor). */
det_status det_weights_check(const det_weights *weights, det_error *error);

/** Writes a model file: tensors, then the graph and the rest as JSON, with the digest.
 *  @return DET_OK, DET_ARGUMENT (it has batch norms: src/nn/folding.h), DET_IO, DET_MEMORY. */
det_status det_model_write(const det_model *model, const char *path, det_error *error);

/** Priors that a model may have. */
enum { DET_PRIORS_MAX = 10000 };

/** Attributes of nodes as model files name them. Integers and both integers of a pair lie in
 *  [min, max], numbers are finite. */
typedef enum det_attribute_kind {
    DET_ATTRIBUTE_INT,
    DET_ATTRIBUTE_PAIR, /**< [height, width]: two ints, one after the other */
    DET_ATTRIBUTE_BOOL,
    DET_ATTRIBUTE_NUMBER
} det_attribute_kind;

typedef struct det_attribute {
    const char *name;
    det_attribute_kind kind;
    unsigned ops;  /**< bits 1 << det_op: layers that have it */
    size_t offset; /**< of the member in det_node */
    int min, max;
} det_attribute;

/** The table of all attributes, ended by one without a name. */
extern const det_attribute det_attributes[];

#endif
