/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations as PASCAL VOC has them: an XML file a picture in Annotations/, the list of them in
 * ImageSets/Main/, and in JPEGImages/ links to the pictures. Corners are 1-based and inclusive. */
#include "src/data/annotations_write.h"

#include "src/base/memory.h"
#include "src/base/number.h"
#include "src/base/run.h"
#include "src/base/span.h"
#include "src/data/boxes.h"
#include "src/data/picture_names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct voc_writer {
    const det_annotations_out *out;
    det_data_set set;
    char **stems; /* of the pictures: their names without folder and ending */
    det_text xml; /* of the picture at hand */
    det_text list;
} voc_writer;

static det_status out_of_memory(det_error *error)
{
    return det_fail_memory(error, "VOC annotations");
}

/* ---- Names ---- */

/* ".jpg" of "a.jpg", and of a name that has no ending. */
static const char *ending_of(const char *file)
{
    const char *base = det_base_name(file), *ending = base + det_stem_length(base);
    return *ending ? ending : ".jpg";
}

static det_status add_stem(voc_writer *w, det_name_set *taken, size_t image, det_error *error)
{
    const det_annotations *a = w->out->annotations;
    const char *file = a->images[image].file, *base = det_base_name(file);
    char *stem = w->stems[image] = det_voc_stem(file);
    if (!stem) return out_of_memory(error);
    det_status status = det_out_check_name("picture", base, error);
    if (status == DET_OK) status = det_picture_name_add(taken, stem, file, error);
    const bool kept =
        strncmp(base, stem, strlen(stem)) == 0 && strcmp(base + strlen(stem), ending_of(file)) == 0;
    const bool moved = a->format == DET_ANNOTATIONS_COCO && base != file;
    if (!kept || moved)
        det_loss_note(w->out->tally, DET_LOSS_IMAGE_NAME, "%.120s becomes %.80s%.20s", file, stem,
                      ending_of(file));
    return status;
}

static det_status make_stems(voc_writer *w, det_error *error)
{
    const size_t count = w->out->annotations->image_count;
    det_name_set taken = {0};
    w->stems = det_alloc_zeroed(count, sizeof *w->stems);
    det_status status = w->stems ? DET_OK : out_of_memory(error);
    for (size_t i = 0; status == DET_OK && i < count; i++) status = add_stem(w, &taken, i, error);
    det_name_set_free(&taken);
    return status;
}

/* ---- Classes ---- */

static det_span trimmed(const char *name)
{
    return det_span_trim((det_span){name, strlen(name)});
}

static int compare_spans(const void *a, const void *b)
{
    const det_span *x = a, *y = b;
    const size_t shorter = x->length < y->length ? x->length : y->length;
    const int order = memcmp(x->text, y->text, shorter);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

static det_status check_class(const voc_writer *w, const char *name, det_error *error)
{
    const det_status status = det_out_check_name("class", name, error);
    if (status < 0) return status;
    if (trimmed(name).length == 0)
        return det_fail(error, DET_ARGUMENT, "a class has a name of spaces alone");
    if (trimmed(name).length < strlen(name))
        det_loss_note(w->out->tally, DET_LOSS_CLASS_NAME, "\"%.200s\"", name);
    return DET_OK;
}

/* The names that are left, sorted as a reader sorts and numbers them. @return how many. */
static size_t list_classes(const voc_writer *w, const size_t *objects, det_span *names)
{
    const det_annotations *a = w->out->annotations;
    size_t count = 0, distinct = 0;
    for (size_t c = 0; c < a->category_count; c++) {
        if (objects[c] > 0)
            names[count++] = trimmed(a->categories[c].name);
        else
            det_loss_note(w->out->tally, DET_LOSS_UNUSED, "%.200s", a->categories[c].name);
    }
    if (count > 0) qsort(names, count, sizeof *names, compare_spans);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && compare_spans(&names[i], &names[i - 1]) == 0)
            det_loss_note(w->out->tally, DET_LOSS_SAME_NAME, "%.*s", (int)names[i].length,
                          names[i].text);
        else
            names[distinct++] = names[i];
    }
    return distinct;
}

