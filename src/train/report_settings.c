/* SPDX-License-Identifier: Apache-2.0 */
/* What a detector was made from, and what its training was told: every setting that is of training
 * or was set. */
#include "eval/report/parts.h"
#include "src/base/error.h"
#include "src/train/report.h"

#include <string.h>

static bool is_shown(const det_config *config, size_t key, const char *path)
{
    const bool set = config->set_keys[key / 64] >> key % 64 & 1;
    return set || strncmp(path, "train.", 6) == 0;
}

static det_status add_setting(det_text *html, const det_config *config, size_t key,
                              const char *path, det_error *error)
{
    const char *value;
    det_json *json = det_json_create();
    if (!json) return det_fail_memory(error, "a report");
    det_config_value(config, key, json, NULL);
    const det_status status = det_json_finish(json, &value, NULL, error);
    if (status == DET_OK && strcmp(value, "null") != 0)
        det_report_add_source(html, path, value, "");
    det_json_free(json);
    return status;
}

static void add_digest(det_text *html, const char *what, const char *digest)
{
    det_report_add_source(html, what, *digest ? digest : NULL, "");
}

det_status det_training_report_settings(det_text *html, const det_training *training,
                                        const det_config *config, det_error *error)
{
    det_status status = DET_OK;
    const char *path;
    det_report_begin_section(html, "settings", "What it was made from");
    det_text_add(html, "<dl>\n");
    add_digest(html, "digest of the network", training->network_digest);
    add_digest(html, "of the pictures", training->pictures_digest);
    add_digest(html, "of the annotations", training->annotations_digest);
    for (size_t i = 0; config && status == DET_OK && det_config_key(i, &path, NULL, NULL, NULL);
         i++)
        if (is_shown(config, i, path)) status = add_setting(html, config, i, path, error);
    det_text_add(html, "</dl></section>\n");
    return status;
}
