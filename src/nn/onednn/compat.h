/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_ONEDNN_COMPAT_H
#define DETECT_NN_ONEDNN_COMPAT_H

/* The differences between oneDNN 2 (Debian 12) and 3 (Debian 13), and nothing else. In version 2 a
 * memory descriptor is a struct and an operation has a descriptor of its own; in version 3 memory
 * descriptors are opaque and operation descriptors are gone. Here a layout (det_layout) is a
 * pointer in both, to be freed with det_layout_free, and each det_pd_... makes a primitive
 * descriptor. */

#include "src/base/memory.h"

#include <oneapi/dnnl/dnnl.h>

#if DNNL_VERSION_MAJOR >= 3

typedef dnnl_memory_desc_t det_layout;
typedef const_dnnl_memory_desc_t det_const_layout;

static inline det_layout det_layout_create(int ndims, const dnnl_dims_t dims, dnnl_data_type_t type,
                                           dnnl_format_tag_t tag)
{
    det_layout layout = NULL;
    return dnnl_memory_desc_create_with_tag(&layout, ndims, dims, type, tag) == dnnl_success
               ? layout
               : NULL;
}

static inline det_layout det_layout_copy(det_const_layout layout)
{
    det_layout copy = NULL;
    return dnnl_memory_desc_clone(&copy, layout) == dnnl_success ? copy : NULL;
}

static inline void det_layout_free(det_layout layout)
{
    if (layout) dnnl_memory_desc_destroy(layout);
}

static inline int det_layout_ndims(det_const_layout layout)
{
    int ndims = 0;
    return dnnl_memory_desc_query(layout, dnnl_query_ndims_s32, &ndims) == dnnl_success ? ndims : 0;
}

static inline dnnl_data_type_t det_layout_type(det_const_layout layout)
{
    dnnl_data_type_t type = dnnl_data_type_undef;
    dnnl_memory_desc_query(layout, dnnl_query_data_type, &type);
    return type;
}

static inline dnnl_status_t det_pd_convolution(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                               dnnl_alg_kind_t algorithm,
                                               const det_const_layout layouts[4],
                                               const dnnl_dims_t window[4],
                                               const_dnnl_primitive_attr_t attributes)
{
    return dnnl_convolution_forward_primitive_desc_create(
        pd, engine, dnnl_forward_inference, algorithm, layouts[0], layouts[1], layouts[2],
        layouts[3], window[0], window[1], window[2], window[3], attributes);
}

static inline dnnl_status_t det_pd_pool(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                        dnnl_alg_kind_t algorithm, det_const_layout in,
                                        det_const_layout out, const dnnl_dims_t window[4],
                                        const_dnnl_primitive_attr_t attributes)
{
    const dnnl_dims_t dense = {0};
    return dnnl_pooling_forward_primitive_desc_create(pd, engine, dnnl_forward_inference, algorithm,
                                                      in, out, window[0], window[1], dense,
                                                      window[2], window[3], attributes);
}

static inline dnnl_status_t det_pd_lrn(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                       det_const_layout in, dnnl_dim_t size, const float values[3],
                                       const_dnnl_primitive_attr_t attributes)
{
    return dnnl_lrn_forward_primitive_desc_create(pd, engine, dnnl_forward_inference,
                                                  dnnl_lrn_across_channels, in, in, size, values[0],
                                                  values[1], values[2], attributes);
}

static inline dnnl_status_t det_pd_eltwise(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                           dnnl_alg_kind_t algorithm, det_const_layout in,
                                           float alpha, const_dnnl_primitive_attr_t attributes)
{
    return dnnl_eltwise_forward_primitive_desc_create(pd, engine, dnnl_forward_inference, algorithm,
                                                      in, in, alpha, 0, attributes);
}

static inline dnnl_alg_kind_t det_eltwise_algorithm(const_dnnl_primitive_desc_t pd)
{
    dnnl_alg_kind_t algorithm = dnnl_alg_kind_undef;
    dnnl_primitive_desc_query(pd, dnnl_query_alg_kind, 0, &algorithm);
    return algorithm;
}

