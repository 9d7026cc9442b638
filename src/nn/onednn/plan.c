/* SPDX-License-Identifier: Apache-2.0 */
/* Building blocks of a plan: tensors, constants, steps, reorders. */
#include "src/nn/onednn/plan.h"

#include <stdio.h>
#include <string.h>

det_status det_dnnl_fail(det_error *error, const char *doing, dnnl_status_t status)
{
    if (status == dnnl_out_of_memory) return det_fail_memory(error, doing);
    const det_status ours = status == dnnl_unimplemented ? DET_UNSUPPORTED : DET_INTERNAL;
    return det_fail(error, ours, "oneDNN cannot %s (status %d)", doing, (int)status);
}

det_layout det_plain_layout(det_shape shape)
{
    const dnnl_dims_t dims = {1, shape.channels, shape.height, shape.width};
    return det_layout_create(4, dims, dnnl_f32, dnnl_nchw);
}

det_layout det_channels_last_layout(det_shape shape, dnnl_data_type_t type, int ndims)
{
    const dnnl_dims_t dims = {1, shape.channels, shape.height, shape.width};
    return det_layout_create(ndims, dims, type, ndims == 4 ? dnnl_nhwc : dnnl_nc);
}

static det_layout map_layout(det_shape shape, dnnl_data_type_t type, dnnl_format_tag_t tag)
{
    const dnnl_dims_t dims = {1, shape.channels, shape.height, shape.width};
    return det_layout_create(4, dims, type, tag);
}

static dnnl_format_tag_t blocked_tag(int block)
{
    return block == 16 ? dnnl_nChw16c : dnnl_nChw8c;
}

det_layout det_plan_blocked_layout(const det_plan *plan, det_shape shape, dnnl_data_type_t type)
{
    return map_layout(shape, type, blocked_tag(plan->block));
}

static bool fills_blocks(const det_plan *plan, det_shape shape)
{
    return plan->block > 0 && shape.channels % plan->block == 0;
}

det_layout det_plan_map_layout(const det_plan *plan, det_shape shape)
{
    const bool fills = fills_blocks(plan, shape);
    return map_layout(shape, plan->type, fills ? blocked_tag(plan->block) : dnnl_nchw);
}

det_layout det_plan_output_layout(const det_plan *plan, const det_layer *layer)
{
    if (layer->destination >= 0) return det_layout_copy(plan->tensors[layer->destination].layout);
    const bool fills = fills_blocks(plan, layer->out);
    return map_layout(layer->out, plan->type,
                      fills ? blocked_tag(plan->block) : dnnl_format_tag_any);
}

/* Whether this processor has a fast convolution between maps in blocks of that many channels. */
static dnnl_status_t has_block(const det_plan *plan, int block, bool *has)
{
    enum { channels = 64, side = 14 };
    const dnnl_dims_t kernel = {channels, channels, 3, 3};
    const dnnl_dims_t window[4] = {{1, 1}, {0, 0}, {1, 1}, {1, 1}};
    det_layout weights = det_layout_create(4, kernel, plan->type, dnnl_format_tag_any);
    det_layout map = map_layout((det_shape){channels, side, side}, plan->type, blocked_tag(block));
    const det_const_layout layouts[4] = {map, weights, NULL, map};
    dnnl_primitive_desc_t pd = NULL;
    const char *implementation = "ref";

    dnnl_status_t result =
        map && weights
            ? det_pd_convolution(&pd, plan->engine, dnnl_convolution_direct, layouts, window, NULL)
            : dnnl_out_of_memory;
    if (result == dnnl_success)
        result = dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &implementation);
    *has = result == dnnl_success && strncmp(implementation, "jit", 3) == 0;
    if (pd) dnnl_primitive_desc_destroy(pd);
    det_layout_free(map);
    det_layout_free(weights);
    return result == dnnl_unimplemented ? dnnl_success : result;
}

static det_status find_block(det_plan *plan, det_error *error)
{
    static const int blocks[] = {16, 8};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks && plan->block == 0; i++) {
        bool has = false;
        const dnnl_status_t result = has_block(plan, blocks[i], &has);
        if (result != dnnl_success) return det_dnnl_fail(error, "describe a convolution", result);
        if (has) plan->block = blocks[i];
    }
    return DET_OK;
}

