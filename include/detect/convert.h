/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CONVERT_H
#define DETECT_CONVERT_H

#include "detect/annotations.h"
#include "detect/results.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Annotations and results into another format. Nothing is dropped in silence: what a format cannot
 * hold is counted. Numbers keep every bit where the format allows; docs/formats.md ("Conversion")
 * says what each format holds. Unstable before 1.0. */

/** What is lost, or changed, on the way into a format. */
typedef enum det_loss {
    DET_LOSS_UNREAD = 0,  /**< what the files hold besides, which is not read (det_unread) */
    DET_LOSS_IMAGE_ID,    /**< numbers of pictures */
    DET_LOSS_CATEGORY_ID, /**< numbers of classes */
    DET_LOSS_OBJECT_ID,   /**< numbers of objects */
    DET_LOSS_NO_ID,       /**< COCO: objects without a number, which get one */
    DET_LOSS_IMAGE_NAME,  /**< pictures that are called otherwise: without folder, without spaces */
    DET_LOSS_CLASS_NAME,  /**< names of classes that change, or that only the annotations give */
    DET_LOSS_SAME_NAME,   /**< classes and pictures of a name that another has, too */
    DET_LOSS_UNUSED,      /**< VOC: classes without an object */
    DET_LOSS_CROWD,       /**< crowds: VOC has them difficult, YOLO not at all */
    DET_LOSS_IGNORE,      /**< objects to be ignored: likewise */
    DET_LOSS_DIFFICULT,   /**< COCO: marked as to be ignored, at which pycocotools does not look;
                               YOLO: left out */
    DET_LOSS_MARK,        /**< YOLO: "truncated" and "occluded" */
    DET_LOSS_AREA,        /**< areas that are not those of the boxes */
    DET_LOSS_FRACTION,    /**< VOC: boxes with fractions of pixels: kept, or rounded */
    DET_LOSS_LAST_BITS,   /**< boxes that read back within rounding, not to the last bit */
    DET_LOSS_FAR,         /**< YOLO: objects far outside of the picture, left out */
    DET_LOSS_NO_SIZE,     /**< objects on pictures of unknown size, left out */
    DET_LOSS_NO_PICTURE,  /**< pictures that are not where they should be */
    DET_LOSS_ORIGIN,      /**< results: what tells how they were made */
    DET_LOSS_SCORE,       /**< results: scores outside of [0, 1] in the JSON of `detect` */
    DET_LOSS_ORDER,       /**< results: detections of equal score on different pictures, whose order
                               changes, on which the figures of VOC may depend */
    DET_LOSS_COUNT
} det_loss;

typedef struct det_loss_line {
    det_loss loss;
    size_t count;     /**< how often, at least 1 */
    const char *text; /**< a line that says what, how often and where first */
} det_loss_line;

/** What was lost: a line for each kind of loss that there was. */
typedef struct det_losses {
    const det_loss_line *lines;
    size_t count;
} det_losses;

/** Takes NULL. */
DET_API void det_losses_free(det_losses *losses);

/** How annotations and results are written. NULL in its place means the defaults, which are all
 *  zero. */
typedef struct det_convert_options {
    const char *part;   /**< annotations: the name of the list in VOC's ImageSets/Main; in YOLO
                             "train", "val" or "test". NULL: "train" */
    bool overwrite;     /**< files that exist may be replaced */
    bool whole_pixels;  /**< VOC annotations: corners are rounded to whole pixels */
    int stream_fd;      /**< where the path is NULL: an open file descriptor, usually 1 */
    const det_run *run; /**< or NULL; the progress counts pictures, or detections */
} det_convert_options;

/** Writes annotations in a format that det_annotations_read reads:
 *  - COCO: a JSON file;
 *  - VOC: a folder with Annotations/ and ImageSets/Main/PART.txt, and in JPEGImages/ links to the
 *    pictures;
 *  - YOLO (Ultralytics): a folder with labels/PART/, in images/PART/ links to the pictures, and
 *    config.yaml. Links, because labels are looked for beside the folder images of a path.
 *
 *  A folder may hold another part of such a data set, which stays; of YOLO, its classes must be the
 *  same. Pictures themselves are neither copied nor replaced.
 *
 *  @param path    a file or a folder; NULL: COCO to options->stream_fd.
 *  @param losses  NULL, or receives what was lost; det_losses_free it. Untouched on failure.
 *  @return DET_OK; DET_ARGUMENT (a file that exists, or a folder that is not empty, without
 *          options->overwrite; names that the format cannot hold, or two pictures of one name in
 *          it; a part that it does not have); DET_IO; DET_FORMAT (of the config.yaml that is
 *          there); DET_CANCELLED; DET_MEMORY. After a failure a folder may be there in part,
 *          without the list or the config.yaml, which come last.
 *  Memory is proportional to the names of the pictures. Thread-safe. */
DET_API det_status det_annotations_write(const det_annotations *annotations,
                                         det_annotations_format format, const char *path,
                                         const det_convert_options *options, det_losses **losses,
                                         det_error *error);

/** Writes results in a format that det_results_read reads against the same annotations, or against
 *  what det_annotations_write makes of them:
 *  - COCO results: an array, in the order of the results;
 *  - JSON, JSON lines: the document of `detect`, whose pictures are all those of the annotations,
 * in their order, the best detections first; `source` is "unknown";
 *  - VOC: a folder of comp4_det_test_CLASS.txt, one for each class, in the order of the results.
 *
 *  @param results     were read against these annotations.
 *  @param path        a file, or a folder for VOC; NULL: to options->stream_fd.
 *  @param losses      as above.
 *  @return as det_annotations_write; of a folder only files that would be replaced are looked at.
 *  Memory is proportional to the results. Thread-safe. */
DET_API det_status det_results_write(const det_results *results, const det_annotations *annotations,
                                     det_results_format format, const char *path,
                                     const det_convert_options *options, det_losses **losses,
                                     det_error *error);

/** The number of a picture in COCO files made of annotations: its own where they are COCO's, else
 *  the number that its file name is where all are numbers and differ, else its place, from 1.
 *  @param ids receives annotations->image_count numbers.
 *  @return DET_OK, DET_MEMORY. Thread-safe. */
DET_API det_status det_annotations_image_ids(const det_annotations *annotations, int64_t *ids,
                                             det_error *error);

#ifdef __cplusplus
}
#endif
#endif
