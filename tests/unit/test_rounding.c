/* SPDX-License-Identifier: Apache-2.0 */
/* Rounding of weights by the covariance of what they are multiplied with: by hand, and beside
 * rounding to the nearest. */
#include "src/nn/rounding.h"

#include "src/base/memory.h"
#include "tests/unit/support.h"
#include "tests/unit/support_reference.h"

#include <math.h>
#include <string.h>

static const float ones[] = {1, 1, 1, 1};

/* Patches of mean 0 with this covariance, 2 x 2. */
static det_moments pair_of(float first, float both, float second)
{
    enum { count = 200 };
    det_moments m;
    test_assert_ok(det_moments_create(2, &m, NULL), NULL);
    m.count = count;
    const float covariance[] = {first, both, both, second};
    for (int i = 0; i < 4; i++) m.products[i] = count * covariance[i];
    return m;
}

static void round_pair(const det_moments *m, const float *steps, const float *values, int limit,
                       int8_t *rounded)
{
    det_rounding r;
    float pending[2];
    test_assert_ok(det_rounding_create(m, steps, &r, NULL), NULL);
    det_round_weights(&r, values, limit, pending, rounded);
    det_rounding_free(&r);
}

/* C = (1, .9; .9, 1), with the ridge of .01 + .25 x 2 / 200 = .0125 on its diagonal. The last goes
 * first: .4 becomes 0, e = .4; then .4 + .9 / 1.0125 x .4 = .756 becomes 1. Where the first value
 * of the patch is large, so is the second, and 1 x 0 is nearer to .4 + .4 than 0 + 0. */
static void what_one_weight_lost_the_next_makes_up(void **state)
{
    (void)state;
    det_moments m = pair_of(1, .9f, 1);
    int8_t q[2];
    round_pair(&m, ones, (const float[]){.4f, .4f}, 127, q);
    assert_true(q[0] == 1 && q[1] == 0);
    /* 1.4 becomes 1, e = .4 again; -.9 x .4 / 1.0125 + .8 = .444 */
    m.products[1] = m.products[2] = -200 * .9f;
    round_pair(&m, ones, (const float[]){.8f, 1.4f}, 127, q);
    assert_true(q[0] == 0 && q[1] == 1);
    det_moments_free(&m);
}

/* Twice the standard deviation: this weight is rounded first. With e = -.4 of the first weight,
 * .6 to 1, the second gets .6 - 1.8 / 1.03125 x .4 = -.098. (Ridge .0125 x 2.5; L[1][0] =
 * 1.8 / sqrt(1.03125).) */
static void the_weight_of_the_value_that_varies_most_goes_first(void **state)
{
    (void)state;
    det_moments m = pair_of(4, 1.8f, 1);
    int8_t q[2];
    round_pair(&m, ones, (const float[]){.6f, .6f}, 127, q);
    assert_true(q[0] == 1 && q[1] == 0);
    /* In steps of 4 and 1 the first varies least: 4 / 16, and 1.8 / 4. */
    round_pair(&m, (const float[]){4, 1}, (const float[]){.6f, .6f}, 127, q);
    assert_true(q[0] == 0 && q[1] == 1); /* .6 - .45 / .2578 x .4 = -.098 */
    det_moments_free(&m);
}

/* Beyond the limit the whole rest is handed on: 3 becomes 2, e = 1, and .2 + .9 / 1.0125 = 1.09. */
static void what_the_limit_cuts_off_is_made_up_too(void **state)
{
    (void)state;
    det_moments m = pair_of(1, .9f, 1);
    int8_t q[2];
    round_pair(&m, ones, (const float[]){.2f, 3}, 2, q);
    assert_true(q[0] == 1 && q[1] == 2);
    round_pair(&m, ones, (const float[]){-9, -3}, 2, q);
    assert_true(q[0] == -2 && q[1] == -2);
    det_moments_free(&m);
}

static void independent_values_round_to_the_nearest(void **state)
{
    (void)state;
    det_moments m = pair_of(1, 0, 1);
    int8_t q[2];
    round_pair(&m, ones, (const float[]){-1.4f, 1.6f}, 127, q);
    assert_true(q[0] == -1 && q[1] == 2);
    m.products[0] = m.products[3] = 0; /* values that never vary */
    round_pair(&m, ones, (const float[]){-1.4f, 1.6f}, 127, q);
    assert_true(q[0] == -1 && q[1] == 2);
    det_moments_free(&m);
}

