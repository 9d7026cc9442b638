/* SPDX-License-Identifier: Apache-2.0 */
#include "src/nn/labels.h"

#include "src/base/memory.h"
#include "src/base/span.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { synset_length = 9 }; /* "n01440764" */

static bool begins_with_synset(det_span line)
{
    if (line.length <= synset_length || line.text[0] != 'n' ||
        !isspace((unsigned char)line.text[synset_length]))
        return false;
    for (int i = 1; i < synset_length; i++)
        if (!isdigit((unsigned char)line.text[i])) return false;
    return true;
}

static bool add_synonym(det_class *class, size_t *capacity, det_span name)
{
    if (!det_grow_array(&class->synonyms, capacity, class->synonym_count + 1,
                        sizeof *class->synonyms))
        return false;
    class->synonyms[class->synonym_count] = det_span_copy(name);
    if (!class->synonyms[class->synonym_count]) return false;
    class->synonym_count++;
    return true;
}

/* "n01440764 tench, Tinca tinca": names are separated by commas only behind a WordNet id, so that
 * a plain name may hold one. */
static bool read_class(det_span line, det_class *class)
{
    class->category_id = -1;
    if (!begins_with_synset(line)) {
        class->name = det_span_copy(line);
        return class->name != NULL;
    }
    class->synset = det_span_copy((det_span){line.text, synset_length});
    det_span names =
        det_span_trim((det_span){line.text + synset_length, line.length - synset_length});
    class->name = det_span_copy(det_span_cut(&names, ','));
    bool done = class->synset && class->name;
    size_t capacity = 0;
    while (done && names.length > 0) {
        const det_span name = det_span_cut(&names, ',');
        if (name.length > 0) done = add_synonym(class, &capacity, name);
    }
    return done;
}

static det_status add_class(det_span line, det_model *model, size_t *capacity, det_error *error)
{
    if (!det_grow_array(&model->classes, capacity, model->class_count + 1, sizeof *model->classes))
        return det_fail_memory(error, "the classes");
    det_class *class = &model->classes[model->class_count++];
    *class = (det_class){0};
    if (line.length == 0) return det_fail(error, DET_FORMAT, "the line is empty");
    if (!det_span_is_text(line)) return det_fail(error, DET_FORMAT, "the line is not UTF-8 text");
    if (!read_class(line, class)) return det_fail_memory(error, "the classes");
    return *class->name ? DET_OK : det_fail(error, DET_FORMAT, "the class has no name");
}

det_status det_labels_parse(const char *text, size_t size, det_model *model, det_error *error)
{
    det_span rest = det_span_of(text, size);
    while (rest.length > 0 && isspace((unsigned char)rest.text[rest.length - 1])) rest.length--;
    size_t capacity = 0;
    for (size_t line = 1; rest.length > 0; line++) {
        const det_status status = add_class(det_span_cut(&rest, '\n'), model, &capacity, error);
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
