/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_POOLED_INPUT_H
#define DETECT_TRAIN_POOLED_INPUT_H

#include "src/nn/model_file.h"
#include "src/train/region_sampler.h"

/* Batches of regions as the second half of a network takes them, pooled from what its first half
 * says of whole pictures (src/detector/region_pool.h). The first half does not learn: its maps are
 * made once a picture and kept. A mirrored region is the mirrored map of the region: colours stay
 * as they are. */
typedef struct det_pooled_input det_pooled_input;

/** @param config `classifier.pool`, context_px, precision and limits; borrowed.
 *  @param to     to_count layers that the second half is to give.
 *  @param cache  the pictures; borrowed, as is the model.
 *  @param input  det_pooled_input_free it.
 *  @return as det_region_pool_create. */
det_status det_pooled_input_create(det_model *model, const det_config *config,
                                   const char *const *to, size_t to_count, det_picture_cache *cache,
                                   det_pooled_input **input, det_error *error);
/** Takes NULL. */
void det_pooled_input_free(det_pooled_input *input);

/** The layer that regions are pooled from. */
const char *det_pooled_input_layer(const det_pooled_input *input);

/** Fills the input of the second half with a batch.
 *  @param values count x channels x height x width of the layer's map at the model's own size.
 *  @return DET_OK; as det_image_read, with the file; as det_region_maps_prepare. */
det_status det_pooled_input_fill(det_pooled_input *input, const det_region_batch *batch,
                                 float *values, det_error *error);

#endif
