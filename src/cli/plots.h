/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_PLOTS_H
#define DETECT_CLI_PLOTS_H

#include "src/cli/recall.h"

/** Makes the folder of --plots where it is missing. @return DET_OK, DET_IO. */
det_status cli_plots_prepare(const char *folder, det_error *error);

/** Writes the curves of recall that is finished into a folder, each as SVG and as PNG:
 *  recall-iou (recall against IoU, at 10, 100, 1000 and all boxes), recall-boxes (recall at IoU .5,
 *  .7 and .9 and average recall against the number of boxes), both of the first method with the
 *  second beside it, dashed; and average-recall (against the number of boxes, of all methods). */
det_status cli_plots_write(const cli_recall *recall, const char *folder, det_error *error);

#endif
