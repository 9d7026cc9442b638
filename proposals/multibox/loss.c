/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/multibox/loss.h"

#include "proposals/multibox/assignment.h"
#include "src/base/error.h"
#include "src/base/memory.h"

#include <math.h>
#include <string.h>

enum { CORNERS = DET_MULTIBOX_CORNERS };

static const det_multibox_outputs bare;

/* ---- Predictions ---------------------------------------------------------------------------- */

static double corner(const det_multibox_priors *priors, const det_multibox_outputs *outputs,
                     size_t prior, size_t i)
{
    const double at = (double)priors->corners[prior][i];
    return outputs->locations ? at + (double)outputs->locations[prior * CORNERS + i] : at;
}

/* z of a prediction. */
static double logit(const det_multibox_priors *priors, const det_multibox_outputs *outputs,
                    size_t prior)
{
    const double odds = (double)priors->log_odds[prior];
    return outputs->logits ? odds + (double)outputs->logits[prior] : odds;
}

/* 1/2 |l_i - g_j|^2 */
static double distance(const det_multibox_priors *priors, const det_multibox_outputs *outputs,
                       size_t prior, const float object[CORNERS])
{
    double sum = 0;
    for (size_t i = 0; i < CORNERS; i++) {
        const double difference = corner(priors, outputs, prior, i) - (double)object[i];
        sum += difference * difference;
    }
    return sum / 2;
}

/* ---- Matching ------------------------------------------------------------------------------- */

static void list_costs(const det_multibox_priors *priors, const det_multibox_outputs *outputs,
                       const det_multibox_objects *objects, double alpha, double *costs)
{
    for (size_t j = 0; j < objects->count; j++)
        for (size_t i = 0; i < priors->count; i++) {
            double *cost = &costs[j * priors->count + i];
            const float *object = objects->corners[j];
            *cost = outputs
                        ? alpha * distance(priors, outputs, i, object) - logit(priors, outputs, i)
                        : distance(priors, &bare, i, object);
        }
}

det_status det_multibox_match(const det_multibox_priors *priors,
                              const det_multibox_outputs *outputs,
                              const det_multibox_objects *objects, double alpha, size_t *matches,
                              det_error *error)
{
    _Static_assert(DET_MULTIBOX_UNMATCHED == DET_UNASSIGNED, "one mark for both");
    double *costs = det_alloc_array(objects->count, priors->count * sizeof *costs);
    if (!costs) return det_fail_memory(error, "the costs of matches");
    list_costs(priors, outputs, objects, alpha, costs);
    const det_status status = det_assign(costs, objects->count, priors->count, matches, error);
    det_free(costs);
    return status;
}

/* ---- Loss ----------------------------------------------------------------------------------- */

/* Adds a match; the prediction counts as one without an object already. */
static void add_match(const det_multibox_priors *priors, const det_multibox_outputs *outputs,
                      size_t prior, const float object[CORNERS], det_multibox_loss *loss)
{
    loss->match += distance(priors, outputs, prior, object);
    loss->confidence -= logit(priors, outputs, prior);
}

static void add_slope(const det_multibox_priors *priors, const det_multibox_outputs *outputs,
                      size_t prior, const float object[CORNERS], double alpha,
                      const det_multibox_gradient *gradient)
{
    for (size_t i = 0; i < CORNERS; i++)
        gradient->locations[prior * CORNERS + i] =
            (float)(alpha * (corner(priors, outputs, prior, i) - (double)object[i]));
    gradient->logits[prior] -= 1;
}

/* -log(1 - c), whose derivative by z is c. */
static double no_object(double z, float *slope)
{
    const double small = exp(-fabs(z));
    if (slope) *slope = (float)(z > 0 ? 1 / (1 + small) : small / (1 + small));
    return fmax(z, 0) + log1p(small);
}

det_multibox_loss det_multibox_lose(const det_multibox_priors *priors,
                                    const det_multibox_outputs *outputs,
                                    const det_multibox_objects *objects, const size_t *matches,
                                    double alpha, const det_multibox_gradient *gradient)
{
    det_multibox_loss loss = {0};
    if (!outputs) outputs = &bare;
    if (gradient)
        memset(gradient->locations, 0, priors->count * CORNERS * sizeof *gradient->locations);
    for (size_t i = 0; i < priors->count; i++)
        loss.confidence +=
            no_object(logit(priors, outputs, i), gradient ? &gradient->logits[i] : NULL);
    for (size_t j = 0; j < objects->count; j++) {
        if (matches[j] == DET_MULTIBOX_UNMATCHED) continue;
        add_match(priors, outputs, matches[j], objects->corners[j], &loss);
        if (gradient) add_slope(priors, outputs, matches[j], objects->corners[j], alpha, gradient);
    }
    loss.total = alpha * loss.match + loss.confidence;
    return loss;
}
