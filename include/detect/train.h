/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_H
#define DETECT_TRAIN_H

#include "detect/data.h"
#include "detect/eval.h"
#include "detect/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A detector of your own boxes: what is learned are linear functions of what a network says of
 * regions (R-CNN; Girshick et al., CVPR 2014), and then, where it is asked for, the network itself.
 * Unstable before 1.0. */

/** Stages of a training, for whoever shows progress. */
typedef enum det_train_stage {
    DET_TRAIN_FEATURES = 0, /**< counts pictures */
    DET_TRAIN_BOXES,        /**< counts classes whose boxes are learned to be moved */
    DET_TRAIN_HEADS,        /**< counts steps of the fit of all heads */
    DET_TRAIN_NETWORK,      /**< counts networks that are trained themselves */
    DET_TRAIN_PICTURES,     /**< counts pictures whose features as a whole are made, for MultiBox */
    DET_TRAIN_MULTIBOX,     /**< counts MultiBox heads */
    DET_TRAIN_STAGES
} det_train_stage;

/** Told of a stage; returning false cancels. */
typedef bool det_train_progress(void *context, det_train_stage stage, uint64_t done,
                                uint64_t total);

/** A step of the training of a network. */
typedef struct det_train_step {
    size_t network, networks; /**< which one, from 0, and how many there are: a fold each, and one
                                   that learns from all pictures */
    uint64_t step, steps;     /**< how many are made, and how many are to be made */
    double loss, rate;        /**< of this step: mean loss of its regions, learning rate */
    double gradient_norm;     /**< before it was clipped */
    double validation_loss;   /**< of regions that it does not learn from; NaN: not measured now */
    double regions_per_s, seconds_left; /**< of this network; seconds_left: NaN where not known */
} det_train_step;

/** Told of a step; returning false cancels. */
typedef bool det_train_step_progress(void *context, const det_train_step *step);

/** What a training is told beside its configuration. */
typedef struct det_train_options {
    const char *cache; /**< folder where results of stages are kept; made where missing */
    const char *log;   /**< file that a line is appended to with every event; NULL: none */
    bool add_classes;  /**< the network is a finished model of det_train: the classes of the
                            annotations that it lacks are added, all else in it stays as it is */
    bool resume;       /**< the configuration is that of det_train_resume */
    det_train_progress *progress;           /**< or NULL */
    det_train_step_progress *step_progress; /**< of the training of networks; or NULL */
    void *progress_context;                 /**< of both */
} det_train_options;

/** What can be said of a class. The first of these that is true: */
typedef enum det_class_verdict {
    DET_CLASS_LEARNED = 0,  /**< none of the others */
    DET_CLASS_FEW_PICTURES, /**< fewer than DET_CLASS_IMAGES pictures show it, which are too few to
                                 learn from and to measure on, whatever came out */
    DET_CLASS_NOT_LEARNED,  /**< the interval of its AP50 ends below DET_CLASS_AP50_GOOD */
    DET_CLASS_UNSURE        /**< the interval of its AP50 begins below DET_CLASS_AP50_CHANCE */
} det_class_verdict;

enum { DET_CLASS_IMAGES = 10 };
#define DET_CLASS_AP50_GOOD .3
#define DET_CLASS_AP50_CHANCE .1

/** "learned", "few_pictures", "not_learned", "unsure"; never NULL. */
DET_API const char *det_class_verdict_name(det_class_verdict verdict);

/** A class as it was learned. */
typedef struct det_trained_class {
    const char *name;
    size_t objects, images; /**< that it was learned from */
    /** Cross-validated, over the same samples of pictures as for all classes; NaN where there is no
     *  object. */
    det_interval ap50, ap;
    det_class_verdict verdict;
    size_t wanted; /**< more pictures of it that are wanted at least: DET_CLASS_IMAGES in all, or
                        as many again; 0 of a class that is learned */
} det_trained_class;

