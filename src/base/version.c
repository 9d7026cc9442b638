/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/version.h"

#define TEXT(x) #x
#define JOIN(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

const char *det_version(void)
{
    return JOIN(DET_VERSION_MAJOR, DET_VERSION_MINOR, DET_VERSION_PATCH);
}
