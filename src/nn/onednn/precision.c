/* SPDX-License-Identifier: Apache-2.0 */
/* Precisions: their names, and which of them the processor has. */
#include "src/nn/onednn/plan.h"
#include "src/nn/onednn/processor.h"

#include <string.h>

static const char *const names[] = {[DET_F32] = "f32", [DET_BF16] = "bf16"};

enum { name_count = sizeof names / sizeof *names };

const char *det_precision_name(det_precision precision)
{
    return (unsigned)precision < name_count ? names[precision] : NULL;
}

bool det_precision_parse(const char *name, det_precision *precision)
{
    for (unsigned i = 0; i < name_count; i++)
        if (strcmp(names[i], name) == 0) {
            *precision = (det_precision)i;
            return true;
        }
    return false;
}

det_status det_precision_check(det_precision precision, det_error *error)
{
    if (!det_precision_name(precision))
        return det_fail(error, DET_ARGUMENT, "there is no precision %d", (int)precision);
    if (precision != DET_BF16 || det_processor_has_bf16()) return DET_OK;
    return det_fail(error, DET_UNSUPPORTED,
                    "this processor does not compute in bf16: it has %s, and bf16 needs AVX-512 "
                    "with bf16; use f32",
                    det_processor_features());
}
