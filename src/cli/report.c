/* SPDX-License-Identifier: Apache-2.0 */
/* Messages, exit statuses, memory or the end, standard streams and signals. */
#include "src/cli/report.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop_signal;

det_status cli_fail(det_error *error, det_status status, const char *format, ...)
{
    *error = (det_error){.status = status};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

det_status cli_fail_errno(det_error *error, const char *file, const char *doing)
{
    const int reason = errno;
    cli_fail(error, DET_IO, "%s: %s", doing, strerror(reason));
    snprintf(error->file, sizeof error->file, "%s", file);
    return DET_IO;
}

void cli_report(const det_error *error)
{
    char line[sizeof *error + 8];
    det_error_format(error, line, sizeof line);
    fprintf(stderr, "detect: %s\n", line);
}

void cli_warn(bool quiet, const char *file, const char *text)
{
    if (!quiet) fprintf(stderr, "detect: %s: %s\n", file, text);
}

int cli_exit_status(const det_error *error)
{
    if (cli_stop_signal()) {
        fprintf(stderr, "detect: interrupted\n");
        return 128 + cli_stop_signal();
    }
    cli_report(error);
    return error->status == DET_ARGUMENT ? CLI_USAGE : CLI_FAILED;
}

void cli_out_of_memory(void)
{
    fprintf(stderr, "detect: out of memory\n");
    exit(CLI_FAILED);
}

void *cli_alloc(size_t count, size_t size)
{
    void *block = calloc(count > 0 ? count : 1, size);
    if (!block) cli_out_of_memory();
    return block;
}

char *cli_format(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    const int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) cli_out_of_memory();
    return text;
}

det_status cli_flush(FILE *stream, const char *name, det_error *error)
{
    if (fflush(stream) != 0 || ferror(stream)) return cli_fail_errno(error, name, "cannot write");
    return DET_OK;
}

det_status cli_check_stdout(det_error *error)
{
    const int flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) return DET_OK;
    return cli_fail(error, DET_IO, "standard output is closed; use --output FILE");
}

/* A closed standard descriptor is opened so that using it fails: the next file opened would
 * otherwise become "standard output" and be overwritten with results. */
static void occupy(int descriptor, int mode)
{
    if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", mode) < 0) _exit(CLI_FAILED);
}

static void on_signal(int signal_number)
{
    stop_signal = signal_number;
    signal(signal_number, SIG_DFL); /* a second Ctrl-C ends the program at once */
}

void cli_start(void)
{
    occupy(STDIN_FILENO, O_WRONLY);
    occupy(STDOUT_FILENO, O_RDONLY);
    occupy(STDERR_FILENO, O_RDONLY);

    signal(SIGPIPE, SIG_IGN);
    /* Without SA_RESTART: Ctrl-C also ends the wait for standard input. */
    const struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int cli_stop_signal(void)
{
    return stop_signal;
}
