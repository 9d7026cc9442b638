/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of a picture and a class, a line each: ILSVRC's blacklist. */
#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/base/span.h"
#include "src/data/names.h"
#include "src/data/results.h"

static bool find_image(const det_result_names *names, const char *text, size_t *image)
{
    int64_t id = 0;
    uint32_t at = 0;
    if (det_annotations_find_image(names->annotations, text, image, NULL) == DET_OK) return true;
    if (!det_name_number(text, &id) || !det_result_image_by_id(names, id, &at)) return false;
    *image = at;
    return true;
}

static bool find_class(const det_result_names *names, const char *text, size_t *category)
{
    int64_t id = 0;
    uint32_t at = 0;
    const bool named = det_result_class_by_name(names, text, &at);
    if (!named && !(det_name_number(text, &id) && det_result_class_by_id(names, id, &at)))
        return false;
    *category = at;
    return true;
}

static det_status add_pair(det_pair_list *list, const det_result_names *names, const char *image,
                           const char *category, det_error *error)
{
    det_image_class pair = {0};
    if (!find_image(names, image, &pair.image))
        return det_fail(error, DET_FORMAT, "the annotations have no picture \"%.100s\"", image);
    if (!find_class(names, category, &pair.category))
        return det_fail(error, DET_FORMAT, "the annotations have no class \"%.100s\"", category);
    if (!det_grow_array(&list->pairs, &list->capacity, list->count + 1, sizeof *list->pairs))
        return det_fail_memory(error, "pairs of pictures and classes");
    list->pairs[list->count++] = pair;
    return DET_OK;
}

static det_status read_line(det_pair_list *list, const det_result_names *names, det_span line,
                            det_error *error)
{
    char *image = det_span_copy(det_span_word(&line)), *category = det_span_copy(line);
    det_status status = image && category ? add_pair(list, names, image, category, error)
                                          : det_fail_memory(error, "pairs of pictures and classes");
    det_free(image);
    det_free(category);
    return status;
}

det_status det_image_classes_parse(const char *text, size_t size, const det_result_names *names,
                                   det_pair_list *list, det_error *error)
{
    det_span left = det_span_of(text, size);
    det_status status = DET_OK;
    for (size_t number = 1; status == DET_OK && left.length > 0; number++) {
        const det_span line = det_span_cut(&left, '\n');
        if (line.length > 0) status = read_line(list, names, line, error);
        if (status < 0) det_error_where(error, "line %zu", number);
    }
    return status;
}

det_status det_image_classes_read(const char *path, const det_annotations *annotations,
                                  det_image_class **pairs, size_t *count, det_error *error)
{
    const uint64_t max_bytes = UINT64_C(1) << 30;
    det_bytes bytes = {0};
    det_result_names names = {0};
    det_pair_list list = {0};
    det_status status = det_result_names_make(annotations, NULL, 0, &names, error);
    if (status == DET_OK) status = det_file_read(path, max_bytes, &bytes, error);
    if (status == DET_OK)
        status =
            det_image_classes_parse((const char *)bytes.data, bytes.size, &names, &list, error);
    det_bytes_free(&bytes);
    det_result_names_free(&names);
    if (status < 0) {
        det_free(list.pairs);
        return det_error_file(error, path, status);
    }
    *pairs = list.pairs;
    *count = list.count;
    return DET_OK;
}

void det_image_classes_free(det_image_class *pairs)
{
    det_free(pairs);
}
