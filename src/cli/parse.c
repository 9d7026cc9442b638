/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of command lines. It walks over argv twice: first for the words that choose the
 * command, which may follow options, then for the options of that command. */
#include "src/cli/parse.h"

#include "src/cli/report.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** One argument taken apart. `value` of an option points into it or at the next argument. */
typedef struct argument {
    const char *name; /**< as typed, dashes included; name_length bytes of it */
    size_t name_length;
    const char *attached;     /**< value in the same argument, or NULL */
    const cli_option *option; /**< NULL: no such option */
    size_t span;              /**< arguments it takes: 1 or 2 */
} argument;

static bool is_option(const char *text)
{
    return text[0] == '-' && text[1] != '\0';
}

static const cli_option *find_letter(const cli_command *command, char letter)
{
    for (size_t i = 0; i < cli_option_count; i++)
        if (cli_options[i].letter == letter &&
            (!command || cli_command_has(command, &cli_options[i])))
            return &cli_options[i];
    return NULL;
}

static argument take_apart(const cli_command *command, const char *text)
{
    argument taken = {.name = text, .name_length = strlen(text), .span = 1};
    if (text[1] == '-') {
        const char *equals = strchr(text, '=');
        if (equals) {
            taken.name_length = (size_t)(equals - text);
            taken.attached = equals + 1;
        }
        taken.option = cli_find_option(command, text + 2, taken.name_length - 2);
    } else {
        taken.option = find_letter(command, text[1]);
        if (text[2] && taken.option && taken.option->argument) {
            taken.name_length = 2;
            taken.attached = text + 2;
        } else if (text[2]) {
            taken.option = NULL;
        }
    }
    if (taken.option && taken.option->argument && !taken.attached) taken.span = 2;
    return taken;
}

/** Operands in front of "--"; whether the command is known does not matter, because an option of
 *  one name takes a value in every command or in none. */
static void collect_words(int argc, const char *const *argv, cli_list *words, bool *help)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0;) {
        if (!is_option(argv[i])) {
            words->items[words->count++] = argv[i++];
            continue;
        }
        const argument taken = take_apart(NULL, argv[i]);
        if (taken.option && strcmp(taken.option->name, "help") == 0) *help = true;
        i += (int)taken.span;
    }
}

static size_t least(size_t a, size_t b, size_t c)
{
    const size_t smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

/* Optimal string alignment, row by row; words longer than the rows count as far apart. */
size_t cli_edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 40 };
    const size_t m = strlen(a), n = strlen(b);
    if (m > LONGEST || n > LONGEST) return LONGEST;

    size_t rows[3][LONGEST + 1];
    for (size_t j = 0; j <= n; j++) rows[0][j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && two_above[j - 2] + 1 < row[j]) row[j] = two_above[j - 2] + 1;
        }
    }
    return rows[m % 3][n];
}

/** The option of a command whose name is nearest to what was typed, or NULL. */
static const cli_option *nearest_option(const cli_command *command, const char *typed)
{
    const cli_option *nearest = NULL;
    size_t best = strlen(typed) / 3 + 2;
    for (size_t i = 0; i < cli_option_count; i++) {
        const cli_option *option = &cli_options[i];
        if (!cli_command_has(command, option)) continue;
        const bool begins = *typed && strncmp(option->name, typed, strlen(typed)) == 0;
        const size_t distance = begins ? 0 : cli_edit_distance(option->name, typed);
        if (distance < best) {
            best = distance;
            nearest = option;
        }
    }
    return nearest;
}

/** "detect", "detect model info": what a user types to run a command. */
static const char *full_name(const cli_command *command, char text[40])
{
    snprintf(text, 40, "detect%s%s", *command->name ? " " : "", command->name);
    return text;
}

static const cli_command *command_with(const cli_option *option)
{
    size_t i = 0;
    while (!cli_command_has(&cli_commands[i], option)) i++;
    return &cli_commands[i];
}

static det_status unknown_option(const cli_command *command, const argument *taken,
                                 det_error *error)
{
    char typed[64], other[40];
    snprintf(typed, sizeof typed, "%.*s", (int)taken->name_length, taken->name);
    const argument anywhere = take_apart(NULL, taken->name);
    if (anywhere.option)
        return cli_fail(error, DET_ARGUMENT, "'%s' is no option here, but one of '%s'", typed,
                        full_name(command_with(anywhere.option), other));
    const cli_option *nearest = nearest_option(command, typed + strspn(typed, "-"));
    if (nearest)
        return cli_fail(error, DET_ARGUMENT, "unknown option '%s'; did you mean '--%s'?", typed,
                        nearest->name);
    return cli_fail(error, DET_ARGUMENT, "unknown option '%s'", typed);
}

