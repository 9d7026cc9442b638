/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_KEPT_H
#define DETECT_CLI_KEPT_H

#include "detect/status.h"

/** Results of a run over pictures that are kept as JSON lines, a line a picture, so that a run that
 *  was interrupted can go on: a file, and beside it the settings that made it; {0} is none. */
typedef struct cli_kept {
    const char *path; /**< ends in .jsonl; borrowed */
    char *settings_path;
    int descriptor; /**< of the file, locked; 0: none */
    size_t count;   /**< pictures that it has */
} cli_kept;

/** What a run is made of. */
typedef struct cli_kept_run {
    const char *settings;     /**< a JSON object, a line a member */
    const char *const *files; /**< file_count pictures, in the order of their lines */
    size_t file_count;
    bool restart; /**< forget what an earlier run kept */
} cli_kept_run;

/** Opens the file for a run, or makes it. What it holds must be whole lines of the first pictures
 * of the run, made with the same settings; a last line without its end is cut off. No other process
 *  can open it so until cli_kept_close.
 *  @return DET_OK; DET_ARGUMENT (no .jsonl; other settings or pictures; another run writes to it);
 *          DET_IO. */
det_status cli_kept_open(cli_kept *kept, const char *path, const cli_kept_run *run,
                         det_error *error);
/** Takes one that is half open. */
void cli_kept_close(cli_kept *kept);

#endif
