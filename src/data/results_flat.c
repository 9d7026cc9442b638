/* SPDX-License-Identifier: Apache-2.0 */
/* COCO results as nearly all programs write them:
 *   [{"image_id":42,"category_id":18,"bbox":[258.15,41.29,348.26,243.78],"score":0.236}, ...]
 * flat objects of known members, numbers and one array of four numbers. They are read in place,
 * several pieces at once. Whatever is not exactly so ends this reading, and results_coco.c reads
 * the text from the beginning, with everything that JSON allows and with places in its errors: here
 * nothing is accepted that it would refuse.
 *
 * A piece begins at a '{' behind a '}' and a ','. Should these stand inside of a string or a deeper
 * array, then the piece before does not end where it should, and the reading ends, too. */
#include "src/base/memory.h"
#include "src/base/number.h"
#include "src/base/parallel.h"
#include "src/data/results.h"

#include <string.h>

/* A part of the text that is read by one thread. */
typedef struct piece {
    const char *at, *end;
    bool last;
    const det_result_names *names;
    det_results_part part;
    int64_t image_id, category_id; /* of the object before: mostly it has the same image */
    uint32_t image, category;
    bool image_known, category_known, begun;
    bool flat;
    det_status status;
} piece;

enum member {
    IMAGE_ID = 1,
    CATEGORY_ID = 2,
    BBOX = 4,
    SCORE = 8,
    NEEDED = 15,
    ID = 16, /* these are passed over */
    AREA = 32,
    IS_CROWD = 64
};

typedef struct record {
    int64_t image_id, category_id;
    double box[4], score;
    unsigned seen; /* enum member */
} record;

/* ---- Reading in place. Each returns false where the text is not as it should be. ---- */

static void skip_space(piece *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t'))
        p->at++;
}

/* White space and this character. */
static bool take(piece *p, char wanted)
{
    skip_space(p);
    if (p->at == p->end || *p->at != wanted) return false;
    p->at++;
    return true;
}

static bool take_number(piece *p, double *value)
{
    skip_space(p);
    const size_t length = det_number_scan(p->at, (size_t)(p->end - p->at), value);
    p->at += length;
    return length > 0;
}

/* An integer of at most 18 digits. */
static bool take_integer(piece *p, int64_t *value)
{
    skip_space(p);
    const char *at = p->at;
    const bool negative = at < p->end && *at == '-';
    if (negative) at++;
    const char *digits = at;
    int64_t number = 0;
    while (at < p->end && *at >= '0' && *at <= '9' && at - digits <= 18)
        number = number * 10 + (*at++ - '0');
    if (at == digits || at - digits > 18 || (at - digits > 1 && *digits == '0')) return false;
    p->at = at;
    *value = negative ? -number : number;
    return true;
}

static bool take_box(piece *p, double box[4])
{
    if (!take(p, '[')) return false;
    for (size_t i = 0; i < 4; i++)
        if ((i > 0 && !take(p, ',')) || !take_number(p, &box[i])) return false;
    return take(p, ']');
}

static bool is_key(const char *key, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(key, name, length) == 0;
}

static unsigned member_of(const char *key, size_t length)
{
    if (is_key(key, length, "image_id")) return IMAGE_ID;
    if (is_key(key, length, "category_id")) return CATEGORY_ID;
    if (is_key(key, length, "bbox")) return BBOX;
    if (is_key(key, length, "score")) return SCORE;
    if (is_key(key, length, "id")) return ID;
    if (is_key(key, length, "area")) return AREA;
    return is_key(key, length, "iscrowd") ? IS_CROWD : 0;
}

static bool take_key(piece *p, unsigned *member)
{
    if (!take(p, '"')) return false;
    const char *key = p->at;
    const char *quote = memchr(key, '"', (size_t)(p->end - key));
    if (!quote) return false;
    *member = member_of(key, (size_t)(quote - key));
    p->at = quote + 1;
    return *member != 0 && take(p, ':');
}

static bool take_member(piece *p, record *r)
{
    unsigned member;
    double dropped;
    if (!take_key(p, &member) || (r->seen & member) != 0) return false;
    r->seen |= member;
    if (member == IMAGE_ID) return take_integer(p, &r->image_id);
    if (member == CATEGORY_ID) return take_integer(p, &r->category_id);
    if (member == BBOX) return take_box(p, r->box);
    return take_number(p, member == SCORE ? &r->score : &dropped);
}

