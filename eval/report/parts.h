/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EVAL_REPORT_PARTS_H
#define DETECT_EVAL_REPORT_PARTS_H

#include "detect/eval.h"
#include "src/base/text.h"

/* What pages of reports are made of, whatever they report. */

/** The style sheet, which is all that a page looks like. */
extern const char det_report_style[];

/** Begins a page, up to its heading inside <header>. The page allows itself nothing but pictures
 * and styles that it holds (a content security policy). */
void det_report_begin_page(det_text *html, const char *title);
/** Ends <main> and the page. */
void det_report_end_page(det_text *html);

/** A link of the contents: to which section, and what it says. */
typedef struct det_report_link {
    const char *id, *text;
} det_report_link;
void det_report_add_contents(det_text *html, const det_report_link *links, size_t count);

/** <dt>what</dt><dd>: what comes from outside as code, then ", " and `after` where that is not
 *  empty. Nothing where `code` is NULL. */
void det_report_add_source(det_text *html, const char *what, const char *code, const char *after);

/** Begins a part of the page: <section>, its heading. It ends with </section>. */
void det_report_begin_section(det_text *html, const char *id, const char *heading);
/** Begins a table in a box that scrolls sideways; det_report_end_table ends both.
 *  @param label what the table shows, for those who do not see it.
 *  @param kind  its class in the style sheet. */
void det_report_begin_table(det_text *html, const char *label, const char *kind);
void det_report_end_table(det_text *html);

/** Begins a figure that is looked at first; </div> ends it. */
void det_report_begin_tile(det_text *html, const char *name, double value);
/** "95 % interval 0.1 to 0.3, 1000 samples of the pictures", small. */
void det_report_add_interval(det_text *html, const det_interval *interval);

/** A number with so many places, or "n/a" where it is none. */
void det_report_number(det_text *html, double value, int places);
/** A cell with such a number of three places. */
void det_report_cell(det_text *html, double value);
/** The same as a bar, too: a share. */
void det_report_bar_cell(det_text *html, double share);
/** A cell of a table with a whole number. */
void det_report_count_cell(det_text *html, size_t count);
/** "1 object", "2 objects". */
void det_report_things(det_text *html, size_t count, const char *thing);

#endif
