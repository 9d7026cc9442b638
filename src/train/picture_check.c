/* SPDX-License-Identifier: Apache-2.0 */
/* Files of annotated pictures: whether they can be read, and whether they are what was annotated.
 */
#include "src/train/picture_check.h"

#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/base/run.h"
#include "src/data/paths.h"

#include <math.h>
#include <stdio.h>

/* ---- Files ---------------------------------------------------------------------------------- */

typedef struct {
    const det_annotations *annotations;
    det_seen_picture *pictures;
    size_t first; /* of those that are looked at together */
} looking;

static det_status look_at_bytes(const det_bytes *bytes, const char *path, det_seen_picture *seen,
                                det_error *error)
{
    det_image image = {0};
    const void *const blocks[] = {bytes->data};
    if (!det_digest(blocks, &bytes->size, 1, seen->digest))
        return det_fail_memory(error, "the digest of a picture");
    det_status status = det_image_inspect(bytes->data, bytes->size, path, &seen->header, error);
    if (status == DET_OK)
        status = det_image_decode(bytes->data, bytes->size, path, NULL, &image, error);
    seen->width = image.width;
    seen->height = image.height;
    det_image_free(&image);
    return status;
}

static det_status look_at_file(const char *path, det_seen_picture *seen, det_error *error)
{
    const uint64_t most_bytes = (uint64_t)1 << 30;
    det_bytes bytes = {0};
    seen->missing = !det_is_regular_file(path);
    if (seen->missing) return DET_IO;
    det_status status = det_file_read(path, most_bytes, &bytes, error);
    if (status == DET_OK) status = look_at_bytes(&bytes, path, seen, error);
    det_bytes_free(&bytes);
    return status;
}

static void look(void *context, size_t index, int worker)
{
    (void)worker;
    const looking *l = context;
    det_seen_picture *seen = &l->pictures[l->first + index];
    det_error error = {0};
    char *path =
        det_path_join(l->annotations->folder, l->annotations->images[l->first + index].file);
    *seen = (det_seen_picture){0};
    seen->status = path ? look_at_file(path, seen, &error) : DET_MEMORY;
    snprintf(seen->reason, sizeof seen->reason, "%.*s", (int)sizeof seen->reason - 1,
             error.message);
    det_free(path);
}

det_status det_look_at_pictures(const det_annotations *annotations, const det_run *run,
                                det_seen_picture *pictures, det_error *error)
{
    const size_t count = annotations->image_count;
    const int threads = det_resolve_threads(run ? run->threads : 0);
    const size_t together = (size_t)threads * 8;
    looking l = {.annotations = annotations, .pictures = pictures};
    for (; l.first < count; l.first += together) {
        const size_t left = count - l.first, n = left < together ? left : together;
        const det_status status = det_run_check(run, l.first, count, error);
        if (status < 0) return status;
        det_parallel_for(n, threads, look, &l);
        for (size_t i = 0; i < n; i++)
            if (pictures[l.first + i].status == DET_MEMORY)
                return det_fail_memory(error, "a picture");
    }
    return det_run_check(run, count, count, error);
}

/* ---- Boxes ---------------------------------------------------------------------------------- */

void det_frame_corners(const det_annotations *annotations, size_t object,
                       const det_seen_picture *picture, const det_picture_frame *frame,
                       double corners[4])
{
    det_annotations_corners(annotations, object, corners);
    for (int i = 0; i < 4; i++) corners[i] *= i % 2 ? frame->scale_y : frame->scale_x;
    if (frame->turned)
        det_corners_orient(corners, picture->header.width, picture->header.height,
                           picture->header.orientation);
}

bool det_corners_leave(const double corners[4], int width, int height)
{
    return corners[0] < -1 || corners[1] < -1 || corners[2] > width + 1 || corners[3] > height + 1;
}

static bool image_leaves(const det_annotations *a, const det_annotated_image *image, int width,
                         int height)
{
    for (size_t i = 0; i < image->object_count; i++) {
        double corners[4];
        det_annotations_corners(a, image->first_object + i, corners);
        if (det_corners_leave(corners, width, height)) return true;
    }
    return false;
}

/* ---- Sizes ---------------------------------------------------------------------------------- */

/* What the sizes of a picture say of how it was annotated. */
typedef enum {
    AS_UPRIGHT, /* the picture that EXIF's orientation makes */
    AS_STORED,
    AS_EITHER,  /* it has an orientation, and the size does not tell */
    AS_NEITHER, /* another shape */
    KINDS
} frame_kind;

