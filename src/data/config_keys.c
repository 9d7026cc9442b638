/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a configuration: one table of what each is called, what it takes and where it goes.
 * Reading files, --set, and the lists of keys that people see all go through it; a test holds it
 * against configs/det.schema.json. */
#include "src/data/config_keys.h"

#include "src/base/json_reader.h"
#include "src/data/config_kinds.h"

#include <string.h>

/* ---- The table ---- */

#define FIELD(member) .offset = offsetof(det_config, member)
#define RANGE(low, high) .min = (low), .max = (high)
#define COUNT(low, high) .min_count = (low), .max_count = (high)
#define WORDS(...)                                                                                 \
    .words = (const char *const[])                                                                 \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define LARGEST 9007199254740991. /* 2^53 - 1: every reader of JSON keeps it exact */

const det_config_row det_config_rows[] = {
    {"schema_version", "integer", "1", &det_config_kind_version, RANGE(1, 1),
     .help = "The version of this format."},

    {"proposals.methods", "array", "[\"selective_search\"]", &det_config_kind_methods, COUNT(1, 4),
     WORDS("selective_search", "multibox", "uniform", "sliding"),
     .help =
         "What proposes regions; the regions of several methods are united. multibox is the first "
         "of classifier.models that was trained to propose (train.multibox). uniform and sliding "
         "are controls that do not look at the picture, random boxes and a grid: they give "
         "proposals.max regions, 1000 where that is 0, and share width and min_side with "
         "selective search."},
    {"proposals.max", "integer", "0", &det_config_kind_size, FIELD(proposals.max),
     RANGE(0, 1000000),
     .help = "How many regions of a picture are classified at most, the best first; 0: all."},
    {"proposals.whole_picture", "boolean", "true", &det_config_kind_bool,
     FIELD(proposals.whole_picture), .help = "Whether the whole picture may be a region, too."},
    {"proposals.selective_search.preset", "string", "\"fast\"", &det_config_kind_word,
     FIELD(proposals.preset), WORDS("single", "fast", "quality"),
     .help = "The version of the IJCV paper with 1, 8 or 80 hierarchies: it gives color_spaces, "
             "similarities and k where they are not set themselves."},
    {"proposals.selective_search.color_spaces", "array", "[\"hsv\",\"lab\"]",
     &det_config_kind_color_spaces, COUNT(1, 8),
     WORDS("hsv", "lab", "rgb", "i", "rgi", "nrgb", "c", "h"),
     .help = "Colour spaces in which pictures are segmented and regions compared."},
    {"proposals.selective_search.similarities", "array", "[\"CTSF\",\"TSF\"]",
     &det_config_kind_similarities, COUNT(1, 15),
     .help = "Similarities that regions are joined by: the mean of colour (C), texture (T), size "
             "(S) and fill (F), whichever letters are there."},
    {"proposals.selective_search.k", "array", "[50,100]", &det_config_kind_scales, COUNT(1, 8),
     RANGE(1, 100000),
     .help = "Scales of the initial segmentation: larger ones give larger segments."},
    {"proposals.selective_search.min_size", "integer", "0", &det_config_kind_int,
     FIELD(proposals.search.min_size_px), RANGE(0, 1000000),
     .help = "The smallest initial segment in pixels of the resized picture; 0: k."},
    {"proposals.selective_search.sigma", "number", "0.8", &det_config_kind_double,
     FIELD(proposals.search.sigma_px), RANGE(0.1, 10),
     .help = "The Gaussian blur before the segmentation, in pixels."},
    {"proposals.selective_search.superpixel_scale", "number", "1", &det_config_kind_double,
     FIELD(proposals.search.superpixel_scale), RANGE(0.1, 10),
     .help = "Superpixels of so many times the area, and fewer regions; 2 is the setting of the "
             "GoogLeNet paper, which halves them."},
    {"proposals.selective_search.max", "integer", "0", &det_config_kind_size,
     FIELD(proposals.search.max), RANGE(0, 1000000),
     .help = "How many regions selective search gives at most; 0: all."},
    {"proposals.selective_search.min_side", "integer", "20", &det_config_kind_int_or_none,
     FIELD(proposals.search.min_side_px), RANGE(0, 10000),
     .help = "Regions with a shorter side, in pixels of the resized picture, are left out; 0: "
             "none is."},
    {"proposals.selective_search.width", "integer", "500", &det_config_kind_int_or_none,
     FIELD(proposals.search.width_px), RANGE(0, 16384),
     .help = "The width in pixels that pictures are resized to first (less where the height would "
             "exceed 4 times this, more where it would fall below a quarter); 0: they keep their "
             "size."},
    {"proposals.selective_search.seed", "integer", "0", &det_config_kind_uint64,
     FIELD(proposals.search.seed), RANGE(0, LARGEST), .help = "The seed of the random ranking."},
    {"proposals.selective_search.near_duplicate_iou", "number", "0.9", &det_config_kind_double,
     FIELD(proposals.search.near_duplicate_iou), RANGE(0.1, 1),
     .help = "Regions that overlap a better one by more come after all others, which finds more "
             "objects where proposals.max cuts; 1: the ranking of the paper as it is."},
    {"proposals.multibox.max", "integer", "200", &det_config_kind_size,
     FIELD(proposals.multibox_max), RANGE(1, 10000),
     .help = "How many regions MultiBox gives at most."},

    {"classifier.models", "array", "[]", &det_config_kind_models, COUNT(0, 64),
     .help = "Model files; relative names are taken from the folder of the configuration."},
    {"classifier.vote", "string", "\"average\"", &det_config_kind_word, FIELD(classifier.vote),
     WORDS("average"), .help = "How the probabilities of several models become one."},
    {"classifier.precision", "string", "\"f32\"", &det_config_kind_word,
     FIELD(classifier.precision), WORDS("f32", "bf16", "int8", "auto"),
     .help = "The arithmetic of the networks; auto: the fastest that every model was verified "
             "with."},
    {"classifier.winograd", "boolean", "false", &det_config_kind_bool, FIELD(classifier.winograd),
     .help = "Whether 3x3 convolutions in f32 may use Winograd's algorithm, which multiplies less "
             "and rounds worse; 'detect bench network --winograd' shows both."},
    {"classifier.batch", "integer", "8", &det_config_kind_size, FIELD(classifier.batch),
     RANGE(1, 1024),
     .help = "How many regions run through a network at once; where they are pooled, eight "
             "times as many, up to 64."},
    {"classifier.regions", "string", "\"crop\"", &det_config_kind_word, FIELD(classifier.regions),
     WORDS("crop", "pool"),
     .help = "crop: every region is cut out and classified; pool: the features of the whole "
             "picture are pooled."},
    {"classifier.pool.layer", "string", "null", &det_config_kind_name, FIELD(classifier.pool_layer),
     .nullable = true,
     .help =
         "The layer of the networks that regions are pooled from; null: what the last pool with "
         "a stride reads, for GoogLeNet inception_4e/output."},
    {"classifier.pool.scales", "array", "[192,384]", &det_config_kind_pool_scales,
     COUNT(1, DET_POOL_SCALES), RANGE(8, 4096),
     .help = "Lengths in pixels that the shorter side of a picture is resized to for pool; of "
             "several, a region takes that at which its crop is nearest in area to the network's "
             "input."},
    {"classifier.pool.method", "string", "\"align\"", &det_config_kind_word,
     FIELD(classifier.pool_method), WORDS("align", "max"),
     .help = "How a region is pooled: RoI align (Mask R-CNN) or RoI max pooling (Fast R-CNN)."},
    {"classifier.context_px", "integer", "null", &det_config_kind_int_or_null,
     FIELD(classifier.context_px), RANGE(0, 512), .nullable = true,
     .help = "Pixels of the network's input around a region that show what surrounds it; null: "
             "what the model says."},
    {"classifier.cascade", "boolean", "false", &det_config_kind_bool, FIELD(classifier.cascade),
     .help = "Whether the first model spares the others the regions that show nothing."},

    {"postprocess.score_threshold", "number", "0.05", &det_config_kind_float,
     FIELD(postprocess.score_threshold), RANGE(0, 1),
     .help = "Detections with a lower score are dropped."},
    {"postprocess.max_detections", "integer", "100", &det_config_kind_size,
     FIELD(postprocess.max_detections), RANGE(0, 1000000),
     .help = "How many detections a picture has at most, the best first; 0: all."},
    {"postprocess.box_regression", "boolean", "null", &det_config_kind_bool_or_null,
     FIELD(postprocess.box_regression), .nullable = true,
     .help = "Whether the boxes of regions are moved as the models say (box deltas); null: where "
             "one of them does."},
    {"postprocess.nms.method", "string", "\"hard\"", &det_config_kind_nms_method,
     WORDS("hard", "none", "vote", "soft"),
     .help = "How detections of a class that overlap are suppressed. hard: they are dropped; vote: "
             "likewise, and each that remains moves to the mean of those around it, weighted by "
             "their scores; soft: they lose score."},
    {"postprocess.nms.iou", "number", "0.3", &det_config_kind_float, FIELD(postprocess.nms_iou),
     RANGE(0, 1),
     .help = "A detection is suppressed when its overlap (IoU) with a better one of its class is "
             "greater; soft with linear decay: from there on it loses score."},
    {"postprocess.nms.vote_iou", "number", "0.5", &det_config_kind_float,
     FIELD(postprocess.nms_vote_iou), RANGE(0, 1),
     .help = "vote: detections of a class that overlap the one that remains (IoU) by so much have "
             "a vote in where it is."},
    {"postprocess.nms.decay", "string", "\"gaussian\"", &det_config_kind_word,
     FIELD(postprocess.nms_decay), WORDS("gaussian", "linear"),
     .help = "soft: what a score is multiplied by, exp(-IoU^2 / sigma), or 1 - IoU."},
    {"postprocess.nms.sigma", "number", "0.5", &det_config_kind_float, FIELD(postprocess.nms_sigma),
     RANGE(0.01, 10), .help = "soft with Gaussian decay: the larger, the less overlap costs."},

    {"train.annotations", "string", "null", &det_config_kind_path, FIELD(train.annotations),
     .nullable = true,
     .help = "What to learn from: a COCO file, or a folder of VOC's or YOLO's kind."},
    {"train.pictures", "string", "null", &det_config_kind_path, FIELD(train.pictures),
     .nullable = true,
     .help = "The folder of the pictures (COCO, VOC); null: where they usually are."},
    {"train.split", "string", "null", &det_config_kind_name, FIELD(train.split), .nullable = true,
     .help = "Only this part of the pictures; null: all there are."},
    {"train.output", "string", "null", &det_config_kind_path, FIELD(train.output), .nullable = true,
     .help = "The model file that is written."},
    {"train.cache", "string", "null", &det_config_kind_path, FIELD(train.cache), .nullable = true,
     .help = "The folder where what is computed of each picture is kept; null: the name of the "
             "model file with .cache behind it."},
    {"train.layer", "string", "null", &det_config_kind_name, FIELD(train.layer), .nullable = true,
     .help = "The layer of the network whose map is the features of a region; null: the last one "
             "that has a map."},
    {"train.grid", "integer", "3", &det_config_kind_int, FIELD(train.grid), RANGE(1, 64),
     .help = "The map is averaged over so many windows a side, which overlap; 1: over all of it."},
    {"train.folds", "integer", "5", &det_config_kind_int, FIELD(train.folds), RANGE(2, 1000),
     .help = "Parts of the cross-validation; where there are fewer pictures, one a picture."},
    {"train.positive_iou", "number", "0.5", &det_config_kind_double, FIELD(train.positive_iou),
     RANGE(0.01, 1), .help = "Regions that overlap an object (IoU) by so much are examples of it."},
    {"train.negative_iou", "number", "0.3", &det_config_kind_double, FIELD(train.negative_iou),
     RANGE(0.01, 1),
     .help = "Regions that overlap every object by less are background; those between teach "
             "nothing."},
    {"train.head", "string", "\"softmax\"", &det_config_kind_word, FIELD(train.head),
     WORDS("softmax", "svm"),
     .help = "softmax: probabilities of the classes and the background, learned together; svm: a "
             "support vector machine a class with hard negatives, as in R-CNN, whose scores "
             "become probabilities."},
    {"train.class_weights", "string", "\"none\"", &det_config_kind_word, FIELD(train.class_weights),
     WORDS("none", "balanced"),
     .help = "none: every example counts alike; balanced: every class does, and the background, "
             "however many examples they have."},
    {"train.l2", "number", "0.001", &det_config_kind_double_or_null, FIELD(train.l2),
     RANGE(1e-9, 1000), .nullable = true,
     .help = "softmax: the weight of the squares of the weights beside the mean cross-entropy; "
             "null: of several the one under which pictures that are held out for it are the most "
             "likely."},
    {"train.max_examples", "integer", "20000", &det_config_kind_size, FIELD(train.max_examples),
     RANGE(1, 10000000),
     .help =
         "Regions that are learned from: all that show objects, and background to fill up. Among "
         "these svm looks for hard negatives, and gains by more of them."},
    {"train.learning_curve", "boolean", "true", &det_config_kind_bool, FIELD(train.learning_curve),
     .help = "Measure as well what a quarter and half of the pictures give, and say what more of "
             "them would."},
    {"train.bootstrap", "integer", "1000", &det_config_kind_size, FIELD(train.bootstrap),
     RANGE(1, 1000000), .help = "Samples of the pictures that intervals are computed from."},
    {"train.multibox.boxes", "integer", "0", &det_config_kind_size, FIELD(train.multibox_boxes),
     RANGE(0, 10000),
     .help = "Also learn to propose so many regions of a picture from one look at it; "
             "proposals.methods then may name multibox. 0: do not."},
    {"train.multibox.match", "string", "\"priors\"", &det_config_kind_word,
     FIELD(train.multibox_match), WORDS("priors", "predictions"),
     .help =
         "What each object is matched to while that is learned: boxes before they are moved, or "
         "behind."},

    {"train.network.steps", "integer", "0", &det_config_kind_size, FIELD(train.network.steps),
     RANGE(0, 100000000),
     .help = "Train the network itself, from where it stands, in so many steps of stochastic "
             "gradient descent, after its heads were learned; 0: it stays as it is."},
    {"train.network.batch", "integer", "64", &det_config_kind_size, FIELD(train.network.batch),
     RANGE(1, 4096), .help = "Regions of a step."},
    {"train.network.positive_share", "number", "0.25", &det_config_kind_double,
     FIELD(train.network.positive_share), RANGE(0, 1),
     .help = "The share of them that show objects; the others are background."},
    {"train.network.rate", "number", "0.001", &det_config_kind_double, FIELD(train.network.rate),
     RANGE(0, 1000), .help = "The learning rate, before its schedule changes it."},
    {"train.network.rates", "object", "{}", &det_config_kind_layer_rates, COUNT(0, DET_LAYER_RATES),
     RANGE(0, 1000000),
     .help = "What the learning rate of layers is multiplied by, by patterns of their names, "
             "{\"conv1/*\": 0, \"head/*\": 10}; the first pattern that fits counts. Layers with "
             "0 are frozen."},
    {"train.network.schedule", "string", "\"cosine\"", &det_config_kind_word,
     FIELD(train.network.schedule), WORDS("constant", "step", "poly", "cosine"),
     .help = "How the rate falls over the steps: step: by step_factor, every step_every; poly: "
             "with (1 - step / steps)^power; cosine: with half a cosine, to 0."},
    {"train.network.warm_up", "integer", "0", &det_config_kind_size, FIELD(train.network.warm_up),
     RANGE(0, 100000000), .help = "First steps, in which the rate rises from 0."},
    {"train.network.step_every", "integer", "0", &det_config_kind_size,
     FIELD(train.network.step_every), RANGE(0, 100000000),
     .help = "step: steps between two falls; 0: there is one, after two thirds."},
    {"train.network.step_factor", "number", "0.1", &det_config_kind_double,
     FIELD(train.network.step_factor), RANGE(0, 1),
     .help = "step: what the rate is multiplied by."},
    {"train.network.power", "number", "0.5", &det_config_kind_double, FIELD(train.network.power),
     RANGE(0, 100), .help = "poly: the exponent."},
    {"train.network.momentum", "number", "0.9", &det_config_kind_double,
     FIELD(train.network.momentum), RANGE(0, 0.9999),
     .help = "The share of a step that goes on in the next."},
    {"train.network.weight_decay", "number", "0.0005", &det_config_kind_double,
     FIELD(train.network.weight_decay), RANGE(0, 1),
     .help = "The weight of half the squares of weights beside the loss; not of biases."},
    {"train.network.clip", "number", "0", &det_config_kind_double, FIELD(train.network.clip),
     RANGE(0, 1e9),
     .help = "Gradients whose norm, over all parameters, is larger are scaled down to it; 0: none "
             "are."},
    {"train.network.average", "integer", "0", &det_config_kind_size, FIELD(train.network.average),
     RANGE(0, 100000000),
     .help = "The model gets the mean of the parameters over so many of the last steps, about "
             "(Polyak), in place of those of the last step; 0: it does not."},
    {"train.network.box_weight", "number", "1", &det_config_kind_double,
     FIELD(train.network.box_weight), RANGE(0, 1000000),
     .help = "The weight of the loss of box regression beside that of classes, as in Fast R-CNN; "
             "0: the network learns classes alone."},
    {"train.network.mirror", "boolean", "true", &det_config_kind_bool, FIELD(train.network.mirror),
     .help = "Whether half of the regions are mirrored."},
    {"train.network.jitter", "number", "0.1", &det_config_kind_double, FIELD(train.network.jitter),
     RANGE(0, 1),
     .help = "How far boxes of regions are moved and scaled at random, in shares of their sides; "
             "they are then labelled anew."},
    {"train.network.color", "number", "0.2", &det_config_kind_double, FIELD(train.network.color),
     RANGE(0, 1),
     .help = "How much brightness, contrast, saturation and hue of regions are changed at random."},
    {"train.network.validation", "number", "0", &det_config_kind_double,
     FIELD(train.network.validation), RANGE(0, 0.9),
     .help = "The share of its pictures that a network does not learn from: its loss on them is "
             "measured along the way, and the best network is kept. 0: all are learned from, and "
             "the last one is kept."},
    {"train.network.checkpoint", "integer", "100", &det_config_kind_size,
     FIELD(train.network.checkpoint), RANGE(1, 100000000),
     .help = "Steps between two states that are kept for --resume, and between measurements; a "
             "training that is stopped keeps its last one, too."},

    {"runtime.threads", "integer", "0", &det_config_kind_int, FIELD(runtime.threads),
     RANGE(0, 1024), .help = "How many threads run; 0: as many as the process may use."},
    {"runtime.seed", "integer", "0", &det_config_kind_uint64, FIELD(runtime.seed),
     RANGE(0, LARGEST),
     .help = "The seed of uniform, and of what else is random besides the ranking of selective "
             "search."},

    {"limits.max_pixels", "integer", "100000000", &det_config_kind_uint64, FIELD(limits.max_pixels),
     RANGE(1, LARGEST), .help = "Pictures with more pixels are refused."},
    {"limits.max_file_bytes", "integer", "1073741824", &det_config_kind_uint64,
     FIELD(limits.max_file_bytes), RANGE(1, LARGEST),
     .help = "Picture files with more bytes are refused."},
    {"limits.max_regions", "integer", "20000", &det_config_kind_uint64, FIELD(limits.max_regions),
     RANGE(1, 10000000),
     .help = "Pictures with more regions to classify are refused; propose gives any number."},
    {"limits.memory_mb", "integer", "0", &det_config_kind_uint64, FIELD(limits.memory_mb),
     RANGE(0, 1073741824), .help = "Mebibytes of memory that may be used; 0: no limit."},
    {"limits.timeout_s", "number", "0", &det_config_kind_double, FIELD(limits.timeout_s),
     RANGE(0, 1000000000), .help = "Seconds that a picture may take; 0: no limit."},
};

