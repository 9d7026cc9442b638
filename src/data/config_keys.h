/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_CONFIG_KEYS_H
#define DETECT_DATA_CONFIG_KEYS_H

#include "detect/data.h"

#include <json-c/json.h>

typedef struct det_config_row det_config_row;

/** What a key holds. */
typedef struct det_config_kind {
    /** Checks a value and stores it at row->offset, relative paths joined to `folder`. On failure
     *  (DET_FORMAT, DET_UNSUPPORTED, DET_MEMORY) the configuration is unchanged. */
    det_status (*set)(det_config *config, const det_config_row *row, json_object *value,
                      const char *folder, det_error *error);
    /** Writes what is stored. */
    void (*write)(const det_config *config, const det_config_row *row, det_json *json,
                  const char *key);
} det_config_kind;

/** A key of the configuration: what configs/det.schema.json says of it, and where it goes. */
struct det_config_row {
    const char *path;
    const char *type;          /**< as in det_config_key */
    const char *default_value; /**< as JSON */
    const det_config_kind *kind;
    size_t offset;
    double min, max;             /**< of a number, or of each number of an array */
    size_t min_count, max_count; /**< elements of an array */
    const char *const *words; /**< what a string, or each string of an array, may be; ended by NULL;
                                 NULL: not listed */
    bool nullable;            /**< takes null */
    const char *help;
};

extern const det_config_row det_config_rows[];
extern const size_t det_config_row_count;

/** The row of a key path, or NULL. */
const det_config_row *det_config_find(const char *path);

/** Whether a row was set, not left at its default. */
bool det_config_is_set(const det_config *config, const det_config_row *row);
/** Whether it was, or belongs to a preset that was set. */
bool det_config_is_chosen(const det_config *config, const det_config_row *row);

/** Sets one row from a value, and marks it as set. */
det_status det_config_set_row(det_config *config, const det_config_row *row, json_object *value,
                              const char *folder, det_error *error);

/** Sets one row from JSON text without marking it: a default. */
det_status det_config_set_default(det_config *config, const det_config_row *row, const char *text,
                                  det_error *error);

/** Gives the keys that depend on proposals.selective_search.preset, and are not set themselves, the
 *  values of the preset. */
det_status det_config_apply_preset(det_config *config, det_error *error);

/** A copy; free with det_config_free. @return DET_OK, DET_MEMORY. */
det_status det_config_copy(const det_config *from, det_config **to, det_error *error);

/** Gives keys that were not set values from a JSON object {"classifier.regions": "pool", ...}, and
 *  leaves them unset. Keys that this version does not know are passed over.
 *  @return DET_OK; DET_FORMAT (with the key), after which some keys may have been given theirs;
 *          DET_MEMORY. */
det_status det_config_adopt(det_config *config, const char *settings, det_error *error);

/** The keys that begin with one of the prefixes (ended by NULL), and their values, as
 *  det_config_adopt takes them.
 *  @return text to free with det_free, or NULL when memory is short. */
char *det_config_excerpt(const det_config *config, const char *const *prefixes);

/** Reads a configuration from memory; otherwise as det_config_load, but that error->file stays
 *  empty. */
det_status det_config_parse(const char *text, size_t size, const char *folder, det_config **config,
                            det_error *error);

#endif
