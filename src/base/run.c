/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/run.h"

#include <time.h>

double det_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

det_status det_run_check(const det_run *run, uint64_t done, uint64_t total, det_error *error)
{
    if (!run) return DET_OK;
    if (run->progress && !run->progress(run->progress_context, done, total))
        return det_fail(error, DET_CANCELLED, "cancelled after %llu of %llu steps",
                        (unsigned long long)done, (unsigned long long)total);
    if (run->deadline_s > 0 && det_now_s() > run->deadline_s)
        return det_fail(error, DET_CANCELLED, "out of time after %llu of %llu steps",
                        (unsigned long long)done, (unsigned long long)total);
    return DET_OK;
}

det_run det_run_within(const det_run *run, int threads, double timeout_s)
{
    det_run ours = run ? *run : (det_run){0};
    ours.threads = threads;
    if (timeout_s > 0) {
        const double deadline_s = det_now_s() + timeout_s;
        if (ours.deadline_s <= 0 || deadline_s < ours.deadline_s) ours.deadline_s = deadline_s;
    }
    return ours;
}
