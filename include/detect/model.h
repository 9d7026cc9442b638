/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_MODEL_H
#define DETECT_MODEL_H

#include "detect/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A model file, mapped into memory: a graph of layers, its weights, and how to feed it. Immutable
 *  and reference-counted; safe to share between threads. */
typedef struct det_model det_model;

/** The arithmetic of a network. Its inputs and outputs are f32 whatever it is. */
typedef enum det_precision {
    DET_F32 = 0,
    DET_BF16 = 1, /**< weights and maps in bf16 (8 significant bits), sums in f32; needs a processor
                       that has it */
    DET_INT8 = 2, /**< weights and maps in 8 bits, sums in 32-bit integers, where the model was
                       calibrated for it; the other layers in bf16 where the processor has it */
    DET_AUTO = 3  /**< the fastest of the above that the model lists as verified and the processor
                       has, else f32 */
} det_precision;

/** "f32", "bf16", "int8", "auto"; NULL for a value that is none of the above. */
DET_API const char *det_precision_name(det_precision precision);
/** The precision of that name. @return false where there is none. */
DET_API bool det_precision_parse(const char *name, det_precision *precision);

/** How a model wants its pictures. */
typedef struct det_model_input {
    int width, height;       /**< pixels of a crop */
    char channel_order[4];   /**< "BGR" or "RGB" */
    float mean[3], scale[3]; /**< fed value = (pixel - mean) * scale, in channel_order */
    char interpolation[16];  /**< "bilinear" */
    int context_px;          /**< pixels of the crop, on each side, that show the surroundings */
} det_model_input;

/** A layer, for people. Shapes are channels, height, width at the model's own input size. */
typedef struct det_layer_info {
    const char *name, *op;       /**< owned by the model */
    int64_t input[3], output[3]; /**< of the first input; {c, h, w}, 1 where a side is missing */
    uint64_t parameters;         /**< weights and biases */
    uint64_t macs;               /**< multiply-accumulates for one picture */
    bool weighted;               /**< has weights, so that its precision can be chosen */
    bool integer;                /**< in int8 it runs in 8-bit integers here */
} det_layer_info;

/** Opens a model file and checks it: structure, shapes, and the digest of its weights.
 *
 *  The file stays mapped: one that is cut short or overwritten in place while the model lives ends
 *  the process (SIGBUS). Replace model files by renaming, as this library does.
 *
 *  @param model receives the model; det_model_free it.
 *  @return DET_OK, DET_IO, DET_FORMAT (error->where: "byte N", a layer, or a key path),
 *          DET_UNSUPPORTED (a newer format_version, an unknown op), DET_LIMIT, DET_MEMORY. */
DET_API det_status det_model_open(const char *path, det_model **model, det_error *error);

/** Another reference to the same model. */
DET_API det_model *det_model_share(det_model *model);

/** Drops a reference; the last one unmaps the file. Takes NULL. */
DET_API void det_model_free(det_model *model);

/** Where the model was read from, as it was given to det_model_open. */
DET_API const char *det_model_path(const det_model *model);
/** The digest of its weights, such as "xxh3-128:0123...". */
DET_API const char *det_model_digest(const det_model *model);

/** Room for a digest and its end. */
enum { DET_MODEL_DIGEST_SIZE = 64 };
/** The digest of the whole file, read again: also of how the network is fed, its classes and its
 *  scales, which det_model_digest does not cover. @return DET_OK, DET_MEMORY. */
DET_API det_status det_model_file_digest(const det_model *model, char text[DET_MODEL_DIGEST_SIZE],
                                         det_error *error);

DET_API const det_model_input *det_model_get_input(const det_model *model);

DET_API size_t det_model_class_count(const det_model *model);
/** Name of a class (WordNet: the first of its synonyms). class_id in [0, count), background not
 * counted. */
DET_API const char *det_model_class_name(const det_model *model, size_t class_id);
/** The data set's own id of a class (COCO's category_id), or -1. */
DET_API int64_t det_model_class_category(const det_model *model, size_t class_id);
/** The id of the first class of that name, or else of the first that has it among its synonyms,
 *  letters compared without case; -1 when there is none. */
DET_API int64_t det_model_find_class(const det_model *model, const char *name);

