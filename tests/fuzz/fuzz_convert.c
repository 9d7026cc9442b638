/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as COCO annotations: what is accepted is written, and read again as the same. */
#include "src/base/file.h"
#include "tests/fuzz/fuzz_annotations.h"

#include "detect/convert.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static det_annotations_data *read_text(const char *text, size_t size)
{
    det_annotations_data *data = det_annotations_begin(DET_ANNOTATIONS_COCO, NULL);
    if (det_coco_parse(text, size, data, NULL) == DET_OK &&
        det_annotations_finish(data, NULL) == DET_OK)
        return data;
    det_annotations_free(&data->seen);
    return NULL;
}

static void compare(const det_annotations *a, const det_annotations *b)
{
    if (a->image_count != b->image_count || a->object_count != b->object_count ||
        a->category_count != b->category_count)
        abort();
    for (size_t i = 0; i < a->image_count; i++)
        if (strcmp(a->images[i].file, b->images[i].file) != 0 || a->images[i].id != b->images[i].id)
            abort();
    for (size_t i = 0; i < a->object_count; i++) {
        const det_annotated_object *o = &a->objects[i], *p = &b->objects[i];
        if (o->image != p->image || o->category != p->category || o->area != p->area ||
            o->crowd != p->crowd || o->ignore != p->ignore || o->difficult != p->difficult)
            abort();
        for (size_t j = 0; j < 4; j++)
            if (o->box[j] != p->box[j]) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    det_annotations_data *read = read_text((const char *)data, size);
    if (!read) return 0;
    det_bytes bytes = {0};
    det_losses *losses = NULL;
    const int file = memfd_create("annotations", MFD_CLOEXEC);
    const det_convert_options options = {.stream_fd = file};
    if (file < 0) abort();
    if (det_annotations_write(&read->seen, DET_ANNOTATIONS_COCO, NULL, &options, &losses, NULL) ==
        DET_OK) {
        if (lseek(file, 0, SEEK_SET) != 0 ||
            det_file_read_descriptor(file, "annotations", 1 << 30, &bytes, NULL) < 0)
            abort();
        det_annotations_data *back = read_text((const char *)bytes.data, bytes.size);
        if (!back) abort();
        compare(&read->seen, &back->seen);
        det_annotations_free(&back->seen);
    }
    close(file);
    det_losses_free(losses);
    det_bytes_free(&bytes);
    det_annotations_free(&read->seen);
    return 0;
}
