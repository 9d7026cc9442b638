/* SPDX-License-Identifier: Apache-2.0 */
/* A training from beginning to end; detect/train.h says what it does. */
#include "detect/train.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/base/random.h"
#include "src/base/run.h"
#include "src/data/config_keys.h"
#include "src/data/paths.h"
#include "src/nn/model_file.h"
#include "src/train/added_classes.h"
#include "src/train/box_fit.h"
#include "src/train/folds.h"
#include "src/train/kept_heads.h"
#include "src/train/l2_choice.h"
#include "src/train/learning_curve.h"
#include "src/train/multibox_training.h"
#include "src/train/network_training.h"
#include "src/train/record.h"
#include "src/train/suspicions.h"
#include "src/train/trained_model.h"
#include "src/train/training_data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Candidates of less are not worth a look; and how many a picture may have (COCO's maxDets). */
static const float least_score = .005F;
enum { MOST_DETECTIONS = 100, ITERATIONS = 80, MOST_SUSPICIONS = 20 };
enum { LAST_POINT = DET_CURVE_POINTS - 1 };
/* R-CNN, appendix C. */
static const double ridge = 1000;
/* A fit ends where an iteration lowers its loss by a smaller share. */
static const double tolerance = 1e-3;

typedef struct {
    const det_config *config;
    det_config *adopted; /* the same with what the finished model says, or NULL */
    const det_annotations *annotations;
    det_train_options options;
    const char *layer; /* whose map is the features */
    int fold_count;
    det_train_stage stage; /* that progress is told of */
    const det_run *run;
    int threads;
    det_model *model; /* the network */
    det_feature_store *store;
    det_kept_results kept;
    det_added_classes added; /* {0}: all classes are learned */
    det_training_set set;
    det_row *rows; /* the examples */
    size_t row_count;
    float *weights; /* (folds + 1) x row_count: the last head sees every picture */
    int *folds;     /* of each picture */
    char annotations_digest[DET_DIGEST_SIZE];
    det_linear_head *heads;     /* folds + 1 */
    det_held_out_objects found; /* by heads that did not see the picture */
    int *points;                /* of each picture: that of the curve where it joins */
    int point;                  /* at hand */
    det_curve_samples curve;
    det_multibox_training multibox;
    det_trained_networks networks; /* {0}: the network stays as it is */
    det_network_gain gain;         /* of their training */
} training;

/* ---- Options -------------------------------------------------------------------------------- */

/* One picture a fold at least. */
static int fold_count(const det_config *config, size_t images)
{
    return images < (size_t)config->train.folds ? (int)images : config->train.folds;
}

static det_status check_options(const training *t, det_error *error)
{
    const size_t images = t->annotations->image_count;
    if (!t->options.cache)
        return det_fail(error, DET_ARGUMENT, "no folder is named for the features");
    if (images < 2)
        return det_fail(error, DET_ARGUMENT,
                        "%zu annotated pictures are too few: some to learn from, others to measure "
                        "on",
                        images);
    if (t->config->train.negative_iou <= t->config->train.positive_iou) return DET_OK;
    return det_fail_at(error, DET_ARGUMENT, NULL, "train.negative_iou",
                       "background below an IoU of %g and examples from train.positive_iou %g on: "
                       "a region could be both",
                       t->config->train.negative_iou, t->config->train.positive_iou);
}

/* ---- Progress ------------------------------------------------------------------------------- */

/* Few pictures, and classes that are added, have one point: all of them. So have, where no curve is
 * wanted, heads that do not begin where those of fewer pictures have ended. */
static int first_point(const training *t)
{
    const bool whole = t->options.add_classes || t->annotations->image_count < DET_CURVE_IMAGES;
    const bool begins_anew = strcmp(t->config->train.head, "svm") == 0;
    return whole || (begins_anew && !t->config->train.learning_curve) ? LAST_POINT : 0;
}

static bool tell_progress(void *context, uint64_t done, uint64_t total)
{
    const training *t = context;
    if (!t->options.progress) return true;
    if (t->stage != DET_TRAIN_FEATURES) {
        const int first = first_point(t);
        done += total * (uint64_t)(t->point - first);
        total *= (uint64_t)(DET_CURVE_POINTS - first);
    }
    return t->options.progress(t->options.progress_context, t->stage, done, total);
}

static det_run run_of(training *t, det_train_stage stage)
{
    t->stage = stage;
    return (det_run){.threads = t->threads,
                     .progress = tell_progress,
                     .progress_context = t,
                     .deadline_s = t->run ? t->run->deadline_s : 0};
}

