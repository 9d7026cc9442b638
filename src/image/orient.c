/* SPDX-License-Identifier: Apache-2.0 */
/* Turns a stored picture upright. EXIF 2.3 gives for each orientation where the stored first row
 * and first column belong; as a rule for the upright picture's pixel (x, y), of a stored picture of
 * w x h pixels, the pixel that it takes is
 *
 *     1  (x, y)         2  (w-1-x, y)     3  (w-1-x, h-1-y)   4  (x, h-1-y)
 *     5  (y, x)         6  (y, h-1-x)     7  (w-1-y, h-1-x)   8  (w-1-y, x)
 */
#include "src/image/decode.h"

typedef struct {
    bool swap, mirror_x,
        mirror_y; /* of the stored picture: axes exchanged, then counted backwards */
} turn;

static const turn turns[9] = {
    [2] = {false, true, false}, [3] = {false, true, true}, [4] = {false, false, true},
    [5] = {true, false, false}, [6] = {true, false, true}, [7] = {true, true, true},
    [8] = {true, true, false},
};

/* Fills pixels x0 to x1 of row y of the upright picture: a walk through the stored one with a
 * constant step. */
static void fill_run(const det_image *stored, turn t, const det_image *upright, int y, int x0,
                     int x1)
{
    const ptrdiff_t stride = (ptrdiff_t)stored->stride;
    const ptrdiff_t step_x = t.mirror_x ? -3 : 3, step_y = t.mirror_y ? -stride : stride;
    const uint8_t *from = stored->pixels;
    if (t.mirror_x) from += 3 * ((ptrdiff_t)stored->width - 1);
    if (t.mirror_y) from += stride * (stored->height - 1);
    const ptrdiff_t down = t.swap ? step_x : step_y, along = t.swap ? step_y : step_x;
    from += y * down + x0 * along;

    uint8_t *to = upright->pixels + (size_t)y * upright->stride + 3 * (size_t)x0;
    for (int x = x0; x < x1; x++, from += along, to += 3) {
        to[0] = from[0];
        to[1] = from[1];
        to[2] = from[2];
    }
}

/* Square by square: a walk down a stored column touches a cache line a pixel, which the next rows
 * of the square find again. */
static void fill(const det_image *stored, turn t, const det_image *upright)
{
    enum { side = 64 };
    for (int y0 = 0; y0 < upright->height; y0 += side)
        for (int x0 = 0; x0 < upright->width; x0 += side) {
            const int y1 = upright->height - y0 < side ? upright->height : y0 + side;
            const int x1 = upright->width - x0 < side ? upright->width : x0 + side;
            for (int y = y0; y < y1; y++) fill_run(stored, t, upright, y, x0, x1);
        }
}

det_status det_image_orient(det_image *image, int orientation, det_error *error)
{
    if (orientation <= 1 || orientation > 8) return DET_OK;
    const turn t = turns[orientation];
    det_image upright;
    const det_status status =
        det_image_create(t.swap ? image->height : image->width,
                         t.swap ? image->width : image->height, &upright, error);
    if (status < 0) return status;
    fill(image, t, &upright);
    det_image_free(image);
    *image = upright;
    return DET_OK;
}

static void mirror(double *low, double *high, double side)
{
    const double before = *low;
    *low = side - *high;
    *high = side - before;
}

void det_corners_orient(double corners[4], double width, double height, int orientation)
{
    if (orientation <= 1 || orientation > 8) return;
    const turn t = turns[orientation];
    if (t.mirror_x) mirror(&corners[0], &corners[2], width);
    if (t.mirror_y) mirror(&corners[1], &corners[3], height);
    if (!t.swap) return;
    const double x0 = corners[0], x1 = corners[2];
    corners[0] = corners[1];
    corners[2] = corners[3];
    corners[1] = x0;
    corners[3] = x1;
}
