/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/parallel.h"
#include "tests/unit/support.h"

#include <stdatomic.h>
#include <string.h>

enum { count = 1000, most_threads = 4 };

typedef struct {
    atomic_int times[count];
    atomic_int wrong_worker;
    int threads;
} visits;

static void visit(void *context, size_t index, int worker)
{
    visits *v = context;
    atomic_fetch_add(&v->times[index], 1);
    if (worker < 0 || worker >= v->threads) atomic_store(&v->wrong_worker, 1);
}

static void every_index_is_visited_once_by_a_worker_in_range(void **state)
{
    (void)state;
    for (int threads = 1; threads <= most_threads; threads++) {
        static visits v;
        memset(&v, 0, sizeof v);
        v.threads = threads;
        det_parallel_for(count, threads, visit, &v);
        for (int i = 0; i < count; i++) assert_int_equal(atomic_load(&v.times[i]), 1);
        assert_int_equal(atomic_load(&v.wrong_worker), 0);
    }
}

static void no_indices_need_no_work(void **state)
{
    (void)state;
    det_parallel_for(0, 2, NULL, NULL);
}

static void visit_inside(void *context, size_t index, int worker)
{
    (void)index, (void)worker;
    static visits inner[2];
    memset(&inner[index], 0, sizeof inner[index]);
    inner[index].threads = 1; /* a loop inside a loop has one worker */
    det_parallel_for(count, most_threads, visit, &inner[index]);
    for (int i = 0; i < count; i++)
        if (atomic_load(&inner[index].times[i]) != 1) atomic_store((atomic_int *)context, 1);
    if (atomic_load(&inner[index].wrong_worker)) atomic_store((atomic_int *)context, 1);
}

static void a_loop_inside_a_loop_stays_on_its_thread(void **state)
{
    (void)state;
    atomic_int wrong = 0;
    det_parallel_for(2, 2, visit_inside, &wrong);
    assert_int_equal(atomic_load(&wrong), 0);
}

static void count_threads(void *context)
{
    *(int *)context = det_thread_count();
}

static void the_callers_thread_count_is_restored(void **state)
{
    (void)state;
    const int before = det_thread_count();
    int inside = 0;
    det_with_threads(before, count_threads, &inside);
    assert_int_equal(inside, before);
    assert_int_equal(det_thread_count(), before);
#ifndef DET_PTHREADS
    det_with_threads(before + 2, count_threads, &inside);
    assert_int_equal(inside, before + 2);
    assert_int_equal(det_thread_count(), before);
#endif
}

static void zero_threads_mean_all_and_negative_ones_too(void **state)
{
    (void)state;
    assert_int_equal(det_resolve_threads(3), 3);
    assert_int_equal(det_resolve_threads(0), det_thread_count());
    assert_true(det_resolve_threads(-1) >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_index_is_visited_once_by_a_worker_in_range),
        cmocka_unit_test(no_indices_need_no_work),
        cmocka_unit_test(a_loop_inside_a_loop_stays_on_its_thread),
        cmocka_unit_test(the_callers_thread_count_is_restored),
        cmocka_unit_test(zero_threads_mean_all_and_negative_ones_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