/* ---- Examples ------------------------------------------------------------------------------- */

static size_t count_label(const det_training_set *set, bool background)
{
    size_t count = 0;
    for (size_t i = 0; i < set->image_count; i++)
        for (size_t r = 0; r < set->images[i].features.count; r++) {
            const int label = set->images[i].labels.labels[r];
            count += background ? label == DET_LABEL_BACKGROUND : label >= 0;
        }
    return count;
}

/* All regions that show objects, and as many of the background as there is room for, each with the
 * same chance; at least as many as of objects. */
static det_status choose_examples(training *t, det_error *error)
{
    const det_training_set *set = &t->set;
    const size_t objects = count_label(set, false), background = count_label(set, true);
    const size_t left =
        t->config->train.max_examples > objects ? t->config->train.max_examples - objects : 0;
    const size_t wanted = left > objects ? left : objects;
    const double chance = background > wanted ? (double)wanted / (double)background : 1;
    det_random random = det_random_create(t->config->runtime.seed, 1);
    t->rows = det_alloc_array(objects + background, sizeof *t->rows);
    if (!t->rows) return det_fail_memory(error, "the examples");
    for (size_t i = 0; i < set->image_count; i++)
        for (size_t r = 0; r < set->images[i].features.count; r++) {
            const int label = set->images[i].labels.labels[r];
            if (label == DET_LABEL_NOTHING) continue;
            if (label < 0 && !(det_random_double(&random) < chance)) continue;
            t->rows[t->row_count++] = (det_row){(uint32_t)i, (uint32_t)r};
        }
    if (objects > 0) return DET_OK;
    return det_fail(error, DET_ARGUMENT, "no region shows an object that counts");
}

static det_status weigh_examples(training *t, det_error *error)
{
    const size_t heads = (size_t)t->fold_count + 1;
    t->weights = det_alloc_array(heads, t->row_count * sizeof *t->weights);
    if (!t->weights) return det_fail_memory(error, "the weights of examples");
    for (size_t h = 0; h < heads; h++)
        for (size_t i = 0; i < t->row_count; i++)
            t->weights[h * t->row_count + i] = t->folds[t->rows[i].image] != (int)h;
    return DET_OK;
}

/* ---- Heads ---------------------------------------------------------------------------------- */

/* Classes that are added are moved as those that there are. */
static bool moves_boxes(const training *t)
{
    return t->options.add_classes ? t->added.trained.head.delta_weights != NULL
                                  : t->config->postprocess.box_regression != 0;
}

/* Classes that are added are of the kind of those that there are. */
static det_head_kind kind_of(const training *t)
{
    if (t->options.add_classes) return t->added.trained.head.kind;
    return strcmp(t->config->train.head, "svm") == 0 ? DET_HEAD_SIGMOID : DET_HEAD_SOFTMAX;
}

static det_status create_heads(training *t, det_error *error)
{
    const size_t count = (size_t)t->fold_count + 1;
    const det_head_kind kind = kind_of(t);
    t->heads = det_alloc_zeroed(count, sizeof *t->heads);
    det_status status = t->heads ? DET_OK : det_fail_memory(error, "the heads");
    for (size_t h = 0; status == DET_OK && h < count; h++)
        status = det_linear_head_create(kind, t->set.width, t->set.classes.count, moves_boxes(t),
                                        &t->heads[h], error);
    return status;
}

/* What moves the boxes of the old classes comes with their weights. */
static det_status fit_boxes(training *t, const det_fit_examples *examples, det_error *error)
{
    const det_run run = run_of(t, DET_TRAIN_BOXES);
    if (!moves_boxes(t)) return DET_OK;
    if (t->options.add_classes) return det_fit_boxes(examples, ridge, &run, t->heads, error);
    return det_keep_boxes(&t->kept, examples, ridge, &run, t->heads, error);
}

/* For classes that are added no l2 is chosen. */
static det_fit_options fit_options_of(const training *t)
{
    const double l2 = t->config->train.l2;
    return (det_fit_options){.l2 = t->options.add_classes && l2 == 0 ? DET_L2_DEFAULT : l2,
                             .iterations = ITERATIONS,
                             .tolerance = tolerance,
                             .log = t->kept.log,
                             .balanced = strcmp(t->config->train.class_weights, "balanced") == 0,
                             .negative_iou = t->config->train.negative_iou,
                             .seed = t->config->runtime.seed};
}

