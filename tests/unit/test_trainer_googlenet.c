/* SPDX-License-Identifier: Apache-2.0 */
/* A small GoogLeNet with batch normalisation and auxiliary classifiers as it learns. */
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/nn/googlenet.h"
#include "src/nn/onednn/processor.h"
#include "src/nn/onednn/trainer.h"
#include "tests/unit/support.h"

#include <math.h>
#include <string.h>

enum { SIDE = 80, BATCH = 4, CLASSES = 10, HEADS = 3 };

static const char *const to[HEADS] = {"loss3/classifier", "loss2/classifier", "loss1/classifier"};

typedef struct {
    det_model *model;
    det_trainer *trainer;
} network;

static network create(det_precision precision)
{
    const det_googlenet_options options = {.side = SIDE,
                                           .width = .25,
                                           .outputs = CLASSES,
                                           .dropout = .4,
                                           .auxiliary = true,
                                           .seed = 1};
    network n = {0};
    det_error error = {0};
    test_assert_ok(det_googlenet_create(&options, &n.model, &error), &error);
    const det_trainer_options learning = {.batch = BATCH,
                                          .threads = 1,
                                          .precision = precision,
                                          .input = {3, SIDE, SIDE},
                                          .to = to,
                                          .to_count = HEADS};
    test_assert_ok(det_trainer_create(&n.model->graph, &learning, &n.trainer, &error), &error);
    return n;
}

static void release(network *n)
{
    det_trainer_free(n->trainer);
    det_model_free(n->model);
}

static void refuse_reference_code(const det_trainer_steps *steps)
{
    for (int i = 0; i < steps->count; i++)
        if (strstr(steps->steps[i].implementation, "ref"))
            fail_msg("%s runs in %s", steps->steps[i].layer, steps->steps[i].implementation);
}

/* With AVX2 alone oneDNN 2 has nothing else for the weights of a kernel that covers its whole map.
 */
static void nothing_runs_in_reference_code(void **state)
{
    (void)state;
    static const det_precision precisions[] = {DET_F32, DET_BF16};
    if (!det_processor_has_avx2()) return;
    for (size_t i = 0; i < 2; i++) {
        if (det_precision_check(precisions[i], NULL) < 0) continue;
        network n = create(precisions[i]);
        refuse_reference_code(&n.trainer->forward);
        refuse_reference_code(&n.trainer->backward);
        release(&n);
    }
}

/* Mean cross-entropy of the batch, picture b being of class b, and its gradient. */
static double cross_entropy(det_trainer *trainer, size_t head)
{
    double loss = 0;
    for (size_t b = 0; b < BATCH; b++) {
        const float *logits = det_trainer_output(trainer, head) + b * CLASSES;
        float *gradients = det_trainer_output_gradient(trainer, head) + b * CLASSES;
        double sum = 0;
        for (int c = 0; c < CLASSES; c++) sum += exp((double)logits[c]);
        loss += (log(sum) - (double)logits[b]) / BATCH;
        for (size_t c = 0; c < CLASSES; c++)
            gradients[c] = (float)((exp((double)logits[c]) / sum - (c == b)) / BATCH);
    }
    return loss;
}

static void move(det_trainer *trainer, float rate)
{
    for (size_t i = 0; i < det_trainer_parameter_count(trainer); i++) {
        const det_parameter *p = det_trainer_parameter(trainer, i);
        for (size_t k = 0; p->gradients && k < p->count; k++)
            p->values[k] -= rate * p->gradients[k];
    }
}

/* Pictures of noise, each with a class of its own: chance is log 10 = 2.3. */
static void check_learning(det_precision precision)
{
    if (det_precision_check(precision, NULL) < 0) return;
    network n = create(precision);
    det_random random = det_random_create(3, 1);
    for (size_t i = 0; i < (size_t)BATCH * 3 * SIDE * SIDE; i++)
        det_trainer_input(n.trainer)[i] = (float)(det_random_double(&random) * 4 - 2);
    double first[HEADS] = {0}, loss[HEADS] = {0};
    for (uint64_t step = 0; step < 30; step++) {
        det_error error = {0};
        test_assert_ok(det_trainer_forward(n.trainer, true, step, &error), &error);
        for (size_t h = 0; h < HEADS; h++) loss[h] = cross_entropy(n.trainer, h);
        if (step == 0) memcpy(first, loss, sizeof first);
        test_assert_ok(det_trainer_backward(n.trainer, &error), &error);
        move(n.trainer, .05F);
    }
    for (int h = 0; h < HEADS; h++)
        if (!(loss[h] < .5 * first[h]))
            fail_msg("%s: the loss went from %g to %g", to[h], first[h], loss[h]);
    release(&n);
}

static void a_batch_is_learned_by_heart(void **state)
{
    (void)state;
    check_learning(DET_F32);
    check_learning(DET_BF16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_runs_in_reference_code),
        cmocka_unit_test(a_batch_is_learned_by_heart),
    };
    return cmocka_run_group_tests_name("trainer of GoogLeNet", tests, NULL, NULL);
}