det_status det_plan_create(det_plan *plan, dnnl_data_type_t type, det_error *error)
{
    plan->type = type;
    const dnnl_status_t result = dnnl_engine_create(&plan->engine, dnnl_cpu, 0);
    if (result != dnnl_success) return det_dnnl_fail(error, "make an engine", result);
    return find_block(plan, error);
}

static void free_step(det_step *step)
{
    if (step->primitive) dnnl_primitive_destroy(step->primitive);
    if (step->kernel) step->kernel->destroy(step->kernel);
    det_layout_free(step->scratchpad);
    det_free(step->arguments);
}

void det_plan_free(det_plan *plan)
{
    for (int i = 0; i < plan->step_count; i++) free_step(&plan->steps[i]);
    for (int i = 0; i < plan->constant_count; i++) {
        dnnl_memory_destroy(plan->constants[i].memory);
        det_free(plan->constants[i].values);
    }
    for (int i = 0; i < plan->tensor_count; i++) det_layout_free(plan->tensors[i].layout);
    det_free(plan->steps);
    det_free(plan->constants);
    det_free(plan->tensors);
    if (plan->engine) dnnl_engine_destroy(plan->engine);
    *plan = (det_plan){0};
}

int det_plan_add_tensor(det_plan *plan, det_layout layout, det_shape shape, det_error *error)
{
    det_layout plain = det_plain_layout(shape), last = NULL;
    if (layout) last = det_channels_last_layout(shape, det_layout_type(layout), 4);
    if (!last || !plain ||
        !det_grow_array(&plan->tensors, &plan->tensor_capacity, (size_t)plan->tensor_count + 1,
                        sizeof *plan->tensors)) {
        det_layout_free(plain);
        det_layout_free(last);
        det_layout_free(layout);
        return det_fail_memory(error, "a tensor of the network");
    }
    const dnnl_data_type_t type = det_layout_type(layout);
    plan->tensors[plan->tensor_count] = (det_plan_tensor){
        .layout = layout,
        .size = dnnl_memory_desc_get_size(layout),
        .type = type,
        .plain = type == dnnl_f32 &&
                 (det_layout_ndims(layout) == 2 || dnnl_memory_desc_equal(layout, plain)),
        .channels_last = dnnl_memory_desc_equal(layout, last),
        .shape = shape,
        .copy_of = -1,
        .parent = -1,
        .first = -1,
        .last = -1,
    };
    det_layout_free(plain);
    det_layout_free(last);
    return plan->tensor_count++;
}

dnnl_primitive_attr_t det_plan_attributes(const det_node *relu, const det_scaling *scaling)
{
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t post = NULL;
    if (dnnl_primitive_attr_create(&attributes) != dnnl_success) return NULL;
    bool good = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user) ==
                dnnl_success;
    if (good && scaling)
        good = det_attributes_scale(attributes, scaling->argument, scaling->mask, scaling->values,
                                    scaling->count) == dnnl_success;
    if (good && relu) {
        good = dnnl_post_ops_create(&post) == dnnl_success &&
               det_post_relu(post, relu->negative_slope) == dnnl_success &&
               dnnl_primitive_attr_set_post_ops(attributes, post) == dnnl_success;
        if (post) dnnl_post_ops_destroy(post);
    }
    if (good) return attributes;
    dnnl_primitive_attr_destroy(attributes);
    return NULL;
}

static void note_use(det_plan *plan, int tensor, int step)
{
    det_plan_tensor *t = &plan->tensors[tensor];
    if (t->first < 0) t->first = step;
    t->last = step;
    if (t->parent >= 0) note_use(plan, t->parent, step);
}

/* "avx512_core:jit" and the like; long names are cut. */
static void copy_implementation(det_step *step, dnnl_primitive_desc_t pd)
{
    const char *name = NULL;
    if (dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name) != dnnl_success) return;
    snprintf(step->implementation, sizeof step->implementation, "%s", name);
}