static bool take_record(piece *p, record *r)
{
    r->seen = 0;
    if (!take(p, '{')) return false;
    do {
        if (!take_member(p, r)) return false;
    } while (take(p, ','));
    return take(p, '}') && (r->seen & NEEDED) == NEEDED;
}

/* ---- Objects ---- */

static void settle(piece *p, const record *r)
{
    if (!p->begun || r->image_id != p->image_id)
        p->image_known = det_result_image_by_id(p->names, r->image_id, &p->image);
    if (!p->begun || r->category_id != p->category_id)
        p->category_known = det_result_class_by_id(p->names, r->category_id, &p->category);
    p->begun = true;
    p->image_id = r->image_id;
    p->category_id = r->category_id;
}

static det_status keep(piece *p, const record *r)
{
    settle(p, r);
    if (!p->image_known || !p->category_known)
        return det_results_leave_out(&p->part, p->image_known, r->image_id, r->category_id, NULL);
    const det_detected_object object = {
        .image = p->image,
        .category = p->category,
        .score = r->score,
        .box = {r->box[0], r->box[1], r->box[2], r->box[3]},
    };
    return det_results_add(&p->part, &object, DET_BOX_SIZED, NULL);
}

/* A piece ends behind a comma, the last one behind the bracket of the array. */
static bool at_end(piece *p)
{
    skip_space(p);
    return p->at == p->end;
}

static void read_piece(piece *p)
{
    record r;
    while (p->status == DET_OK) {
        if (!take_record(p, &r)) return;
        p->status = keep(p, &r);
        if (take(p, ',')) {
            if (!p->last && at_end(p)) break;
            continue;
        }
        if (!p->last || !take(p, ']') || !at_end(p)) return;
        break;
    }
    p->flat = true;
}

static void run_piece(void *context, size_t index, int worker)
{
    (void)worker;
    read_piece((piece *)context + index);
}

/* ---- Pieces ---- */

/* The first '{' behind "}," from `at` on, or `end`. */
static const char *find_boundary(const char *at, const char *end)
{
    piece p = {.end = end};
    while (at < end) {
        const char *brace = memchr(at, '}', (size_t)(end - at));
        if (!brace) return end;
        p.at = at = brace + 1;
        if (!take(&p, ',')) continue;
        skip_space(&p);
        if (p.at < end && *p.at == '{') return p.at;
    }
    return end;
}

/* Cuts a text into at most `most` pieces. @return how many. */
static size_t cut(piece *pieces, size_t most, const char *begin, const char *end,
                  const det_result_names *names)
{
    const size_t size = (size_t)(end - begin);
    size_t count = 0;
    for (const char *at = begin; at < end; count++) {
        const char *next = begin + size / most * (count + 1);
        next = count + 1 < most ? find_boundary(next > at ? next : at, end) : end;
        pieces[count] = (piece){.at = at, .end = next, .last = next == end, .names = names};
        at = next;
    }
    return count;
}

static det_status join(piece *pieces, size_t count, det_results_part *part, bool *flat,
                       det_error *error)
{
    *flat = count > 0;
    for (size_t i = 0; i < count; i++)
        if (pieces[i].status < 0) return det_fail_memory(error, "results");
    for (size_t i = 0; i < count; i++) *flat = *flat && pieces[i].flat;
    if (!*flat) return DET_OK;
    det_status status = DET_OK;
    *part = pieces[0].part; /* grown already, and mostly the largest */
    pieces[0].part = (det_results_part){0};
    for (size_t i = 1; status == DET_OK && i < count; i++)
        status = det_results_append(part, &pieces[i].part, error);
    return status;
}

det_status det_results_parse_flat(const char *text, size_t size, const det_result_names *names,
                                  int threads, det_results_part *part, bool *flat, det_error *error)
{
    enum { least_piece = 1 << 16, most_pieces = 256 };
    piece whole = {.at = text, .end = text + size};
    *flat = false;
    if (!take(&whole, '[')) return DET_OK;
    size_t most = size / least_piece + 1;
    if (most > (size_t)det_resolve_threads(threads)) most = (size_t)det_resolve_threads(threads);
    if (most > most_pieces) most = most_pieces;
    piece *pieces = det_alloc_array(most, sizeof *pieces);
    if (!pieces) return det_fail_memory(error, "results");
    const size_t count = cut(pieces, most, whole.at, whole.end, names);
    det_parallel_for(count, threads, run_piece, pieces);
    const det_status status = join(pieces, count, part, flat, error);
    for (size_t i = 0; i < count; i++) det_results_part_free(&pieces[i].part);
    det_free(pieces);
    return status;
}
