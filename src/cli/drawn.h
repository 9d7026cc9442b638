/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_DRAWN_H
#define DETECT_CLI_DRAWN_H

#include "detect/data.h"

#include <limits.h>

/** Makes a folder where it is missing and checks that it can be written.
 *  @param option   the option that named it, for messages.
 *  @param resolved receives its real path.
 *  @return DET_OK, DET_IO. */
det_status cli_open_folder(const char *option, const char *folder, char resolved[PATH_MAX],
                           det_error *error);

/** Makes a folder for pictures to draw where it is missing, and plans a file for each input:
 *  FOLDER/name.ext, .jpg for a JPEG, else .png. Inputs of one name get name-2.ext, name-3.ext, ...
 *  in their order, so that none overwrites another.
 *  @param option the option that named the folder, for messages.
 *  @param png    all are .png.
 *  @param paths  receives inputs->count paths; cli_drawn_free them.
 *  @return DET_OK; DET_IO (the folder cannot be made or written); DET_ARGUMENT (an input lies in
 *          the folder, where it might be overwritten). */
det_status cli_drawn_plan(const char *option, const char *folder, bool png,
                          const det_inputs *inputs, char ***paths, det_error *error);
void cli_drawn_free(char **paths, size_t count);

#endif
