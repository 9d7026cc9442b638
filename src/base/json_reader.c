/* SPDX-License-Identifier: Apache-2.0 */
/* A recursive-descent parser of RFC 8259 that builds json-c values.
 *
 * Every function below reads its piece of the grammar at reader.at and leaves that behind it, or
 * fails with reader.at at the offending byte, from which line and column are counted only then.
 * Strings are decoded onto `scratch`, a stack of bytes: a member's key lies there, at an offset,
 * while its value, which may use the stack above it, is read. */
#include "src/base/json_reader.h"

#include "src/base/file.h"
#include "src/base/text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    const char *text;
    size_t size, at;
    size_t depth;
    det_text scratch;
    locale_t locale; /* "C": strtod must take a point */
    det_error *error;
} reader;

/* ---- Failures ---- */

static void locate(const reader *r, char *where, size_t size)
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < r->at && i < r->size; i++) {
        const unsigned char byte = (unsigned char)r->text[i];
        if (byte == '\n') {
            line++;
            column = 1;
        } else if ((byte & 0xC0) != 0x80) {
            column++;
        }
    }
    snprintf(where, size, "line %zu, column %zu", line, column);
}

static det_status refuse(const reader *r, const char *format, ...) DET_PRINTF(2, 3);

static det_status refuse(const reader *r, const char *format, ...)
{
    char where[64], message[256];
    va_list arguments;
    if (!r->error) return DET_FORMAT;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    locate(r, where, sizeof where);
    return det_fail_at(r->error, DET_FORMAT, NULL, where, "%s", message);
}

static det_status out_of_memory(const reader *r)
{
    return det_fail_memory(r->error, "reading JSON");
}

static bool at_text(const reader *r, const char *text)
{
    const size_t length = strlen(text);
    return r->size - r->at >= length && memcmp(r->text + r->at, text, length) == 0;
}

/* The byte at hand, or -1 at the end. */
static int peek(const reader *r)
{
    return r->at < r->size ? (unsigned char)r->text[r->at] : -1;
}

/* Where a person who writes JSON by hand goes wrong, and what to tell him. */
static const struct {
    const char *text, *advice;
} habits[] = {
    {"'", "strings take double quotes"},
    {"NaN", "NaN is not a number in JSON"},
    {"nan", "NaN is not a number in JSON"},
    {"Infinity", "Infinity is not a number in JSON"},
    {"-Infinity", "Infinity is not a number in JSON"},
    {"inf", "Infinity is not a number in JSON"},
    {"-inf", "Infinity is not a number in JSON"},
    {"True", "JSON writes true in small letters"},
    {"False", "JSON writes false in small letters"},
    {"None", "JSON writes null"},
    {"//", "JSON has no comments"},
    {"/*", "JSON has no comments"},
    {"#", "JSON has no comments"},
    {"+", "a number has no plus sign"},
    {".", "a number begins with a digit"},
};

static det_status refuse_found(const reader *r, const char *expected)
{
    const int byte = peek(r);
    if (byte < 0) return refuse(r, "expected %s, found the end of the text", expected);
    const size_t length = det_utf8_length(r->text + r->at, r->size - r->at);
    if (length == 0 || byte < 0x20)
        return refuse(r, "expected %s, found byte 0x%02X", expected, (unsigned)byte);
    return refuse(r, "expected %s, found '%.*s'", expected, (int)length, r->text + r->at);
}

/* The same between values, where the habits of other languages show. */
static det_status unexpected(const reader *r, const char *expected)
{
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
        if (at_text(r, habits[i].text)) return refuse(r, "%s", habits[i].advice);
    return refuse_found(r, expected);
}