DET_API size_t det_model_layer_count(const det_model *model);
/** Describes layer `index` of det_model_layer_count. @return DET_OK or DET_ARGUMENT. */
DET_API det_status det_model_layer(const det_model *model, size_t index, det_layer_info *info);

/** What a layer of a model is for. */
typedef enum det_model_role {
    DET_ROLE_PROBABILITIES = 0,
    DET_ROLE_FEATURES = 1,
    DET_ROLE_BOX_DELTAS = 2, /**< how far the boxes of regions are moved (R-CNN, appendix C) */
    DET_ROLE_REGIONS = 3,    /**< the map that regions are pooled from, where a configuration
                                    names none */
    DET_ROLE_MULTIBOX = 4    /**< where objects may be in a whole picture (Erhan et al., 2014) */
} det_model_role;

/** The name of the layer that has a role, owned by the model; NULL where none has. */
DET_API const char *det_model_output(const det_model *model, det_model_role role);

/** How many boxes the layer with DET_ROLE_MULTIBOX moves; 0 without one. */
DET_API size_t det_model_prior_count(const det_model *model);
/** Box `index` of det_model_prior_count before it is moved: corners in shares of the picture's
 *  sides, in [0, 1]. */
DET_API det_box det_model_prior(const det_model *model, size_t index);

/** The provenance of the model as JSON text, "{}" when it says nothing. */
DET_API const char *det_model_provenance(const det_model *model);

/** How the model is to be used: keys of a configuration and their values, as a JSON object such as
 *  {"classifier.regions":"pool"}; "{}" when it says nothing. det_detector_configure heeds it. */
DET_API const char *det_model_settings(const det_model *model);

/** How much a precision changed what a model said of regions of photographs, beside f32. */
typedef struct det_agreement {
    det_precision precision;
    int weight_bits;   /**< of int8: 8 or 7; else 0 */
    size_t regions;    /**< that were compared */
    double same_class; /**< share of them whose most probable class stayed; where probabilities are
                            independent (sigmoid), "none reaches a half" is one more class */
    double change;     /**< mean of |difference| of that class's probability */
    bool verified;     /**< both were good enough when the model was calibrated */
} det_agreement;

/** Whether the model has the scales that int8 needs (det_model_calibrate). */
DET_API bool det_model_is_calibrated(const det_model *model);
DET_API size_t det_model_agreement_count(const det_model *model);
/** Agreement `index` of det_model_agreement_count. Borrowed. */
DET_API const det_agreement *det_model_agreement(const det_model *model, size_t index);

/** Checks a model file completely: what det_model_open checks, and besides that no weight is NaN or
 *  infinite, tensors neither overlap nor leave gaps, every tensor is used, every class is named.
 *  @return DET_OK or the failure, as det_model_open. */
DET_API det_status det_model_verify(const char *path, det_error *error);

/** What to import. */
typedef struct det_model_import_options {
    const char *weights; /**< a .caffemodel, in the new `layer` or the old `layers` format */
    const char *labels; /**< a text file, one class a line, "n01440764 tench, Tinca tinca" or just a
                           name; NULL: class 0, class 1, ... */
    int width, height;  /**< of the input where the file does not say; 0: 224 */
    const float *mean;  /**< three finite values, B G R; NULL: those of the file's data layer, or
                           104, 117, 123 where it has none */
} det_model_import_options;

/** Imports a network trained elsewhere and writes it as a model file (atomically).
 *
 *  What only serves training is left out: losses, accuracies, layers whose rules exclude them from
 *  the phase TEST, and branches that feed nothing else. Where no Softmax is left, the last
 *  SoftmaxWithLoss becomes one. A layer of the model carries the name of the Caffe layer; the name
 *  of a blob finds the layer that wrote it last, unless a layer has that name: "conv1/7x7_s2" of
 *  GoogLeNet is the convolution, before the ReLU that works in its place.
 *
 *  @return DET_OK, DET_ARGUMENT, DET_IO, DET_FORMAT (truncation, inconsistent shapes; error->where
 *          holds layer and byte offset), DET_UNSUPPORTED (a layer type; likewise), DET_LIMIT,
 *          DET_MEMORY. */
DET_API det_status det_model_import(const det_model_import_options *options, const char *out_path,
                                    det_error *error);

#ifdef __cplusplus
}
#endif
#endif
