/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/schedule.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

det_status det_schedule_check(const det_schedule *s, det_error *error)
{
    if (!(s->rate > 0 && isfinite(s->rate)))
        return det_fail(error, DET_ARGUMENT, "a learning rate of %g: it must be above 0", s->rate);
    if (s->kind == DET_SCHEDULE_STEP && !(s->factor > 0 && s->factor <= 1))
        return det_fail(
            error, DET_ARGUMENT,
            "the learning rate falls by a factor of %g: it must be above 0 and at most 1",
            s->factor);
    if (s->kind == DET_SCHEDULE_STEP && s->every == 0)
        return det_fail(error, DET_ARGUMENT, "the learning rate falls every 0 steps: at least 1");
    if (s->kind == DET_SCHEDULE_POLY && !(s->power >= 0 && isfinite(s->power)))
        return det_fail(error, DET_ARGUMENT, "the learning rate falls with power %g: at least 0",
                        s->power);
    return DET_OK;
}

static double step_down(const det_schedule *s, uint64_t step)
{
    const uint64_t falls = step / s->every;
    return pow(s->factor, (double)falls);
}

/* What the rate is multiplied by, without warm-up. */
static double share(const det_schedule *s, uint64_t step, uint64_t steps)
{
    const double part = (double)step / (double)steps;
    switch (s->kind) {
    case DET_SCHEDULE_STEP:
        return step_down(s, step);
    case DET_SCHEDULE_POLY:
        return pow(1 - part, s->power);
    case DET_SCHEDULE_COSINE:
        return (1 + cos(pi * part)) / 2;
    case DET_SCHEDULE_CONSTANT:
        break;
    }
    return 1;
}

double det_schedule_rate(const det_schedule *s, uint64_t step, uint64_t steps)
{
    const double rate = s->rate * share(s, step, steps);
    return step < s->warm_up ? rate * (double)(step + 1) / (double)s->warm_up : rate;
}
