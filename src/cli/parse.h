/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_PARSE_H
#define DETECT_CLI_PARSE_H

#include "src/cli/options.h"

/** A command line, understood. */
typedef struct cli_line {
    const cli_command *command; /**< NULL: `group`, or help about nothing in particular */
    const char *group;          /**< "model" where the second word is missing, else NULL */
    cli_values values;          /**< operands without the words of the command */
} cli_line;

/** Understands a command line: --name VALUE, --name=VALUE, -l VALUE, -lVALUE; `--` ends the
 *  options. The first operand chooses the command if it equals one; "help" before it asks for its
 *  help.
 *  @param line free with cli_line_free, also on failure, where `command` is set as far as known.
 *  @return DET_OK, DET_ARGUMENT, DET_MEMORY. */
det_status cli_parse(int argc, const char *const *argv, cli_line *line, det_error *error);
void cli_line_free(cli_line *line);

/** Number of single edits (insert, delete, replace, swap neighbours) between two words. */
size_t cli_edit_distance(const char *a, const char *b);

#endif
