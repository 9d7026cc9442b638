/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_FEATURES_H
#define DETECT_FEATURES_H

#include "detect/classify.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a layer inside a network says of pictures or of regions of them: the features that other
 * classifiers are trained on (R-CNN, section 2.1). */

/** A model compiled up to a layer. Safe to share between threads. */
typedef struct det_extractor det_extractor;

typedef struct det_extract_options {
    const char *layer; /**< its name, or its second one ('detect model info' lists them) */
    bool regions;      /**< it is for regions, and runs full batches; else for whole pictures */
    det_classify_options crops; /**< of whole pictures */
} det_extract_options;

/** Opens and compiles the model of a configuration, of which `classifier`, `runtime` and `limits`
 *  count.
 *  @param config, options borrowed for the call.
 *  @return as det_classifier_create; DET_ARGUMENT (not one model; no layer of that name: the
 *          message offers near ones). */
DET_API det_status det_extractor_create(const det_config *config,
                                        const det_extract_options *options,
                                        det_extractor **extractor, det_error *error);
DET_API void det_extractor_free(det_extractor *extractor);

/** Borrowed. */
DET_API const det_network *det_extractor_network(const det_extractor *extractor);
/** As it was named in det_extract_options. Borrowed. */
DET_API const char *det_extractor_layer(const det_extractor *extractor);
/** Crops of a whole picture; 0 where it is for regions. */
DET_API int det_extractor_crops(const det_extractor *extractor);
/** Channels, height, width of the features of a crop. */
DET_API det_shape det_extractor_shape(const det_extractor *extractor);

/** Features of some crops. */
typedef struct det_feature_rows {
    const float *values;     /**< count x channels x height x width */
    const det_box *boxes;    /**< count; what the crops show, in pixels of the upright picture */
    const uint8_t *mirrored; /**< count; 1 where left and right are exchanged, else 0 */
    size_t count;
} det_feature_rows;

/** Where features go, a batch at a time, in the order of the crops. */
typedef struct det_feature_sink {
    /** Takes rows, which are borrowed for the call. @return DET_OK to go on; any other status ends
     *  the extraction and is returned. */
    det_status (*take)(void *context, const det_feature_rows *rows, det_error *error);
    void *context;
} det_feature_sink;

/** Extracts the features of a picture as a whole: a row a crop, in the order of
 *  det_classify_options.
 *  @param run or NULL; progress counts crops; the configuration's threads hold.
 *  @return as det_classifier_classify, or what sink->take returned. Thread-safe. */
DET_API det_status det_extractor_picture(const det_extractor *extractor, const det_image *image,
                                         const det_run *run, const det_feature_sink *sink,
                                         det_error *error);

/** Extracts the features of regions: a row a region. Each is warped to the network's input, or
 *  pooled, with its surroundings, as the detector does (classifier.regions, classifier.context_px).
 *  @return the same; DET_ARGUMENT (a region that is empty or not finite). */
DET_API det_status det_extractor_regions(const det_extractor *extractor, const det_image *image,
                                         const det_region *regions, size_t region_count,
                                         const det_run *run, const det_feature_sink *sink,
                                         det_error *error);

/* ---- Files of features ---------------------------------------------------------------------- */

/** A safetensors file being written: the tensors "features" (F32, N x channels x height x width, or
 *  N x channels where height and width are 1), "boxes" (F32, N x 4: x0, y0, x1, y1), "image_index"
 *  (I32, N) and "mirrored" (U8, N); the metadata "format" ("detect-features"), "format_version"
 *  ("1"), "files" (a JSON array that image_index counts in), "layer", "model_digest" and "crops"
 *  ("1", "10", "144" or "regions"). Features go to the disk as they come; 21 bytes a row stay in
 *  memory. The file appears when det_feature_file_close succeeds. Not thread-safe. */
typedef struct det_feature_file det_feature_file;

/** @param files the pictures, file_count of them; borrowed until the file is closed.
 *  @return DET_OK; DET_IO (cannot be written, or is a pipe: the header is completed at the end);
 *          DET_LIMIT (more names than a header holds); DET_MEMORY. */
DET_API det_status det_feature_file_create(const char *path, const det_extractor *extractor,
                                           const char *const *files, size_t file_count,
                                           det_feature_file **file, det_error *error);
/** Adds features of picture `image`, an index in `files`. @return DET_OK, DET_ARGUMENT (no such
 *  picture), DET_IO, DET_MEMORY. */
DET_API det_status det_feature_file_add(det_feature_file *file, size_t image,
                                        const det_feature_rows *rows, det_error *error);
/** Takes back the rows of picture `image` that were added last: it failed before it was complete.
 *  @return DET_OK, DET_IO. */
DET_API det_status det_feature_file_drop(det_feature_file *file, size_t image, det_error *error);
/** Rows so far. */
DET_API size_t det_feature_file_count(const det_feature_file *file);
/** Completes the file and frees the handle, also on failure. @return DET_OK, DET_IO, DET_MEMORY. */
DET_API det_status det_feature_file_close(det_feature_file *file, det_error *error);
/** Drops the unfinished file and frees the handle. Takes NULL. */
DET_API void det_feature_file_abandon(det_feature_file *file);

#ifdef __cplusplus
}
#endif
#endif
