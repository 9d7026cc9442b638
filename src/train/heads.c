/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/heads.h"

#include "src/base/memory.h"
#include "src/train/class_weights.h"
#include "src/train/l2_choice.h"
#include "src/train/svm_fit.h"

static det_status fit_chosen(const det_fit_examples *examples, const det_fit_options *options,
                             const det_run *run, det_linear_head *heads, det_error *error)
{
    if (options->l2 > 0) return det_fit_classes(examples, options, run, heads, error);
    det_fit_options chosen = *options;
    double *l2 = det_alloc_array(examples->head_count, sizeof *l2);
    if (!l2) return det_fail_memory(error, "the choice of l2");
    chosen.head_l2 = l2;
    det_status status = det_choose_l2(examples, run, l2, error);
    if (status == DET_OK) status = det_fit_classes(examples, &chosen, run, heads, error);
    det_free(l2);
    return status;
}

static det_status fit_balanced(const det_fit_examples *examples, const det_fit_options *options,
                               const det_run *run, det_linear_head *heads, det_error *error)
{
    if (!options->balanced) return fit_chosen(examples, options, run, heads, error);
    float *weights = det_alloc_array(examples->head_count, examples->count * sizeof *weights);
    if (!weights) return det_fail_memory(error, "the weights of examples");
    det_fit_examples balanced = *examples;
    balanced.weights = weights;
    det_status status = det_balance_weights(examples, weights, error);
    if (status == DET_OK) status = fit_chosen(&balanced, options, run, heads, error);
    det_free(weights);
    return status;
}

det_status det_fit_heads(const det_fit_examples *examples, const det_fit_options *options,
                         const det_run *run, det_linear_head *heads, det_error *error)
{
    return heads[0].kind == DET_HEAD_SOFTMAX
               ? fit_balanced(examples, options, run, heads, error)
               : det_fit_svm_heads(examples, options, run, heads, error);
}