static bool is_choice(const char *choices, const char *value)
{
    const size_t length = strlen(value);
    while (*choices) {
        const size_t choice = strcspn(choices, "|");
        if (choice == length && memcmp(choices, value, length) == 0) return true;
        choices += choice + (choices[choice] == '|');
    }
    return false;
}

static det_status store_integer(const cli_option *option, const char *value, int *field,
                                det_error *error)
{
    char *end;
    errno = 0;
    const long number = strtol(value, &end, 10);
    if (end == value || *end || errno || number < option->minimum || number > INT_MAX)
        return cli_fail(error, DET_ARGUMENT, "--%s takes a whole number from %d on, not '%s'",
                        option->name, option->minimum, value);
    *field = (int)number;
    return DET_OK;
}

static det_status store(const cli_option *option, const char *value, cli_values *values,
                        det_error *error)
{
    void *field = (char *)values + option->offset;
    if (option->choices && !is_choice(option->choices, value))
        return cli_fail(error, DET_ARGUMENT, "--%s takes one of %s, not '%s'", option->name,
                        option->choices, value);
    cli_list *list = field;
    switch (option->kind) {
    case CLI_FLAG:
        *(bool *)field = true;
        break;
    case CLI_TEXT:
        *(const char **)field = value;
        break;
    case CLI_TEXTS:
        list->items[list->count++] = value;
        break;
    case CLI_INTEGER:
        return store_integer(option, value, field, error);
    }
    return DET_OK;
}

static det_status apply(const cli_command *command, const argument *taken, const char *next,
                        cli_values *values, det_error *error)
{
    const cli_option *option = taken->option;
    if (!option) return unknown_option(command, taken, error);
    if (!option->argument && taken->attached)
        return cli_fail(error, DET_ARGUMENT, "--%s takes no value, but '%s' was given",
                        option->name, taken->attached);
    const char *value = taken->attached ? taken->attached : next;
    if (option->argument && (!value || !*value))
        return cli_fail(error, DET_ARGUMENT, "--%s needs a value: --%s %s", option->name,
                        option->name, option->argument);
    return store(option, value, values, error);
}

/** The second walk. The first `skip` operands are the words of the command. */
static det_status read_options(int argc, const char *const *argv, size_t skip, cli_line *line,
                               det_error *error)
{
    cli_list *operands = &line->values.operands;
    bool options_ended = false;
    for (int i = 1; i < argc;) {
        if (!options_ended && strcmp(argv[i], "--") == 0) {
            options_ended = true;
            i++;
        } else if (options_ended || !is_option(argv[i])) {
            if (skip > 0)
                skip--;
            else
                operands->items[operands->count++] = argv[i];
            i++;
        } else {
            const argument taken = take_apart(line->command, argv[i]);
            const char *next = i + 1 < argc ? argv[i + 1] : NULL;
            const det_status status = apply(line->command, &taken, next, &line->values, error);
            if (status < 0) return status;
            i += (int)taken.span;
        }
    }
    return DET_OK;
}

/** The second words that `group` may have: "import, info, verify". */
static const char *group_words(const char *group, char text[80])
{
    text[0] = '\0';
    const size_t length = strlen(group);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        const char *name = cli_commands[i].name;
        if (strncmp(name, group, length) != 0 || name[length] != ' ') continue;
        const size_t used = strlen(text);
        snprintf(text + used, 80 - used, "%s%s", used ? ", " : "", name + length + 1);
    }
    return text;
}

static det_status no_command(const cli_list *words, det_error *error)
{
    char known[80];
    const char *group = words->items[0];
    group_words(group, known);
    if (words->count > 1)
        return cli_fail(error, DET_ARGUMENT, "'detect %s' has no command '%s'; it has: %s", group,
                        words->items[1], known);
    return cli_fail(error, DET_ARGUMENT,
                    "'detect %s' is not complete; it is followed by one of: %s", group, known);
}

