/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_TRAINER_H
#define DETECT_NN_TRAINER_H

#include "src/nn/graph.h"

/** A graph compiled for learning: it runs forward as it learns, then backward, which gives the
 *  gradients of its parameters. It owns its parameters, which begin as the graph has them. One
 *  caller at a time. */
typedef struct det_trainer det_trainer;

typedef struct det_trainer_options {
    size_t batch;            /**< examples of every run, at least 1 */
    int threads;             /**< 0: as many as the process may use */
    det_precision precision; /**< DET_F32 or DET_BF16: of maps and their gradients; parameters,
                                their gradients and sums are f32 */
    det_shape input;         /**< of a picture, or of the output of `from` */
    const char *from;        /**< layer whose output the caller feeds; NULL: pictures */
    bool input_gradient;     /**< the gradient with respect to what is fed is wanted */
    const char *const *to;   /**< to_count layers whose outputs the loss looks at; none may be a
                                  softmax or sigmoid, or lie behind one */
    size_t to_count;
    /** Whether the parameters of a layer learn; NULL: all do. What lies below the first layer that
     * learns is neither differentiated nor changed at random (dropout, statistics of a batch). */
    bool (*learns)(void *context, const char *layer);
    void *learns_context;
} det_trainer_options;

/** @param graph borrowed for as long as the trainer lives; weights that it points to, for the call.
 *  @return DET_OK; DET_ARGUMENT (a layer that is not there, shapes that do not fit: error->where is
 *          the layer); DET_UNSUPPORTED (the precision; a softmax; an average pool with padding that
 *          overhangs); DET_MEMORY; DET_INTERNAL (oneDNN refused). */
det_status det_trainer_create(const det_graph *graph, const det_trainer_options *options,
                              det_trainer **trainer, det_error *error);
/** Takes NULL. */
void det_trainer_free(det_trainer *trainer);

typedef enum det_parameter_kind {
    DET_PARAMETER_WEIGHT = 0,
    DET_PARAMETER_BIAS,
    DET_PARAMETER_SCALE, /**< of batch normalisation, as are the others */
    DET_PARAMETER_SHIFT,
    DET_PARAMETER_MEAN, /**< running statistics, which do not learn but follow the batches */
    DET_PARAMETER_VARIANCE
} det_parameter_kind;

/** "weight", "bias", "scale", "shift", "mean", "variance". */
const char *det_parameter_kind_name(det_parameter_kind kind);

/** Values of a layer, in the order of model files. */
typedef struct det_parameter {
    const char *layer;
    det_parameter_kind kind;
    size_t count;
    float *values;    /**< may be changed between runs */
    float *gradients; /**< of the last det_trainer_backward; NULL: it does not learn */
} det_parameter;

size_t det_trainer_parameter_count(const det_trainer *trainer);
/** Borrowed for as long as the trainer lives. */
const det_parameter *det_trainer_parameter(const det_trainer *trainer, size_t index);

/** What is fed: batch x channels x height x width, to be filled before a run forward. */
float *det_trainer_input(det_trainer *trainer);
/** The gradient with respect to it, after a run backward; NULL where it was not wanted. */
const float *det_trainer_input_gradient(const det_trainer *trainer);

/** Output `index` of options->to after a run forward: batch x channels x height x width. */
const float *det_trainer_output(const det_trainer *trainer, size_t index);
/** Its shape, for one example. */
det_shape det_trainer_output_shape(const det_trainer *trainer, size_t index);
/** The gradient of the loss with respect to it, to be filled before a run backward. */
float *det_trainer_output_gradient(det_trainer *trainer, size_t index);

/** Runs forward.
 *  @param learning false: as in a finished network, without dropout and with running statistics.
 *  @param seed     of dropout: equal seeds drop the same values.
 *  @return DET_OK, DET_INTERNAL. Equal calls with equal parameters give equal bits at one number of
 *          threads. */
det_status det_trainer_forward(det_trainer *trainer, bool learning, uint64_t seed,
                               det_error *error);
/** Runs backward, after det_trainer_forward with `learning`: gradients are written anew.
 *  @return DET_OK, DET_INTERNAL. Likewise. */
det_status det_trainer_backward(det_trainer *trainer, det_error *error);

#endif
