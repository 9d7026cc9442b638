/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_RESULTS_JSON_H
#define DETECT_DATA_RESULTS_JSON_H

#include "src/base/error.h"

#include <json-c/json.h>

/** A member that must be a number. @return DET_OK, DET_FORMAT. */
det_status det_json_read_number(json_object *object, const char *key, double *number,
                                det_error *error);

#endif
