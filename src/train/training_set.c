/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/training_set.h"

#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/train/digest_chain.h"

#include <string.h>

/* ---- Classes -------------------------------------------------------------------------------- */

/* The size of a picture is not known before it is read; objects are then looked at again. */
static det_status find_classes(const det_annotations *a, det_learned_classes *classes,
                               det_error *error)
{
    classes->categories = det_alloc_array(a->category_count, sizeof *classes->categories);
    classes->classes = det_alloc_array(a->category_count, sizeof *classes->classes);
    if (!classes->categories || !classes->classes)
        return det_fail_memory(error, "the classes to learn");
    for (size_t i = 0; i < a->category_count; i++) classes->classes[i] = -1;
    for (size_t i = 0; i < a->object_count; i++)
        if (det_object_is_plain(&a->objects[i])) classes->classes[a->objects[i].category] = 0;
    for (size_t i = 0; i < a->category_count; i++) {
        if (classes->classes[i] < 0) continue;
        classes->classes[i] = (int)classes->count;
        classes->categories[classes->count++] = i;
    }
    if (classes->count > 0) return DET_OK;
    return det_fail(error, DET_ARGUMENT,
                    "there is nothing to learn: none of %zu objects on %zu pictures counts",
                    a->object_count, a->image_count);
}

/* ---- Digests -------------------------------------------------------------------------------- */

/* What the regions of a picture teach: their features, their labels, the boxes that they show. */
static void add_image_digest(const det_training_set *set, const det_training_image *image,
                             det_digest_chain *chain)
{
    const det_region_features *f = &image->features;
    det_digest_add_text(chain, f->digest);
    det_digest_add(chain, image->labels.labels, f->count * sizeof *image->labels.labels);
    for (size_t r = 0; r < f->count; r++) {
        if (image->labels.labels[r] < 0) continue;
        const det_box box = det_object_box(set->annotations, image->labels.objects[r],
                                           f->picture_width, f->picture_height);
        det_digest_add(chain, &box, sizeof box);
    }
}

static det_status digest_set(det_training_set *set, det_error *error)
{
    det_digest_chain all = {0}, pictures = {0};
    det_digest_add_number(&all, (double)set->classes.count);
    det_digest_add_number(&all, (double)set->width);
    for (size_t i = 0; i < set->image_count; i++) {
        add_image_digest(set, &set->images[i], &all);
        det_digest_add_text(&pictures, set->images[i].features.picture_digest);
    }
    if (all.failed || pictures.failed) return det_fail_memory(error, "the digest of a set");
    memcpy(set->digest, all.text, sizeof set->digest);
    memcpy(set->picture_digest, pictures.text, sizeof set->picture_digest);
    return DET_OK;
}

/* ---- Pictures ------------------------------------------------------------------------------- */

/* The boxes of the objects of a picture that are learned. */
static det_status list_objects(const det_annotations *a, const det_annotated_image *image,
                               const char *path, det_box **boxes, size_t *count, det_error *error)
{
    int width = 0, height = 0;
    const det_status status = det_image_size(path, &width, &height, error);
    if (status < 0) return status;
    *boxes = det_alloc_array(image->object_count, sizeof **boxes);
    if (!*boxes) return det_fail_memory(error, "the objects of a picture");
    for (size_t i = 0; i < image->object_count; i++) {
        const size_t object = image->first_object + i;
        if (det_object_counts(a, object, width, height))
            (*boxes)[(*count)++] = det_object_box(a, object, width, height);
    }
    return DET_OK;
}

static det_status add_image(det_training_set *set, size_t index, det_feature_store *store,
                            const det_example_options *options, const det_run *run,
                            det_error *error)
{
    const det_annotations *a = set->annotations;
    det_training_image *image = &set->images[index];
    det_box *boxes = NULL;
    size_t count = 0;
    char *path = det_path_join(a->folder, a->images[index].file);
    if (!path) return det_fail_memory(error, "the name of a picture");
    det_status status = list_objects(a, &a->images[index], path, &boxes, &count, error);
    if (status == DET_OK)
        status = det_feature_store_get(store, path, boxes, count, run, &image->features, error);
    if (status == DET_OK)
        status = det_label_regions(a, index, &set->classes, &image->features, options,
                                   &image->labels, error);
    set->region_count += image->features.proposal_count;
    det_free(boxes);
    det_free(path);
    return status;
}

det_status det_training_set_make(const det_annotations *annotations,
                                 det_feature_store *const *stores, const int *folds,
                                 const det_example_options *options, const det_run *run,
                                 det_training_set *set, det_error *error)
{
    const size_t count = annotations->image_count;
    *set =
        (det_training_set){.annotations = annotations, .width = det_feature_store_width(stores[0])};
    det_status status = find_classes(annotations, &set->classes, error);
    if (status < 0) return status;
    set->images = det_alloc_zeroed(count, sizeof *set->images);
    if (!set->images) return det_fail_memory(error, "the pictures to learn from");
    set->image_count = count;
    for (size_t i = 0; i < count; i++) {
        status = det_run_check(run, i, count, error);
        if (status == DET_OK)
            status = add_image(set, i, stores[folds ? folds[i] : 0], options, run, error);
        if (status < 0) return status;
    }
    status = digest_set(set, error);
    return status == DET_OK ? det_run_check(run, count, count, error) : status;
}

void det_training_set_free(det_training_set *set)
{
    for (size_t i = 0; i < set->image_count; i++) {
        det_region_features_free(&set->images[i].features);
        det_region_labels_free(&set->images[i].labels);
    }
    det_free(set->images);
    det_free(set->classes.categories);
    det_free(set->classes.classes);
    *set = (det_training_set){0};
}

/* ---- Rows ----------------------------------------------------------------------------------- */

int det_row_label(const det_training_set *set, det_row row)
{
    return set->images[row.image].labels.labels[row.region];
}

void det_row_features(const det_training_set *set, det_row row, float *features)
{
    const det_region_features *from = &set->images[row.image].features;
    const uint8_t *values = from->values + row.region * set->width;
    const float scale = from->scales[row.region];
    for (size_t i = 0; i < set->width; i++) features[i] = (float)values[i] * scale;
}
