/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_NETWORK_INPUT_H
#define DETECT_TRAIN_NETWORK_INPUT_H

#include "detect/model.h"
#include "src/image/color_change.h"

/** Writes a crop as a network is fed with it, with colours changed and mirrored on the way: plane c
 *  is (cut(map(pixel)) - mean[c]) * scale[c], in the model's order of channels. Changed values are
 *  cut to [0, 255] but not rounded.
 *  @param pixels   height x width x 3 bytes of the model's input, B G R.
 *  @param map      or NULL: colours stay.
 *  @param mirrored left and right are exchanged.
 *  @param out      3 x height x width, written whole. Thread-safe. */
void det_write_input(const det_model_input *input, const uint8_t *pixels, const det_color_map *map,
                     bool mirrored, float *out);

#endif
