/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_VERSION_H
#define DETECT_VERSION_H

#include "detect/export.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DET_VERSION_MAJOR 0
#define DET_VERSION_MINOR 1
#define DET_VERSION_PATCH 0

/** The version of the library that is loaded, "major.minor.patch". */
DET_API const char *det_version(void);

/** The convolution library underneath and its version at run time, such as "oneDNN 2.6.3".
 * Thread-safe. */
DET_API const char *det_version_onednn(void);

#ifdef __cplusplus
}
#endif
#endif
