/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_H
#define DETECT_DATA_H

#include "detect/image.h"
#include "detect/json.h"
#include "detect/proposals.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Configuration ------------------------------------------------------------------------- */

/** Scales that regions can be pooled at, at most; room for a name in a configuration. */
enum { DET_POOL_SCALES = 8, DET_NAME_SIZE = 128 };

typedef enum det_nms_method {
    DET_NMS_HARD = 0,
    DET_NMS_NONE = 1,
    DET_NMS_VOTE = 2, /**< hard, then box voting */
    DET_NMS_SOFT = 3
} det_nms_method;

/** How fast layers learn beside the others. */
typedef struct det_layer_rate {
    char layers[DET_NAME_SIZE]; /**< a pattern of names: * stands for any letters, ? for one */
    double factor;              /**< of the learning rate; 0: they stay as they are */
} det_layer_rate;

enum { DET_LAYER_RATES = 32 };

/** The configuration of a detector: configs/det.schema.json, key for key, with its defaults filled
 *  in. Make it with det_config_create or det_config_load; everything it points to is its own. */
typedef struct det_config {
    /** Bit i % 64 of item i / 64: key i of det_config_key was set, not left at its default. */
    uint64_t set_keys[2];
    struct {
        bool selective_search, multibox, uniform, sliding; /**< proposals.methods */
        size_t max;         /**< regions of a picture at most, 0: all */
        bool whole_picture; /**< false: a region that is the whole picture is left out */
        char preset[16];    /**< "single", "fast" or "quality": color_spaces, similarities and k
                               where they are not set themselves */
        det_selective_search_options search;
        size_t multibox_max; /**< proposals.multibox.max */
    } proposals;
    struct {
        char **models; /**< paths, resolved; model_count of them */
        size_t model_count;
        char vote[16];     /**< "average" */
        char precision[8]; /**< "f32", "bf16", "int8", "auto" */
        bool winograd;     /**< f32 may use Winograd convolutions */
        size_t batch;
        char regions[8];                    /**< "crop" or "pool" */
        char pool_layer[DET_NAME_SIZE];     /**< classifier.pool.layer; "": found from the model */
        float pool_scales[DET_POOL_SCALES]; /**< classifier.pool.scales, the rest 0 */
        char pool_method[8];                /**< "align" or "max" */
        int context_px;                     /**< -1: the model's own */
        bool cascade;
    } classifier;
    struct {
        float score_threshold;
        size_t max_detections;
        int box_regression; /**< 1: yes, 0: no, -1: where a model has it */
        det_nms_method nms_method;
        float nms_iou, nms_vote_iou, nms_sigma;
        char nms_decay[16]; /**< "gaussian" or "linear" */
    } postprocess;
    struct {
        char *annotations, *pictures, *output, *cache; /**< paths, resolved; NULL: not named */
        char split[DET_NAME_SIZE];                     /**< "": all pictures */
        char layer[DET_NAME_SIZE];                     /**< "": found from the model */
        int grid, folds;
        double positive_iou, negative_iou;
        char head[8];           /**< "softmax" or "svm" */
        char class_weights[16]; /**< "none" or "balanced" */
        double l2;              /**< 0: null, chosen */
        size_t max_examples, bootstrap;
        bool learning_curve;
        size_t multibox_boxes;   /**< train.multibox.boxes; 0: no head is learned */
        char multibox_match[16]; /**< "priors" or "predictions" */
        struct {
            size_t steps; /**< 0: the network stays as it is */
            size_t batch; /**< regions of a step */
            double positive_share, rate;
            char schedule[16]; /**< "constant", "step", "poly" or "cosine" */
            size_t warm_up, step_every;
            double step_factor, power, momentum, weight_decay;
            double clip;    /**< 0: no clipping */
            size_t average; /**< steps; 0: no average */
            double box_weight;
            bool mirror;
            double jitter, color;                  /**< strengths; 0: none */
            double validation;                     /**< share of the pictures; 0: none */
            size_t checkpoint;                     /**< steps */
            det_layer_rate rates[DET_LAYER_RATES]; /**< rate_count */
            size_t rate_count;
        } network;
    } train; /**< det_train's alone */
    struct {
        int threads; /**< 0: as many as the process may use */
        uint64_t seed;
    } runtime;
    struct {
        uint64_t max_pixels, max_file_bytes, max_regions, memory_mb;
        double timeout_s; /**< for one picture; 0: none */
    } limits;
} det_config;

