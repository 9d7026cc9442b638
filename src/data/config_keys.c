/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a configuration: one table of what each is called, what it takes and where it goes.
 * Reading files, --set, and the lists of keys that people see all go through it; a test holds it
 * against configs/det.schema.json. */
#include "src/data/config_keys.h"

#include "src/base/error.h"
#include "src/base/file.h"
#include "src/base/json_reader.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef det_config_row row_t;

static void *field(det_config *config, const row_t *row)
{
    return (char *)config + row->offset;
}

/* ---- Complaints ---- */

static const char *describe(json_object *value, char *text, size_t size)
{
    switch (json_object_get_type(value)) {
    case json_type_object:
        return "an object";
    case json_type_array:
        return "an array";
    case json_type_string:
        snprintf(text, size, "the string \"%.100s\"", json_object_get_string(value));
        return text;
    case json_type_int:
    case json_type_double:
        snprintf(text, size, "the number %.60s", json_object_to_json_string(value));
        return text;
    default:
        return json_object_to_json_string(value); /* null, true, false */
    }
}

static det_status wrong_type(const char *expected, json_object *value, det_error *error)
{
    char text[160];
    return det_fail(error, DET_FORMAT, "must be %s, not %s", expected,
                    describe(value, text, sizeof text));
}

static det_status wrong_word(const char *const *words, const char *word, det_error *error)
{
    char list[256] = "";
    for (size_t i = 0, used = 0; words[i] && used < sizeof list; i++)
        used +=
            (size_t)snprintf(list + used, sizeof list - used, "%s\"%s\"", i ? ", " : "", words[i]);
    return det_fail(error, DET_FORMAT, "\"%.100s\" is not one of %s", word, list);
}

/* ---- Single values ---- */

static bool is_number(json_object *value)
{
    return json_object_is_type(value, json_type_int) ||
           json_object_is_type(value, json_type_double);
}

static det_status get_number(const row_t *row, json_object *value, double *number, det_error *error)
{
    if (!is_number(value)) return wrong_type("a number", value, error);
    *number = json_object_get_double(value);
    if (*number >= row->min && *number <= row->max) return DET_OK;
    return det_fail(error, DET_FORMAT, "%.16g is outside the range from %.16g to %.16g", *number,
                    row->min, row->max);
}

/* An integer may be written as 8.0, too. All ranges end below 2^53, so a double holds it. */
static det_status get_integer(const row_t *row, json_object *value, int64_t *number,
                              det_error *error)
{
    double exact = 0;
    if (!is_number(value) || json_object_get_double(value) != floor(json_object_get_double(value)))
        return wrong_type(row->nullable ? "an integer or null" : "an integer", value, error);
    const det_status status = get_number(row, value, &exact, error);
    *number = status == DET_OK ? (int64_t)exact : 0;
    return status;
}

