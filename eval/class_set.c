/* SPDX-License-Identifier: Apache-2.0 */
/* Objects and detections of one class, in the metric's own boxes and order.
 *
 * Detections are ordered by score, highest first; equal scores by the id of their picture where the
 * metric goes through pictures (COCO, ILSVRC), then by their place in the file. */
#include "eval/class_set.h"

#include "eval/same_ids.h"
#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/data/boxes.h"
#include "src/data/id_places.h"

#include <stdlib.h>
#include <string.h>

/* ---- The order of pictures ---- */

uint32_t *det_eval_image_places(const det_annotations *annotations)
{
    const size_t count = annotations->image_count;
    det_id_place *ids = det_alloc_array(count, sizeof *ids);
    uint32_t *places = ids ? det_alloc_array(count, sizeof *places) : NULL;
    for (size_t i = 0; places && i < count; i++)
        ids[i] = (det_id_place){annotations->images[i].id, i};
    if (places) det_id_places_sort(ids, count);
    for (size_t i = 0; places && i < count; i++) places[ids[i].at] = (uint32_t)i;
    det_free(ids);
    return places;
}

int det_eval_key_compare(const void *a, const void *b)
{
    const det_eval_key *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    if (x->place != y->place) return x->place < y->place ? -1 : 1;
    return (x->detection > y->detection) - (x->detection < y->detection);
}

/* ---- What is left out ---- */

static int compare_pairs(const void *a, const void *b)
{
    const det_image_class *x = a, *y = b;
    if (x->category != y->category) return x->category < y->category ? -1 : 1;
    return (x->image > y->image) - (x->image < y->image);
}

typedef struct pair_list {
    det_image_class *pairs; /* sorted */
    size_t count;
} pair_list;

static bool has_pair(const pair_list *list, det_image_class key)
{
    return list->count > 0 &&
           bsearch(&key, list->pairs, list->count, sizeof key, compare_pairs) != NULL;
}

static det_status copy_pairs(const det_annotations *annotations, const det_eval_options *options,
                             pair_list *list, det_error *error)
{
    for (size_t i = 0; i < options->left_out_count; i++)
        if (options->left_out[i].image >= annotations->image_count ||
            options->left_out[i].category >= annotations->category_count)
            return det_fail(error, DET_ARGUMENT,
                            "left_out[%zu]: picture %zu of %zu, class %zu of %zu", i,
                            options->left_out[i].image, annotations->image_count,
                            options->left_out[i].category, annotations->category_count);
    if (options->left_out_count == 0) return DET_OK;
    list->pairs = det_alloc_array(options->left_out_count, sizeof *list->pairs);
    if (!list->pairs) return det_fail_memory(error, "an evaluation");
    list->count = options->left_out_count;
    memcpy(list->pairs, options->left_out, list->count * sizeof *list->pairs);
    qsort(list->pairs, list->count, sizeof *list->pairs, compare_pairs);
    return DET_OK;
}

/* ---- Grouping by class ---- */

typedef det_image_class place_function(const void *list, size_t at);

static det_image_class place_of_object(const void *annotations, size_t at)
{
    const det_annotated_object *o = &((const det_annotations *)annotations)->objects[at];
    return (det_image_class){o->image, o->category};
}

static det_image_class place_of_detection(const void *results, size_t at)
{
    const det_detected_object *d = &((const det_results *)results)->objects[at];
    return (det_image_class){d->image, d->category};
}

/* A counting sort of `count` things by class, those left out dropped. @return how many these are.
 */
static size_t group(const void *list, size_t count, place_function *place,
                    const pair_list *left_out, uint32_t *grouped, size_t *first, size_t classes)
{
    size_t dropped = 0;
    for (size_t i = 0; i < count; i++) {
        const det_image_class at = place(list, i);
        if (has_pair(left_out, at))
            dropped++;
        else
            first[at.category + 1]++;
    }
    for (size_t c = 0; c < classes; c++) first[c + 1] += first[c];
    for (size_t i = 0; i < count; i++) {
        const det_image_class at = place(list, i);
        if (!has_pair(left_out, at)) grouped[first[at.category]++] = (uint32_t)i;
    }
    memmove(first + 1, first, classes * sizeof *first); /* each now says where its class ends */
    first[0] = 0;
    return dropped;
}