/** The defaults. */
DET_API det_status det_config_create(det_config **config, det_error *error);

/** Reads a configuration file (JSON, see configs/det.schema.json). Relative paths in it are taken
 *  from the folder of the file.
 *  @return DET_OK; DET_IO; DET_FORMAT (syntax or a duplicate key, with line and column; unknown
 *          key, wrong type, value out of range, with the key path); DET_UNSUPPORTED (a newer
 *          schema_version); DET_LIMIT (above 1 GiB); DET_MEMORY. */
DET_API det_status det_config_load(const char *path, det_config **config, det_error *error);

/** Sets one key from "postprocess.nms.iou=0.3". The value is JSON if it parses as JSON, else a
 *  string; paths are taken from the working directory. An array may be given by its only element,
 *  and a group of keys by an object.
 *  @return DET_OK, DET_ARGUMENT (with the key path in error->where), DET_UNSUPPORTED (a newer
 *          schema_version), DET_MEMORY. The configuration is unchanged after a failure. */
DET_API det_status det_config_set(det_config *config, const char *assignment, det_error *error);
DET_API void det_config_free(det_config *config);

/** Describes key `index` of the configuration, in the order of configs/det.schema.json. Every text
 *  is static; any of the pointers may be NULL.
 *  @param path          "postprocess.nms.iou".
 *  @param type          "boolean", "integer", "number", "string", "array" or "object".
 *  @param default_value as JSON.
 *  @param help          a sentence.
 *  @return whether there is a key of that index. Thread-safe. */
DET_API bool det_config_key(size_t index, const char **path, const char **type,
                            const char **default_value, const char **help);

/** Writes the value that key `index` of det_config_key has in a configuration: as it was set, by
 * its preset, or its default; numbers with nine digits.
 *  @param key as in det_json_string. @return whether there is a key of that index. */
DET_API bool det_config_value(const det_config *config, size_t index, det_json *json,
                              const char *key);

/* ---- Pictures named on a command line ------------------------------------------------------- */

/** A list of picture files. */
typedef struct det_inputs {
    char **paths; /**< count of them; "-" is standard input */
    size_t count;
} det_inputs;

/** Expands operands to picture files: a file stands for itself, a folder for the pictures in it
 *  (names ending in .jpg .jpeg .png .webp of any case, sorted bytewise; with `recursive` also in
 *  the folders below it, symbolic links to folders not followed), @LIST for the lines of that file
 *  (@- : standard input; empty lines skipped; relative to the working directory), "-" for the
 *  bytes of one picture on standard input. A file that does not exist is no error here: reading it
 * will say so.
 *  @return DET_OK; DET_ARGUMENT (a folder without pictures, an empty list, standard input twice);
 *          DET_IO; DET_MEMORY. */
DET_API det_status det_inputs_expand(const char *const *operands, size_t count, bool recursive,
                                     det_inputs *inputs, det_error *error);
DET_API void det_inputs_free(det_inputs *inputs);

/* ---- Results -------------------------------------------------------------------------------- */

/** An object found. Strings are borrowed from the model. */
typedef struct det_detection {
    const char *class_name;
    int64_t class_id;    /**< index in the model's classes, background not counted */
    int64_t category_id; /**< the data set's own id, or -1 */
    float score;         /**< in [0, 1] */
    det_box box;         /**< pixels of the upright picture */
    det_source source;   /**< of the proposal */
} det_detection;

/** A class that a picture as a whole may show. The string is borrowed from the model. */
typedef struct det_label {
    const char *class_name;
    int64_t class_id; /**< index in the model's classes, background not counted */
    float score;      /**< in [0, 1] */
} det_label;

/** Milliseconds a picture took, stage by stage. */
typedef struct det_timings {
    double decode_ms, proposals_ms, crops_ms, network_ms, fusion_ms, total_ms;
} det_timings;

/** What is known of one picture. `detections`, `regions` and `labels` may be empty; error.status
 * tells whether the picture failed. */
