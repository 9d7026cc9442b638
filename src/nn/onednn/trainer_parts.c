/* SPDX-License-Identifier: Apache-2.0 */
/* What the layers of a trainer are made from. */
#include "src/nn/onednn/trainer.h"

#include <stdio.h>
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

/* ---- Memories ------------------------------------------------------------------------------- */

static dnnl_memory_t add_room(det_trainer *t, det_const_layout layout, void *values, int whole)
{
    det_room room = {.fixed = values != DNNL_MEMORY_NONE, .whole = whole, .life = {.first = -1}};
    if (!layout ||
        !det_grow_array(&t->rooms, &t->room_capacity, (size_t)t->room_count + 1, sizeof *t->rooms))
        return NULL;
    room.life.size = dnnl_memory_desc_get_size(layout);
    if (dnnl_memory_create(&room.memory, layout, t->plan.engine, values) != dnnl_success)
        return NULL;
    t->rooms[t->room_count++] = room;
    return room.memory;
}

dnnl_memory_t det_trainer_memory(det_trainer *t, det_const_layout layout, void *values)
{
    return add_room(t, layout, values ? values : DNNL_MEMORY_NONE, -1);
}

static int find_room(const det_trainer *t, dnnl_memory_t memory)
{
    int room = t->room_count - 1;
    while (room > 0 && t->rooms[room].memory != memory) room--;
    return room;
}

dnnl_memory_t det_trainer_part(det_trainer *t, det_const_layout layout, dnnl_memory_t whole)
{
    return add_room(t, layout, DNNL_MEMORY_NONE, find_room(t, whole));
}

void *det_memory_values(dnnl_memory_t memory)
{
    void *values = NULL;
    dnnl_memory_get_data_handle(memory, &values);
    return values;
}

/* Steps are counted forward and on backward. */
static void note_uses(det_trainer *t, const det_trainer_steps *steps, int first)
{
    for (int i = 0; i < steps->count; i++)
        for (int k = 0; k < steps->steps[i].count; k++) {
            int room = find_room(t, steps->steps[i].arguments[k].memory);
            if (t->rooms[room].whole >= 0) room = t->rooms[room].whole;
            det_life *life = &t->rooms[room].life;
            if (life->first < 0) life->first = first + i;
            life->last = first + i;
        }
}

/* Whether it is placed by itself. A memory that no step uses has no place at all. */
static bool has_place(const det_room *room)
{
    return !room->fixed && room->whole < 0 && room->life.first >= 0;
}

static det_status place_rooms(det_trainer *t, det_error *error)
{
    det_life *lives = det_alloc_array((size_t)t->room_count, sizeof *lives);
    if (!lives) return det_fail_memory(error, "the memory plan");
    int count = 0;
    for (int i = 0; i < t->room_count; i++)
        if (has_place(&t->rooms[i])) lives[count++] = t->rooms[i].life;
    const det_status status = det_place_lives(lives, count, &t->arena_size, error);
    for (int i = 0, at = 0; status == DET_OK && i < t->room_count; i++)
        if (has_place(&t->rooms[i])) t->rooms[i].life = lives[at++];
    det_free(lives);
    return status;
}

det_status det_trainer_place(det_trainer *t, det_error *error)
{
    note_uses(t, &t->forward, 0);
    note_uses(t, &t->backward, t->forward.count);
    const det_status status = place_rooms(t, error);
    if (status < 0 || t->arena_size == 0) return status;
    t->arena = det_alloc_pages(t->arena_size);
    if (!t->arena) return det_fail_memory(error, "the maps of a network that learns");
    for (int i = 0; i < t->room_count; i++) {
        const det_room *room = &t->rooms[i],
                       *whole = room->whole >= 0 ? &t->rooms[room->whole] : room;
        if (!has_place(whole)) continue;
        const dnnl_status_t result =
            dnnl_memory_set_data_handle(room->memory, (char *)t->arena + whole->life.offset);
        if (result != dnnl_success) return det_dnnl_fail(error, "place a map", result);
    }
    return DET_OK;
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
    const size_t size = (size_t)step->count * sizeof *step->arguments;
    for (int i = 0; i < step->count; i++)
        if (!step->arguments[i].memory)
            return det_fail_memory(error, "the maps of a network that learns");
    dnnl_exec_arg_t *arguments = det_trainer_buffer(t, size);
    if (!arguments || !det_grow_array(&steps->steps, &steps->capacity, (size_t)steps->count + 1,
                                      sizeof *steps->steps))
        return det_fail_memory(error, "a step of a network that learns");
    memcpy(arguments, step->arguments, size);
    steps->steps[steps->count] = *step;
    steps->steps[steps->count++].arguments = arguments;
    return DET_OK;
}

det_status det_trainer_add(det_trainer *t, det_trainer_steps *steps, const char *layer,
                           dnnl_primitive_desc_t pd, const dnnl_exec_arg_t *arguments, int count,
                           det_error *error)
{
    det_trainer_step step = {.layer = layer, .arguments = arguments, .count = count};
    const char *implementation = "";
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &implementation);
    snprintf(step.implementation, sizeof step.implementation, "%s", implementation);
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
    det_slot *map = &t->maps[slot];
    if (!map->part) map->part = det_trainer_buffer(t, (size_t)map->readers * sizeof *map->part);
    if (!map->part) return NULL;
    dnnl_memory_t target =
        map->parts == 0 ? map->gradient : det_trainer_memory(t, map->layout, NULL);
    map->part[map->parts] = target;
    return target;
}

static det_status add_sum(det_trainer *t, const char *layer, const det_slot *map, det_error *error)
{
    const size_t count = (size_t)map->readers;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_exec_arg_t *arguments = det_alloc_array(count + 1, sizeof *arguments);
    if (!arguments) return det_fail_memory(error, "the gradient of a map");
    for (int i = 0; i < map->readers; i++)
        arguments[i] = (dnnl_exec_arg_t){DNNL_ARG_MULTIPLE_SRC + i, map->part[i]};
    arguments[count] = (dnnl_exec_arg_t){DNNL_ARG_DST, map->gradient};
    const dnnl_status_t result = det_pd_sum(&pd, t->plan.engine, map->layout, map->readers);
    const det_status status =
        result == dnnl_success
            ? det_trainer_add(t, &t->backward, layer, pd, arguments, (int)count + 1, error)
            : det_dnnl_fail(error, "describe a sum", result);
    if (pd) dnnl_primitive_desc_destroy(pd);
    det_free(arguments);
    return status;
}

det_status det_trainer_add_gradient(det_trainer *t, const char *layer, int slot, det_error *error)
{
    det_slot *map = &t->maps[slot];
    map->parts++;
    return map->parts == map->readers && map->readers > 1 ? add_sum(t, layer, map, error) : DET_OK;
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
    if (op == DET_OP_BATCH_NORM) return t->graph->nodes[relu].negative_slope == 0;
    return op == DET_OP_CONVOLUTION || op == DET_OP_INNER_PRODUCT;
}
