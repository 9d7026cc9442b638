/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    det_status status;
    const char *name;
} names[] = {
    {DET_OK, "ok"},         {DET_ARGUMENT, "argument"},       {DET_IO, "io"},
    {DET_FORMAT, "format"}, {DET_UNSUPPORTED, "unsupported"}, {DET_LIMIT, "limit"},
    {DET_MEMORY, "memory"}, {DET_CANCELLED, "cancelled"},     {DET_INTERNAL, "internal"},
};

const char *det_status_name(det_status status)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].status == status) return names[i].name;
    return "unknown";
}

size_t det_error_format(const det_error *error, char *text, size_t size)
{
    const int length = snprintf(text, size, "%s%s%s%s%s", error->file, *error->file ? ": " : "",
                                error->where, *error->where ? ": " : "", error->message);
    return length < 0 ? 0 : (size_t)length;
}

/* Characters cut in two at the end of the field are dropped. */
static void copy_text(char *to, size_t size, const char *from)
{
    size_t length = strlen(from);
    if (length >= size) {
        length = size - 1;
        while (length > 0 && ((unsigned char)from[length] & 0xC0) == 0x80) length--;
    }
    memmove(to, from, length);
    to[length] = '\0';
}

static void fill(det_error *error, det_status status, const char *file, const char *where,
                 const char *format, va_list arguments) DET_PRINTF(5, 0);

static void fill(det_error *error, det_status status, const char *file, const char *where,
                 const char *format, va_list arguments)
{
    /* The arguments may point into the error itself, so the message is made first. */
    char message[sizeof error->message];
    vsnprintf(message, sizeof message, format, arguments);
    copy_text(error->file, sizeof error->file, file ? file : "");
    copy_text(error->where, sizeof error->where, where ? where : "");
    copy_text(error->message, sizeof error->message, message);
    error->status = status;
}

det_status(det_fail)(det_error *error, det_status status, const char *format, ...)
{
    if (!error) return status;
    va_list arguments;
    va_start(arguments, format);
    fill(error, status, NULL, NULL, format, arguments);
    va_end(arguments);
    return status;
}

det_status(det_fail_at)(det_error *error, det_status status, const char *file, const char *where,
                        const char *format, ...)
{
    if (!error) return status;
    va_list arguments;
    va_start(arguments, format);
    fill(error, status, file, where, format, arguments);
    va_end(arguments);
    return status;
}

det_status(det_fail_memory)(det_error *error, const char *what)
{
    return det_fail(error, DET_MEMORY, "out of memory for %s", what);
}

det_status(det_fail_errno)(det_error *error, const char *file, const char *doing)
{
    char reason[128]; /* strerror is not thread-safe; GNU's strerror_r may use this or not */
    const char *text = strerror_r(errno, reason, sizeof reason);
    return det_fail_at(error, DET_IO, file, NULL, "cannot %s: %s", doing, text);
}

det_status det_error_file(det_error *error, const char *file, det_status status)
{
    if (status < 0 && error && !*error->file) copy_text(error->file, sizeof error->file, file);
    return status;
}

void det_error_where(det_error *error, const char *format, ...)
{
    if (!error || *error->where) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->where, sizeof error->where, format, arguments);
    va_end(arguments);
}

det_status det_error_inside(det_error *error, const char *prefix, const char *separator,
                            det_status status)
{
    if (status == DET_OK || !error) return status;
    char inner[sizeof error->where];
    memcpy(inner, error->where, sizeof inner);
    *error->where = '\0';
    det_error_where(error, "%s%s%s", prefix, *inner ? separator : "", inner);
    return status;
}
