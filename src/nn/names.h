/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_NAMES_H
#define DETECT_NN_NAMES_H

#include <stdbool.h>

/** A map from names to numbers, json-c's hash table underneath: a file may hold as many names as it
 *  likes without making the search slow. {0} is empty; names are borrowed. */
typedef struct det_names {
    struct lh_table *table;
} det_names;

/** Sets or replaces the number of a name. @return false when memory is short. */
bool det_names_set(det_names *names, const char *name, int value);
/** @return whether the name is there; *value is its number. */
bool det_names_get(const det_names *names, const char *name, int *value);
void det_names_free(det_names *names);

#endif
