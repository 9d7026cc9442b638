/* SPDX-License-Identifier: Apache-2.0 */
/* PASCAL VOC annotations: an XML file a picture, in Annotations/ of a data set whose
 * ImageSets/Main/SPLIT.txt may list some of them, or in any folder.
 *
 * What counts is where an element stands: an object has its name and its box as direct children,
 * while the parts of a person have boxes of their own, sometimes before it. Of several elements in
 * one place the first counts. A text cannot grow by entities: declaring one is refused. */
#include "src/data/annotations.h"

#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/base/number.h"
#include "src/base/span.h"
#include "src/base/text.h"
#include "src/data/names.h"
#include "src/data/paths.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <expat.h>

enum {
    max_file_bytes = 16 << 20,
    max_depth = 32,
    max_text_bytes = 4096 /* of a name or a number */
};

/* The elements whose text matters. */
typedef enum field {
    FILENAME,
    WIDTH,
    HEIGHT,
    NAME,
    DIFFICULT,
    TRUNCATED,
    OCCLUDED,
    POSE,
    XMIN,
    YMIN,
    XMAX,
    YMAX,
    FIELD_COUNT
} field;

static const char *const places[FIELD_COUNT] = {
    [FILENAME] = "/annotation/filename",          [WIDTH] = "/annotation/size/width",
    [HEIGHT] = "/annotation/size/height",         [NAME] = "/annotation/object/name",
    [DIFFICULT] = "/annotation/object/difficult", [TRUNCATED] = "/annotation/object/truncated",
    [OCCLUDED] = "/annotation/object/occluded",   [POSE] = "/annotation/object/pose",
    [XMIN] = "/annotation/object/bndbox/xmin",    [YMIN] = "/annotation/object/bndbox/ymin",
    [XMAX] = "/annotation/object/bndbox/xmax",    [YMAX] = "/annotation/object/bndbox/ymax",
};

/* Places that hold others, or say nothing that counts. */
static const char *const other_places[] = {
    "/annotation",        "/annotation/size", "/annotation/object",    "/annotation/object/bndbox",
    "/annotation/folder", "/annotation/path", "/annotation/segmented", "/annotation/size/depth",
};

typedef struct voc_reader {
    XML_Parser parser;
    det_annotations_data *data;
    const char *stem;      /* of the file's name */
    size_t depth;          /* elements around, the one at hand counted */
    char place[128];       /* their names, each behind a slash */
    size_t deep;           /* the depth from which on `place` has no room, or 0 */
    size_t passed;         /* the depth of the element that is passed over, or 0 */
    field at;              /* FIELD_COUNT: no text that matters */
    det_text text;         /* of the element at hand */
    bool set[FIELD_COUNT]; /* fields of the picture and the object at hand */
    char *ending;          /* of <filename> */
    det_annotated_object object;
    double width, height;
    det_error *error;
    det_status status;
} voc_reader;

/* ---- Failures ---- */

/* Where the parser is, from 1. Expat 2.9 has new names for it, and deprecates the old ones. */
static void place_of(XML_Parser parser, unsigned long long *line, unsigned long long *column)
{
#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 9
    *line = XML_GetCurrentLineNumber64(parser);
    *column = XML_GetCurrentColumnNumber64(parser) + 1;
#else
    *line = XML_GetCurrentLineNumber(parser);
    *column = XML_GetCurrentColumnNumber(parser) + 1;
#endif
}

static void stop(voc_reader *r, det_status status, const char *format, ...) DET_PRINTF(3, 4);

static void stop(voc_reader *r, det_status status, const char *format, ...)
{
    char message[256];
    if (r->status < 0) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    r->status = status;
    det_fail(r->error, status, "%s", message);
    unsigned long long line, column;
    place_of(r->parser, &line, &column);
    det_error_where(r->error, "line %llu, column %llu", line, column);
    XML_StopParser(r->parser, XML_FALSE);
}

static void stop_short_of_memory(voc_reader *r)
{
    stop(r, DET_MEMORY, "out of memory for annotations");
}

static const char *tag_of(field f)
{
    return strrchr(places[f], '/') + 1;
}

/* ---- Values ---- */

static bool parse_number(const voc_reader *r, double *value)
{
    const det_span text = det_span_trim((det_span){r->text.data, r->text.length});
    return det_number_parse(text.text, text.length, value);
}

