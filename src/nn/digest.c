/* SPDX-License-Identifier: Apache-2.0 */
#include "src/nn/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

bool det_digest(const void *const *blocks, const size_t *sizes, size_t count,
                char text[DET_DIGEST_SIZE])
{
    XXH3_state_t *state = XXH3_createState();
    if (!state) return false;
    XXH3_128bits_reset(state);
    for (size_t i = 0; i < count; i++) XXH3_128bits_update(state, blocks[i], sizes[i]);
    const XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    snprintf(text, DET_DIGEST_SIZE, "xxh3-128:%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
             (uint64_t)hash.low64);
    return true;
}