/** What may be wrong with an annotation. */
typedef enum det_suspicion_kind {
    DET_SUSPICION_MISSED = 0, /**< an object without a label */
    DET_SUSPICION_CLASS,      /**< a label of another class */
    DET_SUSPICION_BOX,        /**< a label whose box does not fit */
    DET_SUSPICION_DUPLICATE,  /**< two labels of one object */
    DET_SUSPICION_KINDS
} det_suspicion_kind;

/** "missed box", "wrong class", "loose box", "duplicate"; never NULL. */
DET_API const char *det_suspicion_kind_name(det_suspicion_kind kind);

/** A label that is worth a look. */
typedef struct det_suspicion {
    det_suspicion_kind kind;
    size_t image;    /**< where in the annotations */
    size_t object;   /**< the label, in annotations->objects; of two the later one; SIZE_MAX: the
                          one that is missed */
    size_t other;    /**< of two labels of one object the earlier one, else SIZE_MAX */
    size_t category; /**< of what was found there, or of `other` */
    det_box box;     /**< where it was found, or of `other`; pixels */
    double score;    /**< of the detection, a probability; NaN where two labels are compared */
    double overlap;  /**< IoU of the label with what was found or with `other`; 0 without label */
    double doubt;    /**< in [0, 1], comparable between kinds. With the score p of the detection and
                          the score s of the best one that speaks for the label (it has its class
                          and overlaps it by half; 0: none): missed p (1 - IoU); class p p / (p +
                          s); box p (1 - s) (1 - IoU). Duplicate: the IoU of the labels */
    const char *why; /**< a sentence, UTF-8 */
} det_suspicion;

/** Points of a learning curve: a quarter, half and all of the pictures that the detectors of the
 *  cross-validation learn from; the pictures that it takes; and those more that it asks about. */
enum { DET_CURVE_POINTS = 3, DET_CURVE_IMAGES = 20, DET_CURVE_MORE = 100 };

/** AP50 of detectors that learned from so many pictures, measured on the same pictures as AP50 of
 *  those that learned from all. */
typedef struct det_learning_point {
    size_t images;
    det_interval ap50;
} det_learning_point;

/** Regions at a number of boxes, n: those of MultiBox heads, of a control, as many boxes at the
 * bare priors, and of selective search. Each picture gives the heads and the control the same
 * number: n, or what the one with fewer boxes has. An object's best overlap is its highest IoU with
 * these. */
typedef struct det_multibox_recall {
    size_t boxes;           /**< n */
    double mean_boxes;      /**< of a picture that shows objects */
    double recall;          /**< share of objects whose best overlap is at least .5 */
    double control_recall;  /**< likewise at the priors */
    double beside_recall;   /**< likewise of what the training's configuration proposes */
    double both_recall;     /**< likewise of n boxes, of that method and of MultiBox by turns */
    double overlap;         /**< mean best overlap */
    double control_overlap; /**< likewise at the priors */
    det_interval gain;      /**< recall - control_recall, over resampled pictures (paired) */
} det_multibox_recall;

/** {0} is empty. */
typedef struct det_multibox_comparison {
    size_t object_count, picture_count; /**< that were measured: pictures that show objects */
    det_multibox_recall *at;            /**< of each number of boxes; NULL: not measured */
    size_t count;
    det_interval gain; /**< mean over the numbers of boxes of recall - control_recall */
    bool better;       /**< this interval lies above 0; otherwise the head is no better than its
                            priors, as far as these pictures can tell */
} det_multibox_comparison;

/** What the training of the network itself has brought: figures by cross-validation, all measured
 * on the same pictures. */
typedef struct det_network_gain {
    det_interval ap50, ap;           /**< of the network as it was, with the heads learned on it */
    det_interval ap50_gain, ap_gain; /**< of the trained one above it, over resampled pictures
                                          (paired) */
} det_network_gain;

