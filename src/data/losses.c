/* SPDX-License-Identifier: Apache-2.0 */
#include "src/data/losses.h"

#include "src/base/memory.h"
#include "src/base/text.h"

#include <stdarg.h>
#include <stdio.h>

/* Losses with what the public view of them points to. */
typedef struct losses_data {
    det_losses seen; /* comes first: the view that the caller has */
    det_loss_line lines[DET_LOSS_COUNT];
} losses_data;

void det_losses_free(det_losses *losses)
{
    if (!losses) return;
    for (size_t i = 0; i < losses->count; i++) det_free((char *)losses->lines[i].text);
    det_free(losses);
}

void det_loss_note(det_loss_tally *tally, det_loss loss, const char *format, ...)
{
    det_oddity_count *counted = &tally->counted[loss];
    if (counted->count++ > 0) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(counted->first, sizeof counted->first, format, arguments);
    va_end(arguments);
}

static const char *const descriptions[DET_LOSS_COUNT] = {
    [DET_LOSS_IMAGE_ID] = "numbers (ids) of pictures, not kept",
    [DET_LOSS_CATEGORY_ID] = "numbers (ids) of classes, which become others",
    [DET_LOSS_OBJECT_ID] = "numbers (ids) of objects, not kept",
    [DET_LOSS_NO_ID] = "objects without a number (id), which get one",
    [DET_LOSS_IMAGE_NAME] = "pictures that are called otherwise",
    [DET_LOSS_CLASS_NAME] = "names of classes, whose spaces at the ends are not kept",
    [DET_LOSS_SAME_NAME] = "classes of a name that another has, too, which become one",
    [DET_LOSS_UNUSED] = "classes without an object, not kept",
    [DET_LOSS_CROWD] = "crowds, left out",
    [DET_LOSS_IGNORE] = "objects to be ignored, left out",
    [DET_LOSS_DIFFICULT] = "difficult objects, left out",
    [DET_LOSS_MARK] = "objects marked as truncated or occluded, whose mark is not kept",
    [DET_LOSS_AREA] = "areas of objects, which become those of the boxes",
    [DET_LOSS_FRACTION] = "boxes with fractions of pixels",
    [DET_LOSS_LAST_BITS] = "boxes that read back within rounding, not to the last bit",
    [DET_LOSS_FAR] = "objects far outside of the picture, left out",
    [DET_LOSS_NO_SIZE] = "objects on pictures whose size is not known, left out",
    [DET_LOSS_NO_PICTURE] = "pictures that are not there, so that links lead nowhere",
    [DET_LOSS_ORIGIN] = "detections of which it is not kept how they were made",
    [DET_LOSS_SCORE] = "scores outside of 0 to 1, which the schema of this format does not have",
    [DET_LOSS_ORDER] = "detections of equal score, reordered, which may change figures of VOC",
};

static det_status add_line(losses_data *data, det_loss loss, size_t count, det_text *text,
                           det_error *error)
{
    if (text->failed) {
        det_text_free(text);
        return det_fail_memory(error, "what is lost");
    }
    data->lines[data->seen.count++] = (det_loss_line){loss, count, text->data};
    return DET_OK;
}

static det_status add_unread(losses_data *data, const det_annotations *annotations,
                             det_error *error)
{
    size_t count = 0;
    det_text text = {0};
    if (!annotations || annotations->unread_count == 0) return DET_OK;
    det_text_add(&text, "what the files say besides, not kept: ");
    for (size_t i = 0; i < annotations->unread_count; i++) {
        const det_unread *unread = &annotations->unread[i];
        det_text_format(&text, "%s%s: %zu", i > 0 ? ", " : "", unread->name, unread->count);
        count += unread->count;
    }
    return add_line(data, DET_LOSS_UNREAD, count, &text, error);
}

static det_status add_counted(losses_data *data, const det_loss_tally *tally, det_loss loss,
                              det_error *error)
{
    det_text text = {0};
    const det_oddity_count *counted = &tally->counted[loss];
    if (counted->count == 0) return DET_OK;
    const char *description = tally->descriptions[loss];
    det_text_format(&text, "%s: %zu (first: %s)", description ? description : descriptions[loss],
                    counted->count, counted->first);
    return add_line(data, loss, counted->count, &text, error);
}

det_status det_losses_make(const det_loss_tally *tally, const det_annotations *unread,
                           det_losses **losses, det_error *error)
{
    losses_data *data = det_alloc_zeroed(1, sizeof *data);
    if (!data) return det_fail_memory(error, "what is lost");
    data->seen.lines = data->lines;
    det_status status = add_unread(data, unread, error);
    for (int i = 0; status == DET_OK && i < DET_LOSS_COUNT; i++)
        status = add_counted(data, tally, (det_loss)i, error);
    if (status < 0)
        det_losses_free(&data->seen);
    else
        *losses = &data->seen;
    return status;
}