static void note_class_numbers(const voc_writer *w, const size_t *objects, const det_span *names,
                               size_t count)
{
    const det_annotations *a = w->out->annotations;
    if (a->format == DET_ANNOTATIONS_VOC) return;
    for (size_t c = 0; c < a->category_count; c++) {
        const det_span name = trimmed(a->categories[c].name);
        const det_span *found = count > 0 && objects[c] > 0
                                    ? bsearch(&name, names, count, sizeof name, compare_spans)
                                    : NULL;
        if (found && a->categories[c].id != found - names + 1)
            det_loss_note(w->out->tally, DET_LOSS_CATEGORY_ID, "%lld, %.200s",
                          (long long)a->categories[c].id, a->categories[c].name);
    }
}

static bool has_pixels(const voc_writer *w, size_t image)
{
    const det_annotated_image *of = &w->out->annotations->images[image];
    return w->out->annotations->format != DET_ANNOTATIONS_YOLO || (of->width > 0 && of->height > 0);
}

static det_status check_classes(const voc_writer *w, det_error *error)
{
    const det_annotations *a = w->out->annotations;
    size_t *objects = det_alloc_zeroed(a->category_count, sizeof *objects);
    det_span *names = det_alloc_array(a->category_count, sizeof *names);
    det_status status = objects && names ? DET_OK : out_of_memory(error);
    for (size_t i = 0; status == DET_OK && i < a->object_count; i++)
        objects[a->objects[i].category] += has_pixels(w, a->objects[i].image);
    for (size_t c = 0; status == DET_OK && c < a->category_count; c++)
        if (objects[c] > 0) status = check_class(w, a->categories[c].name, error);
    if (status == DET_OK) note_class_numbers(w, objects, names, list_classes(w, objects, names));
    det_free(objects);
    det_free(names);
    return status;
}

/* ---- Boxes ---- */

/* Relative numbers have no pixels, so what is one but for rounding is one. */
static double snap(double value)
{
    return fabs(value - round(value)) < 1e-9 ? round(value) : value;
}

static bool is_whole(const double box[4])
{
    for (size_t i = 0; i < 4; i++)
        if (box[i] != floor(box[i])) return false;
    return true;
}

static void round_box(double box[4])
{
    for (size_t i = 0; i < 4; i++) box[i] = floor(box[i] + .5);
    for (size_t i = 0; i < 2; i++) box[i + 2] = fmax(box[i], box[i + 2]);
}

/* Whether the box that is written gives the same one in its own format. */
static bool is_exact(const det_annotations *a, const det_annotated_object *o, const double box[4])
{
    double back[4];
    if (a->format != DET_ANNOTATIONS_COCO) return true;
    det_box_convert(box, DET_BOX_INCLUSIVE, DET_BOX_SIZED, back);
    return det_box_same(back, o->box);
}

static void take_box(const voc_writer *w, size_t object, double box[4])
{
    const det_annotations *a = w->out->annotations;
    const det_annotated_object *o = &a->objects[object];
    det_annotations_box_in(a, object, DET_BOX_INCLUSIVE, box);
    for (size_t i = 0; a->format == DET_ANNOTATIONS_YOLO && i < 4; i++) box[i] = snap(box[i]);
    const double area = (box[2] - box[0] + 1) * (box[3] - box[1] + 1);
    if (!is_whole(box)) {
        det_out_note(w->out, DET_LOSS_FRACTION, object);
        if (w->out->options->whole_pixels)
            round_box(box);
        else if (!is_exact(a, o, box))
            det_out_note(w->out, DET_LOSS_LAST_BITS, object);
    }
    if (a->format == DET_ANNOTATIONS_COCO && !det_same_area(area, o->area))
        det_out_note(w->out, DET_LOSS_AREA, object);
}

/* ---- XML ---- */

