/* SPDX-License-Identifier: Apache-2.0 */
/* The parser, the help texts, the bash completion and the manual page agree, because all come from
 * one table. */
#include "detect/data.h"
#include "src/cli/help.h"
#include "src/cli/parse.h"
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ARGUMENTS = 8 };

/** Parses words separated by single spaces, "detect" in front. The words stay valid until the
 *  next call. */
static det_status parse(const char *words, cli_line *line, det_error *error)
{
    static char copy[512];
    const char *argv[MOST_ARGUMENTS] = {"detect"};
    int argc = 1;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) argv[argc++] = word;
    return cli_parse(argc, argv, line, error);
}

static void assert_refused(const char *words, const char *part)
{
    cli_line line;
    det_error error = {0};
    if (parse(words, &line, &error) != DET_ARGUMENT) fail_msg("\"%s\" was not refused", words);
    if (!strstr(error.message, part)) fail_msg("\"%s\" is not in \"%s\"", part, error.message);
    cli_line_free(&line);
}

/** What a function prints for a command; free it. */
static char *help_of(const cli_command *command)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    cli_print_help(command, stream);
    assert_int_equal(fclose(stream), 0);
    return text;
}

static char *printed(void (*print)(FILE *stream))
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    print(stream);
    assert_int_equal(fclose(stream), 0);
    return text;
}

/** Calls check for every option of every command. */
static void for_each_option(void (*check)(const cli_command *command, const cli_option *option))
{
    for (size_t c = 0; c < CLI_COMMAND_COUNT; c++)
        for (size_t i = 0; i < cli_option_count; i++)
            if (cli_command_has(&cli_commands[c], &cli_options[i]))
                check(&cli_commands[c], &cli_options[i]);
}

/** A value that the option accepts. */
static const char *good_value(const cli_option *option)
{
    static char value[32];
    if (option->choices)
        snprintf(value, sizeof value, "%.*s", (int)strcspn(option->choices, "|"), option->choices);
    else
        snprintf(value, sizeof value, "7");
    return value;
}

static void check_is_stored(const cli_option *option, const cli_values *values)
{
    const void *field = (const char *)values + option->offset;
    const cli_list *list = field;
    switch (option->kind) {
    case CLI_FLAG:
        assert_true(*(const bool *)field);
        break;
    case CLI_TEXT:
        assert_string_equal(*(const char *const *)field, good_value(option));
        break;
    case CLI_TEXTS:
        assert_int_equal(list->count, 1);
        assert_string_equal(list->items[0], good_value(option));
        break;
    case CLI_INTEGER:
        assert_int_equal(*(const int *)field, 7);
        break;
    }
}

/** Parses the option written in one of its forms, with as many operands as the command wants. */
static void check_form(const cli_command *command, const cli_option *option, const char *format)
{
    char typed[64], words[256];
    cli_line line;
    det_error error = {0};
    snprintf(typed, sizeof typed, format, option->name, good_value(option));
    snprintf(words, sizeof words, "%s %s %s", command->name, typed,
             command->operands_min > 0 ? "operand" : "");
    if (parse(words, &line, &error) < 0) fail_msg("\"%s\": %s", words, error.message);
    assert_ptr_equal(line.command, command);
    check_is_stored(option, &line.values);
    cli_line_free(&line);
}

static void check_parses(const cli_command *command, const cli_option *option)
{
    if (!option->argument) {
        check_form(command, option, "--%s");
        return;
    }
    check_form(command, option, "--%s %s");
    check_form(command, option, "--%s=%s");
}

static void every_option_parses_in_each_of_its_commands(void **state)
{
    (void)state;
    for_each_option(check_parses);
}

static void check_letter(const cli_command *command, const cli_option *option)
{
    if (!option->letter) return;
    char typed[64], words[256];
    cli_line line;
    det_error error = {0};
    snprintf(typed, sizeof typed, "-%c %s", option->letter,
             option->argument ? good_value(option) : "");
    snprintf(words, sizeof words, "%s %s %s", command->name, typed,
             command->operands_min > 0 ? "operand" : "");
    if (parse(words, &line, &error) < 0) fail_msg("\"%s\": %s", words, error.message);
    check_is_stored(option, &line.values);
    cli_line_free(&line);
}