static det_status check_detections(const det_annotations *annotations, const det_results *results,
                                   det_error *error)
{
    if (annotations->image_count >= UINT32_MAX || annotations->category_count >= UINT32_MAX ||
        annotations->object_count >= UINT32_MAX || results->object_count >= UINT32_MAX)
        return det_fail(error, DET_LIMIT,
                        "%zu pictures, %zu classes, %zu objects, %zu detections: at most 2^32 - 2",
                        annotations->image_count, annotations->category_count,
                        annotations->object_count, results->object_count);
    for (size_t i = 0; i < results->object_count; i++)
        if (results->objects[i].image >= annotations->image_count ||
            results->objects[i].category >= annotations->category_count)
            return det_fail(error, DET_ARGUMENT,
                            "detection %zu is on picture %u of %zu, of class %u of %zu", i,
                            results->objects[i].image, annotations->image_count,
                            results->objects[i].category, annotations->category_count);
    return DET_OK;
}

static bool allocate_index(det_eval_index *index)
{
    const size_t classes = index->annotations->category_count;
    index->objects = det_alloc_array(index->annotations->object_count, sizeof *index->objects);
    index->object_first = det_alloc_zeroed(classes + 1, sizeof *index->object_first);
    index->detections = det_alloc_array(index->results->object_count, sizeof *index->detections);
    index->detection_first = det_alloc_zeroed(classes + 1, sizeof *index->detection_first);
    index->image_places = det_eval_image_places(index->annotations);
    return index->objects && index->object_first && index->detections && index->detection_first &&
           index->image_places;
}

static bool group_objects(det_eval_index *index, const det_eval_options *options,
                          const pair_list *left_out)
{
    const det_annotations *annotations = index->annotations;
    if (annotations->last_of_id && options->metric == DET_METRIC_COCO && !options->corrected)
        return det_eval_group_same_ids(annotations, index->image_places, index->objects,
                                       index->object_first);
    index->left_out_objects =
        group(annotations, annotations->object_count, place_of_object, left_out, index->objects,
              index->object_first, annotations->category_count);
    return true;
}

det_status det_eval_index_make(const det_annotations *annotations, const det_results *results,
                               const det_eval_options *options, det_eval_index *index,
                               det_error *error)
{
    const size_t classes = annotations->category_count;
    pair_list left_out = {0};
    *index = (det_eval_index){.annotations = annotations, .results = results};
    det_status status = check_detections(annotations, results, error);
    if (status == DET_OK) status = copy_pairs(annotations, options, &left_out, error);
    if (status < 0) return status;
    if (allocate_index(index) && group_objects(index, options, &left_out)) {
        index->left_out_detections =
            group(results, results->object_count, place_of_detection, &left_out, index->detections,
                  index->detection_first, classes);
    } else {
        status = det_fail_memory(error, "an evaluation");
    }
    det_free(left_out.pairs);
    return status;
}

void det_eval_index_free(det_eval_index *index)
{
    det_free(index->image_places);
    det_free(index->objects);
    det_free(index->object_first);
    det_free(index->detections);
    det_free(index->detection_first);
    *index = (det_eval_index){0};
}

/* ---- Objects of a class ---- */

det_eval_object det_eval_object_make(const det_annotations *annotations,
                                     const det_eval_rules *rules, uint32_t object)
{
    const det_annotated_object *o = &annotations->objects[object];
    const bool coco = rules->metric == DET_METRIC_COCO;
    /* pycocotools looks at no mark of its files but "iscrowd" */
    const bool unheeded = coco && !rules->corrected && annotations->format == DET_ANNOTATIONS_COCO;
    const bool marked = o->crowd || (!unheeded && (o->difficult || o->ignore));
    det_eval_object made = {.area = o->area,
                            .image = (uint32_t)o->image,
                            .object = object,
                            .crowd = coco && o->crowd,
                            .ignored = rules->metric != DET_METRIC_ILSVRC && marked,
                            .unseen = coco && o->id == 0 && !rules->corrected};
    det_annotations_box_in(annotations, object, rules->form, made.box);
    return made;
}

