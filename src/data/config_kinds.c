/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys of a configuration hold: how a value of each kind is checked and stored, and how it
 * is written again. */
#include "src/data/config_kinds.h"

#include "src/base/error.h"
#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/base/number.h"

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

/* Null is stored as -1. */
static det_status set_bool_or_null(det_config *config, const row_t *row, json_object *value,
                                   const char *folder, det_error *error)
{
    (void)folder;
    if (value && !json_object_is_type(value, json_type_boolean))
        return wrong_type("true, false or null", value, error);
    *(int *)field(config, row) = value ? json_object_get_boolean(value) : -1;
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

/* Null is stored as 0, which no range of such a key has. */
static det_status set_double_or_null(det_config *config, const row_t *row, json_object *value,
                                     const char *folder, det_error *error)
{
    if (value && !is_number(value)) return wrong_type("a number or null", value, error);
    if (value) return set_double(config, row, value, folder, error);
    *(double *)field(config, row) = 0;
    return DET_OK;
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

static const char similarity_letters[] = "CTSF"; /* in the order of the bits */

/* "CTSF" and the like, in any order, as a set of DET_SIMILARITY_*. */
static det_status get_similarity(json_object *value, unsigned *set, det_error *error)
{
    const char *text = get_text(value);
    if (!text) return wrong_type("a plain string", value, error);
    *set = 0;
    for (const char *c = text; *c; c++) {
        const char *letter = strchr(similarity_letters, *c);
        const unsigned bit = letter ? 1u << (letter - similarity_letters) : 0;
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

/* Into DET_NAME_SIZE characters. Null is stored as "". */
static det_status set_name(det_config *config, const row_t *row, json_object *value,
                           const char *folder, det_error *error)
{
    (void)folder;
    const char *name = value ? get_text(value) : "";
    if (!name) return wrong_type("a plain string or null", value, error);
    if (value && *name == '\0') return det_fail(error, DET_FORMAT, "the name is empty");
    if (strlen(name) >= DET_NAME_SIZE)
        return det_fail(error, DET_FORMAT, "the name is longer than %d bytes", DET_NAME_SIZE - 1);
    strcpy(field(config, row), name);
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
    return *path ? DET_OK : det_fail_memory(error, "a path");
}

/* A string of its own. Null is stored as NULL. */
static det_status set_path(det_config *config, const row_t *row, json_object *value,
                           const char *folder, det_error *error)
{
    char *path = NULL, **stored_path = field(config, row);
    if (value) {
        const det_status status = get_path(value, folder, &path, error);
        if (status < 0) return status;
    }
    det_free(*stored_path);
    *stored_path = path;
    return DET_OK;
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

static det_status set_layer_rates(det_config *config, const row_t *row, json_object *value,
                                  const char *folder, det_error *error)
{
    (void)folder;
    if (!value || !json_object_is_type(value, json_type_object))
        return wrong_type("an object of patterns and numbers", value, error);
    if ((size_t)json_object_object_length(value) > row->max_count)
        return det_fail(error, DET_FORMAT, "%d patterns are more than %zu",
                        json_object_object_length(value), row->max_count);
    det_layer_rate rates[DET_LAYER_RATES];
    size_t count = 0;
    json_object_object_foreach(value, pattern, factor)
    {
        det_layer_rate *rate = &rates[count++];
        if (*pattern == '\0' || strlen(pattern) >= sizeof rate->layers)
            return det_fail(error, DET_FORMAT, "a pattern has 1 to %zu bytes, not %zu",
                            sizeof rate->layers - 1, strlen(pattern));
        strcpy(rate->layers, pattern);
        const det_status status = get_number(row, factor, &rate->factor, error);
        if (status < 0) return status;
    }
    memcpy(config->train.network.rates, rates, count * sizeof *rates);
    config->train.network.rate_count = count;
    return DET_OK;
}

/* ---- Written again ---- */

static const void *stored(const det_config *config, const row_t *row)
{
    return (const char *)config + row->offset;
}

/* With as few digits as give the number back; nine are enough. */
static void add_float(det_json *json, const char *key, float value)
{
    char text[DET_NUMBER_SIZE];
    for (int digits = 6; digits <= 9; digits++) {
        double back = 0;
        det_number_text(text, (double)value, digits);
        if (det_number_parse(text, strlen(text), &back) && (float)back == value) break;
    }
    det_json_raw(json, key, text);
}

static void add_numbers(const float numbers[most_numbers], det_json *json, const char *key)
{
    det_json_begin_array(json, key);
    for (size_t i = 0; i < most_numbers && numbers[i] > 0; i++) add_float(json, NULL, numbers[i]);
    det_json_end(json);
}

static void write_version(const det_config *config, const row_t *row, det_json *json,
                          const char *key)
{
    (void)config;
    det_json_integer(json, key, (int64_t)row->max);
}

static void write_bool(const det_config *config, const row_t *row, det_json *json, const char *key)
{
    det_json_bool(json, key, *(const bool *)stored(config, row));
}

static void write_bool_or_null(const det_config *config, const row_t *row, det_json *json,
                               const char *key)
{
    const int value = *(const int *)stored(config, row);
    if (value < 0)
        det_json_null(json, key);
    else
        det_json_bool(json, key, value);
}

static void write_int(const det_config *config, const row_t *row, det_json *json, const char *key)
{
    det_json_integer(json, key, *(const int *)stored(config, row));
}

static void write_int_or_null(const det_config *config, const row_t *row, det_json *json,
                              const char *key)
{
    const int number = *(const int *)stored(config, row);
    if (number < 0)
        det_json_null(json, key);
    else
        det_json_integer(json, key, number);
}

static void write_int_or_none(const det_config *config, const row_t *row, det_json *json,
                              const char *key)
{
    const int number = *(const int *)stored(config, row);
    det_json_integer(json, key, number < 0 ? 0 : number);
}

static void write_size(const det_config *config, const row_t *row, det_json *json, const char *key)
{
    const size_t *value = stored(config, row);
    det_json_integer(json, key, (int64_t)*value);
}

static void write_uint64(const det_config *config, const row_t *row, det_json *json,
                         const char *key)
{
    const uint64_t *value = stored(config, row);
    det_json_integer(json, key, (int64_t)*value);
}

static void write_float(const det_config *config, const row_t *row, det_json *json, const char *key)
{
    add_float(json, key, *(const float *)stored(config, row));
}

static void write_double(const det_config *config, const row_t *row, det_json *json,
                         const char *key)
{
    det_json_exact(json, key, *(const double *)stored(config, row));
}

static void write_double_or_null(const det_config *config, const row_t *row, det_json *json,
                                 const char *key)
{
    if (*(const double *)stored(config, row) > 0)
        write_double(config, row, json, key);
    else
        det_json_null(json, key);
}

static void write_word(const det_config *config, const row_t *row, det_json *json, const char *key)
{
    det_json_string(json, key, stored(config, row));
}

static void write_nms_method(const det_config *config, const row_t *row, det_json *json,
                             const char *key)
{
    det_json_string(json, key, row->words[config->postprocess.nms_method]);
}

static void write_methods(const det_config *config, const row_t *row, det_json *json,
                          const char *key)
{
    const bool flags[] = {config->proposals.selective_search, config->proposals.multibox,
                          config->proposals.uniform, config->proposals.sliding};
    det_json_begin_array(json, key);
    for (size_t i = 0; row->words[i]; i++)
        if (flags[i]) det_json_string(json, NULL, row->words[i]);
    det_json_end(json);
}

static void write_color_spaces(const det_config *config, const row_t *row, det_json *json,
                               const char *key)
{
    const unsigned *spaces = config->proposals.search.color_spaces;
    det_json_begin_array(json, key);
    for (size_t i = 0; i < 8 && spaces[i]; i++)
        det_json_string(json, NULL, row->words[__builtin_ctz(spaces[i])]);
    det_json_end(json);
}

static void write_similarities(const det_config *config, const row_t *row, det_json *json,
                               const char *key)
{
    (void)row;
    const unsigned *sets = config->proposals.search.similarities;
    det_json_begin_array(json, key);
    for (size_t i = 0; i < 16 && sets[i]; i++) {
        char letters[sizeof similarity_letters] = "";
        for (size_t bit = 0, used = 0; similarity_letters[bit]; bit++)
            if (sets[i] & 1u << bit) letters[used++] = similarity_letters[bit];
        det_json_string(json, NULL, letters);
    }
    det_json_end(json);
}

static void write_scales(const det_config *config, const row_t *row, det_json *json,
                         const char *key)
{
    (void)row;
    add_numbers(config->proposals.search.k, json, key);
}

static void write_pool_scales(const det_config *config, const row_t *row, det_json *json,
                              const char *key)
{
    (void)row;
    add_numbers(config->classifier.pool_scales, json, key);
}

static void write_name(const det_config *config, const row_t *row, det_json *json, const char *key)
{
    const char *name = stored(config, row);
    det_json_string(json, key, *name ? name : NULL);
}

static void write_path(const det_config *config, const row_t *row, det_json *json, const char *key)
{
    det_json_string(json, key, *(char *const *)stored(config, row));
}

static void write_models(const det_config *config, const row_t *row, det_json *json,
                         const char *key)
{
    (void)row;
    det_json_begin_array(json, key);
    for (size_t i = 0; i < config->classifier.model_count; i++)
        det_json_string(json, NULL, config->classifier.models[i]);
    det_json_end(json);
}

static void write_layer_rates(const det_config *config, const row_t *row, det_json *json,
                              const char *key)
{
    (void)row;
    det_json_begin_object(json, key);
    for (size_t i = 0; i < config->train.network.rate_count; i++)
        det_json_number(json, config->train.network.rates[i].layers,
                        config->train.network.rates[i].factor);
    det_json_end(json);
}

/* ---- The kinds ---- */

const det_config_kind det_config_kind_version = {set_version, write_version};
const det_config_kind det_config_kind_bool = {set_bool, write_bool};
const det_config_kind det_config_kind_bool_or_null = {set_bool_or_null, write_bool_or_null};
const det_config_kind det_config_kind_int = {set_int, write_int};
const det_config_kind det_config_kind_int_or_null = {set_int_or_null, write_int_or_null};
const det_config_kind det_config_kind_int_or_none = {set_int_or_none, write_int_or_none};
const det_config_kind det_config_kind_size = {set_size, write_size};
const det_config_kind det_config_kind_uint64 = {set_uint64, write_uint64};
const det_config_kind det_config_kind_float = {set_float, write_float};
const det_config_kind det_config_kind_double = {set_double, write_double};
const det_config_kind det_config_kind_double_or_null = {set_double_or_null, write_double_or_null};
const det_config_kind det_config_kind_word = {set_word, write_word};
const det_config_kind det_config_kind_nms_method = {set_nms_method, write_nms_method};
const det_config_kind det_config_kind_methods = {set_methods, write_methods};
const det_config_kind det_config_kind_color_spaces = {set_color_spaces, write_color_spaces};
const det_config_kind det_config_kind_similarities = {set_similarities, write_similarities};
const det_config_kind det_config_kind_scales = {set_scales, write_scales};
const det_config_kind det_config_kind_pool_scales = {set_pool_scales, write_pool_scales};
const det_config_kind det_config_kind_name = {set_name, write_name};
const det_config_kind det_config_kind_path = {set_path, write_path};
const det_config_kind det_config_kind_models = {set_models, write_models};
const det_config_kind det_config_kind_layer_rates = {set_layer_rates, write_layer_rates};