static det_status check_operands(const cli_command *command, const cli_values *values,
                                 det_error *error)
{
    char name[40];
    const cli_list *operands = &values->operands;
    full_name(command, name);
    if (operands->count < command->operands_min && !values->truth)
        return cli_fail(error, DET_ARGUMENT, "nothing to work on; usage: %s [OPTION]... %s", name,
                        command->operands);
    if (operands->count > command->operands_max)
        return cli_fail(error, DET_ARGUMENT,
                        "'%s' is one operand too many; usage: %s [OPTION]... %s",
                        operands->items[command->operands_max], name, command->operands);
    return DET_OK;
}

/** Whether the values ask for a text in place of work. */
static bool asks_for_text(const cli_values *values)
{
    return values->help || values->version || values->print_man || values->print_completion;
}

static det_status parse_help(cli_list *words, cli_line *line, det_error *error)
{
    size_t used;
    words->items++;
    words->count--;
    line->values.help = true;
    if (words->count == 1 && strcmp(words->items[0], "keys") == 0) {
        line->values.help_keys = true;
        return DET_OK;
    }
    line->command = cli_find_command(words, &used);
    if (!line->command && words->count == 1) line->group = words->items[0];
    if (used == words->count || line->group) return DET_OK;
    return cli_fail(error, DET_ARGUMENT, "there is no command '%s' to explain; see 'detect --help'",
                    words->items[words->count - 1]);
}

/** A first operand that is no file but almost a command: "porpose". */
static det_status check_mistyped(const cli_list *words, det_error *error)
{
    if (words->count == 0 || strchr(words->items[0], '/') || access(words->items[0], F_OK) == 0)
        return DET_OK;
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        char first[40];
        const char *name = cli_commands[i].name;
        snprintf(first, sizeof first, "%.*s", (int)strcspn(name, " "), name);
        if (*first && cli_edit_distance(first, words->items[0]) <= 2)
            return cli_fail(error, DET_ARGUMENT,
                            "'%s' is neither a file nor a command; did you mean 'detect %s'?",
                            words->items[0], first);
    }
    return DET_OK;
}

static det_status parse_words(int argc, const char *const *argv, cli_list *words, cli_line *line,
                              det_error *error)
{
    size_t used;
    bool help = false;
    collect_words(argc, argv, words, &help);
    if (words->count > 0 && strcmp(words->items[0], "help") == 0)
        return parse_help(words, line, error);

    line->command = cli_find_command(words, &used);
    if (line->command) {
        if (used == 0 && check_mistyped(words, error) < 0) return error->status;
        const det_status status = read_options(argc, argv, used, line, error);
        if (status < 0 || asks_for_text(&line->values)) return status;
        return check_operands(line->command, &line->values, error);
    }
    line->group = words->items[0];
    line->values.help = help;
    return help ? DET_OK : no_command(words, error);
}

det_status cli_parse(int argc, const char *const *argv, cli_line *line, det_error *error)
{
    const size_t room = (size_t)argc;
    *line = (cli_line){0};
    line->values = (cli_values){
        .operands.items = cli_alloc(room, sizeof(char *)),
        .models.items = cli_alloc(room, sizeof(char *)),
        .settings.items = cli_alloc(room, sizeof(char *)),
        .compare.items = cli_alloc(room, sizeof(char *)),
        .calibration.items = cli_alloc(room, sizeof(char *)),
        .class_map.items = cli_alloc(room, sizeof(char *)),
        .threads = CLI_NOT_GIVEN,
        .top = CLI_NOT_GIVEN,
        .width = CLI_NOT_GIVEN,
        .height = CLI_NOT_GIVEN,
        .batch = CLI_NOT_GIVEN,
        .sample = CLI_NOT_GIVEN,
        .repeats = CLI_NOT_GIVEN,
        .pictures = CLI_NOT_GIVEN,
        .shorter_side = CLI_NOT_GIVEN,
        .bootstrap = CLI_NOT_GIVEN,
        .mistakes = CLI_NOT_GIVEN,
        .folds = CLI_NOT_GIVEN,
    };
    const char **const memory = cli_alloc(room, sizeof(char *));
    cli_list words = {memory, 0};
    const det_status status = parse_words(argc, argv, &words, line, error);
    free(memory);
    return status;
}

void cli_line_free(cli_line *line)
{
    free(line->values.operands.items);
    free(line->values.models.items);
    free(line->values.settings.items);
    free(line->values.compare.items);
    free(line->values.calibration.items);
    free(line->values.class_map.items);
    *line = (cli_line){0};
}