static inline dnnl_status_t det_pd_inner_product(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                 const det_const_layout layouts[4],
                                                 const_dnnl_primitive_attr_t attributes)
{
    return dnnl_inner_product_forward_primitive_desc_create(pd, engine, dnnl_forward_inference,
                                                            layouts[0], layouts[1], layouts[2],
                                                            layouts[3], attributes);
}

static inline dnnl_status_t det_pd_softmax(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                           det_const_layout in, int axis,
                                           const_dnnl_primitive_attr_t attributes)
{
    return dnnl_softmax_forward_primitive_desc_create(
        pd, engine, dnnl_forward_inference, dnnl_softmax_accurate, in, in, axis, attributes);
}

static inline dnnl_status_t det_pd_multiply(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                            det_const_layout a, det_const_layout b,
                                            const_dnnl_primitive_attr_t attributes)
{
    return dnnl_binary_primitive_desc_create(pd, engine, dnnl_binary_mul, a, b, a, attributes);
}

static inline dnnl_status_t det_pd_concat(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                          det_const_layout out, const det_const_layout *in,
                                          int count, const_dnnl_primitive_attr_t attributes)
{
    return dnnl_concat_primitive_desc_create(pd, engine, out, count, 1, in, attributes);
}

static inline dnnl_status_t det_post_relu(dnnl_post_ops_t post, float slope)
{
    return dnnl_post_ops_append_eltwise(post, dnnl_eltwise_relu, slope, 0);
}

/* Scales are arguments of a run, and a bias is added to the scaled sum. */
enum { det_scales_are_arguments = 1, det_scale_argument = DNNL_ARG_ATTR_SCALES };

static inline dnnl_status_t det_attributes_scale(dnnl_primitive_attr_t attributes, int argument,
                                                 int mask, const float *values, size_t count)
{
    (void)values, (void)count;
    return dnnl_primitive_attr_set_scales_mask(attributes, argument, mask);
}

#else

typedef dnnl_memory_desc_t *det_layout;
typedef const dnnl_memory_desc_t *det_const_layout;

static inline det_layout det_layout_copy(det_const_layout layout)
{
    det_layout copy = (det_layout)det_alloc(sizeof *copy);
    if (copy) *copy = *layout;
    return copy;
}

static inline det_layout det_layout_create(int ndims, const dnnl_dims_t dims, dnnl_data_type_t type,
                                           dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t layout;
    return dnnl_memory_desc_init_by_tag(&layout, ndims, dims, type, tag) == dnnl_success
               ? det_layout_copy(&layout)
               : NULL;
}

static inline void det_layout_free(det_layout layout)
{
    det_free(layout);
}

static inline int det_layout_ndims(det_const_layout layout)
{
    return layout->ndims;
}

static inline dnnl_data_type_t det_layout_type(det_const_layout layout)
{
    return layout->data_type;
}

static inline dnnl_status_t det_pd_convolution(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                               dnnl_alg_kind_t algorithm,
                                               const det_const_layout layouts[4],
                                               const dnnl_dims_t window[4],
                                               const_dnnl_primitive_attr_t attributes)
{
    dnnl_convolution_desc_t operation;
    const dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
        &operation, dnnl_forward_inference, algorithm, layouts[0], layouts[1], layouts[2],
        layouts[3], window[0], window[1], window[2], window[3]);
    return status == dnnl_success
               ? dnnl_primitive_desc_create(pd, &operation, attributes, engine, NULL)
               : status;
}

static inline dnnl_status_t det_pd_pool(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                        dnnl_alg_kind_t algorithm, det_const_layout in,
                                        det_const_layout out, const dnnl_dims_t window[4],
                                        const_dnnl_primitive_attr_t attributes)
{
    dnnl_pooling_desc_t operation;
    const dnnl_status_t status =
        dnnl_pooling_forward_desc_init(&operation, dnnl_forward_inference, algorithm, in, out,
                                       window[0], window[1], window[2], window[3]);
    return status == dnnl_success
               ? dnnl_primitive_desc_create(pd, &operation, attributes, engine, NULL)
               : status;
}

