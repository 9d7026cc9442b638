/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as results, or as pairs of pictures and classes; the first one chooses the format. What
 * is read in place is read the other way as well, and gives the same. */
#include "src/base/memory.h"
#include "src/data/results.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static const char annotations_text[] =
    "{\"images\":[{\"id\":1,\"file_name\":\"1.jpg\"},{\"id\":2,\"file_name\":\"2.jpg\"}],"
    "\"categories\":[{\"id\":1,\"name\":\"cat\"},{\"id\":3,\"name\":\"dog\"}],\"annotations\":[]}";

static void check_part(const det_results_part *part)
{
    size_t left_out = part->unknown_class_objects + part->notes[DET_NOTE_UNKNOWN_IMAGE].count;
    if (part->count + left_out != part->listed) abort();
    for (size_t i = 0; i < part->count; i++)
        if (part->objects[i].image > 1 || part->objects[i].category > 1) abort();
}

static void check_flat(const char *text, size_t size, const det_result_names *names)
{
    det_results_part part = {0}, other = {0};
    det_error error = {0};
    bool flat = false;
    if (det_results_parse_flat(text, size, names, 1, &part, &flat, &error) < 0) abort();
    if (flat) {
        if (det_results_parse_coco(text, size, names, &other, &error) < 0) abort();
        if (part.count != other.count || part.listed != other.listed) abort();
        if (part.count > 0 &&
            memcmp(part.objects, other.objects, part.count * sizeof *part.objects) != 0)
            abort();
    }
    check_part(&part);
    det_results_part_free(&part);
    det_results_part_free(&other);
}

static det_status check_pairs(const char *text, size_t size, const det_result_names *names,
                              det_error *error)
{
    det_pair_list list = {0};
    const det_status status = det_image_classes_parse(text, size, names, &list, error);
    for (size_t i = 0; i < list.count; i++)
        if (list.pairs[i].image > 1 || list.pairs[i].category > 1) abort();
    det_image_classes_free(list.pairs);
    return status;
}

static void check_names(const det_annotations *annotations, const uint8_t *data, size_t size)
{
    const char *text = (const char *)data + 1;
    det_result_names names = {0};
    det_results_part part = {0};
    det_error error = {0};
    det_status status = det_result_names_make(annotations, NULL, 0, &names, &error);
    if (status < 0) abort();
    switch (data[0]) {
    case '0':
        check_flat(text, size - 1, &names);
        status = det_results_parse_coco(text, size - 1, &names, &part, &error);
        break;
    case '1':
        status = det_results_parse_json(text, size - 1, &names, &part, &error);
        break;
    case '2':
        status = det_results_parse_lines(text, size - 1, &names, &part, &error);
        break;
    case '3':
        status = check_pairs(text, size - 1, &names, &error);
        break;
    default:
        status = det_results_parse_voc(text, size - 1, "dog", &names, &part, &error);
        break;
    }
    if (status == DET_OK) check_part(&part);
    if (status < 0 && !*error.message) abort();
    det_results_part_free(&part);
    det_result_names_free(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    det_annotations_data *annotations = det_annotations_begin(DET_ANNOTATIONS_COCO, NULL);
    if (!annotations ||
        det_coco_parse(annotations_text, strlen(annotations_text), annotations, NULL) < 0 ||
        det_annotations_finish(annotations, NULL) < 0)
        abort();
    check_names(&annotations->seen, data, size);
    det_annotations_free(&annotations->seen);
    return 0;
}
