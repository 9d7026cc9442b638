/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/digest_chain.h"

#include <string.h>

void det_digest_add(det_digest_chain *chain, const void *bytes, size_t size)
{
    const uint64_t length = size;
    const void *const blocks[] = {chain->text, &length, bytes};
    const size_t sizes[] = {strlen(chain->text), sizeof length, size};
    if (!det_digest(blocks, sizes, size > 0 ? 3 : 2, chain->text)) chain->failed = true;
}

void det_digest_add_text(det_digest_chain *chain, const char *text)
{
    det_digest_add(chain, text, strlen(text) + 1);
}

void det_digest_add_number(det_digest_chain *chain, double number)
{
    det_digest_add(chain, &number, sizeof number);
}
