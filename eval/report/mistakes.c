/* SPDX-License-Identifier: Apache-2.0 */
/* The worst mistakes, kind by kind: false positives of the highest scores, missed objects of the
 * largest areas. Each is a card. */
#include "eval/report/cards.h"
#include "eval/report/page.h"
#include "src/base/error.h"
#include "src/base/html.h"
#include "src/base/memory.h"
#include "src/base/run.h"

#include <stdlib.h>

enum { usual_mistakes = 24 };

/* The mistakes that are shown. */
typedef struct {
    const det_mistake **mistakes; /* by kind */
    size_t count;
    size_t first[DET_MISTAKE_KINDS + 1]; /* where those of a kind begin */
} selection;

/* ---- Which are shown ---- */

/* Shares the places among the kinds, one each in turn. */
static void share_places(const det_mistake_analysis *analysis, size_t places,
                         size_t shown[DET_MISTAKE_KINDS])
{
    bool any = true;
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++) shown[kind] = 0;
    while (any && places > 0) {
        any = false;
        for (int kind = 0; kind < DET_MISTAKE_KINDS && places > 0; kind++) {
            if (analysis->first[kind] + shown[kind] == analysis->first[kind + 1]) continue;
            shown[kind]++;
            places--;
            any = true;
        }
    }
}

/* A missed object and its area, so that they can be sorted. */
typedef struct {
    double area;
    const det_mistake *mistake;
} missed_object;

static int compare_missed(const void *a, const void *b)
{
    const missed_object *x = a, *y = b;
    if (x->area != y->area) return x->area < y->area ? 1 : -1;
    return (x->mistake > y->mistake) - (x->mistake < y->mistake);
}

static det_status select_missed(const det_report_page *page, size_t count,
                                const det_mistake **selected, det_error *error)
{
    const det_mistake_analysis *analysis = page->mistakes;
    const size_t first = analysis->first[DET_MISTAKE_MISSED];
    const size_t all = analysis->first[DET_MISTAKE_KINDS] - first;
    missed_object *missed = det_alloc_array(all, sizeof *missed);
    if (!missed) return det_fail_memory(error, "missed objects");
    for (size_t i = 0; i < all; i++) {
        const det_mistake *mistake = &analysis->mistakes[first + i];
        missed[i] =
            (missed_object){page->evaluation->annotations->objects[mistake->object].area, mistake};
    }
    qsort(missed, all, sizeof *missed, compare_missed);
    for (size_t i = 0; i < count; i++) selected[i] = missed[i].mistake;
    det_free(missed);
    return DET_OK;
}

static det_status select_mistakes(const det_report_page *page, selection *s, det_error *error)
{
    const det_report_options *options = page->options;
    size_t shown[DET_MISTAKE_KINDS];
    share_places(page->mistakes, options->mistakes ? options->mistakes : usual_mistakes, shown);
    for (int kind = 0; kind < DET_MISTAKE_KINDS; kind++)
        s->first[kind + 1] = s->first[kind] + shown[kind];
    s->count = s->first[DET_MISTAKE_KINDS];
    s->mistakes = det_alloc_array(s->count, sizeof(const det_mistake *));
    if (!s->mistakes) return det_fail_memory(error, "mistakes");
    for (int kind = 0; kind < DET_MISTAKE_MISSED; kind++)
        for (size_t i = 0; i < shown[kind]; i++)
            s->mistakes[s->first[kind] + i] =
                &page->mistakes->mistakes[page->mistakes->first[kind] + i];
    return select_missed(page, shown[DET_MISTAKE_MISSED],
                         s->mistakes + s->first[DET_MISTAKE_MISSED], error);
}

/* ---- A card ---- */

/* The detection and the object of a mistake: their boxes in the pixels of the picture. */
typedef struct {
    const det_mistake *mistake;
    const det_detected_object *found;   /* or NULL */
    const det_annotated_object *object; /* or NULL */
    const det_annotated_image *image;
    det_report_box boxes[2]; /* found, object; those there are */
    size_t box_count;
} card;

static void corners_of(const det_results *results, const double box[4], double corners[4])
{
    const bool sized = results->form == DET_BOX_SIZED;
    for (int i = 0; i < 2; i++) {
        corners[i] = sized ? box[i] : box[i] - 1;
        corners[i + 2] = sized ? box[i] + box[i + 2] : box[i + 2];
    }
}

static void name_box(det_report_box *box, const char *kind)
{
    box->kind = box->name = kind;
}

static card card_of(const det_report_page *page, const det_mistake *mistake)
{
    const det_annotations *annotations = page->evaluation->annotations;
    const det_results *results = page->evaluation->results;
    card c = {.mistake = mistake};
    size_t image = 0;
    if (mistake->detection != UINT32_MAX) {
        c.found = &results->objects[mistake->detection];
        corners_of(results, c.found->box, c.boxes[c.box_count].corners);
        name_box(&c.boxes[c.box_count++], "found");
        image = c.found->image;
    }
    if (mistake->object != UINT32_MAX) {
        c.object = &annotations->objects[mistake->object];
        det_annotations_corners(annotations, mistake->object, c.boxes[c.box_count].corners);
        name_box(&c.boxes[c.box_count++], "object");
        image = c.object->image;
    }
    c.image = &annotations->images[image];
    return c;
}

