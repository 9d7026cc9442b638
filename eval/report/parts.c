/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers have a point, whatever the locale says. */
#include "eval/report/parts.h"

#include "detect/version.h"
#include "src/base/html.h"
#include "src/base/number.h"

#include <math.h>

void det_report_begin_page(det_text *html, const char *title)
{
    det_text_add(html, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                       "img-src data:; style-src 'unsafe-inline'\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<link rel=\"icon\" href=\"data:,\">\n");
    det_html_element(html, "title", title);
    det_text_add(html, "\n<style>\n");
    det_text_add(html, det_report_style);
    det_text_add(html, "</style></head>\n<body><header>");
    det_html_element(html, "h1", title);
}

void det_report_end_page(det_text *html)
{
    det_text_format(html, "</main><footer>Written by detect %s.</footer></body></html>\n",
                    det_version());
}

void det_report_add_contents(det_text *html, const det_report_link *links, size_t count)
{
    det_text_add(html, "<nav aria-label=\"Contents\">");
    for (size_t i = 0; i < count; i++)
        det_text_format(html, "<a href=\"#%s\">%s</a> ", links[i].id, links[i].text);
    det_text_add(html, "</nav>\n");
}

void det_report_add_source(det_text *html, const char *what, const char *code, const char *after)
{
    if (!code) return;
    det_text_format(html, "<dt>%s</dt><dd>", what);
    det_html_element(html, "code", code);
    det_text_format(html, "%s%s</dd>", *after ? ", " : "", after);
}

void det_report_begin_section(det_text *html, const char *id, const char *heading)
{
    det_text_format(html, "<section id=\"%s\"><h2>%s</h2>\n", id, heading);
}

void det_report_begin_table(det_text *html, const char *label, const char *kind)
{
    det_text_add(html, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    det_html_text(html, label);
    det_text_format(html, "\"><table class=\"%s\">\n", kind);
}

void det_report_end_table(det_text *html)
{
    det_text_add(html, "</table></div>\n");
}

void det_report_begin_tile(det_text *html, const char *name, double value)
{
    det_text_add(html, "<div class=\"tile\">");
    det_html_element(html, "span", name);
    det_text_add(html, "<b>");
    det_report_number(html, value, 3);
    det_text_add(html, "</b>");
}

void det_report_add_interval(det_text *html, const det_interval *interval)
{
    if (interval->samples == 0) {
        det_text_add(html, "<small>no interval: no sample has an object</small>");
        return;
    }
    det_text_add(html, "<small>95&nbsp;% interval ");
    det_report_number(html, interval->low, 3);
    det_text_add(html, " to ");
    det_report_number(html, interval->high, 3);
    det_text_format(html, ", %zu samples of the pictures</small>", interval->samples);
}

void det_report_number(det_text *html, double value, int places)
{
    char text[DET_NUMBER_SIZE];
    det_text_add(html, isfinite(value) ? det_fixed_text(text, value, places) : "n/a");
}

void det_report_cell(det_text *html, double value)
{
    det_text_add(html, "<td>");
    det_report_number(html, value, 3);
    det_text_add(html, "</td>");
}

void det_report_bar_cell(det_text *html, double share)
{
    det_text_add(html, "<td class=\"bar\" style=\"--v:");
    det_report_number(html, isnan(share) ? 0 : 100 * share, 1);
    det_text_add(html, "%\">");
    det_report_number(html, share, 3);
    det_text_add(html, "</td>");
}

void det_report_count_cell(det_text *html, size_t count)
{
    det_text_format(html, "<td>%zu</td>", count);
}

void det_report_things(det_text *html, size_t count, const char *thing)
{
    det_text_format(html, "%zu %s%s", count, thing, count == 1 ? "" : "s");
}
