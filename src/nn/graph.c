/* SPDX-License-Identifier: Apache-2.0 */
/* The network as data: names of its operations, look-up of its layers, and their release. */
#include "src/nn/graph.h"

#include "src/base/error.h"
#include "src/base/memory.h"

#include <string.h>

static const char *const op_names[DET_OP_COUNT] = {
    [DET_OP_CONVOLUTION] = "convolution",
    [DET_OP_RELU] = "relu",
    [DET_OP_MAX_POOL] = "max_pool",
    [DET_OP_AVERAGE_POOL] = "average_pool",
    [DET_OP_LRN] = "lrn",
    [DET_OP_CONCAT] = "concat",
    [DET_OP_DROPOUT] = "dropout",
    [DET_OP_INNER_PRODUCT] = "inner_product",
    [DET_OP_SOFTMAX] = "softmax",
    [DET_OP_SIGMOID] = "sigmoid",
    [DET_OP_BATCH_NORM] = "batch_norm",
};

const char *det_op_name(det_op op)
{
    return op_names[op];
}

det_op det_op_parse(const char *name)
{
    int op = 0;
    while (op < DET_OP_COUNT && strcmp(op_names[op], name) != 0) op++;
    return op == DET_OP_BATCH_NORM ? DET_OP_COUNT : (det_op)op;
}

int det_graph_find(const det_graph *graph, const char *name)
{
    for (int i = 0; i < graph->count; i++)
        if (strcmp(graph->nodes[i].name, name) == 0) return i;
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].alias && strcmp(graph->nodes[i].alias, name) == 0) return i;
    return DET_NO_NODE;
}

det_status det_graph_require(const det_graph *graph, const char *name, int *index, det_error *error)
{
    *index = det_graph_find(graph, name);
    if (*index >= 0) return DET_OK;
    return det_fail_at(error, DET_ARGUMENT, NULL, name, "the network has no layer of this name");
}

static bool copy_text(const char *text, char **copy)
{
    *copy = text ? det_copy_string(text) : NULL;
    return !text || *copy;
}

static bool copy_inputs(const det_node *from, const int *places, det_node *to)
{
    to->inputs = det_alloc_array((size_t)from->input_count, sizeof *to->inputs);
    for (int i = 0; to->inputs && i < from->input_count; i++)
        to->inputs[i] = from->inputs[i] < 0 ? from->inputs[i] : places[from->inputs[i]];
    return to->inputs;
}

bool det_node_copy(const det_node *from, const int *places, det_node *to)
{
    *to = *from;
    const bool copied[] = {copy_text(from->name, &to->name),
                           copy_text(from->alias, &to->alias),
                           copy_inputs(from, places, to),
                           copy_text(from->weights.tensor, &to->weights.tensor),
                           copy_text(from->bias.tensor, &to->bias.tensor),
                           copy_text(from->mean.tensor, &to->mean.tensor),
                           copy_text(from->variance.tensor, &to->variance.tensor)};
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        if (!copied[i]) return false;
    return true;
}

static void free_node(det_node *node)
{
    det_free(node->name);
    det_free(node->alias);
    det_free(node->inputs);
    det_free(node->weights.tensor);
    det_free(node->bias.tensor);
    det_free(node->mean.tensor);
    det_free(node->variance.tensor);
}

void det_graph_free(det_graph *graph)
{
    for (int i = 0; i < graph->count; i++) free_node(&graph->nodes[i]);
    det_free(graph->nodes);
    *graph = (det_graph){0};
}
