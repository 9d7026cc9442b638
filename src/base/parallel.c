/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that starts threads. OpenMP, whose pool oneDNN shares; DET_PTHREADS selects plain
 * threads instead, because GCC's ThreadSanitizer cannot see into libgomp. */
#include "src/base/parallel.h"

#include <stdlib.h>

#ifdef DET_PTHREADS
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

enum { max_threads = 64 };

static _Thread_local bool inside;

typedef struct {
    size_t count;
    det_parallel_body *body;
    void *context;
    atomic_size_t next;
} loop;

typedef struct {
    loop *loop;
    int worker;
} thread_start;

static void *run_thread(void *argument)
{
    const thread_start *start = argument;
    loop *l = start->loop;
    inside = true;
    for (size_t i; (i = atomic_fetch_add(&l->next, 1)) < l->count;)
        l->body(l->context, i, start->worker);
    inside = false;
    return NULL;
}

int det_thread_count(void)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : (int)online;
}

void det_parallel_for(size_t count, int threads, det_parallel_body *body, void *context)
{
    int wanted = inside ? 1 : det_resolve_threads(threads);
    if ((size_t)wanted > count) wanted = (int)count;
    if (wanted > max_threads) wanted = max_threads;
    if (wanted <= 1) {
        for (size_t i = 0; i < count; i++) body(context, i, 0);
        return;
    }

    loop l = {.count = count, .body = body, .context = context};
    atomic_init(&l.next, 0);
    pthread_t handles[max_threads];
    thread_start starts[max_threads];
    int started = 1;
    for (; started < wanted; started++) {
        starts[started] = (thread_start){&l, started};
        if (pthread_create(&handles[started], NULL, run_thread, &starts[started]) != 0) break;
    }
    starts[0] = (thread_start){&l, 0};
    run_thread(&starts[0]);
    for (int t = 1; t < started; t++) pthread_join(handles[t], NULL);
}

void det_with_threads(int threads, void (*call)(void *context), void *context)
{
    (void)threads;
    call(context);
}
#else
#include <omp.h>

int det_thread_count(void)
{
    const int threads = omp_get_max_threads();
    return threads < 1 ? 1 : threads;
}

void det_parallel_for(size_t count, int threads, det_parallel_body *body, void *context)
{
    int wanted = omp_in_parallel() ? 1 : det_resolve_threads(threads);
    if ((size_t)wanted > count) wanted = (int)count;
    if (wanted <= 1) {
        for (size_t i = 0; i < count; i++) body(context, i, 0);
        return;
    }

#pragma omp parallel for num_threads(wanted) schedule(dynamic, 1)
    for (size_t i = 0; i < count; i++) body(context, i, omp_get_thread_num());
}

void det_with_threads(int threads, void (*call)(void *context), void *context)
{
    const int before = omp_get_max_threads();
    omp_set_num_threads(det_resolve_threads(threads));
    call(context);
    omp_set_num_threads(before);
}
#endif

int det_resolve_threads(int threads)
{
    return threads > 0 ? threads : det_thread_count();
}
