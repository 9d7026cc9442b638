/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CALIBRATE_H
#define DETECT_CALIBRATE_H

#include "detect/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How to calibrate. Zero means the default. */
typedef struct det_calibration_options {
    size_t regions; /**< crops to look at, of all pictures together; default 3000; three
                         in five measure the agreement */
} det_calibration_options;

/** What a precision must reach on regions that played no part in the choice of scales, beside f32,
 *  to be listed as verified: the share of regions whose most probable class stays, and the mean
 *  change of that class's probability. */
#define DET_BF16_SAME_CLASS .985
#define DET_BF16_CHANGE .01
#define DET_INT8_SAME_CLASS .97
#define DET_INT8_CHANGE .02

/** Finds the scales that a model needs to run in int8, and measures what int8 and bf16 change.
 *
 *  Regions are proposed in the pictures and cropped as a detector does it, and the network runs on
 *  them in f32. Pictures go by turns to three parts (of one or two pictures, regions do). The first
 *  gives the ranges of the activations, and how the values that a layer looks at go together:
 *  weights get a scale a channel and are rounded so that their errors make up for one another
 *  (GPTQ, Frantar et al. 2023). The second chooses: of four ways to make scales of ranges the one
 *  whose network in int8 stays closest to f32; and where that is not close enough, layers that
 *  return to higher precision, those first that cost most for the time they save (with fewer than
 *  32 regions none), for weights of 8 bits (with VNNI) and of 7. The third, which had no say, gives
 *  the agreement of bf16 (on a processor that has it) and of int8 with weights of 8 (with VNNI) and
 *  of 7 bits.
 *
 *  @param model_path    a model file with class probabilities.
 *  @param pictures      picture_count files, at least one; those that will be met later are best.
 *  @param out_path      receives the model with its `quantization`; may be model_path.
 *  @param run           threads, progress (steps are batches; their number may grow), deadline.
 *  @return DET_OK also where a precision disagrees too much: it is then listed as not verified.
 *          DET_ARGUMENT (no picture; too few regions for three parts; a model without
 * probabilities), DET_IO, DET_FORMAT, DET_UNSUPPORTED, DET_LIMIT (of a picture or the model:
 * error->file), DET_CANCELLED, DET_MEMORY. Equal calls give equal files on one processor. */
DET_API det_status det_model_calibrate(const char *model_path, const char *const *pictures,
                                       size_t picture_count, const det_calibration_options *options,
                                       const char *out_path, const det_run *run, det_error *error);

#ifdef __cplusplus
}
#endif
#endif
