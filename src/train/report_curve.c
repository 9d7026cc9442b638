/* SPDX-License-Identifier: Apache-2.0 */
/* How good the detector is by how many pictures it learned from. */
#include "eval/report/parts.h"
#include "src/base/html.h"
#include "src/image/chart.h"
#include "src/train/report.h"

enum { chart_width = 600, chart_height = 320, ends = 2 };

static det_status draw(const det_training *t, det_text *svg, det_error *error)
{
    double images[DET_CURVE_POINTS], values[DET_CURVE_POINTS], bounds[ends][DET_CURVE_POINTS];
    const size_t count = t->curve_count;
    for (size_t i = 0; i < count; i++) {
        images[i] = (double)t->curve[i].images;
        values[i] = t->curve[i].ap50.value;
        bounds[0][i] = t->curve[i].ap50.low;
        bounds[1][i] = t->curve[i].ap50.high;
    }
    const det_chart_line lines[] = {
        {.name = "AP50", .x = images, .y = values, .count = count, .markers = true},
        {.name = "95 % interval", .x = images, .y = bounds[0], .count = count, .dashed = true},
        {.x = images, .y = bounds[1], .count = count, .dashed = true},
    };
    const det_chart chart = {
        .x = {.label = "pictures learned from", .maximum = images[count - 1] * 1.05},
        .y = {.label = "AP50", .maximum = 1},
        .lines = lines,
        .line_count = sizeof lines / sizeof *lines,
        .width = chart_width,
        .height = chart_height};
    return det_chart_svg(&chart, svg, error);
}

/* "+2.5", "-0.3" or "n/a" points of 100. */
static void add_points(det_text *html, double share)
{
    if (share > 0) det_text_add(html, "+");
    det_report_number(html, 100 * share, 1);
}

static void add_gain(det_text *html, const det_training *t)
{
    det_text_format(html, "<p>%zu more pictures: about ", t->gain_images);
    add_points(html, t->gain.value);
    det_text_add(html, " points of AP50");
    if (t->gain.samples > 0) {
        det_text_add(html, ", 95&nbsp;% interval ");
        add_points(html, t->gain.low);
        det_text_add(html, " to ");
        add_points(html, t->gain.high);
    }
    det_text_add(html,
                 ".</p>\n<p class=\"note\">Detectors that learned from fewer pictures are "
                 "measured on the same pictures. The guess supposes that AP50 goes on to grow "
                 "with the logarithm of their number.</p>\n");
}

det_status det_training_report_curve(det_text *html, const det_training *training, det_error *error)
{
    det_text svg = {0};
    if (training->curve_count == 0) return DET_OK;
    const det_status status = draw(training, &svg, error);
    if (status == DET_OK) {
        det_report_begin_section(html, "curve", "Learning curve");
        det_text_format(html,
                        "<img class=\"chart\" width=\"%d\" height=\"%d\" alt=\"AP50 by the number "
                        "of pictures learned from\" src=\"",
                        chart_width, chart_height);
        det_html_data(html, "image/svg+xml", svg.data, svg.length);
        det_text_add(html, "\">\n");
        add_gain(html, training);
        det_text_add(html, "</section>\n");
    }
    det_text_free(&svg);
    return status;
}
