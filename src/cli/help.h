/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_HELP_H
#define DETECT_CLI_HELP_H

#include "src/cli/options.h"

#include <stdio.h>

/* Texts made from the option table. Write errors are found when the stream is flushed. */

/** The help of one command, at most 80 columns wide; the main job's also lists the commands. */
void cli_print_help(const cli_command *command, FILE *stream);
/** The commands that begin with a word: "model". */
void cli_print_group_help(const char *group, FILE *stream);
/** The keys of the configuration, with their defaults. */
void cli_print_keys(FILE *stream);
/** The few lines for somebody who typed nothing but the program's name. */
void cli_print_usage(FILE *stream);
/** A script that completes commands, options and their values in bash. */
void cli_print_completion(FILE *stream);
/** The manual page detect(1), in troff's man macros. */
void cli_print_man(FILE *stream);

#endif