static det_status fit_classes(training *t, const det_fit_examples *examples, det_error *error)
{
    const det_fit_options options = fit_options_of(t);
    const det_run run = run_of(t, DET_TRAIN_HEADS);
    if (t->options.add_classes)
        return det_added_fit(&t->added, examples, &options, &run, t->heads, error);
    return det_keep_classes(&t->kept, examples, &options, &run, t->heads, error);
}

static det_held_out held_out(const training *t)
{
    return (det_held_out){&t->set, t->heads, (size_t)t->fold_count + 1, t->folds};
}

static det_status calibrate(training *t, det_error *error)
{
    if (t->options.add_classes)
        return det_added_calibrate(&t->added, &t->set, t->folds, t->heads,
                                   (size_t)t->fold_count + 1, error);
    det_output_change *changes = det_alloc_array(t->heads[0].output_count, sizeof *changes);
    if (!changes) return det_fail_memory(error, "the calibration of heads");
    const det_held_out from = held_out(t);
    const det_status status = det_keep_calibration(&t->kept, &from, changes, error);
    for (int h = 0; status == DET_OK && h <= t->fold_count; h++)
        det_linear_head_change(&t->heads[h], changes);
    det_free(changes);
    return status;
}

/* Pictures are looked at as the finished model looks at them. */
static det_status adopt_settings(training *t, det_error *error)
{
    det_status status = det_config_copy(t->config, &t->adopted, error);
    if (status < 0) return status;
    t->config = t->adopted;
    status = det_config_adopt(t->adopted, det_model_settings(t->model), error);
    return det_error_file(error, det_model_path(t->model), status);
}

static det_status open_model(training *t, det_error *error)
{
    if (t->config->classifier.model_count != 1)
        return det_fail_at(error, DET_ARGUMENT, NULL, "classifier.models",
                           "training begins with one model, not %zu",
                           t->config->classifier.model_count);
    const det_status status = det_model_open(t->config->classifier.models[0], &t->model, error);
    return status == DET_OK && t->options.add_classes ? adopt_settings(t, error) : status;
}

/* The last layer of the network that still has a map. */
static det_status find_layer(training *t, det_error *error)
{
    if (t->options.add_classes) {
        const det_status status = det_added_open(t->model, &t->added, error);
        t->layer = t->added.trained.layer;
        return status;
    }
    if (*t->config->train.layer) {
        t->layer = t->config->train.layer;
        return DET_OK;
    }
    int last = t->model->graph.count - 1;
    while (last >= 0 && t->model->shapes[last].height * t->model->shapes[last].width < 2) last--;
    if (last < 0)
        return det_fail_at(error, DET_ARGUMENT, det_model_path(t->model), NULL,
                           "the network has no layer with a map");
    t->layer = t->model->graph.nodes[last].name;
    return DET_OK;
}

static det_status split(training *t, det_error *error)
{
    const uint64_t seed = t->config->runtime.seed;
    t->folds = det_alloc_array(t->annotations->image_count, sizeof *t->folds);
    t->points = det_alloc_array(t->annotations->image_count, sizeof *t->points);
    if (!t->folds || !t->points) return det_fail_memory(error, "the folds");
    const det_status status =
        det_split_folds(t->annotations, (size_t)t->fold_count, seed, t->folds, error);
    if (status < 0) return status;
    return det_deal_curve(t->annotations, t->folds, t->fold_count, seed, t->points, error);
}

static det_status gather(training *t, det_error *error)
{
    const det_feature_recipe recipe = {t->layer, t->options.add_classes ? t->added.trained.grid
                                                                        : t->config->train.grid};
    const det_example_options options = {t->config->train.positive_iou,
                                         t->config->train.negative_iou};
    const det_run run = run_of(t, DET_TRAIN_FEATURES);
    det_status status =
        det_feature_store_open(t->options.cache, t->config, &recipe, &t->store, error);
    det_event_stage_begun(t->kept.log, "features");
    if (status == DET_OK)
        status =
            det_training_set_make(t->annotations, &t->store, NULL, &options, &run, &t->set, error);
    if (status == DET_OK && t->options.add_classes)
        status = det_added_relabel(&t->added, &t->set, error);
    if (status < 0) return status;
    const det_feature_store_counts counts = det_feature_store_count(t->store);
    det_event_stage_ended(t->kept.log, counts.pictures - counts.extracted, counts.extracted);
    return split(t, error);
}

