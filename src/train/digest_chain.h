/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_DIGEST_CHAIN_H
#define DETECT_TRAIN_DIGEST_CHAIN_H

#include "src/nn/digest.h"

#include <stdint.h>

/** A digest of what is added one after another: each addition gives the digest of the last one, the
 *  size and the bytes. Begins as {0}. */
typedef struct det_digest_chain {
    char text[DET_DIGEST_SIZE]; /**< "" where nothing was added */
    bool failed;                /**< memory was short */
} det_digest_chain;

void det_digest_add(det_digest_chain *chain, const void *bytes, size_t size);
/** With its end, so that "a", "b" differs from "ab". */
void det_digest_add_text(det_digest_chain *chain, const char *text);
void det_digest_add_number(det_digest_chain *chain, double number);

#endif