/* Puts a step with its arguments behind the others; frees what it owns on failure. */
static det_status append_step(det_plan *plan, det_step *step, const det_argument *arguments,
                              int count, det_error *error)
{
    step->arguments = det_alloc_array((size_t)count, sizeof *step->arguments);
    if (!step->arguments || !det_grow_array(&plan->steps, &plan->step_capacity,
                                            (size_t)plan->step_count + 1, sizeof *plan->steps)) {
        free_step(step);
        return det_fail_memory(error, "a step of the network");
    }
    step->argument_count = count;
    memcpy(step->arguments, arguments, (size_t)count * sizeof *arguments);
    for (int i = 0; i < count; i++)
        if (!arguments[i].constant) note_use(plan, arguments[i].tensor, plan->step_count);
    plan->steps[plan->step_count++] = *step;
    return DET_OK;
}

det_status det_plan_add_step(det_plan *plan, const char *layer, dnnl_primitive_desc_t pd,
                             const det_argument *arguments, int count, det_error *error)
{
    det_step step = {.layer = layer};
    copy_implementation(&step, pd);
    step.scratchpad =
        det_layout_copy(dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0));
    const dnnl_status_t result = dnnl_primitive_create(&step.primitive, pd);
    dnnl_primitive_desc_destroy(pd);
    if (result != dnnl_success || !step.scratchpad) {
        free_step(&step);
        return result != dnnl_success ? det_dnnl_fail(error, "create a primitive", result)
                                      : det_fail_memory(error, "a step of the network");
    }
    step.scratchpad_size = dnnl_memory_desc_get_size(step.scratchpad);
    return append_step(plan, &step, arguments, count, error);
}

det_status det_plan_add_kernel(det_plan *plan, const char *layer, det_kernel *kernel, int input,
                               int output, det_error *error)
{
    det_step step = {.layer = layer, .kernel = kernel};
    snprintf(step.implementation, sizeof step.implementation, "%s", kernel->name);
    plan->constant_size += kernel->size;
    const det_argument arguments[] = {{DNNL_ARG_SRC, input, NULL}, {DNNL_ARG_DST, output, NULL}};
    return append_step(plan, &step, arguments, 2, error);
}

static dnnl_status_t describe_reorder(det_plan *plan, det_const_layout from, det_const_layout to,
                                      const det_scaling *scaling, dnnl_primitive_desc_t *pd)
{
    dnnl_primitive_attr_t attributes = det_plan_attributes(NULL, scaling);
    if (!attributes) return dnnl_out_of_memory;
    const dnnl_status_t result =
        dnnl_reorder_primitive_desc_create(pd, from, plan->engine, to, plan->engine, attributes);
    dnnl_primitive_attr_destroy(attributes);
    return result;
}

static int find_copy(const det_plan *plan, int tensor, det_const_layout wanted)
{
    for (int i = tensor + 1; i < plan->tensor_count; i++)
        if (plan->tensors[i].copy_of == tensor &&
            dnnl_memory_desc_equal(plan->tensors[i].layout, wanted))
            return i;
    return -1;
}

/* Reorders and multiplies each value by its channel's factor; `scaling` may be NULL. */
static int reorder(det_plan *plan, const char *layer, int tensor, det_const_layout wanted,
                   const det_scaling *scaling, det_error *error)
{
    const int copy = find_copy(plan, tensor, wanted);
    if (copy >= 0) return copy;
    const int to =
        det_plan_add_tensor(plan, det_layout_copy(wanted), plan->tensors[tensor].shape, error);
    if (to < 0) return to;
    plan->tensors[to].copy_of = tensor;
    det_argument arguments[3] = {{DNNL_ARG_FROM, tensor, NULL}, {DNNL_ARG_TO, to, NULL}};
    int count = 2;
    det_status status =
        scaling ? det_plan_add_scales(plan, scaling, arguments, &count, error) : DET_OK;
    if (status < 0) return status;

    dnnl_primitive_desc_t pd = NULL;
    const dnnl_status_t result = describe_reorder(plan, plan->tensors[tensor].layout,
                                                  plan->tensors[to].layout, scaling, &pd);
    if (result != dnnl_success) return det_dnnl_fail(error, "reorder a tensor", result);
    status = det_plan_add_step(plan, layer, pd, arguments, count, error);
    return status < 0 ? status : to;
}

