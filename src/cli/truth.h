/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_TRUTH_H
#define DETECT_CLI_TRUTH_H

#include "detect/annotations.h"
#include "src/cli/options.h"

/** The annotations that --annotations, --images and --split name, and which of their pictures were
 *  met; {0} is none. */
typedef struct cli_truth {
    det_annotations *annotations;
    bool *met;               /**< of each picture */
    size_t met_count;        /**< pictures met */
    size_t unknown_count;    /**< pictures that the annotations do not have */
    size_t repeated_count;   /**< pictures that came again */
    size_t resized_count;    /**< pictures of another size than the annotations say */
    char first_unknown[256]; /**< the first of unknown_count */
    char first_resized[256]; /**< likewise */
} cli_truth;

/** Options that mean something only beside --annotations are a mistake without. */
det_status cli_truth_check_options(const cli_values *values, det_error *error);

/** Reads annotations as --images and --split say, and says on standard error what is strange about
 *  them.
 *  @param untold      oddities that are not told: bit 1 << oddity of each.
 *  @param annotations det_annotations_free them, also after a failure.
 *  @return as det_annotations_read; DET_ARGUMENT (--images with YOLO's, which know their pictures).
 */
det_status cli_read_annotations(const char *path, const cli_values *values, unsigned untold,
                                det_annotations **annotations, det_error *error);

/** Reads the annotations and says on standard error what is strange about them. */
det_status cli_truth_read(cli_truth *truth, const cli_values *values, det_error *error);
void cli_truth_free(cli_truth *truth);

/** The paths of all annotated pictures, count of them; cli_truth_paths_free them. */
char **cli_truth_paths(const cli_truth *truth);
void cli_truth_paths_free(char **paths, size_t count);

/** Finds the picture of a file that was read, and counts it.
 *  @param index receives where in the annotations it is.
 *  @return whether it is to be measured: annotated, and not met before. */
bool cli_truth_meet(cli_truth *truth, const char *file, int width, int height, size_t *index);

/** Says on standard error which pictures were left out of the figures. */
void cli_truth_say(const cli_truth *truth);

#endif
