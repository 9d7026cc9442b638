/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_CLASS_MAP_H
#define DETECT_CLI_CLASS_MAP_H

#include "detect/results.h"
#include "src/cli/options.h"

/** What --class-map says; {0} is empty. */
typedef struct cli_class_map {
    det_class_pair *pairs;
    char **texts; /**< copies of the values, cut in two, to which the pairs point */
    size_t count;
} cli_class_map;

/** Reads values "FROM=TO". Free the map in any case. */
det_status cli_class_map_read(const cli_list *list, cli_class_map *map, det_error *error);
void cli_class_map_free(cli_class_map *map);

#endif