/* Means of 3 and 5 are taken out: (3 +- 1, 5 +- 1) is the covariance of ones. */
static void sums_and_products_add_up(void **state)
{
    (void)state;
    det_moments m;
    test_assert_ok(det_moments_create(2, &m, NULL), NULL);
    test_assert_ok(det_moments_add(&m, (const float[]){4, 6}, 1, NULL), NULL);
    test_assert_ok(det_moments_add(&m, (const float[]){2, 4, 4, 6, 2, 4}, 3, NULL), NULL);
    test_assert_ok(det_moments_add(&m, NULL, 0, NULL), NULL);
    assert_int_equal(m.count, 4);
    assert_true(m.sums[0] == 12 && m.sums[1] == 20);
    assert_true(m.products[0] == 40 && m.products[1] == 64 && m.products[2] == 64 &&
                m.products[3] == 104);
    det_rounding r;
    test_assert_ok(det_rounding_create(&m, ones, &r, NULL), NULL);
    const float diagonal = 1 + .01f + .25f * 2 / 4; /* C = (1, 1; 1, 1) and the ridge */
    assert_true(fabsf(r.factor[0] - sqrtf(diagonal)) < 1e-5f);
    assert_true(fabsf(r.factor[2] - 1 / sqrtf(diagonal)) < 1e-5f);
    assert_true(fabsf(r.factor[3] - sqrtf(diagonal - 1 / diagonal)) < 1e-5f);
    det_rounding_free(&r);
    det_moments_free(&m);
}

/* The mean square of e . p over the patches. */
static double loss(const float *patches, size_t count, size_t width, const float *values,
                   const int8_t *q)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double off = 0;
        for (size_t j = 0; j < width; j++)
            off += (double)((values[j] - (float)q[j]) * patches[i * width + j]);
        sum += off * off;
    }
    return sum / (double)count;
}

/* Patches of 24 values that 6 numbers make: their sums come out much nearer than from weights that
 * are each rounded to the nearest. */
static void values_that_go_together_are_rounded_together(void **state)
{
    (void)state;
    enum { width = 24, hidden = 6, count = 400, rows = 20 };
    float *mix = test_random_values((size_t)hidden * width, 1);
    float *causes = test_random_values((size_t)count * hidden, 2);
    float *weights = test_random_values((size_t)rows * width, 3);
    float *patches = det_alloc_zeroed((size_t)count * width, sizeof *patches);
    for (int i = 0; i < count; i++)
        for (int h = 0; h < hidden; h++)
            for (int j = 0; j < width; j++)
                patches[i * width + j] += causes[i * hidden + h] * mix[h * width + j];
    det_moments m;
    det_rounding r;
    float all[width], pending[width], values[width];
    for (int j = 0; j < width; j++) all[j] = 1;
    test_assert_ok(det_moments_create(width, &m, NULL), NULL);
    test_assert_ok(det_moments_add(&m, patches, count, NULL), NULL);
    test_assert_ok(det_rounding_create(&m, all, &r, NULL), NULL);
    double together = 0, nearest = 0;
    for (int o = 0; o < rows; o++) {
        int8_t q[width], each[width];
        for (int j = 0; j < width; j++) {
            values[j] = 20 * weights[o * width + j];
            each[j] = (int8_t)lrintf(values[j]);
        }
        det_round_weights(&r, values, 127, pending, q);
        together += loss(patches, count, width, values, q);
        nearest += loss(patches, count, width, values, each);
    }
    assert_true(together < .3 * nearest);
    det_rounding_free(&r);
    det_moments_free(&m);
    det_free(patches);
    det_free(weights);
    det_free(causes);
    det_free(mix);
}

static void short_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    bool done = false;
    for (uint64_t nth = 1; !done; nth++) {
        det_moments m = {0};
        det_rounding r = {0};
        det_error error = {0};
        det_memory_fail_at(nth);
        det_status status = det_moments_create(2, &m, &error);
        if (status == DET_OK) m.count = 1;
        if (status == DET_OK) status = det_rounding_create(&m, ones, &r, &error);
        done = !det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, done ? DET_OK : DET_MEMORY);
        det_rounding_free(&r);
        det_moments_free(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_weight_lost_the_next_makes_up),
        cmocka_unit_test(the_weight_of_the_value_that_varies_most_goes_first),
        cmocka_unit_test(what_the_limit_cuts_off_is_made_up_too),
        cmocka_unit_test(independent_values_round_to_the_nearest),
        cmocka_unit_test(sums_and_products_add_up),
        cmocka_unit_test(values_that_go_together_are_rounded_together),
        cmocka_unit_test(short_memory_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
