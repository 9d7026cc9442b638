/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a configuration file, and as an assignment to one that exists. */
#include "src/base/memory.h"
#include "src/data/config_keys.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void assign(const uint8_t *data, size_t size)
{
    det_config *config = NULL;
    det_error error = {0};
    char *assignment = det_alloc(size + 1);
    if (!assignment || det_config_create(&config, NULL) < 0) abort();
    memcpy(assignment, data, size);
    assignment[size] = '\0';
    if (det_config_set(config, assignment, &error) < 0 && !*error.message) abort();
    det_config_free(config);
    det_free(assignment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    det_config *config = NULL;
    det_error error = {0};
    const det_status status = det_config_parse((const char *)data, size, "folder", &config, &error);
    if (status < 0 && !*error.message) abort();
    if (status == DET_OK) det_config_free(config);
    assign(data, size);
    return 0;
}
