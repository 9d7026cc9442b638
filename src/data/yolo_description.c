/* SPDX-License-Identifier: Apache-2.0 */
/* The part of YAML in which YOLO data sets are described (Ultralytics), read line by line: a key at
 * the margin, and its value behind it or on the lines below it. */
#include "src/data/yolo_description.h"

#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/base/span.h"

#include <stdlib.h>
#include <string.h>

enum { max_class = 65535, max_file_bytes = 16 << 20 };

typedef enum key { PATH, TRAIN, VAL, TEST, NAMES, OTHER } key;

typedef struct yaml_reader {
    det_yolo_description *description;
    key key;      /* whose value is being read */
    size_t line;  /* at hand, from 1 */
    char closing; /* the bracket that ends the value, or 0 */
    size_t next;  /* number of the next item of a list of names */
    det_error *error;
} yaml_reader;

static det_status out_of_memory(det_error *error)
{
    return det_fail_memory(error, "the description of a data set");
}

static det_status refuse(const yaml_reader *r, const char *what, det_span text)
{
    det_fail(r->error, DET_FORMAT, "%s: %.*s", what, (int)(text.length < 80 ? text.length : 80),
             text.text);
    det_error_where(r->error, "line %zu", r->line);
    return DET_FORMAT;
}

/* ---- Scalars ---- */

/* The quote that a scalar begins with, or 0. */
static char quote_of(det_span text)
{
    const char first = text.length > 0 ? text.text[0] : '\0';
    return first == '"' || first == '\'' ? first : '\0';
}

/* Length of a quoted scalar with its quotes; 0 where it is not closed. A quote inside is doubled in
 * single quotes, and behind a backslash in double ones. */
static size_t quoted_length(det_span text, char quote)
{
    for (size_t i = 1; i < text.length; i++) {
        const char c = text.text[i], next = i + 1 < text.length ? text.text[i + 1] : '\0';
        const bool escaped = quote == '"' ? c == '\\' : c == quote && next == quote;
        if (escaped)
            i++;
        else if (c == quote)
            return i + 1;
    }
    return 0;
}

/* Where the first of `ends` stands outside quotes; the whole length where none does. Quotes count
 * only where a scalar may begin. */
static size_t find_outside_quotes(det_span text, const char *ends)
{
    bool begins = true;
    for (size_t i = 0; i < text.length; i++) {
        const char c = text.text[i];
        const det_span rest = {text.text + i, text.length - i};
        if (begins && quote_of(rest)) {
            const size_t length = quoted_length(rest, c);
            if (length == 0) return text.length;
            i += length - 1;
            begins = false;
        } else if (strchr(ends, c) && c != '\0') {
            return i;
        } else {
            begins = strchr(" \t[{,:-", c) && c != '\0';
        }
    }
    return text.length;
}

static det_span without_comment(det_span line)
{
    for (size_t from = 0; from < line.length;) {
        const det_span rest = {line.text + from, line.length - from};
        const size_t at = from + find_outside_quotes(rest, "#");
        if (at == line.length) return line;
        if (at == 0 || line.text[at - 1] == ' ' || line.text[at - 1] == '\t')
            return (det_span){line.text, at};
        from = at + 1;
    }
    return line;
}

static char *copy_quoted(det_span text, char quote)
{
    char *copy = det_span_copy((det_span){text.text + 1, text.length - 2});
    if (!copy) return NULL;
    char *to = copy;
    for (const char *from = copy; *from; from++) {
        if (*from == (quote == '"' ? '\\' : '\'') && from[1]) from++;
        *to++ = *from;
    }
    *to = '\0';
    return copy;
}

/* A copy of a scalar, without its quotes. */
static det_status copy_scalar(const yaml_reader *r, det_span text, char **copy)
{
    const char quote = quote_of(text);
    if (!det_span_is_text(text)) return refuse(r, "this is not UTF-8 text", (det_span){"", 0});
    if (quote && quoted_length(text, quote) != text.length)
        return refuse(r, "a quote is not closed, or something follows it", text);
    *copy = quote ? copy_quoted(text, quote) : det_span_copy(text);
    return *copy ? DET_OK : out_of_memory(r->error);
}

/* ---- Items ---- */

