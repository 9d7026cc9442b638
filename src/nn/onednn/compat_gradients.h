/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_ONEDNN_COMPAT_GRADIENTS_H
#define DETECT_NN_ONEDNN_COMPAT_GRADIENTS_H

/* What compat.h does, for the primitives of training. `hint` is the primitive descriptor of the
 * same layer forward. Windows are strides, dilations - 1 (convolution) or kernel (pools), padding
 * before and behind. Convolutions are left to oneDNN's choice: in f32 it takes Winograd's algorithm
 * for those of 3x3 where that pays (GoogLeNet, batch 16: 12 % of a step), which puts gradients off
 * by 1e-4 of themselves; bf16 does by 4e-2. */

#include "src/nn/onednn/compat.h"

#if DNNL_VERSION_MAJOR >= 3

static inline dnnl_status_t det_pd_convolution_learning(dnnl_primitive_desc_t *pd,
                                                        dnnl_engine_t engine, dnnl_prop_kind_t kind,
                                                        const det_const_layout layouts[4],
                                                        const dnnl_dims_t window[4],
                                                        const_dnnl_primitive_attr_t attributes)
{
    return dnnl_convolution_forward_primitive_desc_create(
        pd, engine, kind, dnnl_convolution_auto, layouts[0], layouts[1], layouts[2], layouts[3],
        window[0], window[1], window[2], window[3], attributes);
}

static inline dnnl_status_t det_pd_convolution_data(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                    const det_const_layout layouts[4],
                                                    const dnnl_dims_t window[4],
                                                    const_dnnl_primitive_desc_t hint)
{
    return dnnl_convolution_backward_data_primitive_desc_create(
        pd, engine, dnnl_convolution_auto, layouts[0], layouts[1], layouts[3], window[0], window[1],
        window[2], window[3], hint, NULL);
}

static inline dnnl_status_t det_pd_convolution_weights(dnnl_primitive_desc_t *pd,
                                                       dnnl_engine_t engine,
                                                       const det_const_layout layouts[4],
                                                       const dnnl_dims_t window[4],
                                                       const_dnnl_primitive_desc_t hint)
{
    return dnnl_convolution_backward_weights_primitive_desc_create(
        pd, engine, dnnl_convolution_auto, layouts[0], layouts[1], layouts[2], layouts[3],
        window[0], window[1], window[2], window[3], hint, NULL);
}

static inline dnnl_status_t det_pd_inner_product_learning(dnnl_primitive_desc_t *pd,
                                                          dnnl_engine_t engine,
                                                          dnnl_prop_kind_t kind,
                                                          const det_const_layout layouts[4],
                                                          const_dnnl_primitive_attr_t attributes)
{
    return dnnl_inner_product_forward_primitive_desc_create(
        pd, engine, kind, layouts[0], layouts[1], layouts[2], layouts[3], attributes);
}

static inline dnnl_status_t det_pd_inner_product_data(dnnl_primitive_desc_t *pd,
                                                      dnnl_engine_t engine,
                                                      const det_const_layout layouts[4],
                                                      const_dnnl_primitive_desc_t hint)
{
    return dnnl_inner_product_backward_data_primitive_desc_create(
        pd, engine, layouts[0], layouts[1], layouts[3], hint, NULL);
}

static inline dnnl_status_t det_pd_inner_product_weights(dnnl_primitive_desc_t *pd,
                                                         dnnl_engine_t engine,
                                                         const det_const_layout layouts[4],
                                                         const_dnnl_primitive_desc_t hint)
{
    return dnnl_inner_product_backward_weights_primitive_desc_create(
        pd, engine, layouts[0], layouts[1], layouts[2], layouts[3], hint, NULL);
}

static inline dnnl_status_t det_pd_pool_learning(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                 dnnl_prop_kind_t kind, dnnl_alg_kind_t algorithm,
                                                 det_const_layout in, det_const_layout out,
                                                 const dnnl_dims_t window[4])
{
    const dnnl_dims_t dense = {0};
    return dnnl_pooling_forward_primitive_desc_create(pd, engine, kind, algorithm, in, out,
                                                      window[0], window[1], dense, window[2],
                                                      window[3], NULL);
}