/* One factor for all channels where they are alike: oneDNN is faster so. */
static det_scaling factors_of(const float *factors, int channels)
{
    for (int c = 1; c < channels; c++)
        if (factors[c] != factors[0])
            return (det_scaling){DNNL_ARG_FROM, 1 << 1, factors, (size_t)channels};
    return (det_scaling){DNNL_ARG_FROM, 0, factors, 1};
}

int det_plan_reorder(det_plan *plan, const char *layer, int tensor, det_const_layout wanted,
                     det_error *error)
{
    const det_plan_tensor *from = &plan->tensors[tensor];
    if (dnnl_memory_desc_equal(from->layout, wanted)) return tensor;
    if (!from->scales) return reorder(plan, layer, tensor, wanted, NULL, error);
    const det_scaling scaling = factors_of(from->scales, from->shape.channels);
    return reorder(plan, layer, tensor, wanted, &scaling, error);
}

/* A floating-point tensor, rounded to bytes. */
static int round_to_bytes(det_plan *plan, const char *layer, int tensor, const float *scales,
                          det_const_layout wanted, det_error *error)
{
    const int channels = plan->tensors[tensor].shape.channels;
    float *factors = det_alloc_array((size_t)channels, sizeof *factors);
    if (!factors) return det_fail_memory(error, "a map in bytes");
    for (int c = 0; c < channels; c++) factors[c] = 1 / scales[c];
    const det_scaling scaling = factors_of(factors, channels);
    const int bytes = reorder(plan, layer, tensor, wanted, &scaling, error);
    det_free(factors);
    return bytes;
}

int det_plan_as_bytes(det_plan *plan, const char *layer, int tensor, const float *scales,
                      bool in_blocks, det_error *error)
{
    const det_plan_tensor *from = &plan->tensors[tensor];
    const int ndims = det_layout_ndims(from->layout);
    if (from->type == dnnl_u8) scales = from->scales;
    det_layout wanted = in_blocks ? det_plan_blocked_layout(plan, from->shape, dnnl_u8)
                                  : det_channels_last_layout(from->shape, dnnl_u8, ndims);
    if (!wanted) return det_fail_memory(error, "a map in bytes");
    int bytes = tensor;
    if (from->type != dnnl_u8)
        bytes = round_to_bytes(plan, layer, tensor, scales, wanted, error);
    else if (!dnnl_memory_desc_equal(from->layout, wanted))
        bytes = reorder(plan, layer, tensor, wanted, NULL, error);
    if (bytes >= 0) plan->tensors[bytes].scales = scales;
    det_layout_free(wanted);
    return bytes;
}

int det_plan_as_float(det_plan *plan, const char *layer, int tensor, det_error *error)
{
    const det_plan_tensor *from = &plan->tensors[tensor];
    if (from->type != dnnl_u8) return tensor;
    det_layout wanted =
        from->channels_last
            ? det_channels_last_layout(from->shape, dnnl_f32, det_layout_ndims(from->layout))
            : det_plan_blocked_layout(plan, from->shape, plan->type);
    if (!wanted) return det_fail_memory(error, "a map");
    const int map = det_plan_reorder(plan, layer, tensor, wanted, error);
    det_layout_free(wanted);
    return map;
}

int det_plan_in_blocks(det_plan *plan, const char *layer, int tensor, det_error *error)
{
    det_layout blocks = det_plan_blocked_layout(plan, plan->tensors[tensor].shape, plan->type);
    if (!blocks) return det_fail_memory(error, "a layout");
    const int map = det_plan_reorder(plan, layer, tensor, blocks, error);
    det_layout_free(blocks);
    return map;
}

int det_plan_as_map(det_plan *plan, const char *layer, int tensor, det_error *error)
{
    if (!plan->tensors[tensor].plain || det_layout_ndims(plan->tensors[tensor].layout) != 4)
        return tensor;
    det_layout wanted = det_plan_map_layout(plan, plan->tensors[tensor].shape);
    if (!wanted) return det_fail_memory(error, "a layout");
    const int map = det_plan_reorder(plan, layer, tensor, wanted, error);
    det_layout_free(wanted);
    return map;
}