static det_status add_name(const yaml_reader *r, char *name, int64_t id)
{
    det_yolo_description *d = r->description;
    if (!*name) {
        det_free(name);
        return refuse(r, "a class has no name", (det_span){"", 0});
    }
    if (!det_grow_array(&d->names, &d->name_capacity, d->name_count + 1, sizeof *d->names)) {
        det_free(name);
        return out_of_memory(r->error);
    }
    d->names[d->name_count++] = (det_category){name, id};
    return DET_OK;
}

/* The number of a class in front of its name: "3: cat". */
static bool parse_class(det_span text, size_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.text[i] < '0' || text.text[i] > '9') return false;
        *number = *number * 10 + (size_t)(text.text[i] - '0');
        if (*number > max_class) return false;
    }
    return text.length > 0;
}

/* Where "key: value" is parted; the length where it is a scalar. */
static size_t find_colon(det_span text)
{
    for (size_t from = 0; from < text.length;) {
        const det_span rest = {text.text + from, text.length - from};
        const size_t at = from + find_outside_quotes(rest, ":");
        if (at >= text.length || at + 1 == text.length || text.text[at + 1] == ' ') return at;
        from = at + 1;
    }
    return text.length;
}

static det_status take_path(const yaml_reader *r, det_span text)
{
    det_yolo_description *d = r->description;
    if (text.length == 0 || det_span_equals(text, "null") || det_span_equals(text, "~"))
        return DET_OK;
    char *path = NULL;
    const det_status status = copy_scalar(r, text, &path);
    if (status < 0) return status;
    if (r->key != PATH) return det_paths_push(&d->parts[r->key - TRAIN], path, r->error);
    det_free(d->path);
    d->path = path;
    return DET_OK;
}

/* An item of the list or map of names. */
static det_status take_name(yaml_reader *r, det_span text, bool map)
{
    size_t number = r->next;
    if (map) {
        const size_t colon = find_colon(text);
        if (!parse_class(det_span_trim((det_span){text.text, colon}), &number))
            return refuse(r, "the names of classes stand behind their numbers, 0 to 65535", text);
        const size_t skipped = colon < text.length ? colon + 1 : colon;
        text = det_span_trim((det_span){text.text + skipped, text.length - skipped});
    }
    char *name = NULL;
    const det_status status = copy_scalar(r, text, &name);
    if (status < 0) return status;
    r->next = number + 1;
    return add_name(r, name, (int64_t)number);
}

static det_status take_item(yaml_reader *r, det_span text, bool map)
{
    return r->key == NAMES ? take_name(r, text, map) : take_path(r, text);
}

/* ---- Values in brackets ---- */

/* Reads the items on a line, up to the closing bracket or the end of the line. */
static det_status take_flow(yaml_reader *r, det_span text)
{
    const char ends[] = {',', r->closing, '\0'};
    det_status status = DET_OK;
    while (status == DET_OK && text.length > 0) {
        const size_t end = find_outside_quotes(text, ends);
        const det_span item = det_span_trim((det_span){text.text, end});
        const bool closed = end < text.length && text.text[end] != ',';
        const size_t skipped = end < text.length ? end + 1 : end;
        text = det_span_trim((det_span){text.text + skipped, text.length - skipped});
        if (item.length > 0) status = take_item(r, item, r->closing == '}');
        if (status < 0 || !closed) continue;
        r->closing = '\0';
        return text.length > 0 ? refuse(r, "something follows the closing bracket", text) : DET_OK;
    }
    return status;
}

/* ---- Lines ---- */

static key key_of(det_span text)
{
    static const char *const keys[] = {"path", "train", "val", "test", "names"};
    for (int i = PATH; i < OTHER; i++)
        if (det_span_equals(text, keys[i])) return (key)i;
    return OTHER;
}

/* "key: value" at the margin. */
static det_status take_key(yaml_reader *r, det_span line)
{
    const size_t colon = find_colon(line);
    if (colon == line.length) return refuse(r, "\"key: value\" is expected here", line);
    r->key = key_of(det_span_trim((det_span){line.text, colon}));
    r->next = 0;
    const det_span value =
        det_span_trim((det_span){line.text + colon + 1, line.length - colon - 1});
    if (r->key == OTHER || value.length == 0) return DET_OK;
    if (*value.text == '[' || *value.text == '{') {
        r->closing = *value.text == '[' ? ']' : '}';
        return take_flow(r, (det_span){value.text + 1, value.length - 1});
    }
    if (r->key == NAMES)
        return refuse(r, "\"names\" must be a list or a map of numbers to names", value);
    return take_path(r, value);
}

