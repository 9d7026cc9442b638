/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TESTS_FUZZ_ANNOTATIONS_H
#define DETECT_TESTS_FUZZ_ANNOTATIONS_H

#include "src/data/annotations.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>

/** Finishes annotations that were read with `status`, aborts where they contradict themselves, and
 *  frees them. */
static inline void fuzz_check_annotations(det_annotations_data *data, det_status status,
                                          det_error *error)
{
    const det_annotations *a = &data->seen;
    if (status == DET_OK) status = det_annotations_finish(data, error);
    if (status < 0 && !*error->message) abort();
    size_t next = 0;
    for (size_t i = 0; status == DET_OK && i < a->image_count; i++) {
        size_t index = 0;
        if (a->images[i].first_object != next) abort();
        next += a->images[i].object_count;
        for (size_t j = a->images[i].first_object; j < next; j++)
            if (a->objects[j].image != i || a->objects[j].category >= a->category_count ||
                !isfinite(a->objects[j].box[0]))
                abort();
        const det_status found = det_annotations_find_image(a, a->images[i].file, &index, NULL);
        if (found == DET_OK && index >= a->image_count) abort();
    }
    if (status == DET_OK && next != a->object_count) abort();
    det_annotations_free(&data->seen);
}

#endif