static dnnl_status_t fill_constant(det_plan *plan, const void *values, det_const_layout plain,
                                   const det_constant *constant, det_const_layout wanted)
{
    dnnl_memory_t source = NULL;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_stream_t stream = NULL;

    /* oneDNN takes a pointer to what it only reads as non-const. */
    void *borrowed;
    memcpy(&borrowed, &values, sizeof borrowed);
    dnnl_status_t result = dnnl_memory_create(&source, plain, plan->engine, borrowed);
    if (result == dnnl_success)
        result = dnnl_reorder_primitive_desc_create(&pd, plain, plan->engine, wanted, plan->engine,
                                                    NULL);
    if (result == dnnl_success) result = dnnl_primitive_create(&primitive, pd);
    if (result == dnnl_success)
        result = dnnl_stream_create(&stream, plan->engine, dnnl_stream_default_flags);
    if (result == dnnl_success) {
        const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, source},
                                             {DNNL_ARG_TO, constant->memory}};
        result = dnnl_primitive_execute(primitive, stream, 2, arguments);
    }
    if (result == dnnl_success) result = dnnl_stream_wait(stream);

    if (stream) dnnl_stream_destroy(stream);
    if (primitive) dnnl_primitive_destroy(primitive);
    if (pd) dnnl_primitive_desc_destroy(pd);
    if (source) dnnl_memory_destroy(source);
    return result;
}

det_status det_plan_add_constant(det_plan *plan, const void *values, det_const_layout plain,
                                 det_const_layout wanted, det_argument *argument, det_error *error)
{
    det_constant constant = {0};
    if (!det_grow_array(&plan->constants, &plan->constant_capacity,
                        (size_t)plan->constant_count + 1, sizeof *plan->constants) ||
        !(constant.values = det_alloc_aligned(dnnl_memory_desc_get_size(wanted))))
        return det_fail_memory(error, "weights");

    dnnl_status_t result =
        dnnl_memory_create(&constant.memory, wanted, plan->engine, constant.values);
    if (result == dnnl_success) result = fill_constant(plan, values, plain, &constant, wanted);
    if (result != dnnl_success) {
        if (constant.memory) dnnl_memory_destroy(constant.memory);
        det_free(constant.values);
        return det_dnnl_fail(error, "pack weights", result);
    }
    plan->constants[plan->constant_count++] = constant;
    plan->constant_size += dnnl_memory_desc_get_size(wanted);
    argument->constant = constant.memory;
    return DET_OK;
}

det_status det_plan_add_scales(det_plan *plan, const det_scaling *scaling, det_argument *constants,
                               int *count, det_error *error)
{
    if (!det_scales_are_arguments) return DET_OK;
    const dnnl_dims_t dims = {(dnnl_dim_t)scaling->count};
    det_layout row = det_layout_create(1, dims, dnnl_f32, dnnl_x);
    if (!row) return det_fail_memory(error, "scales");
    det_argument argument = {det_scale_argument | scaling->argument, -1, NULL};
    const det_status status =
        det_plan_add_constant(plan, scaling->values, row, row, &argument, error);
    det_layout_free(row);
    if (status == DET_OK) constants[(*count)++] = argument;
    return status;
}

int det_plan_add_layer(det_plan *plan, const det_layer *layer, int input, dnnl_primitive_desc_t pd,
                       const det_argument *constants, int constant_count, det_error *error)
{
    const char *name = layer->node->name;
    int output = layer->destination;
    int status = input = det_plan_reorder(
        plan, name, input, dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0), error);
    if (status >= 0 && output < 0) {
        det_const_layout chosen = dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
        status = output = det_plan_add_tensor(plan, det_layout_copy(chosen), layer->out, error);
    }
    if (status < 0) {
        dnnl_primitive_desc_destroy(pd);
        return status;
    }

    det_argument arguments[5] = {{DNNL_ARG_SRC, input, NULL}, {DNNL_ARG_DST, output, NULL}};
    for (int i = 0; i < constant_count; i++) arguments[2 + i] = constants[i];
    status = det_plan_add_step(plan, name, pd, arguments, 2 + constant_count, error);
    return status < 0 ? status : output;
}