static void take_number(voc_reader *r, double *value)
{
    if (parse_number(r, value)) return;
    stop(r, DET_FORMAT, "<%s> must be a number, not \"%.60s\"", tag_of(r->at),
         r->text.length > 0 ? r->text.data : "");
}

/* Writers put words such as "Unspecified" where they know nothing. */
static bool flag(const voc_reader *r)
{
    double value = 0;
    return parse_number(r, &value) && value != 0;
}

static void take_side(voc_reader *r, double *side)
{
    take_number(r, side);
    if (*side < 0 || *side > INT_MAX || *side != (double)(int)*side)
        stop(r, DET_FORMAT, "<%s> must be a number of pixels from 0 to %d, not \"%.60s\"",
             tag_of(r->at), INT_MAX, r->text.data);
}

/* Adds a class that was not met before. */
static det_status add_category(det_annotations_data *data, const char *name, det_error *error)
{
    json_object *index = json_object_new_int64((int64_t)data->seen.category_count);
    if (!index || json_object_object_add(data->category_names, name, index) != 0) {
        json_object_put(index);
        return det_fail_memory(error, "annotations");
    }
    return det_annotations_add_category(data, det_copy_string(name), 0, error);
}

static void take_category(voc_reader *r)
{
    det_annotations_data *data = r->data;
    const det_span text = det_span_trim((det_span){r->text.data, r->text.length});
    if (text.length == 0) {
        stop(r, DET_FORMAT, "<name> of an object is empty");
        return;
    }
    json_object *known = NULL;
    char *name = det_span_copy(text);
    r->object.category = data->seen.category_count;
    if (name && json_object_object_get_ex(data->category_names, name, &known))
        r->object.category = (size_t)json_object_get_int64(known);
    else if (!name || add_category(data, name, NULL) < 0)
        stop_short_of_memory(r);
    det_free(name);
}

/* Keeps the ending, and notes a name that is not the XML file's. */
static void take_filename(voc_reader *r)
{
    const det_span name = det_span_trim((det_span){r->text.data, r->text.length});
    char *copy = det_span_copy(name);
    if (!copy) {
        stop_short_of_memory(r);
        return;
    }
    const char *base = det_base_name(copy);
    const size_t length = det_stem_length(base);
    if (length != strlen(r->stem) || memcmp(base, r->stem, length) != 0)
        det_annotations_note(r->data, DET_ODDITY_OTHER_FILENAME, "%s.xml names %.100s", r->stem,
                             copy);
    r->ending = det_copy_string(base + length);
    if (!r->ending) stop_short_of_memory(r);
    det_free(copy);
}

static void take_pose(voc_reader *r)
{
    const det_span text = det_span_trim((det_span){r->text.data, r->text.length});
    if (text.length > 0 && !det_span_equals(text, "Unspecified"))
        det_annotations_pass_over(r->data, "object", "/", "pose");
}

static void take_field(voc_reader *r)
{
    switch (r->at) {
    case FILENAME:
        take_filename(r);
        return;
    case WIDTH:
        take_side(r, &r->width);
        return;
    case HEIGHT:
        take_side(r, &r->height);
        return;
    case NAME:
        take_category(r);
        return;
    case DIFFICULT:
        r->object.difficult = flag(r);
        return;
    case TRUNCATED:
        r->object.truncated = flag(r);
        return;
    case OCCLUDED:
        r->object.occluded = flag(r);
        return;
    case POSE:
        take_pose(r);
        return;
    case XMIN:
    case YMIN:
    case XMAX:
    case YMAX:
        take_number(r, &r->object.box[r->at - XMIN]);
        return;
    case FIELD_COUNT:
        return;
    }
}

/* ---- Elements ---- */

static void begin_object(voc_reader *r)
{
    r->object = (det_annotated_object){0};
    memset(r->set + NAME, 0, sizeof r->set - NAME * sizeof *r->set);
}

static void end_object(voc_reader *r)
{
    static const field needed[] = {NAME, XMIN, YMIN, XMAX, YMAX};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!r->set[needed[i]]) {
            stop(r, DET_FORMAT,
                 "an <object> needs <name>, and <bndbox> with <xmin>, <ymin>, "
                 "<xmax>, <ymax>; this one has no <%s>",
                 tag_of(needed[i]));
            return;
        }
    const double *b = r->object.box;
    r->object.area = (b[2] - b[0] + 1) * (b[3] - b[1] + 1);
    if (det_annotations_add_object(r->data, r->object, NULL) < 0) stop_short_of_memory(r);
}

