/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled for AVX-512 F; called only where the processor has it. */
#include "src/nn/kernels/lrn.h"

#if defined(__x86_64__)
#include "src/nn/kernels/avx512.h"

typedef __m512 vector;

#define zero() _mm512_setzero_ps()
#define all(value) _mm512_set1_ps(value)
#define add(a, b) _mm512_add_ps(a, b)
#define subtract(a, b) _mm512_sub_ps(a, b)
#define multiply(a, b) _mm512_mul_ps(a, b)
#define as_integers(a) _mm512_castps_si512(a)
#define as_floats(a) _mm512_castsi512_ps(a)
#define before(previous, here, n)                                                                  \
    as_floats(_mm512_alignr_epi32(as_integers(here), as_integers(previous), 16 - (n)))
#define behind(here, next, n)                                                                      \
    as_floats(_mm512_alignr_epi32(as_integers(next), as_integers(here), n))

AVX512_INLINE vector load(const det_lrn_call *call, size_t index)
{
    if (call->in_type == DET_VALUES_F32) return _mm512_loadu_ps((const float *)call->in + index);
    const __m256i halves =
        _mm256_loadu_si256((const __m256i *)(const void *)((const uint16_t *)call->in + index));
    return as_floats(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

AVX512_INLINE void store(const det_lrn_call *call, size_t plane, size_t index, vector y)
{
    if (call->out_type == DET_VALUES_F32) {
        _mm512_storeu_ps((float *)call->out + index, y);
    } else if (call->out_type == DET_VALUES_BF16) {
        _mm256_storeu_si256((__m256i *)(void *)((uint16_t *)call->out + index), to_bf16(y));
    } else {
        const vector steps = multiply(y, of_block(call->inverse_step, (int)plane));
        _mm_storeu_si128((__m128i *)(void *)((uint8_t *)call->out + index), to_bytes(steps));
    }
}

/* 1 / sqrt(a), to 14 bits. */
#define inverse_root_estimate(a) _mm512_rsqrt14_ps(a)

#include "src/nn/kernels/lrn_template.h"

const det_lrn_code det_lrn_avx512 = {"own:avx512", BLOCK, run};
#endif
