/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_REPORT_CARDS_H
#define DETECT_EVAL_REPORT_CARDS_H

#include "detect/report.h"
#include "src/base/text.h"

/* Cards: parts of pictures with boxes laid over them by the style sheet, so that the picture stays
 * clean, each with a caption. */

/** A box of a card. */
typedef struct det_report_box {
    double corners[4]; /**< x0, y0, x1, y1; pixels, half-open */
    const char *kind;  /**< its class in the style sheet: "found", "object" or "other" */
    const char *name;  /**< what it is in words, where there is no picture; NULL: not told */
} det_report_box;

typedef struct det_report_card {
    const char *folder, *file;   /**< where the picture is, as det_annotations have it */
    const det_report_box *boxes; /**< the first on top */
    size_t box_count;
    size_t framed; /**< the part is chosen to show the first so many, 1 or 2 */
} det_report_card;

/** Cards as they come. {0} is empty. */
typedef struct det_report_album {
    det_text html; /**< det_text_free it */
    det_report_counts counts;
    det_error first_error; /**< of the first picture that could not be read */
} det_report_album;

/** Begins a card: its picture, where that can be read, and <figcaption>.
 *  @param pictured receives whether there is a picture.
 *  @return DET_OK, also without a picture; DET_MEMORY. */
det_status det_report_begin_card(det_report_album *album, const det_report_card *card,
                                 bool *pictured, det_error *error);
/** Ends a card: where its boxes are if there is no picture, and the name of the file. */
void det_report_end_card(det_report_album *album, const det_report_card *card, bool pictured);

/** What is said of cards. */
typedef struct det_report_words {
    const char *object; /**< what a box of the kind "object" is */
    const char *other;  /**< and of the kind "other", or NULL: there are none */
    const char *things; /**< what the cards show: "mistakes" */
    const char *advice; /**< a sentence where pictures are missing, HTML */
} det_report_words;

/** Appends the cards to the page, after what the boxes mean and why pictures are missing. */
void det_report_add_album(det_text *html, const det_report_album *album,
                          const det_report_words *words);

#endif
