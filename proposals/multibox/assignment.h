/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_MULTIBOX_ASSIGNMENT_H
#define DETECT_PROPOSALS_MULTIBOX_ASSIGNMENT_H

#include "detect/status.h"

/** The column of a row that has none. */
#define DET_UNASSIGNED SIZE_MAX

/** Gives rows columns, each column to one row at most, so that the costs together are as small as
 *  they can be: shortest augmenting paths (Kuhn 1955; Jonker and Volgenant, "A Shortest Augmenting
 *  Path Algorithm for Dense and Sparse Linear Assignment Problems", 1987). Where there are more
 *  rows than columns, the best choice of rows gets one.
 *
 *  @param costs   rows x columns, finite.
 *  @param column  receives the column of each row, or DET_UNASSIGNED.
 *  @return DET_OK, DET_ARGUMENT (a cost is not finite), DET_MEMORY.
 *  Deterministic, also where several assignments are best. O(min^2 * max) of the two sizes. */
det_status det_assign(const double *costs, size_t rows, size_t columns, size_t *column,
                      det_error *error);

#endif