static inline dnnl_status_t det_pd_lrn(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                       det_const_layout in, dnnl_dim_t size, const float values[3],
                                       const_dnnl_primitive_attr_t attributes)
{
    dnnl_lrn_desc_t operation;
    const dnnl_status_t status =
        dnnl_lrn_forward_desc_init(&operation, dnnl_forward_inference, dnnl_lrn_across_channels, in,
                                   size, values[0], values[1], values[2]);
    return status == dnnl_success
               ? dnnl_primitive_desc_create(pd, &operation, attributes, engine, NULL)
               : status;
}

static inline dnnl_status_t det_pd_eltwise(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                           dnnl_alg_kind_t algorithm, det_const_layout in,
                                           float alpha, const_dnnl_primitive_attr_t attributes)
{
    dnnl_eltwise_desc_t operation;
    const dnnl_status_t status =
        dnnl_eltwise_forward_desc_init(&operation, dnnl_forward_inference, algorithm, in, alpha, 0);
    return status == dnnl_success
               ? dnnl_primitive_desc_create(pd, &operation, attributes, engine, NULL)
               : status;
}

static inline dnnl_alg_kind_t det_eltwise_algorithm(const_dnnl_primitive_desc_t pd)
{
    const dnnl_eltwise_desc_t *operation = NULL;
    const dnnl_status_t status = dnnl_primitive_desc_query(pd, dnnl_query_eltwise_d, 0, &operation);
    return status == dnnl_success && operation ? operation->alg_kind : dnnl_alg_kind_undef;
}

static inline dnnl_status_t det_pd_inner_product(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                 const det_const_layout layouts[4],
                                                 const_dnnl_primitive_attr_t attributes)
{
    dnnl_inner_product_desc_t operation;
    const dnnl_status_t status = dnnl_inner_product_forward_desc_init(
        &operation, dnnl_forward_inference, layouts[0], layouts[1], layouts[2], layouts[3]);
    return status == dnnl_success
               ? dnnl_primitive_desc_create(pd, &operation, attributes, engine, NULL)
               : status;
}

static inline dnnl_status_t det_pd_softmax(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                           det_const_layout in, int axis,
                                           const_dnnl_primitive_attr_t attributes)
{
    dnnl_softmax_desc_t operation;
    const dnnl_status_t status =
        dnnl_softmax_forward_desc_init(&operation, dnnl_forward_inference, in, axis);
    return status == dnnl_success
               ? dnnl_primitive_desc_create(pd, &operation, attributes, engine, NULL)
               : status;
}

static inline dnnl_status_t det_pd_multiply(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                            det_const_layout a, det_const_layout b,
                                            const_dnnl_primitive_attr_t attributes)
{
    dnnl_binary_desc_t operation;
    const dnnl_status_t status = dnnl_binary_desc_init(&operation, dnnl_binary_mul, a, b, a);
    return status == dnnl_success
               ? dnnl_primitive_desc_create(pd, &operation, attributes, engine, NULL)
               : status;
}

static inline dnnl_status_t det_pd_concat(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                          det_const_layout out, const det_const_layout *in,
                                          int count, const_dnnl_primitive_attr_t attributes)
{
    dnnl_memory_desc_t *layouts =
        (dnnl_memory_desc_t *)det_alloc_array((size_t)count, sizeof *layouts);
    if (!layouts) return dnnl_out_of_memory;
    for (int i = 0; i < count; i++) layouts[i] = *in[i];
    const dnnl_status_t status =
        dnnl_concat_primitive_desc_create(pd, out, count, 1, layouts, attributes, engine);
    det_free(layouts);
    return status;
}

static inline dnnl_status_t det_post_relu(dnnl_post_ops_t post, float slope)
{
    return dnnl_post_ops_append_eltwise(post, 1, dnnl_eltwise_relu, slope, 0);
}

/* Scales belong to the primitive: the output is scale * (sum + bias). */
enum { det_scales_are_arguments = 0, det_scale_argument = 0 };

/* Weights have their output channels in dimension 0 (mask 1), outputs in dimension 1 (mask 2). */
static inline dnnl_status_t det_attributes_scale(dnnl_primitive_attr_t attributes, int argument,
                                                 int mask, const float *values, size_t count)
{
    const int output_mask = argument == DNNL_ARG_WEIGHTS ? mask << 1 : mask;
    return dnnl_primitive_attr_set_output_scales(attributes, (dnnl_dim_t)count, output_mask,
                                                 values);
}

#endif
#endif
