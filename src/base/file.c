/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/file.h"

#include "src/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static det_status open_for_reading(const char *path, int *descriptor, struct stat *status,
                                   det_error *error)
{
    *descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (*descriptor < 0) return det_fail_errno(error, path, "open");
    det_status result = DET_OK;
    if (fstat(*descriptor, status) != 0)
        result = det_fail_errno(error, path, "examine");
    else if (S_ISDIR(status->st_mode))
        result = det_fail_at(error, DET_IO, path, NULL, "is a folder, not a file");
    if (result < 0) close(*descriptor);
    return result;
}

det_status det_file_read(const char *path, uint64_t max_bytes, det_bytes *bytes, det_error *error)
{
    int descriptor;
    struct stat status;
    det_status result = open_for_reading(path, &descriptor, &status, error);
    if (result < 0) return result;

    if (S_ISREG(status.st_mode) && (uint64_t)status.st_size > max_bytes)
        result =
            det_fail_at(error, DET_LIMIT, path, NULL, "%llu bytes are more than the limit of %llu",
                        (unsigned long long)status.st_size, (unsigned long long)max_bytes);
    else
        result = det_file_read_descriptor(descriptor, path, max_bytes, bytes, error);
    close(descriptor);
    return result;
}

det_status det_file_read_descriptor(int descriptor, const char *name, uint64_t max_bytes,
                                    det_bytes *bytes, det_error *error)
{
    det_bytes read_so_far = {0};
    size_t capacity = 0;
    det_status result = DET_OK;
    for (;;) {
        if (!det_grow_array(&read_so_far.data, &capacity, read_so_far.size + (64 << 10), 1)) {
            result = det_error_file(error, name, det_fail_memory(error, "the bytes of a file"));
            break;
        }
        const ssize_t got =
            read(descriptor, read_so_far.data + read_so_far.size, capacity - read_so_far.size);
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            result = det_fail_errno(error, name, "read");
            break;
        }
        read_so_far.size += (size_t)got;
        if (read_so_far.size > max_bytes) {
            result = det_fail_at(error, DET_LIMIT, name, NULL, "more bytes than the limit of %llu",
                                 (unsigned long long)max_bytes);
            break;
        }
    }
    if (result < 0)
        det_bytes_free(&read_so_far);
    else
        *bytes = read_so_far;
    return result;
}

det_status det_file_map(const char *path, det_bytes *bytes, det_error *error)
{
    int descriptor;
    struct stat status;
    det_status result = open_for_reading(path, &descriptor, &status, error);
    if (result < 0) return result;

    if (status.st_size == 0) {
        result = det_fail_at(error, DET_FORMAT, path, NULL, "the file is empty");
    } else {
        void *data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (data == MAP_FAILED)
            result = det_fail_errno(error, path, "map");
        else
            *bytes = (det_bytes){data, (size_t)status.st_size, true};
    }
    close(descriptor);
    return result;
}

void det_bytes_free(det_bytes *bytes)
{
    if (!bytes) return;
    if (bytes->mapped)
        munmap(bytes->data, bytes->size);
    else
        det_free(bytes->data);
    *bytes = (det_bytes){0};
}

/* Like mkostemp, but with the mode that the user's umask gives. */
static int open_new_file(char *name, char *suffix, size_t suffix_size)
{
    enum { attempts = 100 };
    for (int i = 0; i < attempts; i++) {
        snprintf(suffix, suffix_size, ".part-%ld-%d", (long)getpid(), i);
        const int descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0 || errno != EEXIST) return descriptor;
    }
    return -1;
}

static FILE *open_temporary(det_output *output)
{
    enum { suffix_size = 40 };
    const size_t length = strlen(output->path);
    output->temporary = det_alloc(length + suffix_size);
    if (!output->temporary) {
        errno = ENOMEM;
        return NULL;
    }
    memcpy(output->temporary, output->path, length);
    const int descriptor =
        open_new_file(output->temporary, output->temporary + length, suffix_size);
    FILE *stream = descriptor >= 0 ? fdopen(descriptor, "wb") : NULL;
    if (!stream && descriptor >= 0) {
        close(descriptor);
        unlink(output->temporary);
    }
    return stream;
}

