/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled for AVX2 and FMA; called only where the processor has them. */
#include "src/nn/kernels/lrn.h"

#if defined(__x86_64__)
#include "src/nn/kernels/avx2.h"

typedef __m256 vector;

#define zero() _mm256_setzero_ps()
#define all(value) _mm256_set1_ps(value)
#define add(a, b) _mm256_add_ps(a, b)
#define subtract(a, b) _mm256_sub_ps(a, b)
#define multiply(a, b) _mm256_mul_ps(a, b)
#define as_bits(a) _mm256_castps_si256(a)
/* The upper half of one vector and the lower of the next; then bytes within halves. */
#define middle(a, b) _mm256_permute2x128_si256(as_bits(a), as_bits(b), 0x21)
#define before(previous, here, n)                                                                  \
    _mm256_castsi256_ps(_mm256_alignr_epi8(as_bits(here), middle(previous, here), 16 - 4 * (n)))
#define behind(here, next, n)                                                                      \
    _mm256_castsi256_ps(_mm256_alignr_epi8(middle(here, next), as_bits(here), 4 * (n)))

AVX2_INLINE vector load(const det_lrn_call *call, size_t index)
{
    return _mm256_loadu_ps((const float *)call->in + index);
}

AVX2_INLINE void store(const det_lrn_call *call, size_t plane, size_t index, vector y)
{
    if (call->out_type == DET_VALUES_F32) {
        _mm256_storeu_ps((float *)call->out + index, y);
        return;
    }
    const vector steps = multiply(y, of_block(call->inverse_step, (int)plane));
    _mm_storel_epi64((__m128i *)(void *)((uint8_t *)call->out + index), to_bytes(steps));
}

/* 1 / sqrt(a), to 11 bits. */
#define inverse_root_estimate(a) _mm256_rsqrt_ps(a)

#include "src/nn/kernels/lrn_template.h"

const det_lrn_code det_lrn_avx2 = {"own:avx2", BLOCK, run};
#endif
