/* SPDX-License-Identifier: Apache-2.0 */
#include "src/nn/labels.h"

#include "src/base/memory.h"
#include "src/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { synset_length = 9 }; /* "n01440764" */

/* A part of the text, not terminated. */
typedef struct span {
    const char *text;
    size_t length;
} span;

static span trim(span s)
{
    while (s.length > 0 && isspace((unsigned char)s.text[0])) s.text++, s.length--;
    while (s.length > 0 && isspace((unsigned char)s.text[s.length - 1])) s.length--;
    return s;
}

static char *copy(span s)
{
    char *text = det_alloc(s.length + 1);
    if (!text) return NULL;
    memcpy(text, s.text, s.length);
    text[s.length] = '\0';
    return text;
}

static bool is_text(span s)
{
    for (size_t i = 0; i < s.length;) {
        const size_t length = det_utf8_length(s.text + i, s.length - i);
        if (length == 0 || s.text[i] == '\0') return false;
        i += length;
    }
    return true;
}

static bool begins_with_synset(span line)
{
    if (line.length <= synset_length || line.text[0] != 'n' ||
        !isspace((unsigned char)line.text[synset_length]))
        return false;
    for (int i = 1; i < synset_length; i++)
        if (!isdigit((unsigned char)line.text[i])) return false;
    return true;
}

/* Cuts the part before the next separator off the front of a text. */
static span next_part(span *text, char separator)
{
    const char *end = memchr(text->text, separator, text->length);
    const size_t length = end ? (size_t)(end - text->text) : text->length;
    const span part = {text->text, length};
    const size_t skipped = end ? length + 1 : length;
    *text = (span){text->text + skipped, text->length - skipped};
    return trim(part);
}

static bool add_synonym(det_class *class, size_t *capacity, span name)
{
    if (!det_grow_array(&class->synonyms, capacity, class->synonym_count + 1,
                        sizeof *class->synonyms))
        return false;
    class->synonyms[class->synonym_count] = copy(name);
    if (!class->synonyms[class->synonym_count]) return false;
    class->synonym_count++;
    return true;
}

/* "n01440764 tench, Tinca tinca": names are separated by commas only behind a WordNet id, so that
 * a plain name may hold one. */
static bool read_class(span line, det_class *class)
{
    class->category_id = -1;
    if (!begins_with_synset(line)) {
        class->name = copy(line);
        return class->name != NULL;
    }
    class->synset = copy((span){line.text, synset_length});
    span names = trim((span){line.text + synset_length, line.length - synset_length});
    class->name = copy(next_part(&names, ','));
    bool done = class->synset && class->name;
    size_t capacity = 0;
    while (done && names.length > 0) {
        const span name = next_part(&names, ',');
        if (name.length > 0) done = add_synonym(class, &capacity, name);
    }
    return done;
}

static det_status add_class(span line, det_model *model, size_t *capacity, det_error *error)
{
    if (!det_grow_array(&model->classes, capacity, model->class_count + 1, sizeof *model->classes))
        return det_fail_memory(error, "the classes");
    det_class *class = &model->classes[model->class_count++];
    *class = (det_class){0};
    if (line.length == 0) return det_fail(error, DET_FORMAT, "the line is empty");
    if (!is_text(line)) return det_fail(error, DET_FORMAT, "the line is not UTF-8 text");
    if (!read_class(line, class)) return det_fail_memory(error, "the classes");
    return *class->name ? DET_OK : det_fail(error, DET_FORMAT, "the class has no name");
}

det_status det_labels_parse(const char *text, size_t size, det_model *model, det_error *error)
{
    const bool marked = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0; /* byte order mark */
    span rest = {marked ? text + 3 : text, marked ? size - 3 : size};
    while (rest.length > 0 && isspace((unsigned char)rest.text[rest.length - 1])) rest.length--;
    size_t capacity = 0;
    for (size_t line = 1; rest.length > 0; line++) {
        const det_status status = add_class(next_part(&rest, '\n'), model, &capacity, error);
        if (status < 0) {
            det_error_where(error, "line %zu", line);
            return status;
        }
    }
    return DET_OK;
}

det_status det_labels_number(size_t count, det_model *model, det_error *error)
{
    model->classes = det_alloc_zeroed(count, sizeof *model->classes);
    if (!model->classes) return det_fail_memory(error, "the classes");
    for (size_t i = 0; i < count; i++) {
        char name[40];
        snprintf(name, sizeof name, "class %zu", i);
        model->classes[i] = (det_class){.name = det_copy_string(name), .category_id = -1};
        model->class_count = i + 1;
        if (!model->classes[i].name) return det_fail_memory(error, "the classes");
    }
    return DET_OK;
}
