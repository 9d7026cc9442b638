/* SPDX-License-Identifier: Apache-2.0 */
/* Names of precisions. */
#include "detect/model.h"

#include <string.h>

static const char *const names[] = {
    [DET_F32] = "f32", [DET_BF16] = "bf16", [DET_INT8] = "int8", [DET_AUTO] = "auto"};

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