const size_t det_config_row_count = sizeof det_config_rows / sizeof *det_config_rows;

_Static_assert(sizeof det_config_rows / sizeof *det_config_rows <=
                   8 * sizeof((det_config *)0)->set_keys,
               "set_keys has a bit for each");

const det_config_row *det_config_find(const char *path)
{
    for (size_t i = 0; i < det_config_row_count; i++)
        if (strcmp(det_config_rows[i].path, path) == 0) return &det_config_rows[i];
    return NULL;
}

bool det_config_key(size_t index, const char **path, const char **type, const char **default_value,
                    const char **help)
{
    if (index >= det_config_row_count) return false;
    const det_config_row *row = &det_config_rows[index];
    if (path) *path = row->path;
    if (type) *type = row->type;
    if (default_value) *default_value = row->default_value;
    if (help) *help = row->help;
    return true;
}

bool det_config_value(const det_config *config, size_t index, det_json *json, const char *key)
{
    if (index >= det_config_row_count) return false;
    det_config_rows[index].kind->write(config, &det_config_rows[index], json, key);
    return true;
}

/* ---- Setting ---- */

bool det_config_is_set(const det_config *config, const det_config_row *row)
{
    const size_t index = (size_t)(row - det_config_rows);
    return config->set_keys[index / 64] >> index % 64 & 1;
}