static void every_letter_parses_in_each_of_its_commands(void **state)
{
    (void)state;
    for_each_option(check_letter);
}

static void check_in_help(const cli_command *command, const cli_option *option)
{
    char name[64];
    char *help = help_of(command);
    snprintf(name, sizeof name, "--%s%s%s", option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    if (!strstr(help, name)) fail_msg("%s is not in the help of \"%s\"", name, command->name);
    free(help);
}

static void every_option_is_in_the_help_of_its_commands(void **state)
{
    (void)state;
    for_each_option(check_in_help);
}

static char *completion, *man;

/** The line of the completion that lists the options of a command contains the option. */
static void check_in_completion(const cli_command *command, const cli_option *option)
{
    char list[64], name[64];
    snprintf(list, sizeof list, "\"%s\") words=\"", command->name);
    snprintf(name, sizeof name, "--%s ", option->name);
    const char *line = strstr(completion, list);
    assert_non_null(line);
    const char *found = strstr(line, name);
    if (!found || found > strchr(line, '\n'))
        fail_msg("%s is not completed for \"%s\"", name, command->name);
}

static void every_option_is_completed_for_its_commands(void **state)
{
    (void)state;
    completion = printed(cli_print_completion);
    for_each_option(check_in_completion);
    free(completion);
}

/** The section of the manual page about a command has the option. */
static void check_in_man(const cli_command *command, const cli_option *option)
{
    char section[64], name[64], escaped[128] = "\\fB\\-\\-";
    snprintf(section, sizeof section, ".SS detect%s%s\n", *command->name ? " " : "", command->name);
    snprintf(name, sizeof name, "%s\\fR", option->name);
    for (const char *c = name; *c; c++) {
        const size_t used = strlen(escaped);
        snprintf(escaped + used, sizeof escaped - used, "%s%c", *c == '-' ? "\\" : "", *c);
    }
    const char *begin = strstr(man, section);
    assert_non_null(begin);
    const char *end = strstr(begin + 1, "\n.S"), *found = strstr(begin, escaped);
    assert_non_null(end);
    if (!found || found > end) fail_msg("%s is not in the manual of \"%s\"", name, command->name);
}

static void every_option_is_in_the_manual_of_its_commands(void **state)
{
    (void)state;
    man = printed(cli_print_man);
    for_each_option(check_in_man);
    free(man);
}

static void every_key_of_the_configuration_is_listed_completed_and_in_the_manual(void **state)
{
    (void)state;
    char *list = printed(cli_print_keys);
    completion = printed(cli_print_completion);
    man = printed(cli_print_man);
    const char *key;
    for (size_t i = 0; det_config_key(i, &key, NULL, NULL, NULL); i++) {
        char listed[128], completed[128], bold[128];
        snprintf(listed, sizeof listed, "\n  %s = ", key);
        snprintf(completed, sizeof completed, "%s= ", key);
        snprintf(bold, sizeof bold, "\\fB%s\\fR (", key);
        if (!strstr(list, listed) || !strstr(completion, completed) || !strstr(man, bold))
            fail_msg("%s is missing", key);
    }
    free(list);
    free(completion);
    free(man);
}

static void help_is_at_most_80_columns_wide(void **state)
{
    (void)state;
    for (size_t c = 0; c < CLI_COMMAND_COUNT; c++) {
        char *help = help_of(&cli_commands[c]);
        for (char *line = strtok(help, "\n"); line; line = strtok(NULL, "\n"))
            if (strlen(line) > 80) fail_msg("%zu columns: %s", strlen(line), line);
        free(help);
    }
}

static void help_has_an_example_for_every_command(void **state)
{
    (void)state;
    for (size_t c = 0; c < CLI_COMMAND_COUNT; c++)
        assert_non_null(cli_commands[c].examples[0].command);
}

/** The parser finds the command before it knows the options: a name or letter that takes a value in
 *  one command and none in another would mislead it. */
static void an_option_takes_a_value_in_every_command_or_in_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_option_count; i++)
        for (size_t j = 0; j < i; j++) {
            const cli_option *a = &cli_options[i], *b = &cli_options[j];
            const bool same =
                strcmp(a->name, b->name) == 0 || (a->letter && a->letter == b->letter);
            if (same && !a->argument != !b->argument) fail_msg("--%s, --%s", a->name, b->name);
        }
}

