/* SPDX-License-Identifier: Apache-2.0 */
/* The bash completion, made from the option table. The script needs bash alone, not the package
 * bash-completion. */
#include "src/cli/help.h"

#include "detect/data.h"

#include <string.h>

/** The first word of a command's name, where it is the first of a group: "model" for "model import"
 *  but not for "model info". */
static bool begins_group(size_t index, char group[40])
{
    const char *name = cli_commands[index].name;
    snprintf(group, 40, "%.*s", (int)strcspn(name, " "), name);
    if (!cli_is_group(group)) return false;
    return index == 0 || strncmp(cli_commands[index - 1].name, group, strlen(group)) != 0;
}

/** Prints the part that finds which command the words in front of the cursor choose. */
static void print_command_search(FILE *stream)
{
    fputs("    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case \"$command ${COMP_WORDS[i]}\" in\n",
          stream);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        char group[40];
        const char *name = cli_commands[i].name;
        const bool two_words = strchr(name, ' ');
        if (begins_group(i, group))
            fprintf(stream, "        \" %s\") command=%s ;;\n", group, group);
        if (*name)
            fprintf(stream, "        \"%s%s\") command=\"%s\" ;;\n", two_words ? "" : " ", name,
                    name);
    }
    fputs("        esac\n    done\n", stream);
}

/** Prints a case that completes the value of one option of one command. */
static void print_value_case(const cli_command *command, const cli_option *option, FILE *stream)
{
    fprintf(stream, "    \"%s --%s\"", command->name, option->name);
    if (option->letter) fprintf(stream, " | \"%s -%c\"", command->name, option->letter);
    fputs(") ", stream);
    switch (option->completes) {
    case CLI_COMPLETES_NOTHING:
        fputs("return ;;\n", stream);
        return;
    case CLI_COMPLETES_FILES:
        fputs("_detect_offer -f ;;\n", stream);
        break;
    case CLI_COMPLETES_FOLDERS:
        fputs("_detect_offer -d ;;\n", stream);
        break;
    case CLI_COMPLETES_KEYS:
        fputs("compopt -o nospace 2>/dev/null; _detect_offer -W \"$keys\" ;;\n", stream);
        break;
    case CLI_COMPLETES_CHOICES:
        fputs("_detect_offer -W \"", stream);
        for (const char *c = option->choices; *c; c++) fputc(*c == '|' ? ' ' : *c, stream);
        fputs("\" ;;\n", stream);
        break;
    }
}

static void print_option_values(FILE *stream)
{
    const char *key;
    fputs("    local keys=\"", stream);
    for (size_t i = 0; det_config_key(i, &key, NULL, NULL, NULL); i++) fprintf(stream, "%s= ", key);
    fputs("\"\n", stream);
    fputs("    case \"$command $prev\" in\n", stream);
    for (size_t c = 0; c < CLI_COMMAND_COUNT; c++)
        for (size_t i = 0; i < cli_option_count; i++)
            if (cli_command_has(&cli_commands[c], &cli_options[i]) && cli_options[i].argument)
                print_value_case(&cli_commands[c], &cli_options[i], stream);
    fputs("    *) _detect_words ;;\n    esac\n", stream);
}

static void print_option_names(FILE *stream)
{
    fputs("    case \"$command\" in\n", stream);
    for (size_t c = 0; c < CLI_COMMAND_COUNT; c++) {
        fprintf(stream, "    \"%s\") words=\"", cli_commands[c].name);
        for (size_t i = 0; i < cli_option_count; i++)
            if (cli_command_has(&cli_commands[c], &cli_options[i]))
                fprintf(stream, "--%s ", cli_options[i].name);
        fputs("\" ;;\n", stream);
    }
    fputs("    esac\n", stream);
}

/** Prints the first words of all commands, each once. */
static void print_first_words(FILE *stream)
{
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        char group[40];
        const char *name = cli_commands[i].name;
        if (begins_group(i, group))
            fprintf(stream, "%s ", group);
        else if (*name && !strchr(name, ' '))
            fprintf(stream, "%s ", name);
    }
    fputs("help", stream);
}

/** Prints the second words of a group's commands. */
static void print_second_words(const char *group, FILE *stream)
{
    const size_t length = strlen(group);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        const char *name = cli_commands[i].name;
        if (strncmp(name, group, length) == 0 && name[length] == ' ')
            fprintf(stream, "%s ", name + length + 1);
    }
}

static void print_command_words(FILE *stream)
{
    fputs("    case \"$command\" in\n    \"\") _detect_offer -f -W \"", stream);
    print_first_words(stream);
    fputs("\" ;;\n", stream);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        char group[40];
        if (!begins_group(i, group)) continue;
        fprintf(stream, "    %s) _detect_offer -W \"", group);
        print_second_words(group, stream);
        fputs("\" ;;\n", stream);
    }
    fputs("    *) _detect_offer -f ;;\n    esac\n", stream);
}

void cli_print_completion(FILE *stream)
{
    fputs("# bash completion for detect; made by: detect --print-completion bash\n"
          "# Offers what `compgen` gives for the arguments.\n"
          "_detect_offer()\n"
          "{\n"
          "    mapfile -t COMPREPLY < <(compgen \"$@\" -- \"$cur\")\n"
          "    [[ $1 == -W ]] || compopt -o filenames 2>/dev/null\n"
          "}\n"
          "\n"
          "# Options, where the word begins with a dash; else commands and files.\n"
          "_detect_words()\n"
          "{\n"
          "    local words=''\n",
          stream);
    print_option_names(stream);
    fputs("    if [[ $cur == -* ]]; then\n"
          "        _detect_offer -W \"$words\"\n"
          "        return\n"
          "    fi\n",
          stream);
    print_command_words(stream);
    fputs(
        "}\n"
        "\n"
        "_detect()\n"
        "{\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' i\n"
        "    # --name=value arrives as three words.\n"
        "    [[ $prev == \"=\" ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
        "    [[ $cur == \"=\" ]] && cur=\n"
        "    COMPREPLY=()\n",
        stream);
    print_command_search(stream);
    print_option_values(stream);
    fputs("}\n"
          "complete -F _detect detect\n",
          stream);
}
