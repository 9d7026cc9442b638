/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_DIGEST_H
#define DETECT_NN_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

/** Room for "xxh3-128:", 32 hexadecimal digits and the end. */
enum { DET_DIGEST_SIZE = 64 };

/** Digest of several blocks as if they followed each other. XXH3 (128 bits) finds damage at the
 *  speed of memory; it is no protection against somebody who alters a file on purpose.
 *  @return false when memory is short. */
bool det_digest(const void *const *blocks, const size_t *sizes, size_t count,
                char text[DET_DIGEST_SIZE]);

#endif