static void no_command_has_two_options_of_one_name_or_letter(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_option_count; i++)
        for (size_t j = 0; j < i; j++) {
            const cli_option *a = &cli_options[i], *b = &cli_options[j];
            const bool same =
                strcmp(a->name, b->name) == 0 || (a->letter && a->letter == b->letter);
            if (same && (a->commands & b->commands)) fail_msg("--%s, --%s", a->name, b->name);
        }
}

/* ---- The parser ----------------------------------------------------------------------------- */

static void options_may_stand_before_the_command(void **state)
{
    (void)state;
    cli_line line;
    det_error error;
    assert_int_equal(parse("--threads 2 propose a.jpg", &line, &error), DET_OK);
    assert_ptr_equal(line.command, &cli_commands[CLI_PROPOSE]);
    assert_int_equal(line.values.threads, 2);
    assert_int_equal(line.values.operands.count, 1);
    assert_string_equal(line.values.operands.items[0], "a.jpg");
    cli_line_free(&line);
}

static void the_value_of_an_option_is_no_command(void **state)
{
    (void)state;
    cli_line line;
    det_error error;
    assert_int_equal(parse("--draw propose a.jpg", &line, &error), DET_OK);
    assert_ptr_equal(line.command, &cli_commands[CLI_DETECT]);
    assert_string_equal(line.values.draw, "propose");
    cli_line_free(&line);
}

static void a_path_is_no_command(void **state)
{
    (void)state;
    cli_line line;
    det_error error;
    assert_int_equal(parse("./propose", &line, &error), DET_OK);
    assert_ptr_equal(line.command, &cli_commands[CLI_DETECT]);
    cli_line_free(&line);
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    cli_line line;
    det_error error;
    assert_int_equal(parse("propose -- --top -t", &line, &error), DET_OK);
    assert_int_equal(line.values.operands.count, 2);
    assert_string_equal(line.values.operands.items[0], "--top");
    assert_string_equal(line.values.operands.items[1], "-t");
    cli_line_free(&line);
}

static void nothing_behind_two_dashes_is_a_command(void **state)
{
    (void)state;
    cli_line line;
    det_error error;
    assert_int_equal(parse("-- propose", &line, &error), DET_OK);
    assert_ptr_equal(line.command, &cli_commands[CLI_DETECT]);
    assert_string_equal(line.values.operands.items[0], "propose");
    cli_line_free(&line);
}

static void a_dash_alone_is_an_operand(void **state)
{
    (void)state;
    cli_line line;
    det_error error;
    assert_int_equal(parse("-q - -", &line, &error), DET_OK);
    assert_int_equal(line.values.operands.count, 2);
    cli_line_free(&line);
}

static void a_value_may_be_attached_to_a_letter(void **state)
{
    (void)state;
    cli_line line;
    det_error error;
    assert_int_equal(parse("-t3 -mnet a.jpg", &line, &error), DET_OK);
    assert_int_equal(line.values.threads, 3);
    assert_string_equal(line.values.models.items[0], "net");
    cli_line_free(&line);
}

static void repeated_options_keep_their_order(void **state)
{
    (void)state;
    cli_line line;
    det_error error;
    assert_int_equal(parse("--set a=1 x.jpg --set=b=2 -s c=3", &line, &error), DET_OK);
    assert_int_equal(line.values.settings.count, 3);
    assert_string_equal(line.values.settings.items[0], "a=1");
    assert_string_equal(line.values.settings.items[1], "b=2");
    assert_string_equal(line.values.settings.items[2], "c=3");
    cli_line_free(&line);
}

static void a_mistyped_option_is_corrected(void **state)
{
    (void)state;
    assert_refused("--thread 2 a.jpg", "did you mean '--threads'?");
    assert_refused("propose --tpo 2 a.jpg", "did you mean '--top'?");
    assert_refused("--modle=x a.jpg", "did you mean '--model'?");
    assert_refused("--out x a.jpg", "did you mean '--output'?");
    assert_refused("--frobnicate a.jpg", "unknown option '--frobnicate'");
}

