/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_OPTIONS_H
#define DETECT_CLI_OPTIONS_H

#include "detect/status.h"

/* The one table of commands and options. The parser, the help texts, the bash completion and the
 * man page all read it, so that they cannot disagree. */

/** Texts in the order in which they were given; they point into argv. */
typedef struct cli_list {
    const char **items;
    size_t count;
} cli_list;

/** An integer option that was not given. */
enum { CLI_NOT_GIVEN = -1 };

/** What the command line said. Texts that were not given are NULL. */
typedef struct cli_values {
    bool help, version, print_man;
    bool help_keys; /**< "help keys": the keys of the configuration */
    bool timings, recursive, quiet, verbose, provenance, without_difficult, corrected, errors,
        winograd, layers, restart, resume, add_class, overwrite, whole_pixels;
    const char *print_completion;
    const char *config, *output, *format, *draw, *classes, *annotations, *method, *segments;
    const char *truth, *images, *split, *plots; /**< annotations to measure against */
    const char *labels, *mean, *json, *precision, *crops, *features, *regions;
    const char *results, *other_results, *metric, *ious, *max_detections, *left_out, *report;
    const char *cache, *log, *to, *part;
    cli_list models, settings, operands, compare, calibration, class_map;
    int threads, top, width, height, batch, repeats, pictures, shorter_side, sample, bootstrap,
        mistakes, folds;
} cli_values;

typedef enum cli_command_id {
    CLI_DETECT,
    CLI_PROPOSE,
    CLI_CLASSIFY,
    CLI_EVAL,
    CLI_CONVERT,
    CLI_TRAIN,
    CLI_MODEL_IMPORT,
    CLI_MODEL_INFO,
    CLI_MODEL_VERIFY,
    CLI_MODEL_CALIBRATE,
    CLI_BENCH_NETWORK,
    CLI_BENCH_PROPOSALS,
    CLI_BENCH_EVAL,
    CLI_COMMAND_COUNT
} cli_command_id;

typedef struct cli_example {
    const char *command, *explanation;
} cli_example;

enum { CLI_EXAMPLES = 8 };

typedef struct cli_command {
    const char *name;     /**< the words that choose it: "model import"; "" is the main job */
    const char *operands; /**< as the usage line shows them */
    const char *summary;  /**< one line, without a full stop */
    const char *description;
    cli_example examples[CLI_EXAMPLES]; /**< ended by a NULL */
    size_t operands_min; /**< none are needed with --annotations, which name pictures, too */
    size_t operands_max;
    bool reads_pictures; /**< operands are pictures, folders, lists */
    int (*run)(const cli_values *values);
} cli_command;

/** How the value of an option is stored in cli_values. */
typedef enum cli_kind {
    CLI_FLAG,    /**< bool; the option takes no value */
    CLI_TEXT,    /**< const char * */
    CLI_TEXTS,   /**< cli_list: the option may be repeated */
    CLI_INTEGER, /**< int, at least `minimum` */
} cli_kind;

/** What completes the value in a shell. */
typedef enum cli_completes {
    CLI_COMPLETES_NOTHING,
    CLI_COMPLETES_FILES,
    CLI_COMPLETES_FOLDERS,
    CLI_COMPLETES_KEYS, /**< of the configuration */
    CLI_COMPLETES_CHOICES
} cli_completes;

typedef struct cli_option {
    const char *name;     /**< without the dashes */
    char letter;          /**< short form, or 0 */
    const char *argument; /**< name of the value in help texts; NULL for a flag */
    cli_kind kind;
    cli_completes completes;
    const char *choices; /**< the values allowed, "json|jsonl", or NULL */
    int minimum;         /**< of an integer */
    unsigned commands;   /**< bit 1 << id of each command that has it */
    size_t offset;       /**< of its field in cli_values */
    const char *help;    /**< sentences */
} cli_option;

extern const cli_command cli_commands[CLI_COMMAND_COUNT];
extern const cli_option cli_options[];
extern const size_t cli_option_count;

/** What IMAGE, FOLDER, @LIST and - mean, and how the program ends: part of several help texts. */
extern const char *const cli_operands_text;
extern const char *const cli_exit_text;

/** Whether a command has an option. */
bool cli_command_has(const cli_command *command, const cli_option *option);

/** The option of a command by its long name (`length` bytes of it), or NULL. A NULL command looks
 *  through all commands. */
const cli_option *cli_find_option(const cli_command *command, const char *name, size_t length);

/** Which command the words of `words` choose.
 *  @param used receives how many words belong to the name; 0 for the main job.
 *  @return the command, or NULL where only the first word of a two-word command is there or the
 *          second is unknown. */
const cli_command *cli_find_command(const cli_list *words, size_t *used);

/** Whether `word` is the first word of two-word commands: "model". */
bool cli_is_group(const char *word);

#endif
