/* SPDX-License-Identifier: Apache-2.0 */
/* The progress line: at most ten times a second, so that it costs nothing. */
#include "src/cli/progress.h"

#include "src/cli/report.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

double cli_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

cli_progress cli_progress_begin(size_t pictures, const char *unit, bool quiet)
{
    const double now = cli_now_s();
    return (cli_progress){.enabled = !quiet && isatty(STDERR_FILENO),
                          .unit = unit,
                          .pictures = pictures,
                          .began_s = now,
                          .drawn_s = now};
}

void cli_progress_clear(cli_progress *progress)
{
    if (progress->visible) fputs("\r\033[K", stderr);
    progress->visible = false;
}

/** "[#####.....] picture 3 of 41, regions 812 of 2000, 0:42 left" */
static void draw_line(cli_progress *progress, double now, uint64_t done, uint64_t total)
{
    enum { BAR = 20 };
    static const char full[] = "####################", empty[] = "....................";
    const double part = total > 0 ? (double)done / (double)total : 0;
    const double fraction = progress->pictures > 0
                                ? ((double)progress->done + part) / (double)progress->pictures
                                : part;
    const int filled = (int)(fraction * BAR);
    fprintf(stderr, "\r\033[K[%.*s%.*s]", filled, full, BAR - filled, empty);
    if (progress->pictures > 0)
        fprintf(stderr, " picture %zu of %zu%s", progress->done + 1, progress->pictures,
                progress->unit && total > 0 ? "," : "");
    if (progress->unit && total > 0)
        fprintf(stderr, " %s %llu of %llu", progress->unit, (unsigned long long)done,
                (unsigned long long)total);
    if (fraction > 0) {
        const long left_s = (long)((now - progress->began_s) * (1 - fraction) / fraction + .5);
        fprintf(stderr, ", %ld:%02ld left", left_s / 60, left_s % 60);
    }
    fputs(progress->note, stderr);
    fflush(stderr);
    progress->visible = true;
    progress->drawn_s = now;
}

bool cli_progress_step(void *context, uint64_t done, uint64_t total)
{
    cli_progress *progress = context;
    const double now = cli_now_s();
    if (progress->enabled && now - progress->drawn_s > .1)
        draw_line(progress, now, done < total ? done : total, total);
    return !cli_stop_signal();
}