/* Counts an element whose place is not known, without those inside of it. */
static void look_for_unread(voc_reader *r)
{
    if (r->passed || r->depth < 2 || r->status < 0) return;
    for (size_t i = 0; i < sizeof other_places / sizeof *other_places; i++)
        if (strcmp(other_places[i], r->place) == 0) return;
    r->passed = r->depth;
    det_annotations_pass_over(r->data, "", "", r->place + strlen("/annotation/"));
}

static field field_at(const char *place)
{
    for (int i = 0; i < FIELD_COUNT; i++)
        if (strcmp(places[i], place) == 0) return (field)i;
    return FIELD_COUNT;
}

static void begin_element(void *context, const XML_Char *name, const XML_Char **attributes)
{
    (void)attributes;
    voc_reader *r = context;
    const size_t length = strlen(r->place), more = strlen(name);
    r->at = FIELD_COUNT;
    r->text.length = 0;
    if (++r->depth > max_depth) {
        stop(r, DET_LIMIT, "elements lie more than %d deep", max_depth);
        return;
    }
    if (r->depth == 1 && strcmp(name, "annotation") != 0)
        stop(r, DET_FORMAT, "an XML file of VOC begins with <annotation>, this one with <%.60s>",
             name);
    if (!r->deep && length + 1 + more >= sizeof r->place) r->deep = r->depth;
    if (r->deep) return;
    r->place[length] = '/';
    memcpy(r->place + length + 1, name, more + 1);
    if (strcmp(r->place, "/annotation/object") == 0) begin_object(r);
    r->at = field_at(r->place);
    if (r->at == FIELD_COUNT) look_for_unread(r);
    if (r->at < FIELD_COUNT && r->set[r->at]) r->at = FIELD_COUNT;
}

static void take_text(void *context, const XML_Char *text, int length)
{
    voc_reader *r = context;
    if (r->at == FIELD_COUNT) return;
    if (r->text.length + (size_t)length > max_text_bytes)
        stop(r, DET_LIMIT, "<%s> has more than %d bytes", tag_of(r->at), max_text_bytes);
    else
        det_text_append(&r->text, text, (size_t)length);
    if (r->text.failed) stop_short_of_memory(r);
}

static void end_element(void *context, const XML_Char *name)
{
    (void)name;
    voc_reader *r = context;
    if (r->at < FIELD_COUNT) {
        r->set[r->at] = true;
        take_field(r);
    }
    r->at = FIELD_COUNT;
    if (!r->deep) {
        if (strcmp(r->place, "/annotation/object") == 0 && r->status == DET_OK) end_object(r);
        *strrchr(r->place, '/') = '\0';
    }
    if (r->deep == r->depth) r->deep = 0;
    if (r->passed == r->depth) r->passed = 0;
    r->depth--;
}

/* NOLINTNEXTLINE(readability-function-size): expat calls it with nine arguments */
static void refuse_entity(void *context, const XML_Char *name, int is_parameter,
                          const XML_Char *value, int value_length, const XML_Char *base,
                          const XML_Char *system, const XML_Char *public, const XML_Char *notation)
{
    (void)is_parameter, (void)value, (void)value_length;
    (void)base, (void)system, (void)public, (void)notation;
    stop(context, DET_UNSUPPORTED,
         "the entity \"%.60s\" is declared, and entities are not expanded", name);
}

/* ---- A file ---- */

static void *reallocate(void *block, size_t size)
{
    return det_realloc_array(block, size, 1);
}

static XML_Parser create_parser(voc_reader *r)
{
    static const XML_Memory_Handling_Suite memory = {det_alloc, reallocate, det_free};
    XML_Parser parser = XML_ParserCreate_MM(NULL, &memory, NULL);
    if (!parser) return NULL;
    XML_SetUserData(parser, r);
    XML_SetElementHandler(parser, begin_element, end_element);
    XML_SetCharacterDataHandler(parser, take_text);
    XML_SetEntityDeclHandler(parser, refuse_entity);
    return parser;
}

static void parse(voc_reader *r, const char *text, size_t size)
{
    if (XML_Parse(r->parser, text, (int)size, XML_TRUE) == XML_STATUS_OK) return;
    const enum XML_Error code = XML_GetErrorCode(r->parser);
    stop(r, code == XML_ERROR_NO_MEMORY ? DET_MEMORY : DET_FORMAT, "XML: %s",
         XML_ErrorString(code));
}