bool det_config_is_chosen(const det_config *config, const det_config_row *row)
{
    static const char *const of_preset[] = {"proposals.selective_search.color_spaces",
                                            "proposals.selective_search.similarities",
                                            "proposals.selective_search.k"};
    bool chosen = det_config_is_set(config, row);
    for (size_t i = 0; i < sizeof of_preset / sizeof *of_preset; i++)
        if (strcmp(row->path, of_preset[i]) == 0)
            chosen = chosen || det_config_is_set(
                                   config, det_config_find("proposals.selective_search.preset"));
    return chosen;
}

static void mark(det_config *config, const det_config_row *row)
{
    const size_t index = (size_t)(row - det_config_rows);
    config->set_keys[index / 64] |= UINT64_C(1) << index % 64;
}

det_status det_config_set_row(det_config *config, const det_config_row *row, json_object *value,
                              const char *folder, det_error *error)
{
    const det_status status = row->kind->set(config, row, value, folder, error);
    if (status == DET_OK)
        mark(config, row);
    else
        det_error_where(error, "%s", row->path);
    return status;
}

det_status det_config_set_default(det_config *config, const det_config_row *row, const char *text,
                                  det_error *error)
{
    json_object *value = NULL;
    det_status status = det_json_parse(text, strlen(text), &value, error);
    if (status == DET_OK) status = row->kind->set(config, row, value, "", error);
    json_object_put(value);
    return status;
}

