/* SPDX-License-Identifier: Apache-2.0 */
/* The program `detect`: understands the command line and calls the command. */
#include "detect/version.h"
#include "src/cli/help.h"
#include "src/cli/parse.h"
#include "src/cli/report.h"

static int wrong_usage(const cli_line *line, const det_error *error)
{
    cli_report(error);
    const char *words = line->group ? line->group : line->command ? line->command->name : "";
    fprintf(stderr, "Try 'detect %s%s--help'.\n", words, *words ? " " : "");
    return CLI_USAGE;
}

static int print_version(void)
{
    printf("detect %s\n%s\n", det_version(), det_version_onednn());
    return CLI_DONE;
}

static int run(const cli_line *line)
{
    const cli_values *values = &line->values;
    if (values->help_keys) return cli_print_keys(stdout), CLI_DONE;
    if (values->help && line->group) return cli_print_group_help(line->group, stdout), CLI_DONE;
    if (values->help) return cli_print_help(line->command, stdout), CLI_DONE;
    if (values->version) return print_version();
    if (values->print_man) return cli_print_man(stdout), CLI_DONE;
    if (values->print_completion) return cli_print_completion(stdout), CLI_DONE;
    return line->command->run(values);
}

int main(int argc, char **argv)
{
    cli_start();
    if (argc < 2) return cli_print_usage(stderr), CLI_USAGE;

    cli_line line;
    det_error error = {0};
    if (cli_parse(argc, (const char *const *)argv, &line, &error) < 0) {
        const int status = wrong_usage(&line, &error);
        cli_line_free(&line);
        return status;
    }
    int status = run(&line);
    cli_line_free(&line);
    if (cli_flush(stdout, "standard output", &error) < 0 && status == CLI_DONE) {
        cli_report(&error);
        status = CLI_FAILED;
    }
    return status;
}
