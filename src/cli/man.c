/* SPDX-License-Identifier: Apache-2.0 */
/* The manual page, made from the option table, in the man macros of troff. */
#include "detect/data.h"
#include "detect/version.h"
#include "src/cli/help.h"

#include <ctype.h>

/** Prints text so that troff takes nothing in it for a request or an escape. */
static void print_text(const char *text, FILE *stream)
{
    if (*text == '.' || *text == '\'') fputs("\\&", stream);
    for (; *text; text++) {
        if (*text == '-')
            fputs("\\-", stream);
        else if (*text == '\\')
            fputs("\\e", stream);
        else if (*text == '\'')
            fputs("\\(aq", stream);
        else
            fputc(*text, stream);
    }
}

static void print_line(const char *text, FILE *stream)
{
    print_text(text, stream);
    fputc('\n', stream);
}

static void print_bold(const char *text, FILE *stream)
{
    fputs("\\fB", stream);
    print_text(text, stream);
    fputs("\\fR", stream);
}

static void print_option(const cli_option *option, FILE *stream)
{
    const char letter[] = {'-', option->letter, '\0'};
    fputs(".TP\n", stream);
    if (option->letter) {
        print_bold(letter, stream);
        fputs(", ", stream);
    }
    fputs("\\fB\\-\\-", stream);
    print_text(option->name, stream);
    fputs("\\fR", stream);
    if (option->argument) {
        fputs(" \\fI", stream);
        print_text(option->argument, stream);
        fputs("\\fR", stream);
    }
    fputc('\n', stream);
    print_line(option->help, stream);
}

static void print_synopsis(const cli_command *command, FILE *stream)
{
    fputs("\\fBdetect", stream);
    if (*command->name) fprintf(stream, " %s", command->name);
    fputs("\\fR [\\fIOPTION\\fR]...", stream);
    if (*command->operands) {
        fputs(" \\fI", stream);
        print_text(command->operands, stream);
        fputs("\\fR", stream);
    }
    fputc('\n', stream);
}

static void print_examples(const cli_command *command, FILE *stream)
{
    for (size_t i = 0; i < CLI_EXAMPLES && command->examples[i].command; i++) {
        fputs(".TP\n", stream);
        print_bold(command->examples[i].command, stream);
        fputc('\n', stream);
        print_line(command->examples[i].explanation, stream);
    }
}

static void print_command(const cli_command *command, FILE *stream)
{
    fputs(".SS detect", stream);
    if (*command->name) fprintf(stream, " %s", command->name);
    fputc('\n', stream);
    print_line(command->description, stream);
    for (size_t i = 0; i < cli_option_count; i++)
        if (cli_command_has(command, &cli_options[i])) print_option(&cli_options[i], stream);
}

static void print_keys(FILE *stream)
{
    const char *key, *type, *value, *help;
    fputs(".SH CONFIGURATION\n", stream);
    print_line("Keys of a --config file, where a dot stands for nesting, and of --set.", stream);
    for (size_t i = 0; det_config_key(i, &key, &type, &value, &help); i++) {
        fputs(".TP\n", stream);
        print_bold(key, stream);
        fprintf(stream, " (%s, ", type);
        print_text(value, stream);
        fputs(")\n", stream);
        print_line(help, stream);
    }
}

static void print_section(const char *title, const char *text, FILE *stream)
{
    fprintf(stream, ".SH %s\n", title);
    print_line(text, stream);
}

void cli_print_man(FILE *stream)
{
    fprintf(stream, ".TH DETECT 1 \"\" \"detect %s\" \"User Commands\"\n", det_version());
    print_section("NAME", "detect - find objects in pictures", stream);

    fputs(".SH SYNOPSIS\n.nf\n", stream);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) print_synopsis(&cli_commands[i], stream);
    fputs("\\fBdetect help\\fR [\\fICOMMAND\\fR]\n.fi\n", stream);

    print_section("DESCRIPTION", cli_commands[CLI_DETECT].description, stream);
    fputs(".PP\n", stream);
    print_line(cli_operands_text, stream);

    fputs(".SH COMMANDS AND OPTIONS\n", stream);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) print_command(&cli_commands[i], stream);

    print_keys(stream);
    fputs(".SH EXAMPLES\n", stream);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) print_examples(&cli_commands[i], stream);
    print_section("EXIT STATUS", cli_exit_text, stream);
}
