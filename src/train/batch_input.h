/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_BATCH_INPUT_H
#define DETECT_TRAIN_BATCH_INPUT_H

#include "detect/model.h"
#include "src/train/augmentation.h"
#include "src/train/picture_cache.h"

/** What a slot of a batch shows, besides where in its picture. */
typedef struct det_batch_slot {
    size_t picture; /**< of the cache */
    bool mirrored;
    det_color_changes colors; /**< not looked at where the augmentation changes none */
} det_batch_slot;

/** Makes the crop of a slot. Called from several threads at once.
 *  @param pixels height x width x 3 bytes of the network's input, B G R, to be written whole.
 *  @return DET_OK, or what is wrong, with `error` filled. */
typedef det_status det_batch_crop(const void *context, size_t slot, const det_image *image,
                                  uint8_t *pixels, det_error *error);

/** How batches are filled. Everything is borrowed. */
typedef struct det_batch_filling {
    det_picture_cache *cache;
    const det_model_input *input;
    const det_augmentation *augmentation;
    det_batch_crop *crop;
    const void *context;
} det_batch_filling;

/** Fills the input of a network with a batch: each picture is decoded once and its slots are made
 *  one after the other, several pictures at once.
 *  @param slots   count of them.
 *  @param threads 0: as many as the process may use; the input does not depend on it.
 *  @param input   count x 3 x height x width, f32, written whole.
 *  @return DET_OK; the failure of the first picture that has one, with its file: as det_image_read,
 *          or what `crop` returned; DET_MEMORY. */
det_status det_batch_fill(const det_batch_filling *filling, const det_batch_slot *slots,
                          size_t count, int threads, float *input, det_error *error);

#endif
