/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations into any format: what the writers share. */
#include "src/data/annotations_write.h"

#include "src/base/span.h"
#include "src/data/names.h"

#include <math.h>
#include <string.h>

void det_out_note(const det_annotations_out *out, det_loss loss, size_t object)
{
    const det_annotations *a = out->annotations;
    const det_annotated_object *o = &a->objects[object];
    det_loss_note(out->tally, loss, "object %lld on %.200s", (long long)o->id,
                  a->images[o->image].file);
}

void det_out_note_ids(const det_annotations_out *out, size_t image)
{
    const det_annotations *a = out->annotations;
    const det_annotated_image *of = &a->images[image];
    int64_t number = 0;
    if (a->format != DET_ANNOTATIONS_COCO) return;
    if (!det_name_number(of->file, &number) || number != of->id)
        det_loss_note(out->tally, DET_LOSS_IMAGE_ID, "%lld, %.200s", (long long)of->id, of->file);
    for (size_t i = of->first_object; i < of->first_object + of->object_count; i++)
        if (a->objects[i].id != -1 && a->objects[i].id != (int64_t)i + 1)
            det_out_note(out, DET_LOSS_OBJECT_ID, i);
}

/* XML has neither control characters nor U+FFFE and U+FFFF. */
static bool has_control_character(const char *name)
{
    if (strstr(name, "\xEF\xBF\xBE") || strstr(name, "\xEF\xBF\xBF")) return true;
    for (; *name; name++)
        if ((unsigned char)*name < ' ' || *name == 0x7F) return true;
    return false;
}

det_status det_out_check_text(const char *name, det_error *error)
{
    if (det_span_is_text((det_span){name, strlen(name)})) return DET_OK;
    return det_fail(error, DET_ARGUMENT,
                    "the name \"%.100s\" is not UTF-8, which this format takes alone: rename it",
                    name);
}

det_status det_out_check_name(const char *what, const char *name, det_error *error)
{
    if (!*name) return det_fail(error, DET_ARGUMENT, "a %s without a name", what);
    if (has_control_character(name))
        return det_fail(error, DET_ARGUMENT,
                        "a %s has a line end or another control character in its name, which this "
                        "format cannot hold: rename it",
                        what);
    return det_out_check_text(name, error);
}

bool det_same_area(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

det_status det_annotations_write(const det_annotations *annotations, det_annotations_format format,
                                 const char *path, const det_convert_options *options,
                                 det_losses **losses, det_error *error)
{
    static const det_convert_options defaults = {0};
    static det_status (*const writers[])(const det_annotations_out *out, det_error *error) = {
        [DET_ANNOTATIONS_COCO] = det_coco_write,
        [DET_ANNOTATIONS_VOC] = det_voc_write,
        [DET_ANNOTATIONS_YOLO] = det_yolo_write,
    };
    if ((unsigned)format >= sizeof writers / sizeof *writers)
        return det_fail(error, DET_ARGUMENT, "%d is no format of annotations", (int)format);
    if (!path && format != DET_ANNOTATIONS_COCO)
        return det_fail(error, DET_ARGUMENT,
                        "%s annotations are a folder of files: name the folder with --output",
                        det_annotations_format_name(format));
    if (!options) options = &defaults;
    det_loss_tally tally = {0};
    const det_annotations_out out = {.annotations = annotations,
                                     .path = path,
                                     .options = options,
                                     .part = options->part ? options->part : "train",
                                     .tally = &tally};
    const det_status status = writers[format](&out, error);
    if (status < 0) return path ? det_error_file(error, path, status) : status;
    return losses ? det_losses_make(&tally, annotations, losses, error) : DET_OK;
}
