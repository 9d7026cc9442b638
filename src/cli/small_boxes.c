/* SPDX-License-Identifier: Apache-2.0 */
#include "src/cli/small_boxes.h"

#include <stdio.h>

#define ADVICE                                                                                     \
    "left out; for small objects lower proposals.selective_search.min_side or raise "              \
    "proposals.selective_search.width\n"

/** "with a side under 20 pixels at width 500" */
static void print_rule(const det_selective_search_options *search)
{
    fprintf(stderr, "with a side under %d pixels ", search->min_side_px);
    if (search->width_px > 0)
        fprintf(stderr, "at width %d", search->width_px);
    else
        fprintf(stderr, "of the picture");
}

void cli_small_boxes_count(cli_small_boxes *boxes, const det_result *result)
{
    boxes->left_out += result->too_small_count;
    boxes->kept += result->proposal_count;
}

void cli_small_boxes_say(const det_result *result, const det_config *config)
{
    if (result->too_small_count == 0) return;
    fprintf(stderr, "detect: %s: %zu boxes ", result->file, result->too_small_count);
    print_rule(&config->proposals.search);
    fputs(" were " ADVICE, stderr);
}

void cli_small_boxes_advise(const cli_small_boxes *boxes, const det_config *config)
{
    const bool cut = config->proposals.max > 0 || config->proposals.search.max > 0;
    if (cut || boxes->left_out <= boxes->kept) return;
    const double all = (double)boxes->left_out + (double)boxes->kept;
    fprintf(stderr, "detect: %.0f %% of all boxes, those ", 100 * (double)boxes->left_out / all);
    print_rule(&config->proposals.search);
    fputs(", were " ADVICE, stderr);
}
