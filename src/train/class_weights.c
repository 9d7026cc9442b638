/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/class_weights.h"

#include "src/base/memory.h"

#include <string.h>

static size_t class_of(const det_fit_examples *e, size_t example)
{
    const int label = det_row_label(e->set, e->rows[example]);
    return label == DET_LABEL_BACKGROUND ? e->set->classes.count : (size_t)label;
}

/* @param sums room for one a class and one for the background. */
static void balance_head(const det_fit_examples *e, const float *from, double *sums, float *weights)
{
    const size_t classes = e->set->classes.count + 1;
    double all = 0;
    size_t present = 0;
    memset(sums, 0, classes * sizeof *sums);
    for (size_t i = 0; i < e->count; i++) sums[class_of(e, i)] += (double)from[i];
    for (size_t c = 0; c < classes; c++) {
        all += sums[c];
        present += sums[c] > 0;
    }
    for (size_t i = 0; i < e->count; i++) {
        const double sum = sums[class_of(e, i)];
        weights[i] = sum > 0 ? (float)((double)from[i] * all / ((double)present * sum)) : 0;
    }
}

det_status det_balance_weights(const det_fit_examples *examples, float *weights, det_error *error)
{
    double *sums = det_alloc_array(examples->set->classes.count + 1, sizeof *sums);
    if (!sums) return det_fail_memory(error, "the weights of classes");
    for (size_t h = 0; h < examples->head_count; h++)
        balance_head(examples, examples->weights + h * examples->count, sums,
                     weights + h * examples->count);
    det_free(sums);
    return DET_OK;
}
