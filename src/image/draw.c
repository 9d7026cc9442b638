/* SPDX-License-Identifier: Apache-2.0 */
/* Draws boxes and their labels with cairo and pango.
 *
 * A label stands on the upper left corner of its box, or hangs below the upper edge where there is
 * no room above, and is moved sideways until it lies in the picture; one that is wider than the
 * picture ends in an ellipsis. Boxes are drawn from the last to the first, each with its label.
 *
 * The picture is drawn in tiles, so that it may be larger than cairo's surfaces (32767) and needs
 * little memory. Pango keeps the fonts it has found for each thread, so the first call of a thread
 * takes some 30 ms; all its other objects are made for the call, and threads share nothing. */
#include "detect/draw.h"

#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/image/canvas.h"

#include <math.h>
#include <string.h>

#include <pango/pangocairo.h>

enum { tile_side = 1024 };

typedef struct {
    double x0, y0, x1, y1;
} rectangle;

/* A box that is ready to be drawn. */
typedef struct {
    rectangle box, label; /* label: empty when there is none */
    PangoLayout *layout;
    uint32_t color;
} mark;

typedef struct {
    double line, font, pad; /* pixels */
    PangoContext *context;
    PangoFontDescription *description;
    mark *marks;
    size_t count;
} drawing;

/* ---- Colours ------------------------------------------------------------------------------- */

/* A channel of a hue in [0, 1) at full saturation: a trapezoid around `peak`. */
static double channel_of_hue(double hue, double peak)
{
    double distance = fabs(hue - peak);
    if (distance > .5) distance = 1 - distance;
    return fmin(fmax(2 - 6 * distance, 0), 1);
}

/* Hues a golden angle apart never come close again; three brightnesses part those that do. */
uint32_t det_draw_color(size_t index)
{
    static const double floors[] = {.10, .32, .0}, ceilings[] = {.95, 1, .72};
    const double hue = fmod((double)index * .6180339887498949, 1);
    uint32_t color = 0;
    for (int c = 0; c < 3; c++) {
        const double value = channel_of_hue(hue, c / 3.);
        const double low = floors[index % 3], high = ceilings[index % 3];
        color = color << 8 | (uint32_t)lround(255 * (low + (high - low) * value));
    }
    return color;
}

static double linear(uint32_t byte)
{
    return pow((byte & 255) / 255., 2.2);
}

/* Black or white, whichever has more contrast (WCAG 2: they tie at a luminance near .18). */
static double text_grey(uint32_t color)
{
    const double luminance =
        .2126 * linear(color >> 16) + .7152 * linear(color >> 8) + .0722 * linear(color);
    return luminance > .18 ? 0 : 1;
}

/* ---- Planning ------------------------------------------------------------------------------ */

static rectangle place_label(rectangle box, double width, double height, const det_image *image)
{
    rectangle label = {.x0 = fmax(0, fmin(floor(box.x0), image->width - width))};
    label.y0 = box.y0 - height;
    if (label.y0 < 0) label.y0 = fmin(box.y0, image->height - height);
    label.y0 = fmax(0, floor(label.y0));
    label.x1 = label.x0 + width;
    label.y1 = label.y0 + height;
    return label;
}

static det_status plan_label(drawing *d, mark *m, const char *label, const det_image *image,
                             det_error *error)
{
    char *text = det_canvas_text(label);
    if (!text) return det_fail_memory(error, "a label");
    m->layout = pango_layout_new(d->context);
    pango_layout_set_font_description(m->layout, d->description);
    pango_layout_set_single_paragraph_mode(m->layout, TRUE);
    pango_layout_set_text(m->layout, text, -1);
    det_free(text);

    int width, height;
    const double room = fmax(image->width - 2 * d->pad, 1);
    pango_layout_get_pixel_size(m->layout, &width, &height);
    if (width > room) {
        pango_layout_set_ellipsize(m->layout, PANGO_ELLIPSIZE_END);
        pango_layout_set_width(m->layout, (int)(fmin(room, 1e6) * PANGO_SCALE));
        pango_layout_get_pixel_size(m->layout, &width, &height);
    }
    m->label = place_label(m->box, width + 2 * d->pad, height, image);
    return DET_OK;
}

/* Clips a box to the picture. @return whether anything is left. */
static bool clip(const det_box *box, const det_image *image, rectangle *clipped)
{
    *clipped = (rectangle){fmax(box->x0, 0), fmax(box->y0, 0), fmin(box->x1, image->width),
                           fmin(box->y1, image->height)};
    return box->x1 > box->x0 && box->y1 > box->y0 && clipped->x1 > clipped->x0 &&
           clipped->y1 > clipped->y0;
}

static det_status plan(drawing *d, const det_image *image, const det_drawn_box *boxes, size_t count,
                       det_error *error)
{
    const double side = fmin(image->width, image->height);
    d->line = fmin(fmax(round(side / 200), 2), 40);
    d->font = fmin(fmax(round(side / 30), 11), 200);
    d->pad = ceil(d->font / 4);
    d->marks = det_alloc_zeroed(count, sizeof *d->marks);
    if (!d->marks) return det_fail_memory(error, "boxes to draw");

    d->context = pango_font_map_create_context(pango_cairo_font_map_get_default());
    d->description = pango_font_description_from_string("Sans");
    pango_font_description_set_absolute_size(d->description, d->font * PANGO_SCALE);
    for (size_t i = 0; i < count; i++) {
        mark *m = &d->marks[d->count];
        if (!clip(&boxes[i].box, image, &m->box)) continue;
        m->color = boxes[i].color;
        d->count++;
        if (!boxes[i].label || !*boxes[i].label) continue;
        const det_status status = plan_label(d, m, boxes[i].label, image, error);
        if (status < 0) return status;
    }
    return DET_OK;
}