static bool is_list_item(det_span line)
{
    return line.length > 0 && line.text[0] == '-' && (line.length == 1 || line.text[1] == ' ');
}

static det_status take_line(yaml_reader *r, det_span line)
{
    const bool indented = line.length > 0 && (*line.text == ' ' || *line.text == '\t');
    const det_span text = det_span_trim(without_comment(line));
    if (text.length == 0 || det_span_equals(text, "---")) return DET_OK;
    if (r->closing) return take_flow(r, text);
    const bool item = is_list_item(text);
    if (!indented && !item) return take_key(r, text);
    if (r->key == OTHER) return DET_OK;
    if (!item) return take_item(r, text, true);
    return take_item(r, det_span_trim((det_span){text.text + 1, text.length - 1}), false);
}

/* ---- Names ---- */

static int compare_names(const void *a, const void *b)
{
    const int64_t x = ((const det_category *)a)->id, y = ((const det_category *)b)->id;
    return (x > y) - (x < y);
}

static det_status sort_names(det_yolo_description *d, det_error *error)
{
    if (d->name_count == 0) return DET_OK;
    qsort(d->names, d->name_count, sizeof *d->names, compare_names);
    for (size_t i = 1; i < d->name_count; i++)
        if (d->names[i].id == d->names[i - 1].id)
            return det_fail(error, DET_FORMAT, "class %lld has two names, \"%s\" and \"%s\"",
                            (long long)d->names[i].id, d->names[i - 1].name, d->names[i].name);
    return DET_OK;
}

det_status det_yolo_parse_yaml(const char *text, size_t size, det_yolo_description *description,
                               det_error *error)
{
    yaml_reader r = {.description = description, .key = OTHER, .error = error};
    det_status status = DET_OK;
    det_span rest = det_span_of(text, size);
    while (status == DET_OK && rest.length > 0) {
        const char *begin = rest.text;
        det_span_cut(&rest, '\n');
        r.line++;
        status = take_line(&r, (det_span){begin, (size_t)(rest.text - begin)});
    }
    if (status == DET_OK && r.closing)
        status = refuse(&r, "the text ends before the bracket", (det_span){&r.closing, 1});
    return status < 0 ? status : sort_names(description, error);
}

det_status det_yolo_parse_names(const char *text, size_t size, det_yolo_description *description,
                                det_error *error)
{
    yaml_reader r = {.description = description, .key = NAMES, .error = error};
    det_status status = DET_OK;
    det_span rest = det_span_trim(det_span_of(text, size));
    while (status == DET_OK && rest.length > 0) {
        const det_span line = det_span_cut(&rest, '\n');
        r.line++;
        if (!det_span_is_text(line)) return refuse(&r, "this is not UTF-8 text", (det_span){"", 0});
        char *name = det_span_copy(line);
        if (!name) return out_of_memory(error);
        if (r.line > max_class + 1)
            status = refuse(&r, "there are too many classes", line), det_free(name);
        else
            status = add_name(&r, name, (int64_t)r.line - 1);
    }
    return status;
}

typedef det_status parser(const char *text, size_t size, det_yolo_description *description,
                          det_error *error);

static det_status read_with(const char *path, parser *parse, det_yolo_description *description,
                            det_error *error)
{
    det_bytes bytes = {0};
    det_status status = det_file_read(path, max_file_bytes, &bytes, error);
    if (status == DET_OK) status = parse((const char *)bytes.data, bytes.size, description, error);
    det_bytes_free(&bytes);
    return det_error_file(error, path, status);
}

det_status det_yolo_read_yaml(const char *path, det_yolo_description *description, det_error *error)
{
    return read_with(path, det_yolo_parse_yaml, description, error);
}

det_status det_yolo_read_names(const char *path, det_yolo_description *description,
                               det_error *error)
{
    return read_with(path, det_yolo_parse_names, description, error);
}

void det_yolo_description_free(det_yolo_description *description)
{
    for (size_t i = 0; i < description->name_count; i++)
        det_free((char *)description->names[i].name);
    det_free(description->names);
    for (int i = 0; i < DET_YOLO_PARTS; i++) det_paths_free(&description->parts[i]);
    det_free(description->path);
    *description = (det_yolo_description){0};
}
