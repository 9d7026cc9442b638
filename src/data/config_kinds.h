/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DATA_CONFIG_KINDS_H
#define DETECT_DATA_CONFIG_KINDS_H

#include "src/data/config_keys.h"

/* Those whose row has an offset store there what they are called; the others know their field. */
extern const det_config_kind det_config_kind_version, det_config_kind_bool,
    det_config_kind_bool_or_null, det_config_kind_int, det_config_kind_int_or_null,
    det_config_kind_int_or_none, det_config_kind_size, det_config_kind_uint64,
    det_config_kind_float, det_config_kind_double, det_config_kind_double_or_null,
    det_config_kind_word, det_config_kind_nms_method, det_config_kind_methods,
    det_config_kind_color_spaces, det_config_kind_similarities, det_config_kind_scales,
    det_config_kind_pool_scales, det_config_kind_name, det_config_kind_path, det_config_kind_models,
    det_config_kind_layer_rates;

#endif