static det_status detect_held_out(training *t, det_error *error)
{
    const det_held_out from = held_out(t);
    det_head_options options = {least_score, det_fusion_options_of(t->config)};
    options.fusion.score_min = least_score;
    options.fusion.max_detections = MOST_DETECTIONS;
    det_free(t->found.items);
    t->found = (det_held_out_objects){0};
    return det_keep_detections(&t->kept, &from, &options, t->threads, &t->found, error);
}

/* ---- The learning curve --------------------------------------------------------------------- */

static det_measuring measuring_of(const training *t, const det_training_set *set)
{
    return (det_measuring){set, &t->found, t->config->train.bootstrap, t->config->runtime.seed,
                           t->threads};
}

static bool has_curve(const training *t)
{
    return t->config->train.learning_curve && first_point(t) < LAST_POINT;
}

/* Pictures that the head of a fold learned from at the point: mean over the folds. */
static double count_learned(const training *t)
{
    size_t count = 0;
    for (size_t i = 0; i < t->set.image_count; i++) count += t->points[i] <= t->point;
    return (double)count * (t->fold_count - 1) / t->fold_count;
}

static det_status measure_point(training *t, det_error *error)
{
    const det_measuring measuring = measuring_of(t, &t->set);
    const det_status status = detect_held_out(t, error);
    if (status < 0 || !has_curve(t)) return status;
    return det_curve_add(&t->curve, &measuring, count_learned(t), error);
}

/* Learns from the pictures of a point. A fit begins where that of the point before has ended, so
 * that most of its way is gone with fewer examples, whether the curve is wanted or not. */
static det_status learn_point(training *t, det_error *error)
{
    const det_fit_examples all = {
        &t->set, t->rows, t->row_count, t->weights, (size_t)t->fold_count + 1, NULL};
    const bool measured = t->point == LAST_POINT || has_curve(t);
    det_example_part part = {0};
    det_status status = det_take_part(&all, t->points, t->point, &part, error);
    if (status == DET_OK && measured) status = fit_boxes(t, &part.examples, error);
    if (status == DET_OK) status = fit_classes(t, &part.examples, error);
    if (status == DET_OK) status = calibrate(t, error);
    if (status == DET_OK && measured) status = measure_point(t, error);
    det_example_part_free(&part);
    return status;
}

/* AP50 and AP. */
typedef struct {
    det_measured_ap ap50, ap;
} measured;

static void free_measured(measured *figures)
{
    det_measured_ap_free(&figures->ap50);
    det_measured_ap_free(&figures->ap);
}

static det_status learn(training *t, det_error *error)
{
    det_status status = choose_examples(t, error);
    if (status == DET_OK) status = weigh_examples(t, error);
    if (status == DET_OK) status = create_heads(t, error);
    for (t->point = first_point(t); status == DET_OK && t->point <= LAST_POINT; t->point++)
        status = learn_point(t, error);
    return status;
}

static bool was_there(det_kept_count count)
{
    return count.reused > 0 && count.made == 0;
}

static void copy_digests(const training *t, det_training *seen)
{
    snprintf(seen->network_digest, sizeof seen->network_digest, "%s", det_model_digest(t->model));
    snprintf(seen->pictures_digest, sizeof seen->pictures_digest, "%s", t->set.picture_digest);
    snprintf(seen->annotations_digest, sizeof seen->annotations_digest, "%s",
             t->annotations_digest);
}

/* ---- The network itself --------------------------------------------------------------------- */

/* The features of a picture come from the network that did not see it. */
static det_status gather_again(training *t, det_error *error)
{
    const det_example_options options = {t->config->train.positive_iou,
                                         t->config->train.negative_iou};
    const det_run run = run_of(t, DET_TRAIN_FEATURES);
    det_training_set set;
    det_event_stage_begun(t->kept.log, "features");
    const det_status status = det_training_set_make(t->annotations, t->networks.stores, t->folds,
                                                    &options, &run, &set, error);
    if (status < 0) {
        det_training_set_free(&set);
        return status;
    }
    det_training_set_free(&t->set);
    t->set = set;
    size_t extracted = 0;
    for (size_t i = 0; i < t->networks.count; i++)
        extracted += det_feature_store_count(t->networks.stores[i]).extracted;
    det_event_stage_ended(t->kept.log, set.image_count - extracted, extracted);
    return DET_OK;
}

static det_status measure_all(training *t, measured *figures, det_error *error)
{
    static const double half = .5;
    const det_measuring measuring = measuring_of(t, &t->set);
    const det_status status = det_measure_ap(&measuring, &half, &figures->ap50, error);
    return status == DET_OK ? det_measure_ap(&measuring, NULL, &figures->ap, error) : status;
}

