/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_KERNELS_VALUES_H
#define DETECT_NN_KERNELS_VALUES_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** What a map holds. Bytes are 0..255, each channel in steps of its own. */
typedef enum det_values { DET_VALUES_F32, DET_VALUES_BF16, DET_VALUES_BYTES } det_values;

/** Bytes of a value. */
static inline size_t det_values_size(det_values type)
{
    static const size_t sizes[] = {[DET_VALUES_F32] = sizeof(float),
                                   [DET_VALUES_BF16] = sizeof(uint16_t),
                                   [DET_VALUES_BYTES] = 1};
    return sizes[type];
}

/** bf16: the upper half of a float, rounded to the nearest, ties to even. */
static inline uint16_t det_to_bf16(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    if (isnan(number)) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float det_from_bf16(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

#endif
