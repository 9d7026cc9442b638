/* SPDX-License-Identifier: Apache-2.0 */
#include "src/nn/onednn/processor.h"

#include <oneapi/dnnl/dnnl.h>
#include <stddef.h>

/* Levels are sets of bits; one that contains another's can all that the other can. */
static bool reaches(dnnl_cpu_isa_t level)
{
    const unsigned effective = (unsigned)dnnl_get_effective_cpu_isa();
    return (effective & (unsigned)level) == (unsigned)level;
}

bool det_processor_has_avx2(void)
{
    return reaches(dnnl_cpu_isa_avx2);
}

bool det_processor_has_avx512(void)
{
    return reaches(dnnl_cpu_isa_avx512_core);
}

bool det_processor_has_bf16(void)
{
    return reaches(dnnl_cpu_isa_avx512_core_bf16);
}

bool det_processor_has_avx512_vnni(void)
{
    return reaches(dnnl_cpu_isa_avx512_core_vnni);
}

bool det_processor_has_avx2_vnni(void)
{
    return reaches(dnnl_cpu_isa_avx2_vnni);
}

bool det_processor_has_vnni(void)
{
    return det_processor_has_avx512_vnni() || det_processor_has_avx2_vnni();
}

const char *det_processor_features(void)
{
    static const struct {
        dnnl_cpu_isa_t level;
        const char *name;
    } levels[] = {
        {dnnl_cpu_isa_avx512_core_bf16, "AVX-512 with VNNI and bf16"},
        {dnnl_cpu_isa_avx512_core_vnni, "AVX-512 with VNNI"},
        {dnnl_cpu_isa_avx512_core, "AVX-512"},
        {dnnl_cpu_isa_avx2_vnni, "AVX2 with VNNI"},
        {dnnl_cpu_isa_avx2, "AVX2"},
        {dnnl_cpu_isa_avx, "AVX"},
        {dnnl_cpu_isa_sse41, "SSE4.1"},
    };
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (reaches(levels[i].level)) return levels[i].name;
    return "no vector instructions that oneDNN knows";
}
