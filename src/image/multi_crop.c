/* SPDX-License-Identifier: Apache-2.0 */
/* The crops of a whole picture: one, ten (Krizhevsky et al. 2012), or the 144 of the GoogLeNet
 * paper (Szegedy et al., CVPR 2015, section 7). */
#include "src/image/multi_crop.h"

#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/image/resize.h"

#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

/* ---- Where the crops lie -------------------------------------------------------------------- */

/* The paper's shorter sides, for its crop of 224. */
static const int paper_sides[DET_MULTI_CROP_SCALES] = {256, 288, 320, 352};
enum { paper_crop = 224 };

/* Adds a crop, and its mirror image behind it. */
static void add_view(det_multi_crop *plan, det_view view, bool mirror)
{
    plan->views[plan->count++] = view;
    view.mirrored = true;
    if (mirror) plan->views[plan->count++] = view;
}

static void add_centre(det_multi_crop *plan, det_view frame, bool mirror)
{
    frame.x += (frame.width - plan->width) / 2;
    frame.y += (frame.height - plan->height) / 2;
    frame.width = plan->width;
    frame.height = plan->height;
    add_view(plan, frame, mirror);
}

/* The four corners of a frame, and its centre. */
static void add_five(det_multi_crop *plan, det_view frame)
{
    const int right = frame.width - plan->width, low = frame.height - plan->height;
    for (int corner = 0; corner < 4; corner++) {
        const det_view view = {.scale = frame.scale,
                               .x = frame.x + (corner & 1 ? right : 0),
                               .y = frame.y + (corner & 2 ? low : 0),
                               .width = plan->width,
                               .height = plan->height};
        add_view(plan, view, true);
    }
    add_centre(plan, frame, true);
}

/* The frame at the left (top), in the centre, and at the right (bottom) of a resized picture. */
static void add_three_frames(det_multi_crop *plan, int scale, const int frame[2])
{
    const int *size = plan->sizes[scale];
    const int across = size[0] - frame[0], down = size[1] - frame[1];
    const int xs[3] = {0, across / 2, across}, ys[3] = {0, down / 2, down};
    for (int i = 0; i < 3; i++) {
        const det_view view = {scale, xs[i], ys[i], frame[0], frame[1], false};
        add_five(plan, view);
        add_view(plan, view, true);
    }
}

/* The size at which a picture just covers a frame. */
static det_status cover(det_multi_crop *plan, const int frame[2], uint64_t max_pixels,
                        det_error *error)
{
    const double width = plan->picture_width, height = plan->picture_height;
    const bool wide = width * frame[1] >= height * frame[0];
    const double w = wide ? round(width * frame[1] / height) : frame[0];
    const double h = wide ? frame[1] : round(height * frame[0] / width);
    if (w * h > (double)max_pixels || fmax(w, h) > INT_MAX)
        return det_fail_at(error, DET_LIMIT, NULL, "limits.max_pixels",
                           "a picture of %d x %d pixels would be resized to %.0f x %.0f, the limit "
                           "is %llu pixels",
                           plan->picture_width, plan->picture_height, w, h,
                           (unsigned long long)max_pixels);
    int *size = plan->sizes[plan->scale_count++];
    size[0] = (int)w;
    size[1] = (int)h;
    return DET_OK;
}

static det_status check_options(const det_multi_crop_options *o, det_error *error)
{
    if (o->crops != 1 && o->crops != 10 && o->crops != DET_MULTI_CROP_MAX)
        return det_fail(error, DET_ARGUMENT, "%d crops of a picture: there are 1, 10 or 144",
                        o->crops);
    if (o->shorter_side_px == 0) return DET_OK;
    if (o->crops == DET_MULTI_CROP_MAX)
        return det_fail(error, DET_ARGUMENT,
                        "144 crops are made at four sizes of their own; a shorter side is for 1 "
                        "and 10 crops");
    const int shorter = o->width < o->height ? o->width : o->height;
    if (o->shorter_side_px >= shorter) return DET_OK;
    return det_fail(error, DET_ARGUMENT,
                    "a crop of %d x %d pixels is larger than a picture resized to a shorter side "
                    "of %d",
                    o->width, o->height, o->shorter_side_px);
}

/* Width and height of a frame, in proportion to the crop. */
static void frame_of(const det_multi_crop_options *o, int scale, int frame[2])
{
    const int shorter = o->width < o->height ? o->width : o->height;
    const double factor = o->shorter_side_px > 0 ? (double)o->shorter_side_px / shorter
                                                 : (double)paper_sides[scale] / paper_crop;
    frame[0] = (int)lround(o->width * factor);
    frame[1] = (int)lround(o->height * factor);
}