/** What came of a training. Owns what it points to. */
typedef struct det_training {
    const det_trained_class *classes;
    size_t class_count;
    size_t image_count, object_count; /**< objects: that count */
    size_t proposal_count;            /**< regions proposed, of all pictures */
    double recall;                    /**< share of the objects that a region overlaps by half */
    size_t proposed, extracted;       /**< pictures whose proposals, features were not kept yet */
    bool reused_boxes, reused_heads, reused_calibration; /**< kept by an earlier training */
    int folds;
    det_interval ap50, ap; /**< cross-validated: each picture by a head that never saw it */
    const det_learning_point *curve; /**< curve_count, of ever more pictures */
    size_t curve_count; /**< DET_CURVE_POINTS; 0 where no curve was wanted, classes were
                             added, or there are fewer than DET_CURVE_IMAGES
                             pictures */
    size_t gain_images; /**< DET_CURVE_MORE, or as many as there are where these are
                             fewer; 0 without a curve */
    det_interval gain;  /**< of AP50 by so many more pictures, where AP50 = a + b log(pictures) is
                             fitted to the curve by least squares (Sun et al., "Revisiting
                             Unreasonable Effectiveness of Data in Deep Learning Era", ICCV 2017,
                             found such a law); its interval comes from the same samples of pictures
                             as the others, and the law's own mistake is not in it */
    /** Of the weights of the network, the bytes of the pictures, and the annotations. */
    char network_digest[DET_MODEL_DIGEST_SIZE], pictures_digest[DET_MODEL_DIGEST_SIZE],
        annotations_digest[DET_MODEL_DIGEST_SIZE];
    const det_network_gain *network; /**< NULL: the network stayed as it was */
    const det_suspicion *suspicions; /**< the most doubtful labels, at most 20, the worst first; at
                                          most one a place */
    size_t suspicion_count;
    size_t prior_count; /**< of the MultiBox head; 0: none was learned */
    /** Of MultiBox, or NULL: every picture with a head of the other folds; every class, all
     *  together, with a head that saw no picture that shows it. */
    const det_multibox_comparison *multibox_pictures, *multibox_classes;
} det_training;

/** Trains a detector and writes it as a model file that det_detector_create takes.
 *
 *  Stages: proposals, features of regions, what moves boxes, heads (of a cross-validation by
 *  picture, and one from all pictures), calibration. What each of them gives is kept in the cache
 *  under a digest of everything that it depends on, so that another training repeats only what has
 *  changed; what is damaged there is made again. Equal calls give equal files on one processor.
 *
 *  @param config      `train`, but for its paths and split, `proposals`, `classifier` (one model),
 *                     `postprocess.nms`, `postprocess.box_regression` (false: none is learned)
 *                     and `runtime.seed` count.
 *  @param annotations with the folder of their pictures, all of which must be there: what
 *                     det_annotations_check makes of them.
 *  @param options     borrowed for the call.
 *  @param run         threads and deadline; its progress is not called.
 *  @param out_path    the model file.
 *  @param training    free with det_training_free. Untouched on failure.
 *  @return DET_OK; DET_ARGUMENT (no object counts; fewer than two pictures; background
 *          that overlaps more than examples do; with `add_classes`: a model that det_train has not
 *          made, or that has all classes; with `resume`: other annotations than the
 *          training was begun with; a loss of the network that is not finite, with the step);
 *          DET_UNSUPPORTED (a network that is to learn with support vector machines behind it);
 *          as det_detector_create; as det_image_read, with the file; DET_IO; DET_CANCELLED;
 *          DET_MEMORY. */
DET_API det_status det_train(const det_config *config, const det_annotations *annotations,
                             const det_train_options *options, const det_run *run,
                             const char *out_path, det_training **training, det_error *error);
/** The configuration of a training that did not come to its end: every training leaves it in its
 *  cache, as `training.json`. Calling det_train with it goes on.
 *  @param cache  the folder.
 *  @param config free with det_config_free. Untouched on failure.
 *  @return DET_OK; DET_ARGUMENT (there is none, or the last training was finished: the message says
 *          what to do); DET_IO, DET_FORMAT (error->file is the record); DET_MEMORY. */
DET_API det_status det_train_resume(const char *cache, det_config **config, det_error *error);

/** Takes NULL. */
DET_API void det_training_free(det_training *training);

#ifdef __cplusplus
}
#endif
#endif
