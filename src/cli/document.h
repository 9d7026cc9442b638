/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_DOCUMENT_H
#define DETECT_CLI_DOCUMENT_H

#include "detect/json.h"
#include "src/cli/options.h"

/** Finishes a document, writes it to a file ("-": standard output) and frees it. A file appears
 *  whole or not at all.
 *  @param json NULL says that memory was short when it was made. */
det_status cli_write_document(det_json *json, const char *path, det_error *error);

/** Writes a text and the end of a line to a file, which appears whole or not at all. */
det_status cli_write_file(const char *path, const char *text, det_error *error);

/** Whether a document can be written there: found before long work. */
det_status cli_check_document(const char *path, det_error *error);

/** Whether --json FILE, if given, can be written: it must not replace the annotations, or what
 *  --output names.
 *  @param results what --output holds, for the message: "labels". */
det_status cli_check_figures(const cli_values *values, const char *annotations, const char *results,
                             det_error *error);

/** "6,998,552" @return text. */
const char *cli_group_digits(uint64_t number, char text[32]);

#endif