static inline dnnl_status_t det_pd_pool_backward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                 dnnl_alg_kind_t algorithm, det_const_layout in,
                                                 det_const_layout out, const dnnl_dims_t window[4],
                                                 const_dnnl_primitive_desc_t hint)
{
    const dnnl_dims_t dense = {0};
    return dnnl_pooling_backward_primitive_desc_create(pd, engine, algorithm, in, out, window[0],
                                                       window[1], dense, window[2], window[3], hint,
                                                       NULL);
}

static inline dnnl_status_t det_pd_lrn_learning(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                dnnl_prop_kind_t kind, det_const_layout in,
                                                dnnl_dim_t size, const float values[3])
{
    return dnnl_lrn_forward_primitive_desc_create(pd, engine, kind, dnnl_lrn_across_channels, in,
                                                  in, size, values[0], values[1], values[2], NULL);
}

static inline dnnl_status_t det_pd_lrn_backward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                det_const_layout in, dnnl_dim_t size,
                                                const float values[3],
                                                const_dnnl_primitive_desc_t hint)
{
    return dnnl_lrn_backward_primitive_desc_create(pd, engine, dnnl_lrn_across_channels, in, in, in,
                                                   size, values[0], values[1], values[2], hint,
                                                   NULL);
}

static inline dnnl_status_t det_pd_relu_learning(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                 det_const_layout in, float slope)
{
    return dnnl_eltwise_forward_primitive_desc_create(pd, engine, dnnl_forward_training,
                                                      dnnl_eltwise_relu_use_dst_for_bwd, in, in,
                                                      slope, 0, NULL);
}

/* From what came out, not from what went in, so that it may work in place. */
static inline dnnl_status_t det_pd_relu_backward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                 det_const_layout in, float slope,
                                                 const_dnnl_primitive_desc_t hint)
{
    return dnnl_eltwise_backward_primitive_desc_create(
        pd, engine, dnnl_eltwise_relu_use_dst_for_bwd, in, in, in, slope, 0, hint, NULL);
}

static inline dnnl_status_t det_pd_batch_norm(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                              dnnl_prop_kind_t kind, det_const_layout in,
                                              float epsilon, unsigned flags)
{
    return dnnl_batch_normalization_forward_primitive_desc_create(pd, engine, kind, in, in, epsilon,
                                                                  flags, NULL);
}

static inline dnnl_status_t det_pd_batch_norm_backward(dnnl_primitive_desc_t *pd,
                                                       dnnl_engine_t engine, det_const_layout in,
                                                       float epsilon, unsigned flags,
                                                       const_dnnl_primitive_desc_t hint)
{
    return dnnl_batch_normalization_backward_primitive_desc_create(
        pd, engine, dnnl_backward, in, in, in, epsilon, flags, hint, NULL);
}

/* Of `count` maps of one layout. */
static inline dnnl_status_t det_pd_sum(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                       det_const_layout layout, int count)
{
    float *scales = (float *)det_alloc_array((size_t)count, sizeof *scales);
    det_const_layout *in = (det_const_layout *)det_alloc_array((size_t)count, sizeof *in);
    dnnl_status_t status = dnnl_out_of_memory;
    for (int i = 0; scales && in && i < count; i++) {
        scales[i] = 1;
        in[i] = layout;
    }
    if (scales && in)
        status = dnnl_sum_primitive_desc_create(pd, engine, layout, count, scales, in, NULL);
    det_free(scales);
    det_free(in);
    return status;
}

static inline det_layout det_layout_part(det_const_layout whole, const dnnl_dims_t dims,
                                         const dnnl_dims_t offsets)
{
    det_layout part = NULL;
    return dnnl_memory_desc_create_submemory(&part, whole, dims, offsets) == dnnl_success ? part
                                                                                          : NULL;
}

#else

