/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes at random: "Uniform" of Hosang, Benenson, Dollár, Schiele, "What makes for effective
 * detection proposals?", PAMI 2016. With u1 to u4 uniform in [0, 1):
 *   centre (W u1, H u2),  root of the area s = m + (sqrt(W H) - m) u3,  aspect a = 5^(2 u4 - 1),
 *   width s sqrt(a), height s / sqrt(a),
 * cut at the borders of the W x H picture, m being the shortest side allowed. */
#include "proposals/controls/frame.h"
#include "proposals/regions.h"
#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/random.h"

#include <math.h>

static const double most_aspect = 5;

typedef struct {
    int from, to;
} interval;

/* Whole pixels of [0, size] nearest to a side of that length and centre. */
static interval cut(double centre, double length, int size)
{
    const double from = fmax(0, round(centre - length / 2));
    const double to = fmin(size, round(centre + length / 2));
    return (interval){(int)from, (int)to};
}

/* @return false for a box with a short side. */
static bool draw(const det_frame *frame, det_random *random, det_box *box)
{
    const double u1 = det_random_double(random), u2 = det_random_double(random);
    const double u3 = det_random_double(random), u4 = det_random_double(random);
    const double least = frame->min_side, most = sqrt((double)frame->width * frame->height);
    const double side = least + (most - least) * u3;
    const double stretch = pow(most_aspect, u4 - .5); /* the root of the aspect */
    const interval x = cut(frame->width * u1, side * stretch, frame->width);
    const interval y = cut(frame->height * u2, side / stretch, frame->height);
    if (x.to - x.from < frame->min_side || y.to - y.from < frame->min_side) return false;
    *box = det_frame_box(frame, x.from, y.from, x.to, y.to);
    return true;
}

/* A box with sides long enough; a large part of those drawn are, unless the picture is hardly
 * larger than the shortest side. */
static bool draw_large(const det_frame *frame, det_random *random, det_box *box)
{
    enum { tries = 1000 };
    for (int i = 0; i < tries; i++)
        if (draw(frame, random, box)) return true;
    return false;
}

/* Draws until there are `max` different boxes, or the rounds are over: a picture of few pixels does
 * not have as many. `hierarchy` serves as the number of the drawing, which the order of the equal
 * scores follows. */
static size_t draw_all(const det_frame *frame, det_region *regions)
{
    enum { rounds = 20 };
    det_random random = det_random_create(frame->seed, 0);
    size_t count = 0;
    int drawn = 0;
    for (int round = 0; round < rounds && count < frame->max; round++) {
        while (count < frame->max) {
            det_region *region = &regions[count];
            *region = (det_region){.hierarchy = drawn++};
            if (!draw_large(frame, &random, &region->box)) break;
            count++;
        }
        count = det_regions_unite(regions, count);
    }
    return count;
}

det_status det_propose_uniform(const det_image *image, const det_control_options *options,
                               det_region **regions, size_t *count, det_error *error)
{
    *regions = NULL;
    *count = 0;
    det_frame frame;
    const det_status status = det_frame_create(image, options, &frame, error);
    if (status < 0) return status;
    det_region *drawn = det_alloc_array(frame.max, sizeof *drawn);
    if (!drawn) return det_fail_memory(error, "the regions of a picture");

    if (frame.width >= frame.min_side && frame.height >= frame.min_side)
        *count = draw_all(&frame, drawn);
    det_frame_score(drawn, *count, DET_SOURCE_UNIFORM);
    *regions = drawn;
    return DET_OK;
}
