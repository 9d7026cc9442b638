/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_ONEDNN_PROCESSOR_H
#define DETECT_NN_ONEDNN_PROCESSOR_H

#include <stdbool.h>

/* What the processor can do, as oneDNN may use it (DNNL_MAX_CPU_ISA lowers it). */

/** AVX2 with FMA; AVX-512 F. */
bool det_processor_has_avx2(void);
bool det_processor_has_avx512(void);

/** Products of bf16 numbers, summed in f32 (AVX512_BF16 or AMX). */
bool det_processor_has_bf16(void);

/** Sums of four products of 8-bit integers that cannot overflow (VNNI): any, with AVX-512, AVX2. */
bool det_processor_has_vnni(void);
bool det_processor_has_avx512_vnni(void);
bool det_processor_has_avx2_vnni(void);

/** Its vector instructions, for people: "AVX-512 with VNNI". Never NULL. */
const char *det_processor_features(void);

#endif