static void put_escaped(det_text *text, const char *string, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char c = string[i];
        if (c == '&')
            det_text_add(text, "&amp;");
        else if (c == '<')
            det_text_add(text, "&lt;");
        else if (c == '>')
            det_text_add(text, "&gt;");
        else
            det_text_append(text, &c, 1);
    }
}

static void put_box(det_text *xml, const double box[4])
{
    static const char *const tags[] = {"xmin", "ymin", "xmax", "ymax"};
    char number[DET_NUMBER_SIZE];
    det_text_add(xml, "\t\t<bndbox>\n");
    for (size_t i = 0; i < 4; i++)
        det_text_format(xml, "\t\t\t<%s>%s</%s>\n", tags[i], det_exact_text(number, box[i]),
                        tags[i]);
    det_text_add(xml, "\t\t</bndbox>\n");
}

/* What is not to count is difficult, which VOC's evaluation ignores. */
static void put_object(voc_writer *w, size_t object)
{
    const det_annotated_object *o = &w->out->annotations->objects[object];
    const det_span name = trimmed(w->out->annotations->categories[o->category].name);
    double box[4];
    take_box(w, object, box);
    if (o->crowd)
        det_out_note(w->out, DET_LOSS_CROWD, object);
    else if (o->ignore && !o->difficult)
        det_out_note(w->out, DET_LOSS_IGNORE, object);
    det_text_add(&w->xml, "\t<object>\n\t\t<name>");
    put_escaped(&w->xml, name.text, name.length);
    det_text_format(&w->xml,
                    "</name>\n\t\t<pose>Unspecified</pose>\n\t\t<truncated>%d</truncated>\n",
                    o->truncated);
    if (o->occluded) det_text_add(&w->xml, "\t\t<occluded>1</occluded>\n");
    det_text_format(&w->xml, "\t\t<difficult>%d</difficult>\n",
                    o->difficult || o->crowd || o->ignore);
    put_box(&w->xml, box);
    det_text_add(&w->xml, "\t</object>\n");
}

static void put_head(voc_writer *w, size_t image, int width, int height)
{
    const char *stem = w->stems[image],
               *ending = ending_of(w->out->annotations->images[image].file);
    det_text_add(&w->xml, "<annotation>\n\t<folder>JPEGImages</folder>\n\t<filename>");
    put_escaped(&w->xml, stem, strlen(stem));
    put_escaped(&w->xml, ending, strlen(ending));
    det_text_add(&w->xml, "</filename>\n");
    if (width > 0 && height > 0)
        det_text_format(&w->xml,
                        "\t<size>\n\t\t<width>%d</width>\n\t\t<height>%d</height>\n"
                        "\t\t<depth>3</depth>\n\t</size>\n",
                        width, height);
    det_text_add(&w->xml, "\t<segmented>0</segmented>\n");
}

static det_status make_xml(voc_writer *w, size_t image, det_error *error)
{
    int width = 0, height = 0;
    const det_annotated_image *of = &w->out->annotations->images[image];
    const det_status status = det_convert_size(w->out->annotations, image, &width, &height, error);
    if (status < 0) return status;
    w->xml.length = 0;
    put_head(w, image, width, height);
    for (size_t i = of->first_object; i < of->first_object + of->object_count; i++) {
        if (has_pixels(w, image))
            put_object(w, i);
        else
            det_out_note(w->out, DET_LOSS_NO_SIZE, i);
    }
    det_text_add(&w->xml, "</annotation>\n");
    return w->xml.failed ? out_of_memory(error) : DET_OK;
}

/* ---- Files ---- */

static det_status link_picture(const voc_writer *w, size_t image, det_error *error)
{
    bool there = false;
    det_text name = {0};
    char *picture = det_convert_picture(w->out->annotations, image);
    det_text_format(&name, "JPEGImages/%s%s", w->stems[image],
                    ending_of(w->out->annotations->images[image].file));
    const det_status status = picture && !name.failed
                                  ? det_data_set_link(&w->set, name.data, picture, &there, error)
                                  : out_of_memory(error);
    if (status == DET_OK && !there)
        det_loss_note(w->out->tally, DET_LOSS_NO_PICTURE, "%.250s", picture);
    det_free(picture);
    det_text_free(&name);
    return status;
}

