/* SPDX-License-Identifier: Apache-2.0 */
#include "src/image/canvas.h"

#include "src/base/memory.h"
#include "src/base/text.h"

#include <string.h>

char *det_canvas_text(const char *label)
{
    enum { longest = 256 /* bytes */ };
    det_text text = {0};
    const size_t available = strlen(label);
    det_text_add(&text, "");
    for (size_t at = 0; at < available && text.length < longest;) {
        const size_t length = det_utf8_length(label + at, available - at);
        if (length == 0 || (unsigned char)label[at] < ' ' || label[at] == 0x7F)
            det_text_add(&text, "\xEF\xBF\xBD");
        else
            det_text_append(&text, label + at, length);
        at += length ? length : 1;
    }
    if (!text.failed) return text.data;
    det_text_free(&text);
    return NULL;
}

void det_canvas_set_color(cairo_t *cairo, uint32_t color)
{
    cairo_set_source_rgb(cairo, (color >> 16 & 255) / 255., (color >> 8 & 255) / 255.,
                         (color & 255) / 255.);
}

det_status det_canvas_check(cairo_status_t status, det_error *error)
{
    if (status == CAIRO_STATUS_NO_MEMORY) return det_fail_memory(error, "drawing");
    if (status != CAIRO_STATUS_SUCCESS)
        return det_fail(error, DET_INTERNAL, "cairo: %s", cairo_status_to_string(status));
    return DET_OK;
}