/* The picture is called as the file is, with the ending that <filename> has. */
static det_status name_picture(const voc_reader *r, det_annotated_image *image)
{
    det_text name = {0};
    det_text_add(&name, r->stem);
    det_text_add(&name, r->ending && *r->ending ? r->ending : ".jpg");
    if (name.failed) {
        det_text_free(&name);
        return det_fail_memory(r->error, "annotations");
    }
    det_free((char *)image->file);
    image->file = name.data;
    image->width = (int)r->width;
    image->height = (int)r->height;
    return DET_OK;
}

det_status det_voc_parse(const char *text, size_t size, const char *stem,
                         det_annotations_data *data, det_error *error)
{
    if (size > max_file_bytes)
        return det_fail(error, DET_LIMIT, "%zu bytes are more than the limit of %d", size,
                        max_file_bytes);
    const size_t image = data->seen.image_count;
    det_status status =
        det_annotations_add_image(data, det_copy_string(stem), (int64_t)image + 1, error);
    if (status < 0) return status;
    if (!data->category_names) data->category_names = json_object_new_object();

    voc_reader r = {.data = data, .stem = stem, .at = FIELD_COUNT, .error = error};
    r.parser = data->category_names ? create_parser(&r) : NULL;
    if (!r.parser) return det_fail_memory(error, "annotations");
    parse(&r, text, size);
    if (r.status == DET_OK) r.status = name_picture(&r, &data->images[image]);
    XML_ParserFree(r.parser);
    det_text_free(&r.text);
    det_free(r.ending);
    return r.status;
}

/* split: the one that lists the picture, or NULL. */
static det_status read_xml(const char *folder, const char *stem, const char *split,
                           det_annotations_data *data, det_error *error)
{
    det_text name = {0};
    det_bytes bytes = {0};
    det_text_format(&name, "%s.xml", stem);
    char *path = name.failed ? NULL : det_path_join(folder, name.data);
    det_status status = path ? DET_OK : det_fail_memory(error, "annotations");
    if (status == DET_OK && split && access(path, F_OK) != 0)
        status = det_fail(error, DET_IO, "is not there, but ImageSets/Main/%s.txt lists \"%.200s\"",
                          split, stem);
    if (status == DET_OK) status = det_file_read(path, max_file_bytes, &bytes, error);
    if (status == DET_OK)
        status = det_voc_parse((const char *)bytes.data, bytes.size, stem, data, error);
    if (path) det_error_file(error, path, status);
    det_bytes_free(&bytes);
    det_free(path);
    det_text_free(&name);
    return status;
}

/* ---- Categories ---- */

typedef struct sorted_category {
    const char *name;
    size_t before; /* its index so far */
} sorted_category;

static int compare_categories(const void *a, const void *b)
{
    return strcmp(((const sorted_category *)a)->name, ((const sorted_category *)b)->name);
}

/* By name, so that a part of a data set numbers them as the whole does where it has them all. */
det_status det_voc_sort_categories(det_annotations_data *data, det_error *error)
{
    const size_t count = data->seen.category_count;
    sorted_category *sorted = det_alloc_array(count, sizeof *sorted);
    size_t *after = det_alloc_array(count, sizeof *after);
    const bool enough = sorted && after;
    for (size_t i = 0; enough && i < count; i++)
        sorted[i] = (sorted_category){data->categories[i].name, i};
    if (enough && count > 0) qsort(sorted, count, sizeof *sorted, compare_categories);
    for (size_t i = 0; enough && i < count; i++) {
        data->categories[i] = (det_category){sorted[i].name, (int64_t)i + 1};
        after[sorted[i].before] = i;
    }
    for (size_t i = 0; enough && i < data->seen.object_count; i++)
        data->objects[i].category = after[data->objects[i].category];
    det_free(sorted);
    det_free(after);
    return enough ? DET_OK : det_fail_memory(error, "annotations");
}

/* ---- The pictures of a split ---- */

