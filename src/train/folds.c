/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/folds.h"

#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/train/examples.h"

#include <stdlib.h>
#include <string.h>

/* A class that a picture shows. */
typedef struct {
    size_t category, image, rank; /* rank: of the picture among all, by lot */
} showing;

typedef struct {
    const det_annotations *annotations;
    size_t fold_count;
    size_t *ranks;                /* of each picture */
    size_t *images, *fold_lots;   /* pictures and folds by lot */
    showing *by_image, *by_class; /* the same, in the order of pictures, of classes and lots */
    size_t *image_first;          /* image_count + 1 places in by_image */
    size_t *class_first;          /* category_count + 1 places in by_class */
    size_t *left;                 /* of each class: pictures without a fold */
    size_t *given;                /* fold_count x category_count: pictures */
    size_t *sizes;                /* of each fold: pictures */
    int *folds;
} split;

/* ---- Room ----------------------------------------------------------------------------------- */

static void release(split *s)
{
    det_free(s->ranks);
    det_free(s->images);
    det_free(s->fold_lots);
    det_free(s->by_image);
    det_free(s->by_class);
    det_free(s->image_first);
    det_free(s->class_first);
    det_free(s->left);
    det_free(s->given);
    det_free(s->sizes);
}

static bool allocate(split *s)
{
    const det_annotations *a = s->annotations;
    size_t cells;
    if (!det_multiply_size(s->fold_count, a->category_count, &cells)) return false;
    s->ranks = det_alloc_array(a->image_count, sizeof *s->ranks);
    s->images = det_alloc_array(a->image_count, sizeof *s->images);
    s->fold_lots = det_alloc_array(s->fold_count, sizeof *s->fold_lots);
    s->by_image = det_alloc_array(a->object_count, sizeof *s->by_image);
    s->by_class = det_alloc_array(a->object_count, sizeof *s->by_class);
    s->image_first = det_alloc_zeroed(a->image_count + 1, sizeof *s->image_first);
    s->class_first = det_alloc_zeroed(a->category_count + 1, sizeof *s->class_first);
    s->left = det_alloc_zeroed(a->category_count, sizeof *s->left);
    s->given = det_alloc_zeroed(cells, sizeof *s->given);
    s->sizes = det_alloc_zeroed(s->fold_count, sizeof *s->sizes);
    return s->ranks && s->images && s->fold_lots && s->by_image && s->by_class && s->image_first &&
           s->class_first && s->left && s->given && s->sizes;
}

/* ---- What pictures show --------------------------------------------------------------------- */

/* The classes of a picture, once each, into by_image from `count` on. */
static size_t list_image(split *s, size_t image, size_t count)
{
    const det_annotated_image *pictured = &s->annotations->images[image];
    for (size_t i = 0; i < pictured->object_count; i++) {
        const det_annotated_object *object = &s->annotations->objects[pictured->first_object + i];
        if (!det_object_is_plain(object)) continue;
        size_t at = s->image_first[image];
        while (at < count && s->by_image[at].category != object->category) at++;
        if (at < count) continue;
        s->by_image[count++] = (showing){object->category, image, s->ranks[image]};
        s->left[object->category]++;
    }
    return count;
}

static int compare_showings(const void *a, const void *b)
{
    const showing *x = a, *y = b;
    if (x->category != y->category) return x->category < y->category ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void list_showings(split *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->annotations->image_count; i++) {
        s->image_first[i] = count;
        count = list_image(s, i, count);
    }
    s->image_first[s->annotations->image_count] = count;
    memcpy(s->by_class, s->by_image, count * sizeof *s->by_class);
    if (count > 0) qsort(s->by_class, count, sizeof *s->by_class, compare_showings);
    for (size_t c = 0; c < s->annotations->category_count; c++)
        s->class_first[c + 1] = s->class_first[c] + s->left[c];
}

/* ---- Dealing -------------------------------------------------------------------------------- */

/* `of_class`: of each fold, category_count apart, the pictures of a class; NULL: it has none. */
static size_t choose_fold(const split *s, const size_t *of_class)
{
    const size_t stride = s->annotations->category_count;
    size_t best = s->fold_lots[0];
    for (size_t i = 1; i < s->fold_count; i++) {
        const size_t fold = s->fold_lots[i];
        const size_t more = of_class ? of_class[fold * stride] : 0;
        const size_t least = of_class ? of_class[best * stride] : 0;
        if (more < least || (more == least && s->sizes[fold] < s->sizes[best])) best = fold;
    }
    return best;
}

static void give(split *s, size_t image, size_t fold)
{
    s->folds[image] = (int)fold;
    s->sizes[fold]++;
    for (size_t i = s->image_first[image]; i < s->image_first[image + 1]; i++) {
        const size_t category = s->by_image[i].category;
        s->left[category]--;
        s->given[fold * s->annotations->category_count + category]++;
    }
}

/* @return the class with fewest pictures left, at least 1; category_count where all are dealt. */
static size_t find_rarest(const split *s)
{
    size_t rarest = s->annotations->category_count;
    for (size_t c = 0; c < s->annotations->category_count; c++)
        if (s->left[c] > 0 &&
            (rarest == s->annotations->category_count || s->left[c] < s->left[rarest]))
            rarest = c;
    return rarest;
}

static void deal(split *s)
{
    const det_annotations *a = s->annotations;
    for (size_t i = 0; i < a->image_count; i++) s->folds[i] = -1;
    for (size_t c; (c = find_rarest(s)) < a->category_count;)
        for (size_t i = s->class_first[c]; i < s->class_first[c + 1]; i++) {
            const size_t image = s->by_class[i].image;
            if (s->folds[image] < 0) give(s, image, choose_fold(s, s->given + c));
        }
    for (size_t i = 0; i < a->image_count; i++)
        if (s->folds[s->images[i]] < 0) give(s, s->images[i], choose_fold(s, NULL));
}

det_status det_split_folds(const det_annotations *annotations, size_t fold_count, uint64_t seed,
                           int *folds, det_error *error)
{
    split s = {.annotations = annotations, .fold_count = fold_count, .folds = folds};
    det_random random = det_random_create(seed, 0);
    if (!allocate(&s)) {
        release(&s);
        return det_fail_memory(error, "the folds of a cross-validation");
    }
    det_random_order(&random, s.images, annotations->image_count);
    det_random_order(&random, s.fold_lots, fold_count);
    for (size_t i = 0; i < annotations->image_count; i++) s.ranks[s.images[i]] = i;
    list_showings(&s);
    deal(&s);
    release(&s);
    return DET_OK;
}
