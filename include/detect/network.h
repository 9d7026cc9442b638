/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NETWORK_H
#define DETECT_NETWORK_H

#include "detect/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A model compiled for a precision, an input size, a batch and a number of threads. Read-only and
 *  safe to share; it keeps its model alive. */
typedef struct det_network det_network;

/** What one calling thread needs to run networks: activations, scratchpads, streams. One caller
 *  at a time. */
typedef struct det_worker det_worker;

/** Whether this processor computes in that precision without emulating it.
 *  @return DET_OK, DET_ARGUMENT (no precision), DET_UNSUPPORTED (the message says what the
 * processor has). */
DET_API det_status det_precision_check(det_precision precision, det_error *error);

/** Bits of the weights that integer layers have here by default: 8 with VNNI, else 7. */
DET_API int det_integer_weight_bits(void);

/** Whether a model was found to give much the same in that precision as in f32 (det_agreement),
 * with the weights that this processor would use. f32 always is. */
DET_API bool det_precision_is_verified(const det_model *model, det_precision precision);

/** What DET_AUTO stands for: the fastest precision that all of `count` models list as verified and
 *  this processor has; f32 where there is none. */
DET_API det_precision det_fastest_precision(const det_model *const *models, size_t count);

/** Zero in a field means its default. */
typedef struct det_network_options {
    det_precision precision;
    int weight_bits;   /**< of int8: 8, which needs VNNI, or 7, which every processor sums without
                            overflow; default: 8 where there is VNNI */
    size_t batch;      /**< pictures a run takes at most; default 1 */
    int threads;       /**< default: as many as the process may use */
    int width, height; /**< of the pictures; default: the model's own */
    const char *from;  /**< name of the layer whose output the caller feeds; NULL: the pictures */
    int from_shape[3]; /**< channels, height, width of that output; zeros: as at the model's own
                          size */
    const char *const
        *to; /**< names of the layers whose outputs are wanted; NULL: the probabilities */
    size_t to_count;
    /** What the caller feeds (with `from`), and what it receives, has its channels innermost:
     * height x width x channels. */
    bool from_channels_last, to_channels_last;
    bool winograd; /**< allow Winograd convolutions, in f32 where oneDNN has them: fewer
                        multiplications, larger errors of rounding */
} det_network_options;

/** A tensor's shape for one picture. */
typedef struct det_shape {
    int channels, height, width;
} det_shape;

/** Compiles a network.
 *  @return DET_OK, DET_ARGUMENT (an unknown layer name, a size that does not fit: error->where is
 *          the layer), DET_UNSUPPORTED (the processor lacks the precision: the message says what it
 *          has; int8 of a model that was not calibrated), DET_MEMORY, DET_INTERNAL (oneDNN
 * refused). */
DET_API det_status det_network_compile(det_model *model, const det_network_options *options,
                                       det_network **network, det_error *error);
DET_API void det_network_free(det_network *network);

DET_API const det_model *det_network_model(const det_network *network);
/** What runs: never DET_AUTO. */
DET_API det_precision det_network_precision(const det_network *network);
/** Bits of a weight in int8, else 0. */
DET_API int det_network_weight_bits(const det_network *network);
DET_API size_t det_network_batch(const det_network *network);
DET_API int det_network_threads(const det_network *network);
DET_API det_shape det_network_input_shape(const det_network *network);
DET_API size_t det_network_output_count(const det_network *network);
/** Shape of output `index`, in the order of options->to. */
DET_API det_shape det_network_output_shape(const det_network *network, size_t index);
/** Bytes the network holds and a worker for it needs: packed weights, and an arena for each thread.
 */
DET_API size_t det_network_memory(const det_network *network);
/** Steps the network runs, and the oneDNN implementation of each ("jit:avx512_core"; "" where none
 *  is needed). `layer` and `implementation` belong to the network. */
DET_API size_t det_network_step_count(const det_network *network);
DET_API void det_network_step(const det_network *network, size_t index, const char **layer,
                              const char **implementation);

/** What kind of work a step is: "convolution", "inner product", "pooling", "LRN", "concat",
 *  "reorder" (of a layout or a type), "ReLU", "softmax", "sigmoid", or "other". Not to be
 *  freed. */
DET_API const char *det_network_step_kind(const det_network *network, size_t index);

/** A worker for any of the given networks (an ensemble shares its arena).
 *  @return DET_OK, DET_MEMORY, DET_INTERNAL. */
DET_API det_status det_worker_create(const det_network *const *networks, size_t count,
                                     det_worker **worker, det_error *error);
DET_API void det_worker_free(det_worker *worker);

/** Runs the network on pictures.
 *
 *  @param pixels  count x height x width x 3 bytes, BGR, of the input's size; the model's mean,
 *                 scale and channel order are applied here.
 *  @param count   in [1, batch].
 *  @param outputs one pointer an output: output i receives count x channels x height x width
 *                 floats (options->to_channels_last: count x height x width x channels).
 *  @return DET_OK, DET_ARGUMENT (count; a network compiled with `from`; a worker of other
 *          networks), DET_INTERNAL.
 *  The same pictures give the same bits at any number of threads and in any batch. */
DET_API det_status det_network_run_pictures(const det_network *network, det_worker *worker,
                                            const uint8_t *pixels, size_t count,
                                            float *const *outputs, det_error *error);

/** det_network_run_pictures with a clock around every step.
 *
 *  @param step_ms det_network_step_count + 1 sums, to which the milliseconds of each step are
 * added, those of all threads together; to the last one those of input and output: bytes become the
 * tensor, results are copied. */
DET_API det_status det_network_time_steps(const det_network *network, det_worker *worker,
                                          const uint8_t *pixels, size_t count,
                                          float *const *outputs, double *step_ms, det_error *error);

/** Runs the network on a tensor: count x channels x height x width floats, the output of layer
 *  options->from (options->from_channels_last: count x height x width x channels), or the pictures
 * after mean and scale. Otherwise as det_network_run_pictures. */
DET_API det_status det_network_run_tensor(const det_network *network, det_worker *worker,
                                          const float *input, size_t count, float *const *outputs,
                                          det_error *error);

#ifdef __cplusplus
}
#endif
#endif
