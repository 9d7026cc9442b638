/* SPDX-License-Identifier: Apache-2.0 */
/* Line charts, as SVG and PNG, by the same drawing code: a title, two axes with a grid, lines, and
 * a legend to the right of them, which so never hides a line. Texts are drawn in PNG. In SVG they
 * are texts, which takes a fifth of the bytes that their outlines would, and can be searched and
 * read aloud.
 *
 * The colours are those of Okabe and Ito ("Color Universal Design", 2008), which colour-blind
 * people can tell apart, without the yellow, which is hard to see on white. Each has a marker of
 * its own, so that a chart can be read without colours. */
#include "src/image/chart.h"

#include "src/base/file.h"
#include "src/base/html.h"
#include "src/base/memory.h"
#include "src/base/number.h"
#include "src/base/text.h"
#include "src/image/canvas.h"

#include <math.h>
#include <string.h>

#include <cairo-svg.h>
#include <pango/pangocairo.h>

/* Everything is laid out in units that an SVG file calls pixels. */
enum { usual_width = 600, usual_height = 380, least_side = 200, most_side = 4000, png_scale = 3 };
enum { left = 66, top = 38, bottom = 52, right = 16 };
enum { title_size = 15, text_size = 12, tick_size = 11 };
enum { legend_gap = 14, legend_sample = 30, legend_row = 19 };
enum { longest_legend = 220, ticks_wanted = 5, most_ticks = 64 };

static const uint32_t colors[] = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7,
                                  0xE69F00, 0x56B4E9, 0x000000};
enum { color_count = sizeof colors / sizeof *colors };

/* A tick of an axis; those without a label have a paler line. */
typedef struct {
    double value;
    bool labelled;
} tick;

typedef struct {
    const det_chart *chart;
    cairo_t *cairo;
    int width, height;
    double x0, y0, x1, y1; /* the plot: x0, y0 is its upper left corner */
    det_text *texts;       /* elements of SVG; NULL: texts are drawn */
    bool out_of_memory;
} drawing;

/* ---- Positions ------------------------------------------------------------------------------- */

static double share_of(const det_chart_axis *axis, double value)
{
    if (!axis->logarithmic) return (value - axis->minimum) / (axis->maximum - axis->minimum);
    return log(value / axis->minimum) / log(axis->maximum / axis->minimum);
}

static double at_x(const drawing *d, double value)
{
    return d->x0 + (d->x1 - d->x0) * share_of(&d->chart->x, value);
}

static double at_y(const drawing *d, double value)
{
    return d->y1 - (d->y1 - d->y0) * share_of(&d->chart->y, value);
}