/* A line is a name, and in the lists of one class 1, 0 or -1 besides. */
static det_status add_lines(const char *path, const det_bytes *bytes, det_paths *stems,
                            det_error *error)
{
    det_name_set seen = {0};
    det_status status = DET_OK;
    det_span rest = det_span_of((const char *)bytes->data, bytes->size);
    for (size_t line = 1; status == DET_OK && rest.length > 0; line++) {
        bool added = false;
        det_span text = det_span_cut(&rest, '\n');
        const det_span name = det_span_word(&text);
        if (name.length == 0) continue;
        if (!det_span_is_text(name)) {
            status = det_fail_at(error, DET_FORMAT, path, NULL, "is not a list of names");
            det_error_where(error, "line %zu", line);
            break;
        }
        status = det_paths_push(stems, det_span_copy(name), error);
        if (status == DET_OK)
            status = det_name_set_add(&seen, stems->items[stems->count - 1], &added, error);
        if (status == DET_OK && !added) {
            status = det_fail_at(error, DET_FORMAT, path, NULL, "\"%s\" is there twice",
                                 stems->items[stems->count - 1]);
            det_error_where(error, "line %zu", line);
        }
    }
    det_name_set_free(&seen);
    return status;
}

static det_status read_split(const char *root, const char *split, det_paths *stems,
                             det_error *error)
{
    enum { max_list_bytes = 1 << 30 };
    det_text path = {0};
    det_bytes bytes = {0};
    det_text_format(&path, "%s%sImageSets/Main/%s.txt", root, *root ? "/" : "", split);
    if (path.failed) {
        det_text_free(&path);
        return det_fail_memory(error, "annotations");
    }
    det_status status =
        det_is_file(path.data)
            ? det_file_read(path.data, max_list_bytes, &bytes, error)
            : det_fail_at(error, DET_ARGUMENT, path.data, NULL,
                          "is not there: it would list the pictures of the split \"%s\"", split);
    if (status == DET_OK) status = add_lines(path.data, &bytes, stems, error);
    det_bytes_free(&bytes);
    det_text_free(&path);
    return status;
}

static det_status list_all(const char *folder, det_paths *stems, det_error *error)
{
    const det_status status = det_folder_names(folder, ".xml", stems, error);
    for (size_t i = 0; i < stems->count; i++) stems->items[i][strlen(stems->items[i]) - 4] = '\0';
    return status;
}

/* ---- A data set ---- */

/* Where the parts of a data set lie. */
typedef struct voc_folders {
    char *root, *xml;
} voc_folders;

det_status det_voc_recognises(const char *path, bool *found, det_error *error)
{
    det_paths names = {0};
    if (!det_is_folder(path)) return DET_OK;
    char *annotations = det_path_join(path, "Annotations");
    if (!annotations) return det_fail_memory(error, "annotations");
    *found = det_is_folder(annotations);
    det_free(annotations);
    if (*found) return DET_OK;
    const det_status status = det_folder_names(path, ".xml", &names, error);
    *found = names.count > 0;
    det_paths_free(&names);
    return status;
}

/* `folder` is the root of a data set, its Annotations/, or a folder of XML files. */
static det_status find_folders(const char *folder, voc_folders *found, det_error *error)
{
    found->root = det_copy_string(folder);
    found->xml = det_path_join(folder, "Annotations");
    if (!found->root || !found->xml) return det_fail_memory(error, "annotations");
    if (det_is_folder(found->xml)) return DET_OK;
    det_free(found->xml);
    det_free(found->root);
    found->xml = det_copy_string(folder);
    found->root = det_path_join(folder, "..");
    return found->xml && found->root ? DET_OK : det_fail_memory(error, "annotations");
}

/* JPEGImages/ of the data set, or where the XML files are. */
static det_status set_folder(const voc_folders *folders, const char *pictures,
                             det_annotations_data *data, det_error *error)
{
    data->folder =
        pictures ? det_copy_string(pictures) : det_path_join(folders->root, "JPEGImages");
    if (data->folder && !pictures && !det_is_folder(data->folder)) {
        det_free(data->folder);
        data->folder = det_copy_string(folders->xml);
    }
    return data->folder ? DET_OK : det_fail_memory(error, "annotations");
}

det_status det_voc_read(const char *folder, const det_annotations_options *options,
                        det_annotations_data *data, det_error *error)
{
    voc_folders folders = {0};
    det_paths stems = {0};
    det_status status = find_folders(folder, &folders, error);
    if (status == DET_OK) status = set_folder(&folders, options->pictures, data, error);
    if (status == DET_OK)
        status = options->split ? read_split(folders.root, options->split, &stems, error)
                                : list_all(folders.xml, &stems, error);
    for (size_t i = 0; status == DET_OK && i < stems.count; i++)
        status = read_xml(folders.xml, stems.items[i], options->split, data, error);
    if (status == DET_OK) status = det_voc_sort_categories(data, error);
    det_paths_free(&stems);
    det_free(folders.root);
    det_free(folders.xml);
    return status;
}
