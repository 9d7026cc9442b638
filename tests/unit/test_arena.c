/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/arena.h"
#include "src/base/memory.h"
#include "tests/unit/support.h"

#include <string.h>

static void arrays_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    det_arena arena = {0};
    enum { arrays = 40 };
    uint8_t *array[arrays];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < arrays; i++) {
            const size_t size = i * i * 400; /* 9 MB in all, several blocks */
            array[i] = det_arena_take(&arena, size, 1);
            assert_non_null(array[i]);
            assert_int_equal((uintptr_t)array[i] % 64, 0);
            memset(array[i], (int)i, size);
        }
        for (size_t i = 0; i < arrays; i++)
            for (size_t at = 0; at < i * i * 400; at += 399) assert_int_equal(array[i][at], i);
        det_arena_reset(&arena);
    }
    det_arena_free(&arena);
    assert_null(arena.blocks);
}

static void after_a_reset_the_same_arrays_need_no_more_memory(void **state)
{
    (void)state;
    det_arena arena = {0};
    size_t size[3];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 5; i++) assert_non_null(det_arena_take(&arena, 1 << 18, 4));
        size[round] = arena.size;
        det_arena_reset(&arena);
    }
    assert_true(size[0] >= 5 << 20);
    assert_int_equal(size[1], size[0]);
    assert_int_equal(size[2], size[0]);
    det_arena_free(&arena);
}

static void impossible_sizes_give_nothing(void **state)
{
    (void)state;
    det_arena arena = {0};
    assert_null(det_arena_take(&arena, SIZE_MAX / 2, 3));
    assert_null(det_arena_take(&arena, SIZE_MAX, 1));
    assert_null(det_arena_take(&arena, SIZE_MAX - 100, 1));
    assert_non_null(det_arena_take(&arena, 0, 8));
    det_arena_reset(&arena);
    det_arena_free(&arena);
}

static void a_failed_allocation_leaves_the_arena_usable(void **state)
{
    (void)state;
#ifdef DET_FAULT_INJECTION
    det_arena arena = {0};
    int *first = det_arena_take(&arena, 1000, sizeof *first);
    first[999] = 7;
    det_memory_fail_at(1);
    assert_null(det_arena_take(&arena, 4 << 20, 1));
    assert_int_equal(first[999], 7);
    assert_non_null(det_arena_take(&arena, 4 << 20, 1));
    det_arena_reset(&arena);
    assert_non_null(det_arena_take(&arena, 1000, 4));
    det_arena_free(&arena);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_are_aligned_and_do_not_overlap),
        cmocka_unit_test(after_a_reset_the_same_arrays_need_no_more_memory),
        cmocka_unit_test(impossible_sizes_give_nothing),
        cmocka_unit_test(a_failed_allocation_leaves_the_arena_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