static void release(drawing *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->marks[i].layout) g_object_unref(d->marks[i].layout);
    det_free(d->marks);
    if (d->description) pango_font_description_free(d->description);
    if (d->context) g_object_unref(d->context);
}

/* ---- Drawing ------------------------------------------------------------------------------- */

static void draw_mark(cairo_t *cairo, const drawing *d, const mark *m)
{
    /* The line lies inside the box, so that it shows at the picture's edges too. */
    const double line = fmin(d->line, fmin(m->box.x1 - m->box.x0, m->box.y1 - m->box.y0) / 2);
    cairo_rectangle(cairo, m->box.x0 + line / 2, m->box.y0 + line / 2, m->box.x1 - m->box.x0 - line,
                    m->box.y1 - m->box.y0 - line);
    cairo_set_source_rgba(cairo, 0, 0, 0, .45); /* a shadow, for pictures of the same colour */
    cairo_set_line_width(cairo, line + fmax(2, d->line / 2));
    cairo_stroke_preserve(cairo);
    det_canvas_set_color(cairo, m->color);
    cairo_set_line_width(cairo, line);
    cairo_stroke(cairo);
    if (!m->layout) return;

    cairo_rectangle(cairo, m->label.x0, m->label.y0, m->label.x1 - m->label.x0,
                    m->label.y1 - m->label.y0);
    cairo_fill(cairo);
    const double grey = text_grey(m->color);
    cairo_set_source_rgb(cairo, grey, grey, grey);
    cairo_move_to(cairo, m->label.x0 + d->pad, m->label.y0);
    pango_cairo_show_layout(cairo, m->layout);
}

static bool touches(const rectangle *r, double margin, const rectangle *tile)
{
    return r->x0 - margin < tile->x1 && r->x1 + margin > tile->x0 && r->y0 - margin < tile->y1 &&
           r->y1 + margin > tile->y0;
}

static bool is_touched(const drawing *d, const rectangle *tile)
{
    for (size_t i = 0; i < d->count; i++)
        if (touches(&d->marks[i].box, d->line, tile) || touches(&d->marks[i].label, 0, tile))
            return true;
    return false;
}

static void pack(const det_image *image, const rectangle *tile, uint32_t *pixels)
{
    for (int y = (int)tile->y0; y < (int)tile->y1; y++, pixels += tile_side) {
        const uint8_t *bgr = image->pixels + (size_t)y * image->stride + 3 * (size_t)tile->x0;
        for (int x = 0; x < (int)(tile->x1 - tile->x0); x++, bgr += 3)
            pixels[x] = (uint32_t)bgr[2] << 16 | (uint32_t)bgr[1] << 8 | bgr[0];
    }
}

static void unpack(const uint32_t *pixels, const rectangle *tile, const det_image *image)
{
    for (int y = (int)tile->y0; y < (int)tile->y1; y++, pixels += tile_side) {
        uint8_t *bgr = image->pixels + (size_t)y * image->stride + 3 * (size_t)tile->x0;
        for (int x = 0; x < (int)(tile->x1 - tile->x0); x++, bgr += 3) {
            bgr[0] = (uint8_t)pixels[x];
            bgr[1] = (uint8_t)(pixels[x] >> 8);
            bgr[2] = (uint8_t)(pixels[x] >> 16);
        }
    }
}

static det_status draw_tile(const drawing *d, const rectangle *tile, uint32_t *pixels,
                            const det_image *image, det_error *error)
{
    pack(image, tile, pixels);
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        (unsigned char *)pixels, CAIRO_FORMAT_RGB24, (int)(tile->x1 - tile->x0),
        (int)(tile->y1 - tile->y0), 4 * tile_side);
    cairo_t *cairo = cairo_create(surface);
    cairo_translate(cairo, -tile->x0, -tile->y0);
    for (size_t i = d->count; i-- > 0;) draw_mark(cairo, d, &d->marks[i]);
    cairo_surface_flush(surface);
    const cairo_status_t status = cairo_status(cairo);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);

    const det_status drawn = det_canvas_check(status, error);
    if (drawn == DET_OK) unpack(pixels, tile, image);
    return drawn;
}

static det_status draw_tiles(const drawing *d, uint32_t *pixels, const det_image *image,
                             det_error *error)
{
    for (int y = 0; y < image->height; y += tile_side)
        for (int x = 0; x < image->width; x += tile_side) {
            const rectangle tile = {x, y, fmin(x + tile_side, image->width),
                                    fmin(y + tile_side, image->height)};
            if (!is_touched(d, &tile)) continue;
            const det_status status = draw_tile(d, &tile, pixels, image, error);
            if (status < 0) return status;
        }
    return DET_OK;
}

det_status det_draw_boxes(det_image *image, const det_drawn_box *boxes, size_t count,
                          det_error *error)
{
    if (image->width < 1 || image->height < 1)
        return det_fail(error, DET_ARGUMENT, "the picture to draw on is empty");
    if (count == 0) return DET_OK; /* and no time is spent on finding fonts */

    drawing d = {0};
    uint32_t *pixels = NULL;
    det_status status = plan(&d, image, boxes, count, error);
    if (status < 0) goto done;
    pixels = det_alloc_array((size_t)tile_side * tile_side, sizeof *pixels);
    status = pixels ? draw_tiles(&d, pixels, image, error) : det_fail_memory(error, "drawing");
done:
    det_free(pixels);
    release(&d);
    return status;
}