typedef struct det_result {
    const char *file;  /**< as named on the command line; borrowed */
    int width, height; /**< 0 where the picture could not be read */
    det_detection *detections;
    size_t detection_count;
    det_region *regions; /**< `propose` only */
    size_t region_count;
    det_label *labels; /**< `classify` only */
    size_t label_count;
    size_t proposal_count;
    size_t too_small_count; /**< boxes that proposals.selective_search.min_side left out */
    det_timings timings;
    det_error error;
} det_result;

/** Frees what a result owns (detections, regions, labels) and empties those fields. */
DET_API void det_result_free(det_result *result);

typedef enum det_format {
    DET_FORMAT_JSON = 0, /**< one document */
    DET_FORMAT_JSONL,    /**< a line a picture, flushed */
    DET_FORMAT_COCO,     /**< COCO results: an array of image_id, category_id, bbox, score */
    DET_FORMAT_VOC,      /**< a folder of comp4_det_test_CLASS.txt files */
    DET_FORMAT_YOLO,     /**< a folder of a text file a picture: class cx cy w h score, relative */
    DET_FORMAT_CSV,
    DET_FORMAT_TEXT /**< for people: the labels of each picture, aligned */
} det_format;

/** @return DET_OK, or DET_ARGUMENT where no format has that name ("json", "jsonl", "coco", "voc",
 * "yolo", "csv", "text"). */
DET_API det_status det_format_parse(const char *name, det_format *format, det_error *error);

/** What made the results: the "detector" object of the document. Strings are borrowed. */
typedef struct det_run_info {
    const char *const *models; /**< model_count paths or digests */
    size_t model_count;
    const char *const *proposals; /**< proposal_count method names */
    size_t proposal_count;
    const char *precision;
    int threads; /**< 0: as many as the process may use, and that number is written */
    const char *const *class_names; /**< class_count names: voc has a file for each */
    size_t class_count;
    int crops; /**< of a picture, where it is classified as a whole; else 0 */
} det_run_info;

typedef struct det_writer_options {
    det_format format;
    const char *output; /**< a file, or a folder for voc and yolo; NULL: standard output through
                           `stream_fd` */
    bool append;        /**< jsonl: add to what the file `output` holds, in place of replacing it */
    int stream_fd;      /**< where output is NULL: an open file descriptor, usually 1 */
    bool timings;       /**< write timings_ms */
    bool proposals;     /**< write "proposals" in place of "detections" */
    bool labels;        /**< write "labels" in place of "detections" */
    const char *annotations;  /**< COCO JSON that gives image_id by file name, or NULL */
    const det_inputs *inputs; /**< all pictures of the run: coco chooses their image_id from these,
                                 voc and yolo check that no two share a name; else may be NULL */
    det_run_info info;
} det_writer_options;

/** Writes results in one of the formats. Files appear only when det_writer_close succeeds (JSONL:
 *  as they come); a folder is made where it is missing, and no file in it is touched but those that
 *  are written. Not thread-safe: results are added in the order of the pictures.
 *
 *  A picture that failed stands in json and jsonl with its error; the other formats leave it out.
 *  A process that writes to a pipe should ignore SIGPIPE, so that a closed one becomes DET_IO. */
typedef struct det_writer det_writer;

/** @param options copied; what it points to must stay until the writer is closed.
 *  @return DET_OK; DET_ARGUMENT (coco without numbers for every picture; voc and yolo without a
 *          folder, or where two pictures would share a name in it; a format that needs `inputs` or
 *          `class_names` without them; `append` in another format than jsonl; proposals, labels or
 * detections in a format that cannot hold them); DET_IO (cannot be written: found here, before any
 * work is done); DET_FORMAT (annotations); DET_MEMORY. */
DET_API det_status det_writer_open(const det_writer_options *options, det_writer **writer,
                                   det_error *error);
/** Writes one picture. After a failure the writer can only be abandoned, or closed, which fails.
 *  @return DET_OK; DET_IO (a closed pipe, a full disk); DET_ARGUMENT (a picture or class that the
 *          writer was not opened for); DET_MEMORY. */
DET_API det_status det_writer_add(det_writer *writer, const det_result *result, det_error *error);
/** Finishes the output and frees the writer, also on failure.
 *  @return DET_OK, DET_IO, DET_MEMORY. */
DET_API det_status det_writer_close(det_writer *writer, det_error *error);
/** Drops an unfinished output and frees the writer. Takes NULL. */
DET_API void det_writer_abandon(det_writer *writer);

#ifdef __cplusplus
}
#endif
#endif