det_status det_output_open(const char *path, det_output *output, det_error *error)
{
    struct stat status;
    *output = (det_output){0};
    const bool exists = stat(path, &status) == 0;
    if (exists && S_ISDIR(status.st_mode))
        return det_fail_at(error, DET_IO, path, NULL, "cannot write: is a folder, not a file");

    output->path = det_copy_string(path);
    errno = ENOMEM;
    if (output->path)
        output->stream =
            exists && !S_ISREG(status.st_mode) ? fopen(path, "wbe") : open_temporary(output);
    if (output->stream) return DET_OK;

    const det_status result =
        errno == ENOMEM ? det_error_file(error, path, det_fail_memory(error, "an output file"))
                        : det_fail_errno(error, path, "write");
    det_output_abandon(output);
    return result;
}

det_status det_output_open_descriptor(int descriptor, const char *name, det_output *output,
                                      det_error *error)
{
    *output = (det_output){.path = det_copy_string(name)};
    if (!output->path) return det_fail_memory(error, "an output file");
    const int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0) output->stream = fdopen(copy, "wb");
    if (output->stream) return DET_OK;
    const det_status result = det_fail_errno(error, name, "write");
    if (copy >= 0) close(copy);
    det_output_abandon(output);
    return result;
}

static void free_output(det_output *output)
{
    det_free(output->path);
    det_free(output->temporary);
    *output = (det_output){0};
}

det_status det_output_commit(det_output *output, det_error *error)
{
    errno = 0;
    const char *temporary = output->temporary;
    const bool bad = ferror(output->stream) != 0;
    bool written = fflush(output->stream) == 0 && !bad;
    if (written && temporary && !output->hasty) written = fsync(fileno(output->stream)) == 0;
    written = fclose(output->stream) == 0 && written;
    if (written && temporary) written = rename(temporary, output->path) == 0;

    det_status result = DET_OK;
    if (!written) {
        if (errno == 0) errno = EIO;
        result = det_fail_errno(error, output->path, "write");
        if (temporary) unlink(temporary);
    }
    free_output(output);
    return result;
}

void det_output_abandon(det_output *output)
{
    if (output->stream) fclose(output->stream);
    if (output->stream && output->temporary) unlink(output->temporary);
    free_output(output);
}

static det_status write_text(const char *path, const det_text *text, bool hasty, det_error *error)
{
    det_output output;
    if (text->failed) return det_fail_memory(error, "the content of a file");
    const det_status status = det_output_open(path, &output, error);
    if (status < 0) return status;
    output.hasty = hasty;
    if (text->length > 0) fwrite(text->data, 1, text->length, output.stream);
    return det_output_commit(&output, error); /* finds a write that failed, too */
}

det_status det_file_write(const char *path, const det_text *text, det_error *error)
{
    return write_text(path, text, false, error);
}

det_status det_file_write_hastily(const char *path, const det_text *text, det_error *error)
{
    return write_text(path, text, true, error);
}

static ssize_t append_bytes(void *text, const char *bytes, size_t count)
{
    det_text_append(text, bytes, count);
    if (!((det_text *)text)->failed) return (ssize_t)count;
    errno = ENOMEM;
    return 0;
}

FILE *det_text_stream(det_text *text)
{
    return fopencookie(text, "w", (cookie_io_functions_t){.write = append_bytes});
}

char *det_path_join(const char *folder, const char *name)
{
    const size_t a = strlen(folder), b = strlen(name);
    if (a == 0 || name[0] == '/') return det_copy_string(name);
    char *path = det_alloc(a + b + 2);
    if (!path) return NULL;
    memcpy(path, folder, a);
    const size_t slash = folder[a - 1] == '/' ? 0 : 1;
    if (slash) path[a] = '/';
    memcpy(path + a + slash, name, b + 1);
    return path;
}

char *det_path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    const size_t length = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);
    char *folder = det_alloc(length + 1);
    if (!folder) return NULL;
    memcpy(folder, path, length);
    folder[length] = '\0';
    return folder;
}
