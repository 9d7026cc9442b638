/* SPDX-License-Identifier: Apache-2.0 */
/* Writes JSON into memory. The document is a stack of open objects and arrays; the innermost one
 * tells whether a name is due and whether a comma is. */
#include "detect/json.h"

#include "src/base/error.h"
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/base/number.h"
#include "src/base/text.h"

#include <string.h>

typedef struct level {
    bool object, used;
} level;

struct det_json {
    det_text text;
    level levels[DET_JSON_MAX_DEPTH + 1]; /* levels[0] is the top: room for one value */
    size_t depth;
    const char *misuse; /* the first one, or NULL */
};

det_json *det_json_create(void)
{
    return det_alloc_zeroed(1, sizeof(det_json));
}

void det_json_free(det_json *json)
{
    if (!json) return;
    det_text_free(&json->text);
    det_free(json);
}

static void misused(det_json *json, const char *how)
{
    if (!json->misuse) json->misuse = how;
}

static void append_escaped(det_text *text, unsigned char byte)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: byte, its letter */
    for (const char *form = short_forms; *form; form += 2) {
        if ((unsigned char)form[0] != byte) continue;
        det_text_append(text, (const char[]){'\\', form[1]}, 2);
        return;
    }
    det_text_format(text, "\\u%04x", byte);
}

static void append_string(det_text *text, const char *string)
{
    size_t left = strlen(string);
    det_text_append(text, "\"", 1);
    while (left > 0) {
        const unsigned char first = (unsigned char)*string;
        size_t length = det_utf8_length(string, left);
        if (length == 0) {
            det_text_add(text, "\xEF\xBF\xBD"); /* U+FFFD */
            length = 1;
        } else if (first < 0x20 || first == '"' || first == '\\') {
            append_escaped(text, first);
        } else {
            det_text_append(text, string, length);
        }
        string += length;
        left -= length;
    }
    det_text_append(text, "\"", 1);
}

/* Writes what comes before a value: a comma, a name. @return whether the value may be written. */
static bool begin_value(det_json *json, const char *key)
{
    if (json->misuse) return false;
    level *inside = &json->levels[json->depth];
    if (json->depth == 0 && inside->used) misused(json, "a second value at the top");
    if (inside->object && !key) misused(json, "a member without a key");
    if (!inside->object && key) misused(json, "a key outside of an object");
    if (json->misuse) return false;

    if (inside->used) det_text_append(&json->text, ",", 1);
    inside->used = true;
    if (key) {
        append_string(&json->text, key);
        det_text_append(&json->text, ":", 1);
    }
    return true;
}

static void begin_level(det_json *json, const char *key, bool object)
{
    if (!begin_value(json, key)) return;
    if (json->depth == DET_JSON_MAX_DEPTH) {
        misused(json, "nesting deeper than 64");
        return;
    }
    json->levels[++json->depth] = (level){.object = object};
    det_text_append(&json->text, object ? "{" : "[", 1);
}

void det_json_begin_object(det_json *json, const char *key)
{
    begin_level(json, key, true);
}

void det_json_begin_array(det_json *json, const char *key)
{
    begin_level(json, key, false);
}

void det_json_end(det_json *json)
{
    if (json->misuse) return;
    if (json->depth == 0) {
        misused(json, "an end without a beginning");
        return;
    }
    det_text_append(&json->text, json->levels[json->depth--].object ? "}" : "]", 1);
}

void det_json_raw(det_json *json, const char *key, const char *value)
{
    if (begin_value(json, key)) det_text_add(&json->text, value);
}

void det_json_string(det_json *json, const char *key, const char *value)
{
    if (!begin_value(json, key)) return;
    if (value)
        append_string(&json->text, value);
    else
        det_text_add(&json->text, "null");
}

void det_json_integer(det_json *json, const char *key, int64_t value)
{
    if (begin_value(json, key)) det_text_format(&json->text, "%lld", (long long)value);
}

void det_json_number(det_json *json, const char *key, double value)
{
    char text[DET_NUMBER_SIZE];
    det_json_raw(json, key, det_number_text(text, value, 9));
}

void det_json_coordinate(det_json *json, const char *key, double value)
{
    char text[DET_NUMBER_SIZE];
    det_json_raw(json, key, det_coordinate_text(text, value));
}

void det_json_exact(det_json *json, const char *key, double value)
{
    char text[DET_NUMBER_SIZE];
    det_json_raw(json, key, det_exact_text(text, value));
}

void det_json_bool(det_json *json, const char *key, bool value)
{
    det_json_raw(json, key, value ? "true" : "false");
}

void det_json_null(det_json *json, const char *key)
{
    det_json_raw(json, key, "null");
}

det_status det_json_finish(det_json *json, const char **text, size_t *size, det_error *error)
{
    if (!json->misuse && json->depth > 0) misused(json, "an object or array is not ended");
    if (!json->misuse && !json->levels[0].used) misused(json, "no value at all");
    if (json->misuse)
        return det_fail(error, DET_ARGUMENT, "this JSON document was built wrongly: %s",
                        json->misuse);
    if (json->text.failed) return det_fail_memory(error, "a JSON document");
    *text = json->text.data;
    if (size) *size = json->text.length;
    return DET_OK;
}