size_t det_class_set_image_end(const det_class_set *set, size_t begin)
{
    size_t end = begin + 1;
    while (end < set->object_count && set->objects[end].image == set->objects[begin].image) end++;
    return end;
}

/* ---- Detections of a class ---- */

static void make_keys(const det_eval_index *index, const det_eval_rules *rules, size_t category,
                      det_eval_key *keys)
{
    const size_t first = index->detection_first[category];
    const size_t count = index->detection_first[category + 1] - first;
    for (size_t i = 0; i < count; i++) {
        const uint32_t at = index->detections[first + i];
        const det_detected_object *d = &index->results->objects[at];
        keys[i] =
            (det_eval_key){d->score, rules->image_order ? index->image_places[d->image] : 0, at};
    }
    if (count > 0) qsort(keys, count, sizeof *keys, det_eval_key_compare);
}

/* Takes the best detections of each picture; first[image + 1] counts them. */
static void take_detections(const det_eval_index *index, const det_eval_rules *rules,
                            const det_eval_key *keys, size_t count, det_class_set *set)
{
    const size_t most = rules->max_detections_count > 0
                            ? rules->max_detections[rules->max_detections_count - 1]
                            : SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        const det_detected_object *d = &index->results->objects[keys[i].detection];
        uint32_t *taken = &set->first[d->image + 1];
        if (*taken >= most) {
            set->cut++;
            continue;
        }
        const size_t at = set->count++;
        set->detections[at] = keys[i].detection;
        set->images[at] = d->image;
        set->ranks[at] = (*taken)++;
        det_box_convert(d->box, index->results->form, rules->form, set->boxes[at]);
    }
}

static void group_by_image(size_t image_count, det_class_set *set)
{
    for (size_t i = 0; i < image_count; i++) set->first[i + 1] += set->first[i];
    for (size_t i = 0; i < set->count; i++)
        set->by_image[set->first[set->images[i]] + set->ranks[i]] = (uint32_t)i;
}

static bool allocate_set(det_class_set *set, size_t objects, size_t detections, size_t images)
{
    set->objects = det_alloc_array(objects, sizeof *set->objects);
    set->detections = det_alloc_array(detections, sizeof *set->detections);
    set->images = det_alloc_array(detections, sizeof *set->images);
    set->ranks = det_alloc_array(detections, sizeof *set->ranks);
    set->boxes = det_alloc_array(detections, sizeof *set->boxes);
    set->by_image = det_alloc_array(detections, sizeof *set->by_image);
    set->first = det_alloc_zeroed(images + 1, sizeof *set->first);
    return set->objects && set->detections && set->images && set->ranks && set->boxes &&
           set->by_image && set->first;
}

det_status det_class_set_make(const det_eval_index *index, const det_eval_rules *rules,
                              size_t category, det_class_set *set, det_error *error)
{
    const uint32_t *objects = index->objects + index->object_first[category];
    const size_t object_count = index->object_first[category + 1] - index->object_first[category];
    const size_t count = index->detection_first[category + 1] - index->detection_first[category];
    *set = (det_class_set){.object_count = object_count};
    det_eval_key *keys = det_alloc_array(count, sizeof *keys);
    const bool enough =
        keys && allocate_set(set, object_count, count, index->annotations->image_count);
    if (enough) {
        for (size_t i = 0; i < object_count; i++)
            set->objects[i] = det_eval_object_make(index->annotations, rules, objects[i]);
        make_keys(index, rules, category, keys);
        take_detections(index, rules, keys, count, set);
        group_by_image(index->annotations->image_count, set);
    }
    det_free(keys);
    return enough ? DET_OK : det_fail_memory(error, "an evaluation");
}

void det_class_set_free(det_class_set *set)
{
    det_free(set->objects);
    det_free(set->detections);
    det_free(set->images);
    det_free(set->ranks);
    det_free(set->boxes);
    det_free(set->by_image);
    det_free(set->first);
    *set = (det_class_set){0};
}
