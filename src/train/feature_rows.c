/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/feature_rows.h"

static void read_row(const void *context, size_t row, float *features)
{
    const det_set_rows *list = context;
    det_row_features(list->set, list->rows[row], features);
}

det_feature_rows det_rows_of_set(const det_set_rows *list)
{
    return (det_feature_rows){list->count, list->set->width, read_row, list};
}
