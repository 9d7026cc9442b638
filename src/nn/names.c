/* SPDX-License-Identifier: Apache-2.0 */
#include "src/nn/names.h"

#include <json-c/linkhash.h>
#include <stdint.h>

bool det_names_set(det_names *names, const char *name, int value)
{
    enum { first_size = 64 };
    if (!names->table) names->table = lh_kchar_table_new(first_size, NULL);
    if (!names->table) return false;

    struct lh_entry *entry = lh_table_lookup_entry(names->table, name);
    if (!entry) return lh_table_insert(names->table, name, (void *)(intptr_t)value) == 0;
    entry->v = (void *)(intptr_t)value;
    return true;
}

bool det_names_get(const det_names *names, const char *name, int *value)
{
    void *found;
    if (!names->table || !lh_table_lookup_ex(names->table, name, &found)) return false;
    *value = (int)(intptr_t)found;
    return true;
}

void det_names_free(det_names *names)
{
    if (names->table) lh_table_free(names->table);
    *names = (det_names){0};
}
