/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/multibox/priors.h"

#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/random.h"

#include <math.h>
#include <string.h>

enum { CORNERS = DET_MULTIBOX_CORNERS, MOST_ROUNDS = 100 };

typedef struct {
    const float (*boxes)[CORNERS];
    size_t count;             /* boxes */
    double (*means)[CORNERS]; /* mean_count of them */
    size_t mean_count;
    size_t *clusters;  /* of each box */
    double *distances; /* of each box from its mean, squared */
    size_t *sizes;     /* of each cluster */
} clustering;

/* ---- The first means ------------------------------------------------------------------------ */

static double squared_distance(const float box[CORNERS], const double mean[CORNERS])
{
    double sum = 0;
    for (int i = 0; i < CORNERS; i++) {
        const double difference = (double)box[i] - mean[i];
        sum += difference * difference;
    }
    return sum;
}

/* A box becomes a mean, to which boxes that are nearer to it than to theirs go. */
static void add_mean(clustering *c, size_t box)
{
    const size_t added = c->mean_count++;
    for (int i = 0; i < CORNERS; i++) c->means[added][i] = (double)c->boxes[box][i];
    for (size_t i = 0; i < c->count; i++) {
        const double distance = squared_distance(c->boxes[i], c->means[added]);
        if (added > 0 && distance >= c->distances[i]) continue;
        c->distances[i] = distance;
        c->clusters[i] = added;
    }
}

/* @return a box that is no mean yet, by lot; count where there is none. */
static size_t draw_box(const clustering *c, det_random *random)
{
    double total = 0, passed = 0;
    for (size_t i = 0; i < c->count; i++) total += c->distances[i];
    const double wanted = total * det_random_double(random);
    size_t drawn = c->count;
    for (size_t i = 0; i < c->count; i++) {
        if (!(c->distances[i] > 0)) continue;
        drawn = i;
        passed += c->distances[i];
        if (passed > wanted) break;
    }
    return drawn;
}

static void choose_means(clustering *c, size_t k, uint64_t seed)
{
    det_random random = det_random_create(seed, 0);
    add_mean(c, (size_t)(det_random_double(&random) * (double)c->count));
    while (c->mean_count < k) {
        const size_t box = draw_box(c, &random);
        if (box == c->count) return;
        add_mean(c, box);
    }
}

/* ---- Rounds --------------------------------------------------------------------------------- */

/* @return whether the box goes to another mean. */
static bool reassign(clustering *c, size_t box)
{
    const size_t before = c->clusters[box];
    c->distances[box] = INFINITY;
    for (size_t m = 0; m < c->mean_count; m++) {
        const double distance = squared_distance(c->boxes[box], c->means[m]);
        if (distance >= c->distances[box]) continue;
        c->distances[box] = distance;
        c->clusters[box] = m;
    }
    return c->clusters[box] != before;
}

static void count_sizes(clustering *c)
{
    memset(c->sizes, 0, c->mean_count * sizeof *c->sizes);
    for (size_t i = 0; i < c->count; i++) c->sizes[c->clusters[i]]++;
}

/* Gives each cluster without boxes one. Since as many boxes differ as there are clusters, some box
 * is away from its mean as long as a cluster has none. */
static void fill_empty(clustering *c)
{
    for (size_t m = 0; m < c->mean_count; m++) {
        if (c->sizes[m] > 0) continue;
        size_t farthest = 0;
        for (size_t i = 1; i < c->count; i++)
            if (c->distances[i] > c->distances[farthest]) farthest = i;
        c->sizes[c->clusters[farthest]]--;
        c->clusters[farthest] = m;
        c->distances[farthest] = 0;
        c->sizes[m] = 1;
    }
}

static void move_means(clustering *c)
{
    memset(c->means, 0, c->mean_count * sizeof *c->means);
    for (size_t i = 0; i < c->count; i++)
        for (int j = 0; j < CORNERS; j++) c->means[c->clusters[i]][j] += (double)c->boxes[i][j];
    for (size_t m = 0; m < c->mean_count; m++)
        for (int j = 0; j < CORNERS; j++) c->means[m][j] /= (double)c->sizes[m];
}

static void improve_means(clustering *c)
{
    bool changed = true;
    for (int round = 0; changed && round < MOST_ROUNDS; round++) {
        count_sizes(c);
        fill_empty(c);
        move_means(c);
        changed = false;
        for (size_t i = 0; i < c->count; i++) changed = reassign(c, i) || changed;
    }
}

/* ---- Priors --------------------------------------------------------------------------------- */

static det_status hand_over(const clustering *c, det_multibox_priors *priors, det_error *error)
{
    const det_status status = det_multibox_priors_create(c->mean_count, priors, error);
    if (status < 0) return status;
    for (size_t m = 0; m < c->mean_count; m++)
        for (int i = 0; i < CORNERS; i++) priors->corners[m][i] = (float)c->means[m][i];
    return DET_OK;
}

det_status det_multibox_cluster(const float (*boxes)[DET_MULTIBOX_CORNERS], size_t count, size_t k,
                                uint64_t seed, det_multibox_priors *priors, det_error *error)
{
    *priors = (det_multibox_priors){0};
    if (count == 0 || k == 0)
        return det_fail(error, DET_ARGUMENT, "%zu priors of %zu boxes: at least one of either", k,
                        count);
    const size_t most = k < count ? k : count;
    clustering c = {.boxes = boxes,
                    .count = count,
                    .means = det_alloc_array(most, sizeof *c.means),
                    .clusters = det_alloc_array(count, sizeof *c.clusters),
                    .distances = det_alloc_array(count, sizeof *c.distances),
                    .sizes = det_alloc_array(most, sizeof *c.sizes)};
    det_status status = DET_MEMORY;
    if (c.means && c.clusters && c.distances && c.sizes) {
        choose_means(&c, most, seed);
        improve_means(&c);
        status = hand_over(&c, priors, error);
    } else {
        status = det_fail_memory(error, "the clusters of boxes");
    }
    det_free(c.means);
    det_free(c.clusters);
    det_free(c.distances);
    det_free(c.sizes);
    return status;
}