/* ---- Ticks ----------------------------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten, so that about ticks_wanted fit. */
static double step_of(double range)
{
    const double rough = range / ticks_wanted, power = pow(10, floor(log10(rough)));
    const double digit = rough / power;
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

static size_t linear_ticks(const det_chart_axis *axis, tick ticks[most_ticks])
{
    const double step = step_of(axis->maximum - axis->minimum), slack = step * 1e-6;
    const double first = ceil((axis->minimum - slack) / step);
    size_t count = 0;
    for (; count < most_ticks; count++) {
        const double value = (first + (double)count) * step;
        if (value > axis->maximum + slack) break;
        ticks[count] = (tick){value == 0 ? 0 : value, true}; /* never -0 */
    }
    return count;
}

/* 1, 2, ... 9 times every power of ten; the powers are labelled, and of a short axis 2 and 5, too.
 */
static size_t logarithmic_ticks(const det_chart_axis *axis, tick ticks[most_ticks])
{
    const double slack = 1e-9, decades = log10(axis->maximum / axis->minimum);
    size_t count = 0;
    const int last = (int)floor(log10(axis->maximum));
    for (int power = (int)floor(log10(axis->minimum)); power <= last; power++)
        for (int digit = 1; digit <= 9 && count < most_ticks; digit++) {
            const double value = digit * pow(10, power);
            const bool inside =
                value >= axis->minimum * (1 - slack) && value <= axis->maximum * (1 + slack);
            const bool labelled = digit == 1 || (decades < 2 && (digit == 2 || digit == 5));
            if (inside && (labelled || decades < 6)) ticks[count++] = (tick){value, labelled};
        }
    return count;
}

static size_t ticks_of(const det_chart_axis *axis, tick ticks[most_ticks])
{
    return axis->logarithmic ? logarithmic_ticks(axis, ticks) : linear_ticks(axis, ticks);
}

/* ---- Text ------------------------------------------------------------------------------------ */

static PangoLayout *lay_out(drawing *d, const char *text, int size, bool bold)
{
    char *clean = det_canvas_text(text ? text : "");
    if (!clean) d->out_of_memory = true;
    PangoLayout *layout = pango_cairo_create_layout(d->cairo);
    PangoFontDescription *font = pango_font_description_from_string(bold ? "Sans Bold" : "Sans");
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    pango_layout_set_text(layout, clean ? clean : "", -1);
    pango_font_description_free(font);
    det_free(clean);
    return layout;
}

static void draw_layout(const drawing *d, PangoLayout *layout, double room, const double at[2],
                        const double anchor[2])
{
    int w, h;
    pango_layout_get_pixel_size(layout, &w, &h);
    if (w > room) {
        pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
        pango_layout_set_width(layout, (int)(room * PANGO_SCALE));
        pango_layout_get_pixel_size(layout, &w, &h);
    }
    cairo_move_to(d->cairo, at[0] - anchor[0] * w, at[1] - anchor[1] * h);
    pango_cairo_show_layout(d->cairo, layout);
}

/* As much of a text as fits. */
static void add_cut(const drawing *d, PangoLayout *layout, double room, double size)
{
    int w, h, index, trailing;
    const char *text = pango_layout_get_text(layout);
    pango_layout_get_pixel_size(layout, &w, &h);
    if (w <= room) {
        det_html_text(d->texts, text);
        return;
    }
    det_text head = {0};
    pango_layout_xy_to_index(layout, (int)((room - size) * PANGO_SCALE), 0, &index, &trailing);
    det_text_append(&head, text, (size_t)index);
    if (head.failed)
        d->texts->failed = true;
    else
        det_html_text(d->texts, head.data);
    det_text_add(d->texts, "\xE2\x80\xA6");
    det_text_free(&head);
}

static void add_values(const drawing *d, const double *values, size_t count)
{
    char number[DET_NUMBER_SIZE];
    for (size_t i = 0; i < count; i++) {
        det_text_add(d->texts, i > 0 ? " " : "");
        det_text_add(d->texts, det_number_text(number, values[i], 6));
    }
}

/* The place is that of the baseline; widths are left to whoever shows the text. */
static void write_layout(const drawing *d, PangoLayout *layout, double room, const double at[2],
                         const double anchor[2])
{
    static const char *const anchors[] = {"start", "middle", "end"};
    const PangoFontDescription *font = pango_layout_get_font_description(layout);
    const double size = pango_font_description_get_size(font) / (double)PANGO_SCALE;
    const bool bold = pango_font_description_get_weight(font) == PANGO_WEIGHT_BOLD;
    cairo_matrix_t m;
    int w, h;
    pango_layout_get_pixel_size(layout, &w, &h);
    cairo_get_matrix(d->cairo, &m);
    cairo_matrix_translate(
        &m, at[0], at[1] - anchor[1] * h + pango_layout_get_baseline(layout) / (double)PANGO_SCALE);
    det_text_format(d->texts, "<text text-anchor=\"%s\"%s font-size=\"",
                    anchors[(int)(2 * anchor[0])], bold ? " font-weight=\"bold\"" : "");
    add_values(d, &size, 1);
    det_text_add(d->texts, "\" transform=\"matrix(");
    add_values(d, (double[]){m.xx, m.yx, m.xy, m.yy, m.x0, m.y0}, 6);
    det_text_add(d->texts, ")\">");
    add_cut(d, layout, room, size);
    det_text_add(d->texts, "</text>\n");
}

/* Shows a text, cut where it is longer than `room`, of which the point (fx, fy) of its extent is
 * put at (x, y); fx is 0, .5 or 1. */
static void put_layout(drawing *d, PangoLayout *layout, double room, const double at[2],
                       const double anchor[2])
{
    if (d->texts)
        write_layout(d, layout, room, at, anchor);
    else
        draw_layout(d, layout, room, at, anchor);
    g_object_unref(layout);
}

static double width_of(drawing *d, const char *text)
{
    int w, h;
    PangoLayout *layout = lay_out(d, text, text_size, false);
    pango_layout_get_pixel_size(layout, &w, &h);
    g_object_unref(layout);
    return w;
}

/* ---- Axes ------------------------------------------------------------------------------------ */

static void draw_line(const drawing *d, double x0, double y0, double x1, double y1, uint32_t color)
{
    det_canvas_set_color(d->cairo, color);
    cairo_set_line_width(d->cairo, .8);
    cairo_move_to(d->cairo, x0, y0);
    cairo_line_to(d->cairo, x1, y1);
    cairo_stroke(d->cairo);
}

static uint32_t grid_color(const tick *t)
{
    return t->labelled ? 0xD8D8D8 : 0xEFEFEF;
}

static void put_number(drawing *d, double value, const double at[2], const double anchor[2])
{
    char text[DET_NUMBER_SIZE];
    det_canvas_set_color(d->cairo, 0x303030);
    put_layout(d, lay_out(d, det_number_text(text, value, 6), tick_size, false), left, at, anchor);
}

static void draw_x_axis(drawing *d)
{
    tick ticks[most_ticks];
    const size_t count = ticks_of(&d->chart->x, ticks);
    for (size_t i = 0; i < count; i++) {
        const double x = at_x(d, ticks[i].value);
        draw_line(d, x, d->y0, x, d->y1, grid_color(&ticks[i]));
        if (ticks[i].labelled)
            put_number(d, ticks[i].value, (double[]){x, d->y1 + 5}, (double[]){.5, 0});
    }
    det_canvas_set_color(d->cairo, 0);
    put_layout(d, lay_out(d, d->chart->x.label, text_size, false), d->x1 - d->x0,
               (double[]){(d->x0 + d->x1) / 2, d->height - 8}, (double[]){.5, 1});
}

static void draw_y_axis(drawing *d)
{
    tick ticks[most_ticks];
    const size_t count = ticks_of(&d->chart->y, ticks);
    for (size_t i = 0; i < count; i++) {
        const double y = at_y(d, ticks[i].value);
        draw_line(d, d->x0, y, d->x1, y, grid_color(&ticks[i]));
        if (ticks[i].labelled)
            put_number(d, ticks[i].value, (double[]){d->x0 - 7, y}, (double[]){1, .5});
    }
    det_canvas_set_color(d->cairo, 0);
    cairo_save(d->cairo);
    cairo_translate(d->cairo, 8, (d->y0 + d->y1) / 2);
    cairo_rotate(d->cairo, -acos(-1) / 2);
    put_layout(d, lay_out(d, d->chart->y.label, text_size, false), d->y1 - d->y0, (double[]){0, 0},
               (double[]){.5, 0});
    cairo_restore(d->cairo);
}

static void draw_axes(drawing *d)
{
    draw_x_axis(d);
    draw_y_axis(d);
    draw_line(d, d->x0, d->y0, d->x0, d->y1, 0x303030);
    draw_line(d, d->x0, d->y1, d->x1, d->y1, 0x303030);
    det_canvas_set_color(d->cairo, 0);
    put_layout(d, lay_out(d, d->chart->title, title_size, true), d->width - 2 * right,
               (double[]){(d->x0 + d->x1) / 2, top - 10}, (double[]){.5, 1});
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static unsigned color_of(const det_chart_line *line)
{
    return (unsigned)line->color % color_count;
}

static void polygon(cairo_t *cairo, double x, double y, int corners, double turn)
{
    const double radius = 4;
    for (int i = 0; i < corners; i++) {
        const double angle = 2 * acos(-1) * (i + turn) / corners;
        cairo_line_to(cairo, x + radius * sin(angle), y - radius * cos(angle));
    }
    cairo_close_path(cairo);
}

/* Circle, square, triangle, diamond, triangle on its tip, hexagon, pentagon. */
static void draw_marker(cairo_t *cairo, unsigned color, bool hollow, double x, double y)
{
    static const int corners[color_count] = {24, 4, 3, 4, 3, 6, 5};
    static const double turns[color_count] = {0, .5, 0, 0, .5, 0, 0};
    polygon(cairo, x, y, corners[color], turns[color]);
    det_canvas_set_color(cairo, hollow ? 0xFFFFFF : colors[color]);
    cairo_fill_preserve(cairo);
    det_canvas_set_color(cairo, colors[color]);
    cairo_set_line_width(cairo, 1.2);
    cairo_stroke(cairo);
}

static void set_line_style(cairo_t *cairo, const det_chart_line *line)
{
    const double dashes[] = {6, 4};
    det_canvas_set_color(cairo, colors[color_of(line)]);
    cairo_set_line_width(cairo, 2);
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_set_dash(cairo, dashes, line->dashed ? 2 : 0, 0);
}

/* Whether a point can be shown; one that cannot breaks the line. */
static bool has_place(const drawing *d, const det_chart_line *line, size_t i)
{
    return isfinite(line->x[i]) && isfinite(line->y[i]) &&
           (!d->chart->x.logarithmic || line->x[i] > 0) &&
           (!d->chart->y.logarithmic || line->y[i] > 0);
}

static bool is_inside(const det_chart_axis *axis, double value)
{
    return value >= axis->minimum && value <= axis->maximum;
}

static void draw_markers(const drawing *d, const det_chart_line *line)
{
    for (size_t i = 0; i < line->count; i++)
        if (has_place(d, line, i) && is_inside(&d->chart->x, line->x[i]) &&
            is_inside(&d->chart->y, line->y[i]))
            draw_marker(d->cairo, color_of(line), line->dashed, at_x(d, line->x[i]),
                        at_y(d, line->y[i]));
}

static void draw_chart_line(const drawing *d, const det_chart_line *line)
{
    cairo_save(d->cairo);
    cairo_rectangle(d->cairo, d->x0, d->y0 - 1, d->x1 - d->x0 + 1, d->y1 - d->y0 + 2);
    cairo_clip(d->cairo);
    set_line_style(d->cairo, line);
    cairo_new_path(d->cairo);
    for (size_t i = 0; i < line->count; i++)
        if (has_place(d, line, i))
            cairo_line_to(d->cairo, at_x(d, line->x[i]), at_y(d, line->y[i]));
        else
            cairo_new_sub_path(d->cairo);
    cairo_stroke(d->cairo);
    cairo_restore(d->cairo);
    if (line->markers) draw_markers(d, line);
}

/* ---- Legend ---------------------------------------------------------------------------------- */

static double legend_width(drawing *d, const det_chart *chart)
{
    double widest = 0;
    for (size_t i = 0; i < chart->line_count; i++)
        if (chart->lines[i].name)
            widest = fmax(widest, fmin(width_of(d, chart->lines[i].name), longest_legend));
    return widest > 0 ? legend_gap + legend_sample + 6 + widest : 0;
}

static void draw_legend(drawing *d)
{
    const double x = d->x1 + legend_gap;
    double y = d->y0 + legend_row / 2.;
    for (size_t i = 0; i < d->chart->line_count; i++) {
        const det_chart_line *line = &d->chart->lines[i];
        if (!line->name) continue;
        cairo_save(d->cairo);
        set_line_style(d->cairo, line);
        cairo_move_to(d->cairo, x, y);
        cairo_line_to(d->cairo, x + legend_sample, y);
        cairo_stroke(d->cairo);
        cairo_restore(d->cairo);
        if (line->markers)
            draw_marker(d->cairo, color_of(line), line->dashed, x + legend_sample / 2., y);
        det_canvas_set_color(d->cairo, 0);
        put_layout(d, lay_out(d, line->name, text_size, false), longest_legend,
                   (double[]){x + legend_sample + 6, y}, (double[]){0, .5});
        y += legend_row;
    }
}

/* ---- Writing --------------------------------------------------------------------------------- */

static int width_of_chart(const det_chart *chart)
{
    return chart->width ? chart->width : usual_width;
}

static int height_of_chart(const det_chart *chart)
{
    return chart->height ? chart->height : usual_height;
}

/* Charts, one below the other. */
typedef struct {
    const det_chart *charts; /* count */
    size_t count;
    int width, height;
} page;

/* @param legend width of the room for it. */
static void draw_chart(drawing *d, const det_chart *chart, double legend)
{
    d->chart = chart;
    d->width = width_of_chart(chart);
    d->height = height_of_chart(chart);
    d->x0 = left;
    d->y0 = top;
    d->y1 = d->height - bottom;
    d->x1 = d->width - right - legend;
    draw_axes(d);
    for (size_t i = chart->line_count; i-- > 0;) draw_chart_line(d, &chart->lines[i]);
    draw_legend(d);
}

static det_status draw_all(const page *p, cairo_surface_t *surface, double scale, det_text *texts,
                           det_error *error)
{
    drawing d = {.cairo = cairo_create(surface), .texts = texts};
    cairo_scale(d.cairo, scale, scale);
    det_canvas_set_color(d.cairo, 0xFFFFFF);
    cairo_paint(d.cairo);
    double legend = 0;
    for (size_t i = 0; i < p->count; i++) legend = fmax(legend, legend_width(&d, &p->charts[i]));
    for (size_t i = 0; i < p->count; i++) {
        draw_chart(&d, &p->charts[i], legend);
        cairo_translate(d.cairo, 0, d.height);
    }
    const cairo_status_t status = cairo_status(d.cairo);
    cairo_destroy(d.cairo);
    if (d.out_of_memory || (texts && texts->failed)) return det_fail_memory(error, "a chart");
    return det_canvas_check(status, error);
}

static cairo_status_t write_bytes(void *stream, const unsigned char *bytes, unsigned count)
{
    const bool written = fwrite(bytes, 1, count, stream) == count;
    return written ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static det_status write_png(const page *p, FILE *stream, det_error *error)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, png_scale * p->width, png_scale * p->height);
    det_status status = draw_all(p, surface, png_scale, NULL, error);
    if (status == DET_OK) {
        const cairo_status_t written =
            cairo_surface_write_to_png_stream(surface, write_bytes, stream);
        status = ferror(stream) ? det_fail_errno(error, NULL, "write")
                                : det_canvas_check(written, error);
    }
    cairo_surface_destroy(surface);
    return status;
}

static cairo_status_t append_bytes(void *svg, const unsigned char *bytes, unsigned count)
{
    det_text_append(svg, (const char *)bytes, count);
    return ((det_text *)svg)->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

static det_status draw_svg(const page *p, det_text *svg, det_text *texts, det_error *error)
{
    cairo_surface_t *surface =
        cairo_svg_surface_create_for_stream(append_bytes, svg, p->width, p->height);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    const det_status status = draw_all(p, surface, 1, texts, error);
    cairo_surface_finish(surface);
    const cairo_status_t written = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (svg->failed) return det_fail_memory(error, "a chart");
    return status < 0 ? status : det_canvas_check(written, error);
}

/* Puts the texts in front of the end of the document. */
static det_status insert_texts(det_text *svg, const det_text *texts, det_error *error)
{
    static const char end[] = "</svg>\n";
    const size_t length = sizeof end - 1;
    if (svg->length < length || memcmp(svg->data + svg->length - length, end, length) != 0)
        return det_fail(error, DET_INTERNAL, "the SVG of cairo does not end with </svg>");
    svg->length -= length;
    det_text_add(svg, "<g font-family=\"sans-serif\">\n");
    det_text_append(svg, texts->data, texts->length);
    det_text_add(svg, "</g>\n</svg>\n");
    return svg->failed ? det_fail_memory(error, "a chart") : DET_OK;
}

static det_status check_axis(const det_chart_axis *axis, const char *name, det_error *error)
{
    if (isfinite(axis->minimum) && isfinite(axis->maximum) && axis->minimum < axis->maximum &&
        (!axis->logarithmic || axis->minimum > 0))
        return DET_OK;
    return det_fail(error, DET_ARGUMENT, "the %s axis cannot go from %g to %g%s", name,
                    axis->minimum, axis->maximum, axis->logarithmic ? " logarithmically" : "");
}

static det_status check_side(int side, const char *name, det_error *error)
{
    if (side == 0 || (side >= least_side && side <= most_side)) return DET_OK;
    return det_fail(error, DET_ARGUMENT, "the %s of a chart is %d to %d, not %d", name, least_side,
                    most_side, side);
}

static det_status check_chart(const det_chart *chart, det_error *error)
{
    det_status status = check_axis(&chart->x, "x", error);
    if (status == DET_OK) status = check_axis(&chart->y, "y", error);
    if (status == DET_OK) status = check_side(chart->width, "width", error);
    if (status == DET_OK) status = check_side(chart->height, "height", error);
    return status;
}

static det_status lay_out_page(const det_chart *charts, size_t count, page *p, det_error *error)
{
    *p = (page){.charts = charts, .count = count};
    for (size_t i = 0; i < count; i++) {
        const det_status status = check_chart(&charts[i], error);
        if (status < 0) return status;
        const int width = width_of_chart(&charts[i]);
        p->width = width > p->width ? width : p->width;
        p->height += height_of_chart(&charts[i]);
        if (p->height > most_side)
            return det_fail(error, DET_ARGUMENT, "charts of %d pixels in all are higher than %d",
                            p->height, most_side);
    }
    return DET_OK;
}

static det_status make_svg(const page *p, det_text *svg, det_error *error)
{
    det_text texts = {0};
    det_status status = draw_svg(p, svg, &texts, error);
    if (status == DET_OK) status = insert_texts(svg, &texts, error);
    det_text_free(&texts);
    return status;
}

static det_status write_svg_file(const page *p, const char *path, det_error *error)
{
    det_text svg = {0};
    det_status status = make_svg(p, &svg, error);
    if (status == DET_OK) status = det_file_write(path, &svg, error);
    det_text_free(&svg);
    return status;
}

static det_status write_png_file(const page *p, const char *path, det_error *error)
{
    det_output output;
    det_status status = det_output_open(path, &output, error);
    if (status < 0) return status;
    status = write_png(p, output.stream, error);
    if (status == DET_OK) return det_output_commit(&output, error);
    det_output_abandon(&output);
    return status;
}

det_status det_charts_svg(const det_chart *charts, size_t count, det_text *svg, det_error *error)
{
    page p;
    const det_status status = lay_out_page(charts, count, &p, error);
    return status < 0 ? status : make_svg(&p, svg, error);
}

det_status det_charts_write(const det_chart *charts, size_t count, const char *path,
                            det_error *error)
{
    page p;
    const bool svg = det_text_ends_fold(path, ".svg");
    if (!svg && !det_text_ends_fold(path, ".png"))
        return det_fail_at(error, DET_ARGUMENT, path, NULL, "charts are written as .svg or .png");
    det_status status = lay_out_page(charts, count, &p, error);
    if (status == DET_OK)
        status = svg ? write_svg_file(&p, path, error) : write_png_file(&p, path, error);
    return det_error_file(error, path, status);
}

det_status det_chart_svg(const det_chart *chart, det_text *svg, det_error *error)
{
    return det_charts_svg(chart, 1, svg, error);
}

det_status det_chart_write(const det_chart *chart, const char *path, det_error *error)
{
    return det_charts_write(chart, 1, path, error);
}
