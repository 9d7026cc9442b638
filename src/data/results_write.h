/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_RESULTS_WRITE_H
#define DETECT_DATA_RESULTS_WRITE_H

#include "src/data/convert.h"

/** What the writers of results share. */
typedef struct det_results_out {
    const det_results *results;
    const det_annotations *annotations;
    const char *path; /**< as the caller gave it */
    const det_convert_options *options;
    det_loss_tally *tally;
} det_results_out;

/* Each writes the results in a format. @return as det_results_write. */
det_status det_results_write_coco(const det_results_out *out, det_error *error);
det_status det_results_write_json(const det_results_out *out, det_error *error);
det_status det_results_write_jsonl(const det_results_out *out, det_error *error);
det_status det_results_write_voc(const det_results_out *out, det_error *error);

/** Detections by picture or class, in the order of the results. {0} is empty. */
typedef struct det_results_groups {
    uint32_t *items; /**< where in the results */
    size_t *first;   /**< of each picture or class; one more says where the last ends */
} det_results_groups;

/** @param by_class else by picture. @return DET_OK, DET_MEMORY. Free the groups in any case. */
det_status det_results_group(const det_results_out *out, bool by_class, det_results_groups *groups,
                             det_error *error);
void det_results_groups_free(det_results_groups *groups);

/** The box of a detection in a form; notes one that does not read back to the last bit. */
void det_results_out_box(const det_results_out *out, size_t detection, det_box_form form,
                         double box[4]);

#endif
