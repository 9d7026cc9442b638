/* SPDX-License-Identifier: Apache-2.0 */
/* Help texts for a terminal of 80 columns, made from the option table. */
#include "src/cli/help.h"

#include "detect/data.h"

#include <string.h>

enum { WIDTH = 79, OPTION_COLUMN = 26 };

static void indent_to(size_t column, FILE *stream)
{
    fprintf(stream, "%*s", (int)column, "");
}

/** Prints words, broken before WIDTH. The cursor stands in column `at`; further lines begin in
 *  column `indent`, and the line before ends in `broken`. Ends the line. */
static void print_broken(const char *text, size_t at, size_t indent, const char *broken,
                         FILE *stream)
{
    bool first = true;
    while (*text) {
        const size_t length = strcspn(text, " ");
        if (!first && at + 1 + length + strlen(broken) > WIDTH) {
            fprintf(stream, "%s\n", broken);
            indent_to(indent, stream);
            at = indent;
        } else if (!first) {
            fputc(' ', stream);
            at++;
        }
        fprintf(stream, "%.*s", (int)length, text);
        at += length;
        text += length + (text[length] == ' ');
        first = false;
    }
    fputc('\n', stream);
}

static void print_wrapped(const char *text, size_t at, size_t indent, FILE *stream)
{
    print_broken(text, at, indent, "", stream);
}

static void print_paragraph(const char *text, FILE *stream)
{
    fputc('\n', stream);
    print_wrapped(text, 0, 0, stream);
}

/** "  name     explanation", the explanation in its column, below the name where that is long. */
static void print_entry(const char *name, const char *explanation, FILE *stream)
{
    fprintf(stream, "  %s", name);
    size_t at = strlen(name) + 2;
    if (at + 2 > OPTION_COLUMN) {
        fputc('\n', stream);
        at = 0;
    }
    indent_to(OPTION_COLUMN - at, stream);
    print_wrapped(explanation, OPTION_COLUMN, OPTION_COLUMN, stream);
}

static void print_option(const cli_option *option, FILE *stream)
{
    char letter[] = "-x, ", name[64];
    letter[1] = option->letter;
    snprintf(name, sizeof name, "%s--%s%s%s", option->letter ? letter : "    ", option->name,
             option->argument ? " " : "", option->argument ? option->argument : "");
    print_entry(name, option->help, stream);
}

static void print_options(const cli_command *command, FILE *stream)
{
    fputs("\nOptions:\n", stream);
    for (size_t i = 0; i < cli_option_count; i++)
        if (cli_command_has(command, &cli_options[i])) print_option(&cli_options[i], stream);
}

static void print_examples(const cli_command *command, FILE *stream)
{
    fputs("\nExamples:\n", stream);
    for (size_t i = 0; i < CLI_EXAMPLES && command->examples[i].command; i++) {
        indent_to(2, stream);
        print_broken(command->examples[i].command, 2, 4, " \\", stream);
        indent_to(6, stream);
        print_wrapped(command->examples[i].explanation, 6, 6, stream);
    }
}

/** The commands whose name begins with `prefix`. */
static void print_commands(const char *prefix, FILE *stream)
{
    fputs("\nCommands:\n", stream);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        const cli_command *command = &cli_commands[i];
        if (*command->name && strncmp(command->name, prefix, strlen(prefix)) == 0)
            print_entry(command->name, command->summary, stream);
    }
}

static void print_usage_line(const cli_command *command, FILE *stream)
{
    fprintf(stream, "Usage: detect%s%s [OPTION]...%s%s\n", *command->name ? " " : "", command->name,
            *command->operands ? " " : "", command->operands);
}

void cli_print_help(const cli_command *command, FILE *stream)
{
    const bool main_job = command == &cli_commands[CLI_DETECT];
    print_usage_line(command, stream);
    if (main_job) fputs("  or:  detect COMMAND [OPTION]... [OPERAND]...\n", stream);
    fprintf(stream, "%s.\n", command->summary);
    print_paragraph(command->description, stream);
    if (command->reads_pictures) print_paragraph(cli_operands_text, stream);
    if (main_job) print_commands("", stream);
    print_options(command, stream);
    print_examples(command, stream);
    if (!main_job) return;
    fprintf(stream, "\nExit status: %s\n", cli_exit_text);
    print_paragraph("'detect help COMMAND' explains a command. A picture that has the name of a "
                    "command is written ./propose.",
                    stream);
}

void cli_print_group_help(const char *group, FILE *stream)
{
    fprintf(stream, "Usage: detect %s COMMAND [OPTION]... [OPERAND]...\n", group);
    print_commands(group, stream);
    fprintf(stream, "\n'detect help %s COMMAND' explains one of them.\n", group);
}

void cli_print_keys(FILE *stream)
{
    const char *key, *value, *help;
    fputs("Keys of the configuration, with their defaults. They are set in a --config\n"
          "file, where a dot stands for nesting, or with --set KEY=VALUE.\n",
          stream);
    for (size_t i = 0; det_config_key(i, &key, NULL, &value, &help); i++) {
        fprintf(stream, "\n  %s = %s\n", key, value);
        indent_to(6, stream);
        print_wrapped(help, 6, 6, stream);
    }
}

void cli_print_usage(FILE *stream)
{
    fputs("Usage: detect --model FILE IMAGE|FOLDER ...   find objects in pictures\n"
          "       detect propose IMAGE|FOLDER ...        propose regions; needs no model\n"
          "       detect help [COMMAND]                  all options and commands\n",
          stream);
}
