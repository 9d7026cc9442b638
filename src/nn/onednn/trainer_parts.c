/* SPDX-License-Identifier: Apache-2.0 */
/* What the layers of a trainer are made from. */
#include "src/nn/onednn/trainer.h"

#include <string.h>

void *det_trainer_buffer(det_trainer *t, size_t size)
{
    void *buffer = det_alloc_aligned(size);
    if (!buffer || !det_grow_array(&t->buffers, &t->buffer_capacity, (size_t)t->buffer_count + 1,
                                   sizeof *t->buffers)) {
        det_free(buffer);
        return NULL;
    }
    memset(buffer, 0, size);
    t->buffers[t->buffer_count++] = buffer;
    return buffer;
}

dnnl_memory_t det_trainer_memory(det_trainer *t, det_const_layout layout, void *values)
{
    dnnl_memory_t memory = NULL;
    if (!layout) return NULL;
    if (!values) values = det_trainer_buffer(t, dnnl_memory_desc_get_size(layout));
    if (!values || !det_grow_array(&t->memories, &t->memory_capacity, (size_t)t->memory_count + 1,
                                   sizeof *t->memories))
        return NULL;
    if (dnnl_memory_create(&memory, layout, t->plan.engine, values) != dnnl_success) return NULL;
    t->memories[t->memory_count++] = memory;
    return memory;
}

static dnnl_format_tag_t tag_of(const det_trainer *t, int ndims, bool blocked)
{
    if (ndims == 2) return dnnl_nc;
    if (!blocked) return dnnl_nchw;
    return t->plan.block == 16 ? dnnl_nChw16c : dnnl_nChw8c;
}

det_layout det_trainer_layout(const det_trainer *t, det_shape shape, int ndims, bool blocked,
                              dnnl_data_type_t type)
{
    const dnnl_dims_t dims = {(dnnl_dim_t)t->options.batch, shape.channels, shape.height,
                              shape.width};
    return det_layout_create(ndims, dims, type, tag_of(t, ndims, blocked));
}

/* ---- Steps ---------------------------------------------------------------------------------- */

det_status det_trainer_add_work(det_trainer *t, det_trainer_steps *steps,
                                const det_trainer_step *step, det_error *error)
{
    (void)t;
    if (!det_grow_array(&steps->steps, &steps->capacity, (size_t)steps->count + 1,
                        sizeof *steps->steps))
        return det_fail_memory(error, "a step of a network that learns");
    steps->steps[steps->count++] = *step;
    return DET_OK;
}

det_status det_trainer_add(det_trainer *t, det_trainer_steps *steps, const char *layer,
                           dnnl_primitive_desc_t pd, const dnnl_exec_arg_t *arguments, int count,
                           det_error *error)
{
    det_trainer_step step = {.layer = layer, .count = count};
    for (int i = 0; i < count; i++) {
        if (!arguments[i].memory)
            return det_fail_memory(error, "the maps of a network that learns");
        step.arguments[i] = arguments[i];
    }
    const dnnl_status_t result = dnnl_primitive_create(&step.primitive, pd);
    if (result != dnnl_success) return det_dnnl_fail(error, "make a step of a network", result);
    const det_status status = det_trainer_add_work(t, steps, &step, error);
    if (status < 0) dnnl_primitive_destroy(step.primitive);
    return status;
}

static det_const_layout layout_of(dnnl_memory_t memory)
{
    det_const_layout layout = NULL;
    dnnl_memory_get_memory_desc(memory, &layout);
    return layout;
}

det_status det_trainer_add_copy(det_trainer *t, det_trainer_steps *steps, const char *layer,
                                dnnl_memory_t from, dnnl_memory_t to, det_error *error)
{
    dnnl_primitive_desc_t pd = NULL;
    if (!from || !to) return det_fail_memory(error, "the maps of a network that learns");
    if (from == to) return DET_OK;
    const dnnl_status_t result = dnnl_reorder_primitive_desc_create(
        &pd, layout_of(from), t->plan.engine, layout_of(to), t->plan.engine, NULL);
    if (result != dnnl_success) return det_dnnl_fail(error, "describe a copy", result);
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    const det_status status = det_trainer_add(t, steps, layer, pd, arguments, 2, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

/* ---- Gradients of maps that several layers read --------------------------------------------- */

dnnl_memory_t det_trainer_gradient_target(det_trainer *t, int slot)
{
    return t->maps[slot].writers == 0 ? t->maps[slot].gradient : t->scratches[slot];
}

det_status det_trainer_add_gradient(det_trainer *t, const char *layer, int slot, det_error *error)
{
    det_slot *map = &t->maps[slot];
    if (map->writers++ == 0) return DET_OK;
    dnnl_primitive_desc_t pd = NULL;
    const dnnl_status_t result = det_pd_add(&pd, t->plan.engine, map->layout);
    if (result != dnnl_success) return det_dnnl_fail(error, "describe a sum", result);
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_MULTIPLE_SRC, map->gradient},
                                         {DNNL_ARG_MULTIPLE_SRC + 1, t->scratches[slot]},
                                         {DNNL_ARG_DST, map->gradient}};
    const det_status status = det_trainer_add(t, &t->backward, layer, pd, arguments, 3, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

/* ---- Look-up -------------------------------------------------------------------------------- */

det_parameter *det_trainer_find(det_trainer *t, int node, det_parameter_kind kind)
{
    for (size_t i = 0; i < t->parameter_count; i++)
        if (t->parameters[i].layer == t->graph->nodes[node].name && t->parameters[i].kind == kind)
            return &t->parameters[i];
    return NULL;
}

int det_trainer_source(const det_trainer *t, int node, int input)
{
    const int from = t->graph->nodes[node].inputs[input];
    return from == t->from ? 0 : t->slots[from];
}

bool det_trainer_wants(const det_trainer *t, int node, int input)
{
    const int from = t->graph->nodes[node].inputs[input];
    return from == t->from ? t->options.input_gradient : t->differentiated[from];
}

bool det_trainer_fuses(const det_trainer *t, int relu)
{
    const int from = t->graph->nodes[relu].inputs[0];
    if (from < 0 || from == t->from || t->slots[from] != t->slots[relu]) return false;
    const det_op op = t->graph->nodes[from].op;
    return op == DET_OP_CONVOLUTION || op == DET_OP_INNER_PRODUCT;
}
