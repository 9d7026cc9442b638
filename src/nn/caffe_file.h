/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_CAFFE_FILE_H
#define DETECT_NN_CAFFE_FILE_H

#include "caffe.pb-c.h"
#include "src/base/error.h"

/** What the importer does with a type of layer. */
typedef enum det_caffe_role {
    DET_CAFFE_LAYER,      /**< becomes a layer of the graph */
    DET_CAFFE_INPUT,      /**< gives the picture */
    DET_CAFFE_SPLIT,      /**< gives its bottom other names */
    DET_CAFFE_TRAINING,   /**< serves training or reports only: left out */
    DET_CAFFE_UNSUPPORTED /**< refused */
} det_caffe_role;

/** A layer of either format. Everything belongs to the network; parameters are NULL where the layer
 *  has none. */
typedef struct det_caffe_layer {
    size_t offset; /**< byte of the file where it begins */
    ProtobufCMessage *message;
    const char *name, *type; /**< type as the newer format spells it; "" where it has none */
    det_caffe_role role;
    char **bottoms, **tops;
    size_t bottom_count, top_count;
    DetCaffe__BlobProto **blobs;
    size_t blob_count;
    DetCaffe__NetStateRule **include, **exclude;
    size_t include_count, exclude_count;
    const DetCaffe__ConcatParameter *concat;
    const DetCaffe__ConvolutionParameter *convolution;
    const DetCaffe__DropoutParameter *dropout;
    const DetCaffe__DummyDataParameter *dummy_data;
    const DetCaffe__InnerProductParameter *inner_product;
    const DetCaffe__InputParameter *input;
    const DetCaffe__LRNParameter *lrn;
    const DetCaffe__PoolingParameter *pooling;
    const DetCaffe__ReLUParameter *relu;
    const DetCaffe__SoftmaxParameter *softmax;
    const DetCaffe__TransformationParameter *transform;
} det_caffe_layer;

/** A .caffemodel in memory. */
typedef struct det_caffe_net {
    DetCaffe__NetParameter *net; /**< name and inputs; never NULL after a successful read */
    det_caffe_layer *layers;
    size_t count;
    bool old_format; /**< field `layers` (V1LayerParameter) */
} det_caffe_net;

/** Reads the bytes of a .caffemodel; they are not needed afterwards.
 *  @return DET_OK, DET_FORMAT (error->where holds layer and byte), DET_LIMIT, DET_MEMORY. The
 *          network is empty after a failure. */
det_status det_caffe_read(const uint8_t *bytes, size_t size, det_caffe_net *net, det_error *error);
void det_caffe_free(det_caffe_net *net);

/** Names layer and byte offset in a failure. Returns `status`. */
det_status det_caffe_place(const det_caffe_layer *layer, det_status status, det_error *error);

/** Types that can be imported, separated by ", ", in a text of `size` bytes. */
void det_caffe_list_types(char *text, size_t size);

#endif