static det_status train_networks(training *t, det_error *error)
{
    const det_network_training networks = {.config = t->config,
                                           .source = t->model,
                                           .set = &t->set,
                                           .store = t->store,
                                           .layer = t->layer,
                                           .folds = t->folds,
                                           .count = (size_t)t->fold_count + 1,
                                           .folder = t->options.cache,
                                           .annotations_digest = t->annotations_digest,
                                           .progress = t->options.step_progress,
                                           .progress_context = t->options.progress_context,
                                           .log = t->kept.log};
    const det_run run = run_of(t, DET_TRAIN_NETWORK);
    return det_train_networks(&networks, &run, t->heads, &t->networks, error);
}

static det_status compare(training *t, const measured *before, const measured *after,
                          det_error *error)
{
    const size_t all = t->annotations->category_count;
    det_network_gain *g = &t->gain;
    det_status status = det_measured_interval(&before->ap50, all, &g->ap50, error);
    if (status == DET_OK) status = det_measured_interval(&before->ap, all, &g->ap, error);
    if (status == DET_OK)
        status = det_measured_gain(&before->ap50, &after->ap50, all, &g->ap50_gain, error);
    if (status == DET_OK)
        status = det_measured_gain(&before->ap, &after->ap, all, &g->ap_gain, error);
    return status;
}

/* From here on the networks, features, heads and detections are those of trained networks. */
static det_status learn_networks(training *t, det_error *error)
{
    if (t->config->train.network.steps == 0) return DET_OK;
    measured before = {0}, after = {0};
    det_status status = measure_all(t, &before, error);
    if (status == DET_OK) status = train_networks(t, error);
    if (status == DET_OK) status = gather_again(t, error);
    if (status == DET_OK) status = calibrate(t, error);
    if (status == DET_OK) status = detect_held_out(t, error);
    if (status == DET_OK) status = measure_all(t, &after, error);
    if (status == DET_OK) status = compare(t, &before, &after, error);
    free_measured(&before);
    free_measured(&after);
    return status;
}

/* ---- What came of it ------------------------------------------------------------------------ */

/* A MultiBox head, where one is wanted. */
static det_status learn_multibox(training *t, det_error *error)
{
    if (t->config->train.multibox_boxes == 0) return DET_OK;
    const det_feature_recipe recipe = {t->layer, t->config->train.grid};
    det_picture_features *features = NULL;
    det_run run = run_of(t, DET_TRAIN_PICTURES);
    det_status status =
        det_picture_features_open(t->options.cache, t->config, &recipe, &features, error);
    if (status == DET_OK)
        status = det_multibox_gather(&t->set, features, &run, &t->multibox, error);
    det_picture_features_close(features);
    if (status < 0) return status;
    run = run_of(t, DET_TRAIN_MULTIBOX);
    return det_multibox_learn(t->config, t->folds, (size_t)t->fold_count, &run, &t->multibox,
                              error);
}

/* Takes over the figures of MultiBox. */
static void report_multibox(training *t, det_training_data *data)
{
    if (t->config->train.multibox_boxes == 0) return;
    data->multibox = t->multibox.report;
    t->multibox.report = (det_multibox_report){0};
    data->seen.prior_count = t->multibox.head.priors.count;
    data->seen.multibox_pictures = &data->multibox.pictures;
    data->seen.multibox_classes = &data->multibox.classes;
}

static det_status report(const training *t, det_training_data **data, det_error *error)
{
    const det_training_set set =
        t->options.add_classes ? det_added_measured(&t->added, &t->set) : t->set;
    const det_measuring measuring = measuring_of(t, &set);
    const det_feature_store_counts made = det_feature_store_count(t->store);
    det_status status = det_training_data_create(&set, data, error);
    if (status < 0) return status;
    (*data)->seen.proposed = made.proposed;
    (*data)->seen.extracted = made.extracted;
    (*data)->seen.reused_boxes = was_there(t->kept.boxes);
    (*data)->seen.reused_heads = was_there(t->kept.classes);
    (*data)->seen.reused_calibration = was_there(t->kept.calibration);
    (*data)->seen.folds = t->fold_count;
    copy_digests(t, &(*data)->seen);
    if (t->networks.count > 0) {
        (*data)->gain = t->gain;
        (*data)->seen.network = &(*data)->gain;
    }
    status = det_training_data_measure(*data, &measuring, error);
    if (status == DET_OK && has_curve(t))
        status = det_training_data_add_curve(*data, &t->curve, error);
    if (status == DET_OK)
        status = det_find_suspicions(t->annotations, &t->found, MOST_SUSPICIONS,
                                     &(*data)->suspicions, error);
    (*data)->seen.suspicions = (*data)->suspicions.items;
    (*data)->seen.suspicion_count = (*data)->suspicions.count;
    return status;
}