static void an_option_of_another_command_is_named(void **state)
{
    (void)state;
    assert_refused("--top 3 a.jpg", "one of 'detect propose'");
}

static void wrong_values_are_refused(void **state)
{
    (void)state;
    assert_refused("--threads two a.jpg", "not 'two'");
    assert_refused("--threads -1 a.jpg", "from 0 on");
    assert_refused("--threads 99999999999 a.jpg", "not '99999999999'");
    assert_refused("propose --top 0 a.jpg", "from 1 on");
    assert_refused("--format xml a.jpg", "json|jsonl|coco|voc|yolo|csv");
    assert_refused("--timings=1 a.jpg", "takes no value");
    assert_refused("a.jpg --config", "needs a value");
    assert_refused("--config= a.jpg", "needs a value");
    assert_refused("-qv a.jpg", "unknown option '-qv'");
}

static void operands_are_counted(void **state)
{
    (void)state;
    assert_refused("propose", "nothing to work on");
    assert_refused("model info a b", "'b' is one operand too many");
    assert_refused("bench network x", "'x' is one operand too many");
}

static void half_a_command_is_refused(void **state)
{
    (void)state;
    assert_refused("model", "import, info, verify");
    assert_refused("model inform x", "no command 'inform'");
    assert_refused("help no-such", "no command 'no-such'");
    assert_refused("porpose a.jpg", "did you mean 'detect propose'?");
}

static void help_is_given_whatever_else_is_there(void **state)
{
    (void)state;
    static const char *const lines[] = {"propose --help", "help propose", "--help propose"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        cli_line line;
        det_error error;
        assert_int_equal(parse(lines[i], &line, &error), DET_OK);
        assert_true(line.values.help);
        assert_ptr_equal(line.command, &cli_commands[CLI_PROPOSE]);
        cli_line_free(&line);
    }
}

/* kitten -> sitting: replace k, replace e, insert g. */
static void edit_distance_counts_single_edits(void **state)
{
    (void)state;
    assert_int_equal(cli_edit_distance("kitten", "sitting"), 3);
    assert_int_equal(cli_edit_distance("", "abc"), 3);
    assert_int_equal(cli_edit_distance("abc", "abc"), 0);
    assert_int_equal(cli_edit_distance("tpo", "top"), 1);
    assert_int_equal(cli_edit_distance("ca", "abc"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_parses_in_each_of_its_commands),
        cmocka_unit_test(every_letter_parses_in_each_of_its_commands),
        cmocka_unit_test(every_option_is_in_the_help_of_its_commands),
        cmocka_unit_test(every_option_is_completed_for_its_commands),
        cmocka_unit_test(every_option_is_in_the_manual_of_its_commands),
        cmocka_unit_test(every_key_of_the_configuration_is_listed_completed_and_in_the_manual),
        cmocka_unit_test(help_is_at_most_80_columns_wide),
        cmocka_unit_test(help_has_an_example_for_every_command),
        cmocka_unit_test(an_option_takes_a_value_in_every_command_or_in_none),
        cmocka_unit_test(no_command_has_two_options_of_one_name_or_letter),
        cmocka_unit_test(options_may_stand_before_the_command),
        cmocka_unit_test(the_value_of_an_option_is_no_command),
        cmocka_unit_test(a_path_is_no_command),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(nothing_behind_two_dashes_is_a_command),
        cmocka_unit_test(a_dash_alone_is_an_operand),
        cmocka_unit_test(a_value_may_be_attached_to_a_letter),
        cmocka_unit_test(repeated_options_keep_their_order),
        cmocka_unit_test(a_mistyped_option_is_corrected),
        cmocka_unit_test(an_option_of_another_command_is_named),
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(operands_are_counted),
        cmocka_unit_test(half_a_command_is_refused),
        cmocka_unit_test(help_is_given_whatever_else_is_there),
        cmocka_unit_test(edit_distance_counts_single_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