/* The versions of Uijlings et al., IJCV 2013, table 5. */
static const struct {
    const char *name, *color_spaces, *similarities, *k;
} presets[] = {
    {"single", "[\"hsv\"]", "[\"CTSF\"]", "[100]"},
    {"fast", "[\"hsv\",\"lab\"]", "[\"CTSF\",\"TSF\"]", "[50,100]"},
    {"quality", "[\"hsv\",\"lab\",\"rgi\",\"h\",\"i\"]", "[\"CTSF\",\"TSF\",\"F\",\"S\"]",
     "[50,100,150,300]"},
};

static det_status set_unless_set(det_config *config, const char *path, const char *text,
                                 det_error *error)
{
    const det_config_row *row = det_config_find(path);
    if (det_config_is_set(config, row)) return DET_OK;
    return det_config_set_default(config, row, text, error);
}

det_status det_config_apply_preset(det_config *config, det_error *error)
{
    size_t i = 0;
    while (strcmp(presets[i].name, config->proposals.preset) != 0) i++;
    det_status status = set_unless_set(config, "proposals.selective_search.color_spaces",
                                       presets[i].color_spaces, error);
    if (status == DET_OK)
        status = set_unless_set(config, "proposals.selective_search.similarities",
                                presets[i].similarities, error);
    if (status == DET_OK)
        status = set_unless_set(config, "proposals.selective_search.k", presets[i].k, error);
    return status;
}
