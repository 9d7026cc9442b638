/* SPDX-License-Identifier: Apache-2.0 */
/* The labels that are worth a look: each a card with what was found and what is labelled. */
#include "eval/report/cards.h"
#include "eval/report/parts.h"
#include "src/base/html.h"
#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/train/report.h"

static det_report_box label_box(const det_annotations *annotations, size_t object, const char *name)
{
    det_report_box box = {.kind = name ? "object" : "other", .name = name};
    det_annotations_corners(annotations, object, box.corners);
    return box;
}

/* What the suspicion is about comes first, the other labels of the picture behind it. Of two labels
 * none is "found". @return how many boxes it is about. */
static size_t choose_boxes(const det_annotations *annotations, const det_suspicion *s,
                           det_report_box *boxes, size_t *count)
{
    const det_annotated_image *image = &annotations->images[s->image];
    size_t about = 0;
    if (s->other == SIZE_MAX)
        boxes[about++] = (det_report_box){
            .corners = {(double)s->box.x0, (double)s->box.y0, (double)s->box.x1, (double)s->box.y1},
            .kind = "found",
            .name = "found"};
    else
        boxes[about++] = label_box(annotations, s->other, "label");
    if (s->object != SIZE_MAX) boxes[about++] = label_box(annotations, s->object, "label");
    *count = about;
    for (size_t i = image->first_object; i < image->first_object + image->object_count; i++)
        if (i != s->object && i != s->other) boxes[(*count)++] = label_box(annotations, i, NULL);
    return about;
}

static void add_caption(det_text *html, const det_suspicion *s)
{
    det_html_element(html, "b", det_suspicion_kind_name(s->kind));
    det_text_add(html, ": ");
    det_html_text(html, s->why);
    det_text_add(html, "<br><span>doubt ");
    det_report_number(html, s->doubt, 2);
    det_text_add(html, "</span>");
}

static det_status add_card(det_report_album *album, const det_annotations *annotations,
                           const det_suspicion *s, det_error *error)
{
    const det_annotated_image *image = &annotations->images[s->image];
    det_report_box *boxes = det_alloc_array(image->object_count + 2, sizeof *boxes);
    if (!boxes) return det_fail_memory(error, "a report");
    det_report_card card = {.folder = annotations->folder, .file = image->file, .boxes = boxes};
    card.framed = choose_boxes(annotations, s, boxes, &card.box_count);
    bool pictured;
    const det_status status = det_report_begin_card(album, &card, &pictured, error);
    if (status == DET_OK) {
        add_caption(&album->html, s);
        det_report_end_card(album, &card, pictured);
    }
    det_free(boxes);
    return status;
}

static det_status add_cards(det_report_album *album, const det_training *training,
                            const det_annotations *annotations, const det_run *run,
                            det_error *error)
{
    det_status status = DET_OK;
    det_text_add(&album->html, "<div class=\"cards\">\n");
    for (size_t i = 0; status == DET_OK && i < training->suspicion_count; i++) {
        status = det_run_check(run, i, training->suspicion_count, error);
        if (status == DET_OK)
            status = add_card(album, annotations, &training->suspicions[i], error);
    }
    det_text_add(&album->html, "</div>\n");
    return status;
}

det_status det_training_report_labels(det_text *html, const det_training *training,
                                      const det_annotations *annotations, const det_run *run,
                                      det_report_counts *counts, det_error *error)
{
    det_report_album album = {0};
    const det_status status = add_cards(&album, training, annotations, run, error);
    det_report_begin_section(html, "labels", "Labels worth a look");
    if (training->suspicion_count == 0)
        det_text_add(html, "<p>Nothing speaks against any label.</p>\n");
    else
        det_text_add(html,
                     "<p class=\"note\">The most doubtful first. What was found comes from "
                     "detectors that did not see the picture. Doubt, from 0 to 1, grows with the "
                     "score of what was found, and shrinks with the score of what speaks for the "
                     "label; of two labels of one object it is their overlap.</p>\n");
    det_report_add_album(
        html, &album,
        &(det_report_words){
            .object = "label", .other = "other labels", .things = "labels", .advice = ""});
    det_text_add(html, "</section>\n");
    *counts = album.counts;
    det_text_free(&album.html);
    return status;
}
