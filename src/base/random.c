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

/* The finalizer of SplitMix64 (Steele et al. 2014): every bit of the result depends on all bits. */
static uint64_t mix(uint64_t value)
{
    uint64_t z = value + 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

det_random det_random_at(uint64_t seed, uint64_t step, uint64_t slot)
{
    const uint64_t key = mix(mix(mix(seed) + step) + slot);
    return det_random_create(key, mix(key));
}

/* A Feistel network is a bijection of the numbers of 2 `half` bits, whatever its rounds are made
 * of. Followed until it gives a number below count, it is one of the numbers below count (Black and
 * Rogaway, "Ciphers with Arbitrary Finite Domains", 2002, section 4): four steps at most on
 * average, for a quarter of the numbers at least is below count. */
size_t det_random_turn(uint64_t seed, uint64_t index, size_t count)
{
    enum { rounds = 8 };
    if (count < 2) return 0;
    const uint64_t key = mix(mix(seed) + index / count);
    int half = 1;
    while ((uint64_t)1 << 2 * half < count) half++;
    const uint64_t mask = ((uint64_t)1 << half) - 1;
    uint64_t at = index % count;
    do {
        uint64_t left = at >> half, right = at & mask;
        for (uint64_t round = 0; round < rounds; round++) {
            const uint64_t next = left ^ (mix(mix(key + round) + right) & mask);
            left = right;
            right = next;
        }
        at = left << half | right;
    } while (at >= count);
    return (size_t)at;
}