/* The text of a string, NULL for anything else, and for one that U+0000 would cut short. */
static const char *get_text(json_object *value)
{
    if (!json_object_is_type(value, json_type_string)) return NULL;
    const char *text = json_object_get_string(value);
    return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

static det_status get_word(const char *const *words, json_object *value, size_t *index,
                           det_error *error)
{
    const char *word = get_text(value);
    if (!word) return wrong_type("a plain string", value, error);
    for (*index = 0; words[*index]; (*index)++)
        if (strcmp(words[*index], word) == 0) return DET_OK;
    return wrong_word(words, word, error);
}

static det_status set_version(det_config *config, const row_t *row, json_object *value,
                              const char *folder, det_error *error)
{
    (void)config, (void)folder;
    if (!is_number(value)) return wrong_type("an integer", value, error);
    const double version = json_object_get_double(value);
    if (version == row->max) return DET_OK;
    if (version < row->max || version != floor(version)) return wrong_type("1", value, error);
    return det_fail(error, DET_UNSUPPORTED,
                    "version %.16g of the configuration is newer than this program, which reads "
                    "version 1: use a newer program",
                    version);
}

static det_status set_bool(det_config *config, const row_t *row, json_object *value,
                           const char *folder, det_error *error)
{
    (void)folder;
    if (!json_object_is_type(value, json_type_boolean))
        return wrong_type("true or false", value, error);
    *(bool *)field(config, row) = json_object_get_boolean(value);
    return DET_OK;
}

static det_status set_int(det_config *config, const row_t *row, json_object *value,
                          const char *folder, det_error *error)
{
    (void)folder;
    int64_t number = 0;
    const det_status status = get_integer(row, value, &number, error);
    if (status == DET_OK) *(int *)field(config, row) = (int)number;
    return status;
}

/* Null is stored as -1. */
static det_status set_int_or_null(det_config *config, const row_t *row, json_object *value,
                                  const char *folder, det_error *error)
{
    if (value) return set_int(config, row, value, folder, error);
    *(int *)field(config, row) = -1;
    return DET_OK;
}

/* 0 means "none", which det_selective_search_options, where 0 is the default, writes as -1. */
static det_status set_int_or_none(det_config *config, const row_t *row, json_object *value,
                                  const char *folder, det_error *error)
{
    const det_status status = set_int(config, row, value, folder, error);
    int *number = field(config, row);
    if (status == DET_OK && *number == 0) *number = -1;
    return status;
}

static det_status set_size(det_config *config, const row_t *row, json_object *value,
                           const char *folder, det_error *error)
{
    (void)folder;
    int64_t number = 0;
    const det_status status = get_integer(row, value, &number, error);
    if (status == DET_OK) *(size_t *)field(config, row) = (size_t)number;
    return status;
}

static det_status set_uint64(det_config *config, const row_t *row, json_object *value,
                             const char *folder, det_error *error)
{
    (void)folder;
    int64_t number = 0;
    const det_status status = get_integer(row, value, &number, error);
    if (status == DET_OK) *(uint64_t *)field(config, row) = (uint64_t)number;
    return status;
}

static det_status set_float(det_config *config, const row_t *row, json_object *value,
                            const char *folder, det_error *error)
{
    (void)folder;
    double number = 0;
    const det_status status = get_number(row, value, &number, error);
    if (status == DET_OK) *(float *)field(config, row) = (float)number;
    return status;
}

static det_status set_double(det_config *config, const row_t *row, json_object *value,
                             const char *folder, det_error *error)
{
    (void)folder;
    double number = 0;
    const det_status status = get_number(row, value, &number, error);
    if (status == DET_OK) *(double *)field(config, row) = number;
    return status;
}

/* Into an array of characters; a test holds every word against the room there. */
static det_status set_word(det_config *config, const row_t *row, json_object *value,
                           const char *folder, det_error *error)
{
    (void)folder;
    size_t index;
    const det_status status = get_word(row->words, value, &index, error);
    if (status == DET_OK) strcpy(field(config, row), row->words[index]);
    return status;
}

static det_status set_nms_method(det_config *config, const row_t *row, json_object *value,
                                 const char *folder, det_error *error)
{
    (void)folder;
    size_t index; /* the words are in the order of det_nms_method */
    const det_status status = get_word(row->words, value, &index, error);
    if (status == DET_OK) config->postprocess.nms_method = (det_nms_method)index;
    return status;
}

/* ---- Arrays ---- */

static det_status check_array(const row_t *row, json_object *value, const char *expected,
                              det_error *error)
{
    if (!json_object_is_type(value, json_type_array)) return wrong_type(expected, value, error);
    const size_t count = json_object_array_length(value);
    if (count >= row->min_count && count <= row->max_count) return DET_OK;
    return det_fail(error, DET_FORMAT, "has %zu elements; from %zu to %zu are possible", count,
                    row->min_count, row->max_count);
}

static det_status twice(json_object *value, det_error *error)
{
    return det_fail(error, DET_FORMAT, "\"%s\" is there twice", json_object_get_string(value));
}

/* Reads an array of words as a list of indices, none of them twice. */
static det_status get_words(const row_t *row, json_object *array, size_t *indices, size_t *count,
                            det_error *error)
{
    det_status status = check_array(row, array, "an array of strings", error);
    if (status < 0) return status;
    *count = json_object_array_length(array);
    unsigned seen = 0;
    for (size_t i = 0; i < *count; i++) {
        json_object *value = json_object_array_get_idx(array, i);
        status = get_word(row->words, value, &indices[i], error);
        if (status == DET_OK && seen & 1u << indices[i]) status = twice(value, error);
        if (status < 0) {
            det_error_where(error, "%s[%zu]", row->path, i);
            return status;
        }
        seen |= 1u << indices[i];
    }
    return DET_OK;
}

static det_status set_methods(det_config *config, const row_t *row, json_object *value,
                              const char *folder, det_error *error)
{
    (void)folder;
    bool *const flags[] = {/* in the order of the words */
                           &config->proposals.selective_search, &config->proposals.multibox,
                           &config->proposals.uniform, &config->proposals.sliding};
    enum { method_count = sizeof flags / sizeof *flags };
    size_t indices[method_count], count = 0;
    const det_status status = get_words(row, value, indices, &count, error);
    if (status < 0) return status;
    for (size_t i = 0; i < method_count; i++) *flags[i] = false;
    for (size_t i = 0; i < count; i++) *flags[indices[i]] = true;
    return DET_OK;
}

static det_status set_color_spaces(det_config *config, const row_t *row, json_object *value,
                                   const char *folder, det_error *error)
{
    (void)folder;
    unsigned *spaces = config->proposals.search.color_spaces;
    size_t indices[8], count = 0;
    const det_status status = get_words(row, value, indices, &count, error);
    if (status < 0) return status;
    memset(spaces, 0, sizeof config->proposals.search.color_spaces);
    for (size_t i = 0; i < count; i++) spaces[i] = 1u << indices[i]; /* DET_COLOR_* */
    return DET_OK;
}

/* "CTSF" and the like, in any order, as a set of DET_SIMILARITY_*. */
static det_status get_similarity(json_object *value, unsigned *set, det_error *error)
{
    static const char letters[] = "CTSF"; /* in the order of the bits */
    const char *text = get_text(value);
    if (!text) return wrong_type("a plain string", value, error);
    *set = 0;
    for (const char *c = text; *c; c++) {
        const char *letter = strchr(letters, *c);
        const unsigned bit = letter ? 1u << (letter - letters) : 0;
        if (bit == 0 || *set & bit) *set = ~0u;
        if (*set == ~0u) break;
        *set |= bit;
    }
    if (*set != 0 && *set != ~0u) return DET_OK;
    return det_fail(error, DET_FORMAT,
                    "\"%.100s\" is not a similarity: join the letters C (colour), T (texture), "
                    "S (size), F (fill), each at most once",
                    text);
}

static det_status set_similarities(det_config *config, const row_t *row, json_object *value,
                                   const char *folder, det_error *error)
{
    (void)folder;
    unsigned sets[16] = {0}, seen = 0;
    det_status status = check_array(row, value, "an array of strings", error);
    const size_t count = status == DET_OK ? json_object_array_length(value) : 0;
    for (size_t i = 0; i < count; i++) {
        json_object *element = json_object_array_get_idx(value, i);
        status = get_similarity(element, &sets[i], error);
        if (status == DET_OK && seen & 1u << sets[i]) status = twice(element, error);
        if (status < 0) {
            det_error_where(error, "%s[%zu]", row->path, i);
            return status;
        }
        seen |= 1u << sets[i];
    }
    if (status == DET_OK) memcpy(config->proposals.search.similarities, sets, sizeof sets);
    return status;
}

/* As many numbers as the longest of the arrays may have. */
enum { most_numbers = 8 };
_Static_assert((int)most_numbers == (int)DET_POOL_SCALES, "get_numbers fills it");

/* The rest are 0. */
static det_status get_numbers(const row_t *row, json_object *value, float numbers[most_numbers],
                              det_error *error)
{
    float scales[most_numbers] = {0};
    det_status status = check_array(row, value, "an array of numbers", error);
    const size_t count = status == DET_OK ? json_object_array_length(value) : 0;
    for (size_t i = 0; i < count; i++) {
        double scale = 0;
        status = get_number(row, json_object_array_get_idx(value, i), &scale, error);
        if (status < 0) {
            det_error_where(error, "%s[%zu]", row->path, i);
            return status;
        }
        scales[i] = (float)scale;
    }
    if (status == DET_OK) memcpy(numbers, scales, sizeof scales);
    return status;
}

static det_status set_scales(det_config *config, const row_t *row, json_object *value,
                             const char *folder, det_error *error)
{
    (void)folder;
    return get_numbers(row, value, config->proposals.search.k, error);
}

static det_status set_pool_scales(det_config *config, const row_t *row, json_object *value,
                                  const char *folder, det_error *error)
{
    (void)folder;
    return get_numbers(row, value, config->classifier.pool_scales, error);
}

/* Null is stored as "". */
static det_status set_layer(det_config *config, const row_t *row, json_object *value,
                            const char *folder, det_error *error)
{
    (void)row, (void)folder;
    const size_t room = sizeof config->classifier.pool_layer;
    const char *name = value ? get_text(value) : "";
    if (!name) return wrong_type("a plain string or null", value, error);
    if (value && *name == '\0') return det_fail(error, DET_FORMAT, "the name of a layer is empty");
    if (strlen(name) >= room)
        return det_fail(error, DET_FORMAT, "the name of a layer is longer than %zu bytes",
                        room - 1);
    strcpy(config->classifier.pool_layer, name);
    return DET_OK;
}

static void free_models(char **models, size_t count)
{
    for (size_t i = 0; i < count; i++) det_free(models[i]);
    det_free(models);
}

static det_status get_path(json_object *value, const char *folder, char **path, det_error *error)
{
    const char *name = get_text(value);
    if (!name) return wrong_type("a plain string", value, error);
    if (*name == '\0') return det_fail(error, DET_FORMAT, "the name of a file is empty");
    *path = det_path_join(folder, name);
    return *path ? DET_OK : det_fail_memory(error, "the path of a model");
}

static det_status set_models(det_config *config, const row_t *row, json_object *value,
                             const char *folder, det_error *error)
{
    det_status status = check_array(row, value, "an array of strings", error);
    if (status < 0) return status;
    const size_t count = json_object_array_length(value);
    char **models = det_alloc_zeroed(count, sizeof *models);
    if (!models) return det_fail_memory(error, "the paths of models");
    for (size_t i = 0; i < count; i++) {
        status = get_path(json_object_array_get_idx(value, i), folder, &models[i], error);
        if (status < 0) {
            det_error_where(error, "%s[%zu]", row->path, i);
            free_models(models, count);
            return status;
        }
    }
    free_models(config->classifier.models, config->classifier.model_count);
    config->classifier.models = models;
    config->classifier.model_count = count;
    return DET_OK;
}

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
    {"schema_version", "integer", "1", set_version, RANGE(1, 1),
     .help = "The version of this format."},

    {"proposals.methods", "array", "[\"selective_search\"]", set_methods, COUNT(1, 4),
     WORDS("selective_search", "multibox", "uniform", "sliding"),
     .help =
         "What proposes regions; the regions of several methods are united. uniform and sliding "
         "are controls that do not look at the picture, random boxes and a grid: they give "
         "proposals.max regions, 1000 where that is 0, and share width and min_side with "
         "selective search."},
    {"proposals.max", "integer", "0", set_size, FIELD(proposals.max), RANGE(0, 1000000),
     .help = "How many regions of a picture are classified at most, the best first; 0: all."},
    {"proposals.whole_picture", "boolean", "true", set_bool, FIELD(proposals.whole_picture),
     .help = "Whether the whole picture may be a region, too."},
    {"proposals.selective_search.preset", "string", "\"fast\"", set_word, FIELD(proposals.preset),
     WORDS("single", "fast", "quality"),
     .help = "The version of the IJCV paper with 1, 8 or 80 hierarchies: it gives color_spaces, "
             "similarities and k where they are not set themselves."},
    {"proposals.selective_search.color_spaces", "array", "[\"hsv\",\"lab\"]", set_color_spaces,
     COUNT(1, 8), WORDS("hsv", "lab", "rgb", "i", "rgi", "nrgb", "c", "h"),
     .help = "Colour spaces in which pictures are segmented and regions compared."},
    {"proposals.selective_search.similarities", "array", "[\"CTSF\",\"TSF\"]", set_similarities,
     COUNT(1, 15),
     .help = "Similarities that regions are joined by: the mean of colour (C), texture (T), size "
             "(S) and fill (F), whichever letters are there."},
    {"proposals.selective_search.k", "array", "[50,100]", set_scales, COUNT(1, 8), RANGE(1, 100000),
     .help = "Scales of the initial segmentation: larger ones give larger segments."},
    {"proposals.selective_search.min_size", "integer", "0", set_int,
     FIELD(proposals.search.min_size_px), RANGE(0, 1000000),
     .help = "The smallest initial segment in pixels of the resized picture; 0: k."},
    {"proposals.selective_search.sigma", "number", "0.8", set_double,
     FIELD(proposals.search.sigma_px), RANGE(0.1, 10),
     .help = "The Gaussian blur before the segmentation, in pixels."},
    {"proposals.selective_search.superpixel_scale", "number", "1", set_double,
     FIELD(proposals.search.superpixel_scale), RANGE(0.1, 10),
     .help = "Superpixels of so many times the area, and fewer regions; 2 is the setting of the "
             "GoogLeNet paper, which halves them."},
    {"proposals.selective_search.max", "integer", "0", set_size, FIELD(proposals.search.max),
     RANGE(0, 1000000), .help = "How many regions selective search gives at most; 0: all."},
    {"proposals.selective_search.min_side", "integer", "20", set_int_or_none,
     FIELD(proposals.search.min_side_px), RANGE(0, 10000),
     .help = "Regions with a shorter side, in pixels of the resized picture, are left out; 0: "
             "none is."},
    {"proposals.selective_search.width", "integer", "500", set_int_or_none,
     FIELD(proposals.search.width_px), RANGE(0, 16384),
     .help = "The width in pixels that pictures are resized to first (less where the height would "
             "exceed 4 times this, more where it would fall below a quarter); 0: they keep their "
             "size."},
    {"proposals.selective_search.seed", "integer", "0", set_uint64, FIELD(proposals.search.seed),
     RANGE(0, LARGEST), .help = "The seed of the random ranking."},
    {"proposals.selective_search.near_duplicate_iou", "number", "0.9", set_double,
     FIELD(proposals.search.near_duplicate_iou), RANGE(0.1, 1),
     .help = "Regions that overlap a better one by more come after all others, which finds more "
             "objects where proposals.max cuts; 1: the ranking of the paper as it is."},
    {"proposals.multibox.max", "integer", "200", set_size, FIELD(proposals.multibox_max),
     RANGE(1, 10000), .help = "How many regions MultiBox gives at most."},

    {"classifier.models", "array", "[]", set_models, COUNT(0, 64),
     .help = "Model files; relative names are taken from the folder of the configuration."},
    {"classifier.vote", "string", "\"average\"", set_word, FIELD(classifier.vote), WORDS("average"),
     .help = "How the probabilities of several models become one."},
    {"classifier.precision", "string", "\"f32\"", set_word, FIELD(classifier.precision),
     WORDS("f32", "bf16", "int8", "auto"),
     .help = "The arithmetic of the networks; auto: the fastest that every model was verified "
             "with."},
    {"classifier.winograd", "boolean", "false", set_bool, FIELD(classifier.winograd),
     .help = "Whether 3x3 convolutions in f32 may use Winograd's algorithm, which multiplies less "
             "and rounds worse; 'detect bench network --winograd' shows both."},
    {"classifier.batch", "integer", "8", set_size, FIELD(classifier.batch), RANGE(1, 1024),
     .help = "How many regions run through a network at once; where they are pooled, eight "
             "times as many, up to 64."},
    {"classifier.regions", "string", "\"crop\"", set_word, FIELD(classifier.regions),
     WORDS("crop", "pool"),
     .help = "crop: every region is cut out and classified; pool: the features of the whole "
             "picture are pooled."},
    {"classifier.pool.layer", "string", "null", set_layer, .nullable = true,
     .help =
         "The layer of the networks that regions are pooled from; null: what the last pool with "
         "a stride reads, for GoogLeNet inception_4e/output."},
    {"classifier.pool.scales", "array", "[192,384]", set_pool_scales, COUNT(1, DET_POOL_SCALES),
     RANGE(8, 4096),
     .help = "Lengths in pixels that the shorter side of a picture is resized to for pool; of "
             "several, a region takes that at which its crop is nearest in area to the network's "
             "input."},
    {"classifier.pool.method", "string", "\"align\"", set_word, FIELD(classifier.pool_method),
     WORDS("align", "max"),
     .help = "How a region is pooled: RoI align (Mask R-CNN) or RoI max pooling (Fast R-CNN)."},
    {"classifier.context_px", "integer", "null", set_int_or_null, FIELD(classifier.context_px),
     RANGE(0, 512), .nullable = true,
     .help = "Pixels of the network's input around a region that show what surrounds it; null: "
             "what the model says."},
    {"classifier.cascade", "boolean", "false", set_bool, FIELD(classifier.cascade),
     .help = "Whether the first model spares the others the regions that show nothing."},

    {"postprocess.score_threshold", "number", "0.05", set_float, FIELD(postprocess.score_threshold),
     RANGE(0, 1), .help = "Detections with a lower score are dropped."},
    {"postprocess.max_detections", "integer", "100", set_size, FIELD(postprocess.max_detections),
     RANGE(0, 1000000),
     .help = "How many detections a picture has at most, the best first; 0: all."},
    {"postprocess.box_regression", "boolean", "false", set_bool, FIELD(postprocess.box_regression),
     .help = "Whether boxes are corrected by the box regression of the model."},
    {"postprocess.nms.method", "string", "\"hard\"", set_nms_method, WORDS("hard", "none"),
     .help = "How detections of a class that overlap are suppressed."},
    {"postprocess.nms.iou", "number", "0.3", set_float, FIELD(postprocess.nms_iou), RANGE(0, 1),
     .help = "A detection is suppressed when its overlap (IoU) with a better one of its class is "
             "greater."},

    {"runtime.threads", "integer", "0", set_int, FIELD(runtime.threads), RANGE(0, 1024),
     .help = "How many threads run; 0: as many as the process may use."},
    {"runtime.seed", "integer", "0", set_uint64, FIELD(runtime.seed), RANGE(0, LARGEST),
     .help = "The seed of uniform, and of what else is random besides the ranking of selective "
             "search."},

    {"limits.max_pixels", "integer", "100000000", set_uint64, FIELD(limits.max_pixels),
     RANGE(1, LARGEST), .help = "Pictures with more pixels are refused."},
    {"limits.max_file_bytes", "integer", "1073741824", set_uint64, FIELD(limits.max_file_bytes),
     RANGE(1, LARGEST), .help = "Picture files with more bytes are refused."},
    {"limits.max_regions", "integer", "20000", set_uint64, FIELD(limits.max_regions),
     RANGE(1, 10000000),
     .help = "Pictures with more regions to classify are refused; propose gives any number."},
    {"limits.memory_mb", "integer", "0", set_uint64, FIELD(limits.memory_mb), RANGE(0, 1073741824),
     .help = "Mebibytes of memory that may be used; 0: no limit."},
    {"limits.timeout_s", "number", "0", set_double, FIELD(limits.timeout_s), RANGE(0, 1000000000),
     .help = "Seconds that a picture may take; 0: no limit."},
};

const size_t det_config_row_count = sizeof det_config_rows / sizeof *det_config_rows;

_Static_assert(sizeof det_config_rows / sizeof *det_config_rows <= 64, "set_keys has 64 bits");

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

/* ---- Setting ---- */

static uint64_t mark_of(const det_config_row *row)
{
    return UINT64_C(1) << (row - det_config_rows);
}

det_status det_config_set_row(det_config *config, const det_config_row *row, json_object *value,
                              const char *folder, det_error *error)
{
    const det_status status = row->set(config, row, value, folder, error);
    if (status == DET_OK)
        config->set_keys |= mark_of(row);
    else
        det_error_where(error, "%s", row->path);
    return status;
}

det_status det_config_set_default(det_config *config, const det_config_row *row, const char *text,
                                  det_error *error)
{
    json_object *value = NULL;
    det_status status = det_json_parse(text, strlen(text), &value, error);
    if (status == DET_OK) status = row->set(config, row, value, "", error);
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
    if (config->set_keys & mark_of(row)) return DET_OK;
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