det_status det_multi_crop_plan(int picture_width, int picture_height,
                               const det_multi_crop_options *options, det_multi_crop *plan,
                               det_error *error)
{
    *plan = (det_multi_crop){.width = options->width,
                             .height = options->height,
                             .picture_width = picture_width,
                             .picture_height = picture_height};
    det_status status = check_options(options, error);
    const int scales = options->crops == DET_MULTI_CROP_MAX ? DET_MULTI_CROP_SCALES : 1;
    for (int i = 0; status == DET_OK && i < scales; i++) {
        int frame[2];
        frame_of(options, i, frame);
        status = cover(plan, frame, options->max_pixels, error);
        if (status < 0) return status;
        const det_view whole = {i, 0, 0, plan->sizes[i][0], plan->sizes[i][1], false};
        if (options->crops == 1) add_centre(plan, whole, false);
        if (options->crops == 10) add_five(plan, whole);
        if (options->crops == DET_MULTI_CROP_MAX) add_three_frames(plan, i, frame);
    }
    return status;
}

bool det_multi_crop_equal(const det_multi_crop *plan, size_t a, size_t b)
{
    const det_view *v = &plan->views[a], *w = &plan->views[b];
    return v->scale == w->scale && v->x == w->x && v->y == w->y && v->width == w->width &&
           v->height == w->height && v->mirrored == w->mirrored;
}

det_box det_multi_crop_box(const det_multi_crop *plan, size_t index)
{
    const det_view *view = &plan->views[index];
    const int *size = plan->sizes[view->scale];
    const double x = (double)plan->picture_width / size[0];
    const double y = (double)plan->picture_height / size[1];
    return (det_box){(float)(view->x * x), (float)(view->y * y),
                     (float)((view->x + view->width) * x), (float)((view->y + view->height) * y)};
}

/* ---- Pixels --------------------------------------------------------------------------------- */

typedef struct {
    det_multi_crop *plan;
    const det_image *image;
    atomic_int status;
} resize_job;

static void resize_one(void *context, size_t index, int worker)
{
    (void)worker;
    resize_job *job = context;
    const int *size = job->plan->sizes[index];
    const det_status status =
        det_image_resize(job->image, size[0], size[1], &job->plan->resized[index], NULL);
    if (status < 0) atomic_store(&job->status, (int)status);
}

det_status det_multi_crop_resize(det_multi_crop *plan, const det_image *image, int threads,
                                 det_error *error)
{
    resize_job job = {plan, image, DET_OK};
    det_parallel_for((size_t)plan->scale_count, threads, resize_one, &job);
    if (atomic_load(&job.status) < 0) return det_fail_memory(error, "a resized picture");
    return DET_OK;
}

static void mirror_rows(uint8_t *pixels, int width, int height)
{
    for (int y = 0; y < height; y++, pixels += 3 * (size_t)width)
        for (uint8_t *a = pixels, *b = pixels + 3 * ((size_t)width - 1); a < b; a += 3, b -= 3)
            for (int c = 0; c < 3; c++) {
                const uint8_t kept = a[c];
                a[c] = b[c];
                b[c] = kept;
            }
}

static void copy_rows(const det_image *from, int width, int height, uint8_t *pixels)
{
    const size_t row = 3 * (size_t)width;
    for (int y = 0; y < height; y++)
        memcpy(pixels + (size_t)y * row, from->pixels + (size_t)y * from->stride, row);
}

det_status det_multi_crop_cut(const det_multi_crop *plan, size_t index, uint8_t *pixels)
{
    const det_view *view = &plan->views[index];
    const det_image *resized = &plan->resized[view->scale];
    const det_image window = {view->width, view->height, resized->stride,
                              resized->pixels + (size_t)view->y * resized->stride +
                                  3 * (size_t)view->x};
    if (view->width == plan->width && view->height == plan->height) {
        copy_rows(&window, plan->width, plan->height, pixels);
    } else {
        const det_status status =
            det_image_resample(&window, DET_INTERPOLATE_AREA, plan->width, plan->height, pixels);
        if (status < 0) return status;
    }
    if (view->mirrored) mirror_rows(pixels, plan->width, plan->height);
    return DET_OK;
}

size_t det_multi_crop_memory(const det_multi_crop *plan)
{
    size_t pixels = 0;
    for (int i = 0; i < plan->scale_count; i++)
        pixels += (size_t)plan->sizes[i][0] * (size_t)plan->sizes[i][1];
    return 3 * pixels;
}

void det_multi_crop_free(det_multi_crop *plan)
{
    for (int i = 0; i < plan->scale_count; i++) det_image_free(&plan->resized[i]);
}