/* What all pictures together say. */
typedef struct {
    bool upright, stored;     /* there is one with an orientation whose size says so */
    bool beyond_file[KINDS];  /* of each kind, a box is beyond the upright picture, */
    bool beyond_named[KINDS]; /* or beyond the size that the annotations name */
} agreement;

/* Whether a x b pixels have the shape of c x d, but for rounding. */
static bool same_shape(double a, double b, double c, double d)
{
    const double slack = .01;
    return fabs(a * d - b * c) <= slack * fmax(a * d, b * c);
}

static frame_kind kind_of(const det_annotated_image *image, const det_seen_picture *seen,
                          bool relative)
{
    const int width = image->width, height = image->height;
    const int stored_width = (int)seen->header.width, stored_height = (int)seen->header.height;
    const bool has_turn = seen->header.orientation > 1;
    const bool tells = !relative && width > 0 && height > 0;
    if (!tells) return has_turn ? AS_EITHER : AS_UPRIGHT;
    const bool upright = same_shape(width, height, seen->width, seen->height);
    const bool stored = has_turn && same_shape(width, height, stored_width, stored_height);
    if (upright && stored && seen->width != stored_width) { /* almost a square */
        if (width == seen->width && height == seen->height) return AS_UPRIGHT;
        if (width == stored_width && height == stored_height) return AS_STORED;
    }
    if (upright && stored) return AS_EITHER;
    if (upright) return AS_UPRIGHT;
    return stored ? AS_STORED : AS_NEITHER;
}

static void ask(const det_annotations *a, size_t index, const det_seen_picture *seen,
                agreement *all)
{
    const det_annotated_image *image = &a->images[index];
    const frame_kind kind = kind_of(image, seen, a->format == DET_ANNOTATIONS_YOLO);
    all->upright |= kind == AS_UPRIGHT && seen->header.orientation > 1;
    all->stored |= kind == AS_STORED;
    if (kind != AS_STORED && kind != AS_NEITHER) return;
    all->beyond_file[kind] |= image_leaves(a, image, seen->width, seen->height);
    all->beyond_named[kind] |= image_leaves(a, image, image->width, image->height);
}

/* Whether the boxes show that pictures of a kind were annotated as they are, though a size stands
 * there that is not theirs. */
static bool fits_anyway(const agreement *all, frame_kind kind)
{
    return all->beyond_named[kind] && !all->beyond_file[kind];
}

static det_picture_frame settle(const det_annotations *a, const det_annotated_image *image,
                                const det_seen_picture *seen, const agreement *all)
{
    det_picture_frame frame = {.fault = DET_FAULT_COUNT, .scale_x = 1, .scale_y = 1};
    const frame_kind kind = kind_of(image, seen, a->format == DET_ANNOTATIONS_YOLO);
    if (kind == AS_NEITHER) frame.fault = DET_FAULT_OTHER_SHAPE;
    if (fits_anyway(all, kind)) frame.fault = DET_FAULT_WRONG_SIZE;
    if (frame.fault != DET_FAULT_COUNT) return frame;
    frame.turned = kind == AS_STORED || (kind == AS_EITHER && all->stored && !all->upright);
    const int width = frame.turned ? (int)seen->header.width : seen->width;
    const int height = frame.turned ? (int)seen->header.height : seen->height;
    const bool resized = a->format != DET_ANNOTATIONS_YOLO && image->width > 0 &&
                         image->height > 0 && (image->width != width || image->height != height);
    if (resized) {
        frame.fault = DET_FAULT_RESIZED;
        frame.scale_x = (double)width / image->width;
        frame.scale_y = (double)height / image->height;
    }
    if (kind == AS_EITHER && all->stored == all->upright) frame.fault = DET_FAULT_TURN_UNKNOWN;
    if (frame.turned) frame.fault = DET_FAULT_TURNED;
    return frame;
}

void det_settle_frames(const det_annotations *annotations, const det_seen_picture *pictures,
                       det_picture_frame *frames)
{
    agreement all = {0};
    for (size_t i = 0; i < annotations->image_count; i++)
        if (pictures[i].status == DET_OK) ask(annotations, i, &pictures[i], &all);
    if (fits_anyway(&all, AS_STORED)) {
        all.stored = false;
        all.upright = true;
    }
    for (size_t i = 0; i < annotations->image_count; i++)
        if (pictures[i].status == DET_OK)
            frames[i] = settle(annotations, &annotations->images[i], &pictures[i], &all);
}
