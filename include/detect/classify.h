/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLASSIFY_H
#define DETECT_CLASSIFY_H

#include "detect/data.h"
#include "detect/network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a picture shows as a whole: the probabilities of many crops of it, averaged over the crops
 * and over the models (Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, section 7). */

/** Models that classify whole pictures, compiled. Safe to share between threads. */
typedef struct det_classifier det_classifier;

/** Which crops of a picture are classified. Zero in a field means its default.
 *
 *  The picture keeps its aspect and is resized (area averaging where it shrinks, bilinear where it
 *  grows) so that it just covers a frame. For a network of 224 x 224 pixels the frame is a square
 *  of 256, so the shorter side becomes 256; for one of W x H it is round(W * 256 / 224) x
 *  round(H * 256 / 224). */
typedef struct det_classify_options {
    /** 1 (the default): the centre. 10: the four corners and the centre of the resized picture, and
     *  their mirror images. 144: frames of 256, 288, 320 and 352 (in proportion); of each the left,
     *  centre and right one, in a picture taller than the frame the top, centre and bottom one; in
     *  each of these the four corners, the centre, and the whole frame resized to the crop; and
     *  their mirror images. */
    int crops;
    int shorter_side_px; /**< of the frame in place of 256, with 1 and 10 crops; at least the
                              shorter side of the network's input */
    size_t pictures;     /**< that one call of det_classifier_classify_many takes at most; default 1
                          */
} det_classify_options;

/** Opens and compiles the models of a configuration, of which `classifier`, `runtime` and `limits`
 *  count. A batch is at most as large as the number of crops of options->pictures pictures.
 *  @param config  borrowed for the call.
 *  @param options or NULL for the defaults.
 *  @return as det_detector_create; DET_ARGUMENT (crops that there are not). */
DET_API det_status det_classifier_create(const det_config *config,
                                         const det_classify_options *options,
                                         det_classifier **classifier, det_error *error);
DET_API void det_classifier_free(det_classifier *classifier);

/** The first model; classes are those of every model. Borrowed. */
DET_API const det_model *det_classifier_model(const det_classifier *classifier);
/** The networks of its models, in their order. Borrowed.
 *  @param index in [0, det_classifier_network_count). */
DET_API size_t det_classifier_network_count(const det_classifier *classifier);
DET_API const det_network *det_classifier_network(const det_classifier *classifier, size_t index);

/** Classifies a picture as a whole.
 *
 *  @param top    how many classes are wanted, 0: all.
 *  @param run    or NULL; progress counts crops; the configuration's threads hold.
 *  @param result receives labels, best first (score descending, then class), width, height and
 *                timings (all but decode); free with det_result_free. Its file is left alone.
 *  @return DET_OK, DET_ARGUMENT (an empty picture), DET_LIMIT (limits.max_pixels of the resized
 *          picture, limits.memory_mb), DET_MEMORY, DET_CANCELLED, DET_INTERNAL. Thread-safe. */
DET_API det_status det_classifier_classify(const det_classifier *classifier, const det_image *image,
                                           size_t top, const det_run *run, det_result *result,
                                           det_error *error);

/** Where the pictures of one call come from. */
typedef struct det_picture_source {
    void *context;
    /** Reads picture `index` into an empty image, which the caller of this function frees. Called
     *  once for each picture, from several threads at a time. */
    det_status (*read)(void *context, size_t index, det_image *image, det_error *error);
} det_picture_source;

/** Classifies several pictures as wholes. Several are read at a time, and their crops fill common
 *  batches; what comes out are the same bits as from one call for each.
 *
 *  @param count   of pictures, in [1, options->pictures].
 *  @param run     or NULL; progress counts crops of all pictures; limits.timeout_s holds for the
 *                 call.
 *  @param results count of them, each as det_classifier_classify fills it; what was wrong with one
 *                 picture (its reading included) stands in its `error`, and spares the others. A
 *                 picture's timings are its share of the common batches.
 *  @return DET_OK also where pictures failed; DET_ARGUMENT (count), DET_MEMORY, DET_CANCELLED,
 *          DET_INTERNAL: there are no labels at all. Thread-safe. */
DET_API det_status det_classifier_classify_many(const det_classifier *classifier,
                                                const det_picture_source *source, size_t count,
                                                size_t top, const det_run *run, det_result *results,
                                                det_error *error);

/* ---- What pictures show in truth ------------------------------------------------------------ */

/** Which class each of many pictures shows. Safe to share between threads. */
typedef struct det_true_labels det_true_labels;

/** Reads a text of one picture a line: its path, a space or tabulator, and its class. A path that
 *  holds spaces is followed by a tabulator. The class is a name (or one of its synonyms, letters
 *  compared without case), a WordNet id, or the index of the class in the model, from 0; empty
 *  lines are skipped.
 *  @return DET_OK; DET_IO; DET_FORMAT (a line without a class, an unknown class, a picture with two
 *          classes; error->where is "line N"); DET_LIMIT; DET_MEMORY. */
DET_API det_status det_true_labels_read(const char *path, const det_model *model,
                                        det_true_labels **labels, det_error *error);
DET_API void det_true_labels_free(det_true_labels *labels);
DET_API size_t det_true_labels_count(const det_true_labels *labels);

/** The class of a picture: the one whose path in the text equals `file`, else the one of the same
 *  base name, and where several have that, of the longest common end of the path, folder by folder.
 *  @return the class's id, or -1 where none, or several equally well, fit. */
DET_API int64_t det_true_labels_find(const det_true_labels *labels, const char *file);

#ifdef __cplusplus
}
#endif
#endif
