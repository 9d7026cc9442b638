/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/report/cards.h"

#include "eval/report/crop.h"
#include "eval/report/parts.h"
#include "src/base/error.h"
#include "src/base/file.h"
#include "src/base/html.h"
#include "src/base/memory.h"

#include <string.h>

enum { most_framed = 2 };

/* ---- The picture ---- */

static void add_length(det_text *html, const char *side, double share)
{
    det_text_format(html, "%s:", side);
    det_report_number(html, 100 * share, 2);
    det_text_add(html, "%;");
}

static void add_box(det_text *html, const det_report_crop *crop, const double box[4],
                    const char *kind)
{
    static const char *const sides[] = {"left", "top", "width", "height"};
    double place[4];
    det_report_crop_place(crop, box, place);
    det_text_format(html, "<i class=\"%s\" style=\"", kind);
    for (int i = 0; i < 4; i++) add_length(html, sides[i], place[i]);
    det_text_add(html, "\"></i>");
}

static void add_picture(det_text *html, const det_report_card *card, const det_report_crop *crop,
                        const det_text *jpeg)
{
    det_text_add(html, "<div class=\"frame\"><div class=\"crop\" style=\"");
    add_length(html, "width", crop->shown_width / (double)DET_REPORT_CROP_WIDTH);
    add_length(html, "height", crop->shown_height / (double)DET_REPORT_CROP_HEIGHT);
    det_text_add(html, "\"><img alt=\"part of ");
    det_html_text(html, card->file);
    det_text_add(html, "\" src=\"");
    det_html_data(html, "image/jpeg", jpeg->data, jpeg->length);
    det_text_add(html, "\">");
    for (size_t i = card->box_count; i-- > 0;)
        add_box(html, crop, card->boxes[i].corners, card->boxes[i].kind);
    det_text_add(html, "</div></div>");
}

static bool choose_crop(const det_image *image, const det_report_card *card, det_report_crop *crop)
{
    double framed[most_framed][4];
    const size_t count = card->framed < most_framed ? card->framed : most_framed;
    for (size_t i = 0; i < count; i++) memcpy(framed[i], card->boxes[i].corners, sizeof *framed);
    return det_report_crop_choose(image, (const double(*)[4])framed, count, crop);
}

/* Reads the picture and cuts the part out. @return DET_OK, also where that cannot be done. */
static det_status cut_out(det_report_album *album, const det_report_card *card,
                          det_report_crop *crop, det_text *jpeg, det_error *error)
{
    det_image image = {0};
    det_error reason = {0};
    char *path = det_path_join(card->folder, card->file);
    if (!path) return det_fail_memory(error, "a path");
    det_status status = det_image_read(path, NULL, &image, &reason);
    det_free(path);
    if (status == DET_MEMORY) return det_fail_memory(error, "a picture");
    if (status < 0) {
        if (album->first_error.status == DET_OK) album->first_error = reason;
        return DET_OK;
    }
    if (choose_crop(&image, card, crop)) status = det_report_crop_encode(&image, crop, jpeg, error);
    det_image_free(&image);
    return status;
}

/* ---- A card ---- */

det_status det_report_begin_card(det_report_album *album, const det_report_card *card,
                                 bool *pictured, det_error *error)
{
    det_text jpeg = {0};
    det_report_crop crop = {0};
    const det_status status = cut_out(album, card, &crop, &jpeg, error);
    *pictured = status == DET_OK && jpeg.length > 0;
    if (status == DET_OK) {
        det_text_add(&album->html, "<figure class=\"card\">");
        if (*pictured) add_picture(&album->html, card, &crop, &jpeg);
        det_text_add(&album->html, "<figcaption>");
    }
    det_text_free(&jpeg);
    return status;
}

static void add_corners(det_text *html, const det_report_box *box)
{
    det_text_format(html, " <span>%s at ", box->name);
    for (int i = 0; i < 4; i++) {
        if (i > 0) det_text_add(html, ", ");
        det_report_number(html, box->corners[i], 0);
    }
    det_text_add(html, "</span>");
}

void det_report_end_card(det_report_album *album, const det_report_card *card, bool pictured)
{
    for (size_t i = 0; i < card->box_count && !pictured; i++)
        if (card->boxes[i].name) add_corners(&album->html, &card->boxes[i]);
    det_html_element(&album->html, "small", card->file);
    det_text_add(&album->html, "</figcaption></figure>\n");
    album->counts.mistakes++;
    album->counts.pictures += pictured;
}

/* ---- All of them ---- */

static void add_legend(det_text *html, const det_report_words *words)
{
    det_text_format(html,
                    "<p class=\"note legend\"><span><i class=\"found\"></i> found, solid</span> "
                    "<span><i class=\"object\"></i> %s, dashed</span> ",
                    words->object);
    if (words->other)
        det_text_format(html, "<span><i class=\"other\"></i> %s, dotted</span> ", words->other);
    det_text_add(html, "<span>Boxes fade while the pointer is on a picture.</span></p>\n");
}

void det_report_add_album(det_text *html, const det_report_album *album,
                          const det_report_words *words)
{
    const det_report_counts *counts = &album->counts;
    if (counts->pictures > 0) add_legend(html, words);
    if (album->first_error.status != DET_OK) {
        det_text_format(html,
                        "<p class=\"note\">%zu of %zu %s have no picture, because it could not be "
                        "read. The first: ",
                        counts->mistakes - counts->pictures, counts->mistakes, words->things);
        det_html_element(html, "code", album->first_error.file);
        det_text_add(html, ": ");
        det_html_text(html, album->first_error.message);
        det_text_format(html, ". %s</p>\n", words->advice);
    }
    det_text_append(html, album->html.data, album->html.length);
    if (album->html.failed) html->failed = true;
}
