/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/suspicions.h"

#include "src/base/memory.h"
#include "src/base/number.h"
#include "src/base/text.h"

#include <math.h>
#include <stdlib.h>

/* A detection of less does not speak; overlaps from which a detection fits a label, is of the same
 * object (below a quarter it was a neighbour in every picture of fruit that was looked at), and
 * touches it; and from which two labels are of one object. */
static const double confident = .5, fits = .5, is_near = .25, touches = .1;
static const double same_box = .8, same_box_of_others = .9;

const char *det_suspicion_kind_name(det_suspicion_kind kind)
{
    static const char *const names[DET_SUSPICION_KINDS] = {
        [DET_SUSPICION_MISSED] = "missed box",
        [DET_SUSPICION_CLASS] = "wrong class",
        [DET_SUSPICION_BOX] = "loose box",
        [DET_SUSPICION_DUPLICATE] = "duplicate",
    };
    return (unsigned)kind < DET_SUSPICION_KINDS ? names[kind] : "unknown";
}

void det_suspicions_free(det_suspicions *list)
{
    for (size_t i = 0; i < list->count; i++) det_free((char *)list->items[i].why);
    det_free(list->items);
    *list = (det_suspicions){0};
}

/* ---- A picture ------------------------------------------------------------------------------ */

typedef struct {
    const det_annotations *annotations;
    size_t index; /* of the picture */
    const det_detected_object *found;
    size_t found_count;
    det_suspicions *list;
} picture;

static det_box box_of(const det_detected_object *found)
{
    const double *b = found->box;
    return (det_box){(float)b[0], (float)b[1], (float)(b[0] + b[2]), (float)(b[1] + b[3])};
}

static size_t first_object(const picture *p)
{
    return p->annotations->images[p->index].first_object;
}

static size_t end_object(const picture *p)
{
    return first_object(p) + p->annotations->images[p->index].object_count;
}

static det_status add(const picture *p, det_suspicion suspicion, det_error *error)
{
    det_suspicions *list = p->list;
    suspicion.image = p->index;
    if (!det_grow_array(&list->items, &list->capacity, list->count + 1, sizeof *list->items))
        return det_fail_memory(error, "suspicious labels");
    list->items[list->count++] = suspicion;
    return DET_OK;
}

/* ---- Detections that labels do not explain -------------------------------------------------- */

/* The labels that a detection overlaps most: of any class, and of its own. */
typedef struct {
    size_t any, same;
    double any_overlap, same_overlap;
    bool marked; /* it shows what does not count */
} neighbours;

static neighbours neighbours_of(const picture *p, const det_detected_object *d)
{
    const det_box box = box_of(d);
    neighbours n = {.any = SIZE_MAX, .same = SIZE_MAX};
    for (size_t i = first_object(p); i < end_object(p); i++) {
        const det_annotated_object *object = &p->annotations->objects[i];
        const det_box label = det_annotations_box(p->annotations, i);
        const double overlap = det_box_iou(box, label);
        if (!det_object_is_plain(object)) {
            n.marked |= object->crowd ? det_share_in_crowd(box, label) >= fits : overlap >= touches;
            continue;
        }
        if (overlap > n.any_overlap) {
            n.any = i;
            n.any_overlap = overlap;
        }
        if (object->category == d->category && overlap > n.same_overlap) {
            n.same = i;
            n.same_overlap = overlap;
        }
    }
    return n;
}

/* What speaks for a label: the best score of a detection of its class that fits it. */
static double support_of(const picture *p, size_t object)
{
    const det_box label = det_annotations_box(p->annotations, object);
    double most = 0;
    for (size_t i = 0; i < p->found_count; i++) {
        const det_detected_object *d = &p->found[i];
        if (d->category != p->annotations->objects[object].category || d->score <= most) continue;
        if (det_box_iou(box_of(d), label) >= fits) most = d->score;
    }
    return most;
}

static det_status judge(const picture *p, const det_detected_object *d, det_error *error)
{
    if (d->score < confident) return DET_OK;
    const neighbours n = neighbours_of(p, d);
    if (n.marked || n.same_overlap >= fits) return DET_OK;
    det_suspicion s = {.object = SIZE_MAX,
                       .other = SIZE_MAX,
                       .category = d->category,
                       .box = box_of(d),
                       .score = d->score,
                       .overlap = n.any_overlap,
                       .doubt = d->score};
    if (n.any_overlap >= fits) {
        s.kind = DET_SUSPICION_CLASS;
        s.object = n.any;
        s.doubt *= d->score / (d->score + support_of(p, n.any));
    } else if (n.same_overlap >= is_near) {
        s.kind = DET_SUSPICION_BOX;
        s.object = n.same;
        s.overlap = n.same_overlap;
        s.doubt *= (1 - support_of(p, n.same)) * (1 - n.same_overlap);
    } else if (n.any_overlap < touches) {
        s.kind = DET_SUSPICION_MISSED;
        s.doubt *= 1 - n.any_overlap;
    } else {
        return DET_OK;
    }
    return add(p, s, error);
}

/* ---- Labels of one object ------------------------------------------------------------------- */