/* "Annotations/STEM.xml"; NULL when memory is short. */
static char *xml_name(const voc_writer *w, size_t image)
{
    det_text name = {0};
    det_text_format(&name, "Annotations/%s.xml", w->stems[image]);
    if (!name.failed) return name.data;
    det_text_free(&name);
    return NULL;
}

static det_status write_picture(voc_writer *w, size_t image, det_error *error)
{
    char *name = xml_name(w, image);
    det_status status = name ? make_xml(w, image, error) : out_of_memory(error);
    if (status == DET_OK) status = det_data_set_write(&w->set, name, &w->xml, true, error);
    if (status == DET_OK) status = link_picture(w, image, error);
    det_text_format(&w->list, "%s\n", w->stems[image]);
    det_out_note_ids(w->out, image);
    det_free(name);
    return status;
}

static det_status check_part(const char *part, det_error *error)
{
    if (*part && *part != '.' && !strpbrk(part, "/ \t\r\n")) return DET_OK;
    return det_fail(error, DET_ARGUMENT,
                    "\"%s\" cannot name a list of pictures: a part is a word such as train or test",
                    part);
}

/* "ImageSets/Main/PART.txt" */
static char *list_name(const voc_writer *w)
{
    det_text name = {0};
    det_text_format(&name, "ImageSets/Main/%s.txt", w->out->part);
    if (!name.failed) return name.data;
    det_text_free(&name);
    return NULL;
}

static det_status check_files(voc_writer *w, const char *list, det_error *error)
{
    det_status status = det_data_set_begin(&w->set, "ImageSets/Main", error);
    if (status == DET_OK) status = det_data_set_check(&w->set, list, error);
    for (size_t i = 0; status == DET_OK && i < w->out->annotations->image_count; i++) {
        char *name = xml_name(w, i);
        status = name ? det_data_set_check(&w->set, name, error) : out_of_memory(error);
        det_free(name);
    }
    return status;
}

static det_status write_all(voc_writer *w, const char *list, det_error *error)
{
    const size_t count = w->out->annotations->image_count;
    det_status status = check_files(w, list, error);
    for (size_t i = 0; status == DET_OK && i < count; i++) {
        status = det_run_check(w->out->options->run, i, count, error);
        if (status == DET_OK) status = write_picture(w, i, error);
    }
    return status < 0 ? status : det_data_set_write(&w->set, list, &w->list, false, error);
}

static void describe_losses(const det_annotations_out *out)
{
    out->tally->descriptions[DET_LOSS_CROWD] = "crowds, which become difficult objects";
    out->tally->descriptions[DET_LOSS_IGNORE] =
        "objects to be ignored, which become difficult objects";
    out->tally->descriptions[DET_LOSS_FRACTION] =
        out->options->whole_pixels
            ? "boxes with fractions of pixels, rounded"
            : "boxes with fractions of pixels, which are kept, though some programs refuse them in "
              "VOC (see --round)";
}

det_status det_voc_write(const det_annotations_out *out, det_error *error)
{
    voc_writer w = {.out = out, .set = {.root = out->path, .overwrite = out->options->overwrite}};
    describe_losses(out);
    char *list = list_name(&w);
    det_status status = list ? check_part(out->part, error) : out_of_memory(error);
    if (status == DET_OK) status = make_stems(&w, error);
    if (status == DET_OK) status = check_classes(&w, error);
    if (status == DET_OK) status = write_all(&w, list, error);
    for (size_t i = 0; w.stems && i < out->annotations->image_count; i++) det_free(w.stems[i]);
    det_free(w.stems);
    det_text_free(&w.xml);
    det_text_free(&w.list);
    det_free(list);
    return status;
}
