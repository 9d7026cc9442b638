/* SPDX-License-Identifier: Apache-2.0 */
#include "src/detector/nearest.h"

#include "src/base/text.h"

#include <string.h>

typedef const char *name_at(const det_model *model, size_t index);

static const char *class_at(const det_model *model, size_t index)
{
    return model->classes[index].name;
}

static const char *layer_at(const det_model *model, size_t index)
{
    return model->graph.nodes[index].name;
}

/* How far a name is from what was typed: 0 where it contains it, else letters to change. */
static size_t distance_of(const char *name, const char *typed)
{
    return strcasestr(name, typed) ? 0 : det_text_distance(name, typed);
}

/* Names those at that distance, three at most. @return how many. */
static int add_names_at(const det_model *model, name_at *name_of, size_t count, const char *typed,
                        size_t distance, det_text *near)
{
    enum { offered = 3 };
    int added = 0;
    for (size_t i = 0; i < count && added < offered; i++) {
        const char *name = name_of(model, i);
        if (distance_of(name, typed) != distance) continue;
        det_text_format(near, "%s'%s'", near->length ? ", " : "; near it: ", name);
        added++;
    }
    return added;
}

static det_status fail(const det_model *model, name_at *name_of, size_t count, const char *kind,
                       const char *typed, det_error *error)
{
    enum { farthest = 2 };
    det_text near = {0};
    int added = 0;
    for (size_t distance = 0; distance <= farthest && added == 0; distance++)
        added = add_names_at(model, name_of, count, typed, distance, &near);
    const det_status status =
        det_fail(error, DET_ARGUMENT,
                 "no %s of the model is called '%s'%s ('detect model info' lists all %zu)", kind,
                 typed, near.data ? near.data : "", count);
    det_text_free(&near);
    return status;
}

det_status det_fail_unknown_class(const det_model *model, const char *typed, det_error *error)
{
    return fail(model, class_at, model->class_count, "class", typed, error);
}

det_status det_fail_unknown_layer(const det_model *model, const char *typed, det_error *error)
{
    return fail(model, layer_at, (size_t)model->graph.count, "layer", typed, error);
}