static bool is_space(int byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void skip_space(reader *r)
{
    while (is_space(peek(r))) r->at++;
}

/* ---- Strings ---- */

static int hex_digit(int byte)
{
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

static det_status read_hex4(reader *r, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        const int digit = hex_digit(peek(r));
        if (digit < 0) return refuse_found(r, "four hexadecimal digits after \\u");
        *code = *code * 16 + (unsigned)digit;
    }
    return DET_OK;
}

static void append_code_point(det_text *text, unsigned code)
{
    char bytes[4];
    size_t length = 0;
    if (code < 0x80) {
        bytes[length++] = (char)code;
    } else if (code < 0x800) {
        bytes[length++] = (char)(0xC0 | code >> 6);
    } else if (code < 0x10000) {
        bytes[length++] = (char)(0xE0 | code >> 12);
        bytes[length++] = (char)(0x80 | (code >> 6 & 0x3F));
    } else {
        bytes[length++] = (char)(0xF0 | code >> 18);
        bytes[length++] = (char)(0x80 | (code >> 12 & 0x3F));
        bytes[length++] = (char)(0x80 | (code >> 6 & 0x3F));
    }
    if (code >= 0x80) bytes[length++] = (char)(0x80 | (code & 0x3F));
    det_text_append(text, bytes, length);
}

/* XXXX of \uXXXX; above U+FFFF a pair \uD8xx\uDCxx stands for one character. */
static det_status read_unicode_escape(reader *r)
{
    unsigned code, low;
    det_status status = read_hex4(r, &code);
    if (status < 0) return status;
    if (code >= 0xDC00 && code <= 0xDFFF)
        return refuse(r, "\\u%04X is the second half of a surrogate pair without its first", code);
    if (code >= 0xD800 && code <= 0xDBFF) {
        if (!at_text(r, "\\u"))
            return refuse(r, "\\u%04X needs the second half of its surrogate pair after it", code);
        r->at += 2;
        status = read_hex4(r, &low);
        if (status < 0) return status;
        if (low < 0xDC00 || low > 0xDFFF)
            return refuse(r, "\\u%04X\\u%04X is not a surrogate pair", code, low);
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_code_point(&r->scratch, code);
    return DET_OK;
}

static det_status read_escape(reader *r)
{
    static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t"; /* pairs: letter, its meaning */
    r->at++;
    const int letter = peek(r);
    if (letter == 'u') {
        r->at++;
        return read_unicode_escape(r);
    }
    for (const char *escape = escapes; *escape; escape += 2) {
        if (escape[0] != letter) continue;
        r->at++;
        det_text_append(&r->scratch, escape + 1, 1);
        return DET_OK;
    }
    return refuse_found(r, "one of \" \\ / b f n r t u after a backslash");
}

/* Characters that stand for themselves, as many as follow one another. */
static det_status read_plain(reader *r)
{
    const size_t begin = r->at;
    while (r->at < r->size) {
        const unsigned char byte = (unsigned char)r->text[r->at];
        if (byte < 0x20 || byte == '"' || byte == '\\') break;
        const size_t length = byte < 0x80 ? 1 : det_utf8_length(r->text + r->at, r->size - r->at);
        if (length == 0) return refuse(r, "byte 0x%02X is not valid UTF-8", byte);
        r->at += length;
    }
    det_text_append(&r->scratch, r->text + begin, r->at - begin);
    return DET_OK;
}

/* Pushes the string at hand onto the scratch, with a terminator of its own. */
static det_status read_string(reader *r)
{
    det_status status = DET_OK;
    r->at++;
    while (status == DET_OK) {
        const int byte = peek(r);
        if (byte == '"') break;
        if (byte < 0) return refuse(r, "the text ends inside a string");
        if (byte == '\n' || byte == '\r')
            return refuse(r, "the line ends inside a string: close it, or write \\n");
        if (byte < 0x20)
            return refuse(r, "a string takes the control character U+%04X as \\u%04x only",
                          (unsigned)byte, (unsigned)byte);
        status = byte == '\\' ? read_escape(r) : read_plain(r);
    }
    if (status < 0) return status;
    r->at++;
    det_text_append(&r->scratch, "", 1);
    return r->scratch.failed ? out_of_memory(r) : DET_OK;
}

/* ---- Values ---- */

static det_status read_value(reader *r, json_object **value);

/* Takes a value that json-c made, NULL where memory was short. */
static det_status made(const reader *r, json_object *object, json_object **value)
{
    *value = object;
    return object ? DET_OK : out_of_memory(r);
}

static det_status read_string_value(reader *r, json_object **value)
{
    const size_t mark = r->scratch.length;
    const det_status status = read_string(r);
    if (status < 0) return status;
    const size_t length = r->scratch.length - mark - 1;
    r->scratch.length = mark;
    if (length > INT32_MAX) return refuse(r, "a string of %zu bytes is too long", length);
    return made(r, json_object_new_string_len(r->scratch.data + mark, (int)length), value);
}

static size_t skip_digits(reader *r)
{
    const size_t begin = r->at;
    while (peek(r) >= '0' && peek(r) <= '9') r->at++;
    return r->at - begin;
}

/* Passes over a number. */
static det_status scan_number(reader *r, bool *integer)
{
    *integer = true;
    if (peek(r) == '-') r->at++;
    const bool zero = peek(r) == '0';
    const size_t digits = skip_digits(r);
    if (digits == 0) return refuse_found(r, "a digit");
    if (zero && digits > 1) return refuse(r, "a number may not begin with 0");
    if (peek(r) == '.') {
        *integer = false;
        r->at++;
        if (skip_digits(r) == 0) return refuse_found(r, "a digit after the point");
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        *integer = false;
        r->at++;
        if (peek(r) == '+' || peek(r) == '-') r->at++;
        if (skip_digits(r) == 0) return refuse_found(r, "a digit in the exponent");
    }
    return DET_OK;
}

static json_object *new_integer(const char *digits)
{
    errno = 0;
    const long long number = strtoll(digits, NULL, 10);
    if (errno == 0) return json_object_new_int64(number);
    errno = 0;
    const unsigned long long positive = strtoull(digits, NULL, 10);
    if (errno == 0 && *digits != '-') return json_object_new_uint64(positive);
    return NULL;
}

static det_status read_number(reader *r, json_object **value)
{
    const size_t begin = r->at, mark = r->scratch.length;
    bool integer;
    const det_status status = scan_number(r, &integer);
    if (status < 0) return status;
    det_text_append(&r->scratch, r->text + begin, r->at - begin); /* terminated for strtod */
    if (r->scratch.failed) return out_of_memory(r);
    r->scratch.length = mark;

    const char *digits = r->scratch.data + mark;
    *value = integer ? new_integer(digits) : NULL;
    if (*value) return DET_OK;
    const double number = strtod_l(digits, NULL, r->locale);
    if (isfinite(number)) return made(r, json_object_new_double(number), value);
    r->at = begin;
    return refuse(r, "the number %.40s is outside the range of double", digits);
}

static det_status read_word(reader *r, json_object **value)
{
    const bool yes = at_text(r, "true"), no = at_text(r, "false");
    if (!yes && !no && !at_text(r, "null")) return unexpected(r, "a value");
    r->at += no ? 5 : 4;
    *value = NULL;
    return yes || no ? made(r, json_object_new_boolean(yes), value) : DET_OK;
}

/* ---- Objects and arrays ---- */

/* Reads the value of a member whose key lies on the scratch at `key`. */
typedef det_status member_function(reader *r, size_t key, void *context);
/* Reads element `index`. */
typedef det_status element_function(reader *r, size_t index, void *context);

static det_status enter(reader *r)
{
    if (r->depth == DET_JSON_MAX_DEPTH)
        return refuse(r, "objects and arrays lie more than %d deep", DET_JSON_MAX_DEPTH);
    r->depth++;
    r->at++;
    skip_space(r);
    return DET_OK;
}

static det_status leave(reader *r)
{
    r->depth--;
    r->at++;
    return DET_OK;
}

static det_status check_key(reader *r, size_t begin, size_t mark, json_object *names)
{
    const char *key = r->scratch.data + mark;
    const size_t end = r->at;
    r->at = begin; /* where a complaint points */
    if (strlen(key) != r->scratch.length - mark - 1)
        return refuse(r, "a key with U+0000 in it is not supported");
    if (json_object_object_get_ex(names, key, NULL))
        return refuse(r, "the key \"%.100s\" is there twice", key);
    r->at = end;
    return DET_OK;
}

/* "key": value. `names` has the keys so far; `read` adds this one. */
static det_status read_member(reader *r, json_object *names, member_function *read, void *context)
{
    const size_t begin = r->at, mark = r->scratch.length;
    if (peek(r) != '"') return unexpected(r, "a key in double quotes");
    det_status status = read_string(r);
    if (status == DET_OK) status = check_key(r, begin, mark, names);
    if (status < 0) return status;
    skip_space(r);
    if (peek(r) != ':') return unexpected(r, "':' after a key");
    r->at++;
    skip_space(r);
    status = read(r, mark, context);
    r->scratch.length = mark;
    skip_space(r);
    return status;
}

static det_status read_members(reader *r, json_object *names, member_function *read, void *context)
{
    det_status status = enter(r);
    if (status < 0) return status;
    if (peek(r) == '}') return leave(r);
    for (;;) {
        status = read_member(r, names, read, context);
        if (status < 0) return status;
        if (peek(r) == '}') return leave(r);
        if (peek(r) != ',') return unexpected(r, "',' or '}' after a member");
        r->at++;
        skip_space(r);
        if (peek(r) == '}') return refuse(r, "no comma may follow the last member");
    }
}

static det_status read_elements(reader *r, element_function *read, void *context)
{
    det_status status = enter(r);
    if (status < 0) return status;
    if (peek(r) == ']') return leave(r);
    for (size_t index = 0;; index++) {
        status = read(r, index, context);
        if (status < 0) return status;
        skip_space(r);
        if (peek(r) == ']') return leave(r);
        if (peek(r) != ',') return unexpected(r, "',' or ']' after an element");
        r->at++;
        skip_space(r);
        if (peek(r) == ']') return refuse(r, "no comma may follow the last element");
    }
}

static det_status keep_member(reader *r, size_t key, void *object)
{
    json_object *value = NULL;
    const det_status status = read_value(r, &value);
    if (status < 0) return status;
    if (json_object_object_add(object, r->scratch.data + key, value) == 0) return DET_OK;
    json_object_put(value);
    return out_of_memory(r);
}

static det_status keep_element(reader *r, size_t index, void *array)
{
    (void)index;
    json_object *value = NULL;
    const det_status status = read_value(r, &value);
    if (status < 0) return status;
    if (json_object_array_add(array, value) == 0) return DET_OK;
    json_object_put(value);
    return out_of_memory(r);
}

static det_status read_container(reader *r, bool object, json_object **value)
{
    json_object *made_here = object ? json_object_new_object() : json_object_new_array();
    if (!made_here) return out_of_memory(r);
    const det_status status = object ? read_members(r, made_here, keep_member, made_here)
                                     : read_elements(r, keep_element, made_here);
    if (status < 0)
        json_object_put(made_here);
    else
        *value = made_here;
    return status;
}

static det_status read_value(reader *r, json_object **value)
{
    const int byte = peek(r);
    if (byte == '{' || byte == '[') return read_container(r, byte == '{', value);
    if (byte == '"') return read_string_value(r, value);
    if ((byte >= '0' && byte <= '9') || (byte == '-' && !at_text(r, "-I") && !at_text(r, "-i")))
        return read_number(r, value);
    return read_word(r, value);
}

/* ---- Values that nobody wants: checked, and dropped ---- */

static det_status skip_value(reader *r);

static det_status skip_string(reader *r)
{
    const size_t mark = r->scratch.length;
    const det_status status = read_string(r);
    r->scratch.length = mark;
    return status;
}

/* Digits enough for a number out of range, or an exponent, are looked at closely. */
static det_status skip_number(reader *r)
{
    enum { surely_in_range = 300 };
    const size_t begin = r->at;
    bool integer;
    const det_status status = scan_number(r, &integer);
    if (status < 0 ||
        (r->at - begin < surely_in_range && !memchr(r->text + begin, 'e', r->at - begin) &&
         !memchr(r->text + begin, 'E', r->at - begin)))
        return status;
    json_object *dropped = NULL;
    r->at = begin;
    const det_status read = read_number(r, &dropped);
    json_object_put(dropped);
    return read;
}

static det_status skip_member(reader *r, size_t key, void *names)
{
    if (json_object_object_add(names, r->scratch.data + key, NULL) != 0) return out_of_memory(r);
    return skip_value(r);
}

static det_status skip_element(reader *r, size_t index, void *context)
{
    (void)index, (void)context;
    return skip_value(r);
}

static det_status skip_object(reader *r)
{
    json_object *names = json_object_new_object();
    if (!names) return out_of_memory(r);
    const det_status status = read_members(r, names, skip_member, names);
    json_object_put(names);
    return status;
}

static det_status skip_value(reader *r)
{
    const int byte = peek(r);
    if (byte == '{') return skip_object(r);
    if (byte == '[') return read_elements(r, skip_element, NULL);
    if (byte == '"') return skip_string(r);
    const int next = byte == '-' && r->at + 1 < r->size ? r->text[r->at + 1] : byte;
    if (next >= '0' && next <= '9') return skip_number(r);
    json_object *dropped = NULL;
    const det_status status = read_value(r, &dropped);
    json_object_put(dropped);
    return status;
}

/* ---- An element at a time ---- */

typedef struct stream {
    const det_json_wanted *wanted;
    det_json_element *take;
    void *context;
    json_object *names; /* keys at the top so far */
    const char *key;    /* of the array at hand; NULL: its elements are not wanted */
} stream;

static const char *find_key(const char *const *keys, const char *key)
{
    for (; *keys; keys++)
        if (strcmp(*keys, key) == 0) return *keys;
    return NULL;
}

/* Tells of a member that is dropped, its value at hand. */
static void tell_dropped(const reader *r, const stream *s, const char *array, size_t key)
{
    static const char *const empty[] = {"null", "[]", "{}", "\"\""};
    if (!s->wanted->dropped) return;
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        if (at_text(r, empty[i])) return;
    s->wanted->dropped(s->context, array, r->scratch.data + key);
}

/* An object of which only some members are kept. */
typedef struct choice {
    json_object *object;
    const stream *stream;
} choice;

static det_status choose_member(reader *r, size_t key, void *context)
{
    const choice *c = context;
    if (find_key(c->stream->wanted->members, r->scratch.data + key))
        return keep_member(r, key, c->object);
    tell_dropped(r, c->stream, c->stream->key, key);
    return skip_member(r, key, c->object);
}

static det_status read_element(reader *r, const stream *s, json_object **element)
{
    if (!s->wanted->members || peek(r) != '{') return read_value(r, element);
    const choice c = {json_object_new_object(), s};
    *element = c.object;
    return c.object ? read_members(r, c.object, choose_member, (void *)&c) : out_of_memory(r);
}

static det_status hand_over(reader *r, size_t index, void *context)
{
    const stream *s = context;
    json_object *element = NULL;
    if (!s->key) return skip_value(r);
    det_status status = read_element(r, s, &element);
    if (status == DET_OK) {
        status = s->take(s->context, s->key, index, element, r->error);
        if (status < 0) det_error_where(r->error, "%s[%zu]", s->key, index);
    }
    json_object_put(element);
    return status;
}

static det_status visit_member(reader *r, size_t key, void *context)
{
    stream *s = context;
    s->key = find_key(s->wanted->keys, r->scratch.data + key);
    if (json_object_object_add(s->names, r->scratch.data + key, NULL) != 0) return out_of_memory(r);
    if (!s->key) tell_dropped(r, s, "", key);
    if (peek(r) == '[') return read_elements(r, hand_over, s);
    if (s->key) return refuse(r, "\"%s\" must be an array", s->key);
    return skip_value(r);
}

static det_status read_stream(reader *r, stream *s)
{
    if (peek(r) == '{') return read_members(r, s->names, visit_member, s);
    s->key = "";
    return peek(r) == '[' ? read_elements(r, hand_over, s) : unexpected(r, "an object or an array");
}

/* ---- Texts and files ---- */

static det_status begin_text(reader *r)
{
    r->locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!r->locale) return out_of_memory(r);
    if (at_text(r, "\xEF\xBB\xBF")) { /* a byte order mark has no column */
        r->text += 3;
        r->size -= 3;
    }
    skip_space(r);
    return DET_OK;
}

static det_status end_text(reader *r)
{
    skip_space(r);
    return r->at == r->size ? DET_OK : unexpected(r, "nothing after the value");
}

static void free_reader(reader *r)
{
    if (r->locale) freelocale(r->locale);
    det_text_free(&r->scratch);
}

det_status det_json_parse(const char *text, size_t size, json_object **value, det_error *error)
{
    reader r = {.text = text, .size = size, .error = error};
    json_object *parsed = NULL;
    det_status status = begin_text(&r);
    if (status == DET_OK) status = read_value(&r, &parsed);
    if (status == DET_OK) status = end_text(&r);
    if (status < 0)
        json_object_put(parsed);
    else
        *value = parsed;
    free_reader(&r);
    return status;
}

det_status det_json_each_in(const char *text, size_t size, const det_json_wanted *wanted,
                            det_json_element *take, void *context, det_error *error)
{
    reader r = {.text = text, .size = size, .error = error};
    stream s = {
        .wanted = wanted, .take = take, .context = context, .names = json_object_new_object()};
    det_status status = s.names ? begin_text(&r) : out_of_memory(&r);
    if (status == DET_OK) status = read_stream(&r, &s);
    if (status == DET_OK) status = end_text(&r);
    json_object_put(s.names);
    free_reader(&r);
    return status;
}

det_status det_json_each(const char *text, size_t size, const char *const *keys,
                         det_json_element *take, void *context, det_error *error)
{
    return det_json_each_in(text, size, &(det_json_wanted){.keys = keys}, take, context, error);
}

bool det_json_number_of(json_object *value, double *number)
{
    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return false;
    *number = json_object_get_double(value);
    return true;
}

det_status det_json_read(const char *path, json_object **value, det_error *error)
{
    enum { max_bytes = 1 << 30 };
    det_bytes bytes = {0};
    det_status status = det_file_read(path, max_bytes, &bytes, error);
    if (status == DET_OK)
        status = det_json_parse((const char *)bytes.data, bytes.size, value, error);
    det_bytes_free(&bytes);
    return det_error_file(error, path, status);
}

det_status det_json_each_in_file(const char *path, const det_json_wanted *wanted,
                                 det_json_element *take, void *context, det_error *error)
{
    det_bytes bytes = {0};
    det_status status = det_file_map(path, &bytes, error);
    if (status == DET_OK)
        status =
            det_json_each_in((const char *)bytes.data, bytes.size, wanted, take, context, error);
    det_bytes_free(&bytes);
    return det_error_file(error, path, status);
}
