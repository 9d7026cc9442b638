/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_DETECT_H
#define DETECT_CLI_DETECT_H

#include "detect/detector.h"
#include "src/cli/pictures.h"

/** Finds objects in all pictures and writes them.
 *  @param pictures open, with the configuration that the detector was made from.
 *  @param append   results are added to what --output holds.
 *  @param failures receives how many pictures failed; they are reported and recorded.
 *  @return the failure of the run, which is not reported yet. */
det_status cli_detect(cli_pictures *pictures, det_detector *detector, bool append, size_t *failures,
                      det_error *error);

#endif
