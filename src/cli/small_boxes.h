/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_SMALL_BOXES_H
#define DETECT_CLI_SMALL_BOXES_H

#include "detect/data.h"

/* Boxes that proposals.selective_search.min_side left out are told about, with what to do where the
 * objects are small. */

/** The boxes of a run; {0} is none. */
typedef struct cli_small_boxes {
    size_t left_out, kept;
} cli_small_boxes;

void cli_small_boxes_count(cli_small_boxes *boxes, const det_result *result);

/** Says on standard error how many a picture lost, if any. */
void cli_small_boxes_say(const det_result *result, const det_config *config);

/** Says on standard error how many a run lost, where they are more than were kept: photographs lose
 *  15 to 50 %. Where proposals.max or proposals.selective_search.max is set it keeps silent,
 * because what was kept does not show then how many there were. */
void cli_small_boxes_advise(const cli_small_boxes *boxes, const det_config *config);

#endif
