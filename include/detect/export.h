/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_EXPORT_H
#define DETECT_EXPORT_H

/** Marks what the shared library exports; everything else is hidden. */
#define DET_API __attribute__((visibility("default")))

/** Lets the compiler check a printf-style function: `text` and `first` count parameters from 1. */
#define DET_PRINTF(text, first) __attribute__((format(printf, text, first)))

#endif