static inline dnnl_status_t det_pd_convolution_learning(dnnl_primitive_desc_t *pd,
                                                        dnnl_engine_t engine, dnnl_prop_kind_t kind,
                                                        const det_const_layout layouts[4],
                                                        const dnnl_dims_t window[4],
                                                        const_dnnl_primitive_attr_t attributes)
{
    dnnl_convolution_desc_t operation;
    const dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
        &operation, kind, dnnl_convolution_auto, layouts[0], layouts[1], layouts[2], layouts[3],
        window[0], window[1], window[2], window[3]);
    return status == dnnl_success
               ? dnnl_primitive_desc_create(pd, &operation, attributes, engine, NULL)
               : status;
}

static inline dnnl_status_t det_pd_convolution_data(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                    const det_const_layout layouts[4],
                                                    const dnnl_dims_t window[4],
                                                    const_dnnl_primitive_desc_t hint)
{
    dnnl_convolution_desc_t operation;
    const dnnl_status_t status = dnnl_dilated_convolution_backward_data_desc_init(
        &operation, dnnl_convolution_auto, layouts[0], layouts[1], layouts[3], window[0], window[1],
        window[2], window[3]);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &operation, NULL, engine, hint)
                                  : status;
}

static inline dnnl_status_t det_pd_convolution_weights(dnnl_primitive_desc_t *pd,
                                                       dnnl_engine_t engine,
                                                       const det_const_layout layouts[4],
                                                       const dnnl_dims_t window[4],
                                                       const_dnnl_primitive_desc_t hint)
{
    dnnl_convolution_desc_t operation;
    const dnnl_status_t status = dnnl_dilated_convolution_backward_weights_desc_init(
        &operation, dnnl_convolution_auto, layouts[0], layouts[1], layouts[2], layouts[3],
        window[0], window[1], window[2], window[3]);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &operation, NULL, engine, hint)
                                  : status;
}

static inline dnnl_status_t det_pd_inner_product_learning(dnnl_primitive_desc_t *pd,
                                                          dnnl_engine_t engine,
                                                          dnnl_prop_kind_t kind,
                                                          const det_const_layout layouts[4],
                                                          const_dnnl_primitive_attr_t attributes)
{
    dnnl_inner_product_desc_t operation;
    const dnnl_status_t status = dnnl_inner_product_forward_desc_init(
        &operation, kind, layouts[0], layouts[1], layouts[2], layouts[3]);
    return status == dnnl_success
               ? dnnl_primitive_desc_create(pd, &operation, attributes, engine, NULL)
               : status;
}

static inline dnnl_status_t det_pd_inner_product_data(dnnl_primitive_desc_t *pd,
                                                      dnnl_engine_t engine,
                                                      const det_const_layout layouts[4],
                                                      const_dnnl_primitive_desc_t hint)
{
    dnnl_inner_product_desc_t operation;
    const dnnl_status_t status =
        dnnl_inner_product_backward_data_desc_init(&operation, layouts[0], layouts[1], layouts[3]);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &operation, NULL, engine, hint)
                                  : status;
}

static inline dnnl_status_t det_pd_inner_product_weights(dnnl_primitive_desc_t *pd,
                                                         dnnl_engine_t engine,
                                                         const det_const_layout layouts[4],
                                                         const_dnnl_primitive_desc_t hint)
{
    dnnl_inner_product_desc_t operation;
    const dnnl_status_t status = dnnl_inner_product_backward_weights_desc_init(
        &operation, layouts[0], layouts[1], layouts[2], layouts[3]);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &operation, NULL, engine, hint)
                                  : status;
}

static inline dnnl_status_t det_pd_pool_learning(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                 dnnl_prop_kind_t kind, dnnl_alg_kind_t algorithm,
                                                 det_const_layout in, det_const_layout out,
                                                 const dnnl_dims_t window[4])
{
    dnnl_pooling_desc_t operation;
    const dnnl_status_t status = dnnl_pooling_forward_desc_init(
        &operation, kind, algorithm, in, out, window[0], window[1], window[2], window[3]);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &operation, NULL, engine, NULL)
                                  : status;
}

static inline dnnl_status_t det_pd_pool_backward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                 dnnl_alg_kind_t algorithm, det_const_layout in,
                                                 det_const_layout out, const dnnl_dims_t window[4],
                                                 const_dnnl_primitive_desc_t hint)
{
    dnnl_pooling_desc_t operation;
    const dnnl_status_t status = dnnl_pooling_backward_desc_init(
        &operation, algorithm, in, out, window[0], window[1], window[2], window[3]);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &operation, NULL, engine, hint)
                                  : status;
}