static void add_name(const det_report_page *page, det_text *html, size_t category)
{
    det_text_add(html, "<b>");
    det_html_text(html, det_report_class_name(page, category));
    det_text_add(html, "</b>");
}

/* What was said, and what is wrong with it: "apple, is banana". */
static void add_claim(const det_report_page *page, det_text *html, const card *c)
{
    static const char *const faults[DET_MISTAKE_KINDS] = {
        [DET_MISTAKE_CLASS] = ", is ",
        [DET_MISTAKE_BOX] = ", box is off",
        [DET_MISTAKE_BOTH] = ", nearest is ",
        [DET_MISTAKE_DUPLICATE] = ", found twice",
        [DET_MISTAKE_BACKGROUND] = ", nothing is there",
        [DET_MISTAKE_MISSED] = " missed",
    };
    const det_mistake_kind kind = c->mistake->kind;
    add_name(page, html, c->found ? c->found->category : c->object->category);
    det_text_add(html, faults[kind]);
    if (c->object && (kind == DET_MISTAKE_CLASS || kind == DET_MISTAKE_BOTH))
        add_name(page, html, c->object->category);
}

static void add_numbers(det_text *html, const card *c)
{
    if (c->found) {
        det_text_add(html, "<span>score ");
        det_report_number(html, c->found->score, 3);
        det_text_add(html, "</span>");
    }
    if (c->found && c->object) {
        det_text_add(html, " <span>IoU ");
        det_report_number(html, c->mistake->overlap, 2);
        det_text_add(html, "</span>");
    }
}

static det_status add_card(det_report_album *album, const det_report_page *page,
                           const det_mistake *mistake, det_error *error)
{
    const card c = card_of(page, mistake);
    const det_report_card shown = {.folder = page->evaluation->annotations->folder,
                                   .file = c.image->file,
                                   .boxes = c.boxes,
                                   .box_count = c.box_count,
                                   .framed = c.box_count};
    bool pictured;
    const det_status status = det_report_begin_card(album, &shown, &pictured, error);
    if (status < 0) return status;
    add_claim(page, &album->html, &c);
    det_text_add(&album->html, "<br>");
    add_numbers(&album->html, &c);
    det_report_end_card(album, &shown, pictured);
    return DET_OK;
}

/* ---- All of them ---- */

static det_status add_kind(det_report_album *album, const det_report_page *page, const selection *s,
                           int kind, const det_run *run, det_error *error)
{
    det_text *html = &album->html;
    const size_t first = s->first[kind], end = s->first[kind + 1];
    const size_t all = page->mistakes->first[kind + 1] - page->mistakes->first[kind];
    if (first == end) return DET_OK;
    det_text_format(html, "<h3>%s <small>%s; %zu of %zu</small></h3>\n<div class=\"cards\">\n",
                    det_mistake_kind_name((det_mistake_kind)kind), det_report_kind_meanings[kind],
                    end - first, all);
    det_status status = DET_OK;
    for (size_t i = first; status == DET_OK && i < end; i++) {
        status = det_run_check(run, i, s->count, error);
        if (status == DET_OK) status = add_card(album, page, s->mistakes[i], error);
    }
    det_text_add(html, "</div>\n");
    return status;
}

static det_status add_kinds(det_report_album *album, const det_report_page *page,
                            const det_run *run, det_error *error)
{
    selection s = {0};
    det_status status = select_mistakes(page, &s, error);
    for (int kind = 0; status == DET_OK && kind < DET_MISTAKE_KINDS; kind++)
        status = add_kind(album, page, &s, kind, run, error);
    if (status == DET_OK && s.count == 0) det_text_add(&album->html, "<p>There are none.</p>\n");
    det_free(s.mistakes);
    return status;
}

static const char *advice_for(const det_report_page *page)
{
    return page->evaluation->annotations->format == DET_ANNOTATIONS_YOLO
               ? "The annotations name the pictures."
               : "<code>detect eval --images FOLDER</code> says where the pictures are.";
}

det_status det_report_add_mistakes(det_report_page *page, const det_run *run,
                                   det_report_counts *counts, det_error *error)
{
    det_report_album album = {0};
    if (page->options->without_mistakes) return DET_OK;
    const det_status status = add_kinds(&album, page, run, error);
    if (status == DET_OK) {
        det_text *html = &page->html;
        det_report_begin_section(html, "mistakes", "The worst mistakes");
        det_text_add(html, "<p class=\"note\">Of each kind, detections of the highest scores, and "
                           "missed objects of the largest areas.</p>\n");
        det_report_add_album(html, &album,
                             &(det_report_words){.object = "object",
                                                 .things = "mistakes",
                                                 .advice = advice_for(page)});
        det_text_add(html, "</section>\n");
        if (counts) *counts = album.counts;
    }
    det_text_free(&album.html);
    return status;
}