/* ---- All of it ------------------------------------------------------------------------------ */

static void free_training(training *t)
{
    det_event_log_close(t->kept.log);
    for (int h = 0; t->heads && h <= t->fold_count; h++) det_linear_head_free(&t->heads[h]);
    det_training_set_free(&t->set);
    det_added_free(&t->added);
    det_feature_store_close(t->store);
    det_model_free(t->model);
    det_config_free(t->adopted);
    det_free(t->heads);
    det_free(t->rows);
    det_free(t->weights);
    det_free(t->folds);
    det_free(t->points);
    det_curve_samples_free(&t->curve);
    det_free(t->found.items);
    det_multibox_training_free(&t->multibox);
    det_trained_networks_free(&t->networks);
}

/* From here on an interrupted training can be gone on with. */
static det_status begin(training *t, det_error *error)
{
    const char *folder = t->options.cache;
    det_status status = det_make_folder(folder, error);
    if (status == DET_OK)
        status = det_annotations_digest(t->annotations, t->annotations_digest, error);
    if (status == DET_OK && t->options.resume)
        status = det_record_check(folder, t->annotations_digest, error);
    if (status == DET_OK && !t->options.add_classes)
        status = det_record_write(folder, t->config, t->annotations_digest, false, error);
    if (status == DET_OK) status = det_event_log_open(t->options.log, &t->kept.log, error);
    if (status < 0) return status;
    t->kept.folder = folder;
    det_event_run_begun(t->kept.log, t->annotations, t->options.resume);
    return DET_OK;
}

static det_status end(const training *t, const det_training *result, const char *out_path,
                      det_error *error)
{
    det_event_run_ended(t->kept.log, result, out_path);
    if (t->options.add_classes) return DET_OK;
    return det_record_write(t->options.cache, t->config, t->annotations_digest, true, error);
}

/* The one that learned from all pictures, or the one that was there. */
static const det_model *learned_network(const training *t)
{
    return t->networks.count > 0 ? t->networks.models[t->networks.count - 1] : t->model;
}

static det_status train(training *t, const char *out_path, det_training_data **data,
                        det_error *error)
{
    det_status status = check_options(t, error);
    if (status == DET_OK) status = open_model(t, error);
    if (status == DET_OK) status = begin(t, error);
    if (status == DET_OK) status = find_layer(t, error);
    if (status == DET_OK) status = gather(t, error);
    if (status == DET_OK) status = learn(t, error);
    if (status == DET_OK) status = learn_networks(t, error);
    if (status == DET_OK) status = learn_multibox(t, error);
    if (status == DET_OK) status = report(t, data, error);
    if (status < 0) return status;
    report_multibox(t, *data);
    const bool multibox = (*data)->seen.prior_count > 0;
    return det_trained_model_write(
        &(det_trained_model){.config = t->config,
                             .source = learned_network(t),
                             .set = &t->set,
                             .store = t->store,
                             .layer = t->layer,
                             .head = &t->heads[t->fold_count],
                             .extends = t->added.model,
                             .multibox = multibox ? &t->multibox.head : NULL,
                             .training = &(*data)->seen,
                             .annotations_digest = t->annotations_digest},
        out_path, error);
}

det_status det_train(const det_config *config, const det_annotations *annotations,
                     const det_train_options *options, const det_run *run, const char *out_path,
                     det_training **result, det_error *error)
{
    training t = {.config = config,
                  .annotations = annotations,
                  .options = *options,
                  .fold_count = fold_count(config, annotations->image_count),
                  .run = run,
                  .threads = det_resolve_threads(run ? run->threads : 0)};
    det_training_data *data = NULL;
    det_error why = {0};
    det_status status = train(&t, out_path, &data, &why);
    if (status == DET_OK)
        status = end(&t, &data->seen, out_path, &why);
    else
        det_event_run_failed(t.kept.log, &why);
    if (status < 0 && error) *error = why;
    free_training(&t);
    if (status == DET_OK)
        *result = &data->seen;
    else if (data)
        det_training_free(&data->seen);
    return status;
}
