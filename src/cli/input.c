/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures from files and from standard input. */
#include "src/cli/input.h"

#include "src/cli/report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char standard_input[] = "standard input";

/** Reads standard input to its end, but no further than the first byte beyond `most`. */
static det_status read_all(uint64_t most, uint8_t **bytes, size_t *size, det_error *error)
{
    size_t room = 1 << 16;
    while (*size <= most) {
        room = *size < room / 2 && *bytes ? room : 2 * room;
        uint8_t *larger = realloc(*bytes, room);
        if (!larger)
            return cli_fail(error, DET_MEMORY, "out of memory after %zu bytes of a picture", *size);
        *bytes = larger;
        const ssize_t got = read(STDIN_FILENO, *bytes + *size, room - *size);
        if (got == 0) return DET_OK;
        if (got < 0 && cli_stop_signal()) return cli_fail(error, DET_CANCELLED, "interrupted");
        if (got < 0) return cli_fail_errno(error, standard_input, "cannot read");
        *size += (size_t)got;
    }
    cli_fail(error, DET_LIMIT, "a picture of more than %llu bytes; limits.max_file_bytes allows it",
             (unsigned long long)most);
    strcpy(error->file, standard_input);
    return DET_LIMIT;
}

det_status cli_input_read(const char *path, const det_image_limits *limits, det_image *image,
                          det_error *error)
{
    if (strcmp(path, "-") != 0) return det_image_read(path, limits, image, error);
    uint8_t *bytes = NULL;
    size_t size = 0;
    det_status status = read_all(limits->max_file_bytes, &bytes, &size, error);
    if (status == DET_OK)
        status = det_image_decode(bytes, size, standard_input, limits, image, error);
    free(bytes);
    return status;
}

bool cli_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}
