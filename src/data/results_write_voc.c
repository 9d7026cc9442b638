/* SPDX-License-Identifier: Apache-2.0 */
/* Results as the PASCAL VOC devkit takes them (competition 4): a file for each class, also for one
 * without detections, with lines "image score xmin ymin xmax ymax". */
#include "src/data/results_write.h"

#include "src/base/memory.h"
#include "src/base/number.h"
#include "src/base/run.h"
#include "src/data/data_set.h"
#include "src/data/paths.h"
#include "src/data/picture_names.h"

#include <string.h>

typedef struct voc_results {
    const det_results_out *out;
    det_data_set set;
    det_results_groups groups; /* by class */
    det_paths files;           /* a name for each class */
    det_paths stems;           /* a name for each picture */
} voc_results;

static det_status out_of_memory(det_error *error)
{
    return det_fail_memory(error, "VOC results");
}

/* ---- Names ---- */

/* NULL when memory is short. */
static char *file_name(const char *class_name)
{
    det_text text = {0};
    char *safe = det_safe_name(class_name, strlen(class_name));
    if (safe) det_text_format(&text, "comp4_det_test_%s.txt", safe);
    det_free(safe);
    if (!text.failed) return text.data;
    det_text_free(&text);
    return NULL;
}

static det_status name_class(voc_results *v, const char *name, det_name_set *taken,
                             det_error *error)
{
    bool added = false;
    char *file = file_name(name);
    det_status status = det_paths_push(&v->files, file, error);
    if (status == DET_OK) status = det_name_set_add(taken, file, &added, error);
    if (status < 0) return status;
    if (!*name)
        return det_fail(error, DET_ARGUMENT, "a class without a name has no file of results");
    if (!added)
        return det_fail(error, DET_ARGUMENT,
                        "two classes would have the file %s: rename one, or choose a format that "
                        "keeps whole names",
                        file);
    return det_data_set_check(&v->set, file, error);
}

static det_status name_classes(voc_results *v, det_error *error)
{
    const det_annotations *a = v->out->annotations;
    det_name_set taken = {0};
    det_status status = DET_OK;
    for (size_t c = 0; status == DET_OK && c < a->category_count; c++)
        status = name_class(v, a->categories[c].name, &taken, error);
    det_name_set_free(&taken);
    return status;
}

/* A reader looks a name up in the annotations; some are not found as they have to be written. */
static det_status name_picture(voc_results *v, size_t image, det_name_set *taken, det_error *error)
{
    const det_annotations *a = v->out->annotations;
    const char *file = a->images[image].file;
    size_t found = 0;
    char *stem = det_voc_stem(file);
    det_status status = det_paths_push(&v->stems, stem, error);
    if (status == DET_OK && !*stem)
        status = det_fail_at(error, DET_ARGUMENT, file, NULL, "is a picture without a name");
    if (status == DET_OK) status = det_picture_name_add(taken, stem, file, error);
    if (status < 0) return status;
    if (det_annotations_find_image(a, stem, &found, NULL) < 0 || found != image)
        det_loss_note(v->out->tally, DET_LOSS_IMAGE_NAME, "%.120s becomes %.80s", file, stem);
    return DET_OK;
}

static det_status name_pictures(voc_results *v, det_error *error)
{
    det_name_set taken = {0};
    det_status status = DET_OK;
    v->out->tally->descriptions[DET_LOSS_IMAGE_NAME] =
        "pictures that are called otherwise, as in VOC annotations that are made of these";
    for (size_t i = 0; status == DET_OK && i < v->out->annotations->image_count; i++)
        status = name_picture(v, i, &taken, error);
    det_name_set_free(&taken);
    return status;
}

/* ---- Files ---- */

static void put_line(const voc_results *v, size_t detection, FILE *stream)
{
    const det_detected_object *d = &v->out->results->objects[detection];
    double box[4];
    char number[DET_NUMBER_SIZE];
    det_results_out_box(v->out, detection, DET_BOX_INCLUSIVE, box);
    fprintf(stream, "%s %s", v->stems.items[d->image], det_exact_text(number, d->score));
    for (size_t i = 0; i < 4; i++) fprintf(stream, " %s", det_exact_text(number, box[i]));
    fputc('\n', stream);
}

static det_status write_class(const voc_results *v, size_t category, det_error *error)
{
    det_output file;
    char *path = det_path_join(v->set.root, v->files.items[category]);
    det_status status = path ? det_output_open(path, &file, error) : out_of_memory(error);
    if (status == DET_OK) {
        for (size_t i = v->groups.first[category]; i < v->groups.first[category + 1]; i++)
            put_line(v, v->groups.items[i], file.stream);
        status = det_output_commit(&file, error); /* finds a write that failed, too */
    }
    det_free(path);
    return status;
}

det_status det_results_write_voc(const det_results_out *out, det_error *error)
{
    voc_results v = {.out = out,
                     .set = {.root = out->path,
                             .overwrite = out->options->overwrite,
                             .adding = true /* beside whatever else is there */}};
    const size_t count = out->annotations->category_count;
    det_status status = det_results_group(out, true, &v.groups, error);
    if (status == DET_OK) status = name_pictures(&v, error);
    if (status == DET_OK) status = name_classes(&v, error);
    if (status == DET_OK) status = det_make_folder(out->path, error);
    for (size_t c = 0; status == DET_OK && c < count; c++) {
        status = det_run_check(out->options->run, c, count, error);
        if (status == DET_OK) status = write_class(&v, c, error);
    }
    det_results_groups_free(&v.groups);
    det_paths_free(&v.files);
    det_paths_free(&v.stems);
    return status;
}
