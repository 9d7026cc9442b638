/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/random.h"

det_random det_random_create(uint64_t seed, uint64_t stream)
{
    det_random random = {.state = 0, .increment = stream << 1 | 1};
    det_random_u32(&random);
    random.state += seed;
    det_random_u32(&random);
    return random;
}

uint32_t det_random_u32(det_random *random)
{
    const uint64_t old = random->state;
    random->state = old * 6364136223846793005u + random->increment;
    const uint32_t shifted = (uint32_t)((old >> 18 ^ old) >> 27);
    const uint32_t turn = (uint32_t)(old >> 59);
    return shifted >> turn | shifted << (-turn & 31);
}

double det_random_double(det_random *random)
{
    const uint64_t high = det_random_u32(random), low = det_random_u32(random);
    return (double)((high << 32 | low) >> 11) * 0x1p-53;
}

uint32_t det_random_below(det_random *random, uint32_t bound)
{
    if (bound == 0) return 0;
    const uint32_t threshold = -bound % bound; /* 2^32 mod bound: values below it would be biased */
    for (;;) {
        const uint32_t value = det_random_u32(random);
        if (value >= threshold) return value % bound;
    }
}

void det_random_order(det_random *random, size_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const size_t at = det_random_below(random, (uint32_t)(i + 1));
        order[i] = order[at];
        order[at] = i;
    }
}
