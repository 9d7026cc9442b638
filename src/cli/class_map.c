/* SPDX-License-Identifier: Apache-2.0 */
#include "src/cli/class_map.h"

#include "src/cli/report.h"

#include <stdlib.h>
#include <string.h>

det_status cli_class_map_read(const cli_list *list, cli_class_map *map, det_error *error)
{
    map->texts = cli_alloc(list->count, sizeof *map->texts);
    map->pairs = cli_alloc(list->count, sizeof *map->pairs);
    for (size_t i = 0; i < list->count; i++) {
        char *text = map->texts[map->count++] = cli_format("%s", list->items[i]);
        char *equals = strrchr(text, '=');
        if (!equals || equals == text || !equals[1])
            return cli_fail(error, DET_ARGUMENT, "--class-map must be FROM=TO, not '%s'", text);
        *equals = '\0';
        map->pairs[i] = (det_class_pair){text, equals + 1};
    }
    return DET_OK;
}

void cli_class_map_free(cli_class_map *map)
{
    for (size_t i = 0; i < map->count; i++) free(map->texts[i]);
    free(map->texts);
    free(map->pairs);
    *map = (cli_class_map){0};
}