static det_status compare_labels(const picture *p, size_t first, size_t second, det_error *error)
{
    const det_annotated_object *a = &p->annotations->objects[first],
                               *b = &p->annotations->objects[second];
    if (!det_object_is_plain(a) || !det_object_is_plain(b)) return DET_OK;
    const det_box box = det_annotations_box(p->annotations, first);
    const double overlap = det_box_iou(box, det_annotations_box(p->annotations, second));
    if (overlap < (a->category == b->category ? same_box : same_box_of_others)) return DET_OK;
    const det_suspicion s = {.kind = DET_SUSPICION_DUPLICATE,
                             .object = second,
                             .other = first,
                             .category = a->category,
                             .box = box,
                             .score = NAN,
                             .overlap = overlap,
                             .doubt = overlap};
    return add(p, s, error);
}

static det_status look_at(const picture *p, det_error *error)
{
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < p->found_count; i++)
        status = judge(p, &p->found[i], error);
    for (size_t i = first_object(p); i < end_object(p); i++)
        for (size_t j = i + 1; status == DET_OK && j < end_object(p); j++)
            status = compare_labels(p, i, j, error);
    return status;
}

/* ---- The most doubtful ---------------------------------------------------------------------- */

static int compare_doubt(const void *a, const void *b)
{
    const det_suspicion *x = a, *y = b;
    if (x->doubt != y->doubt) return x->doubt < y->doubt ? 1 : -1;
    if (x->image != y->image) return x->image < y->image ? -1 : 1;
    if (x->object != y->object) return x->object < y->object ? -1 : 1;
    if (x->other != y->other) return x->other < y->other ? -1 : 1;
    if (x->category != y->category) return x->category < y->category ? -1 : 1;
    if (x->box.x0 != y->box.x0) return x->box.x0 < y->box.x0 ? -1 : 1;
    return (x->box.y0 > y->box.y0) - (x->box.y0 < y->box.y0);
}

static det_box place_of(const det_annotations *annotations, const det_suspicion *s)
{
    return s->object == SIZE_MAX ? s->box : det_annotations_box(annotations, s->object);
}

static bool same_place(const det_annotations *annotations, const det_suspicion *a,
                       const det_suspicion *b)
{
    if (a->image != b->image) return false;
    if (a->object != SIZE_MAX && (a->object == b->object || a->object == b->other)) return true;
    if (b->object != SIZE_MAX && b->object == a->other) return true;
    return det_box_iou(place_of(annotations, a), place_of(annotations, b)) >= fits;
}

/* Keeps, in order, those at places of which none was kept yet. */
static void keep_most(const det_annotations *annotations, size_t most, det_suspicions *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count && kept < most; i++) {
        bool there = false;
        for (size_t k = 0; k < kept && !there; k++)
            there = same_place(annotations, &list->items[k], &list->items[i]);
        if (!there) list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

/* ---- Why ------------------------------------------------------------------------------------ */

static const char *share_text(char text[DET_NUMBER_SIZE], double share)
{
    return det_fixed_text(text, share, 2);
}

static det_status explain(const det_annotations *annotations, det_suspicion *s, det_error *error)
{
    char score[DET_NUMBER_SIZE], overlap[DET_NUMBER_SIZE];
    const char *found = annotations->categories[s->category].name;
    const char *label =
        s->object == SIZE_MAX
            ? NULL
            : annotations->categories[annotations->objects[s->object].category].name;
    det_text why = {0};
    share_text(score, s->score);
    share_text(overlap, s->overlap);
    switch (s->kind) {
    case DET_SUSPICION_MISSED:
        det_text_format(&why, "%s is found here (%s) and has no label", found, score);
        break;
    case DET_SUSPICION_CLASS:
        det_text_format(&why, "labelled %s, found as %s (%s)", label, found, score);
        break;
    case DET_SUSPICION_BOX:
        det_text_format(&why,
                        "%s is found elsewhere (%s): its box and the label's have an IoU of %s",
                        found, score, overlap);
        break;
    default:
        det_text_format(&why, "labelled twice, %s and %s: their boxes have an IoU of %s", found,
                        label, overlap);
    }
    if (why.failed) {
        det_text_free(&why);
        return det_fail_memory(error, "suspicious labels");
    }
    s->why = why.data;
    return DET_OK;
}

det_status det_find_suspicions(const det_annotations *annotations,
                               const det_held_out_objects *found, size_t most, det_suspicions *list,
                               det_error *error)
{
    det_status status = DET_OK;
    size_t next = 0;
    *list = (det_suspicions){0};
    for (size_t i = 0; status == DET_OK && i < annotations->image_count; i++) {
        picture p = {
            .annotations = annotations, .index = i, .found = found->items + next, .list = list};
        while (next < found->count && found->items[next].image == i) next++;
        p.found_count = next - (size_t)(p.found - found->items);
        status = look_at(&p, error);
    }
    if (list->count > 0) qsort(list->items, list->count, sizeof *list->items, compare_doubt);
    keep_most(annotations, most, list);
    for (size_t i = 0; status == DET_OK && i < list->count; i++)
        status = explain(annotations, &list->items[i], error);
    return status;
}