static inline dnnl_status_t det_pd_lrn_learning(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                dnnl_prop_kind_t kind, det_const_layout in,
                                                dnnl_dim_t size, const float values[3])
{
    dnnl_lrn_desc_t operation;
    const dnnl_status_t status = dnnl_lrn_forward_desc_init(
        &operation, kind, dnnl_lrn_across_channels, in, size, values[0], values[1], values[2]);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &operation, NULL, engine, NULL)
                                  : status;
}

static inline dnnl_status_t det_pd_lrn_backward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                det_const_layout in, dnnl_dim_t size,
                                                const float values[3],
                                                const_dnnl_primitive_desc_t hint)
{
    dnnl_lrn_desc_t operation;
    const dnnl_status_t status = dnnl_lrn_backward_desc_init(
        &operation, dnnl_lrn_across_channels, in, in, size, values[0], values[1], values[2]);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &operation, NULL, engine, hint)
                                  : status;
}

static inline dnnl_status_t det_pd_relu_learning(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                 det_const_layout in, float slope)
{
    dnnl_eltwise_desc_t operation;
    const dnnl_status_t status = dnnl_eltwise_forward_desc_init(
        &operation, dnnl_forward_training, dnnl_eltwise_relu_use_dst_for_bwd, in, slope, 0);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &operation, NULL, engine, NULL)
                                  : status;
}

/* From what came out, not from what went in, so that it may work in place. */
static inline dnnl_status_t det_pd_relu_backward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                                 det_const_layout in, float slope,
                                                 const_dnnl_primitive_desc_t hint)
{
    dnnl_eltwise_desc_t operation;
    const dnnl_status_t status = dnnl_eltwise_backward_desc_init(
        &operation, dnnl_eltwise_relu_use_dst_for_bwd, in, in, slope, 0);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &operation, NULL, engine, hint)
                                  : status;
}

static inline dnnl_status_t det_pd_batch_norm(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                              dnnl_prop_kind_t kind, det_const_layout in,
                                              float epsilon, unsigned flags)
{
    dnnl_batch_normalization_desc_t operation;
    const dnnl_status_t status =
        dnnl_batch_normalization_forward_desc_init(&operation, kind, in, epsilon, flags);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &operation, NULL, engine, NULL)
                                  : status;
}

static inline dnnl_status_t det_pd_batch_norm_backward(dnnl_primitive_desc_t *pd,
                                                       dnnl_engine_t engine, det_const_layout in,
                                                       float epsilon, unsigned flags,
                                                       const_dnnl_primitive_desc_t hint)
{
    dnnl_batch_normalization_desc_t operation;
    const dnnl_status_t status = dnnl_batch_normalization_backward_desc_init(
        &operation, dnnl_backward, in, in, epsilon, flags);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &operation, NULL, engine, hint)
                                  : status;
}

/* Of `count` maps of one layout. */
static inline dnnl_status_t det_pd_sum(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                       det_const_layout layout, int count)
{
    float *scales = (float *)det_alloc_array((size_t)count, sizeof *scales);
    dnnl_memory_desc_t *in = (dnnl_memory_desc_t *)det_alloc_array((size_t)count, sizeof *in);
    dnnl_status_t status = dnnl_out_of_memory;
    for (int i = 0; scales && in && i < count; i++) {
        scales[i] = 1;
        in[i] = *layout;
    }
    if (scales && in)
        status = dnnl_sum_primitive_desc_create(pd, layout, count, scales, in, NULL, engine);
    det_free(scales);
    det_free(in);
    return status;
}

static inline det_layout det_layout_part(det_const_layout whole, const dnnl_dims_t dims,
                                         const dnnl_dims_t offsets)
{
    dnnl_memory_desc_t part;
    return dnnl_memory_desc_init_submemory(&part, whole, dims, offsets) == dnnl_success
               ? det_layout_copy(&part)
               : NULL;
}

#endif
#endif
