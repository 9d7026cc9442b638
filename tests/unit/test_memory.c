/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "tests/unit/support.h"

#include <string.h>

static void sizes_that_overflow_give_no_memory(void **state)
{
    (void)state;
    size_t product = 0;
    assert_false(det_multiply_size(SIZE_MAX / 2 + 1, 2, &product));
    assert_true(det_multiply_size(SIZE_MAX / 2, 2, &product));
    assert_int_equal(product, SIZE_MAX - 1);
    assert_null(det_alloc_array(SIZE_MAX / 8 + 1, 8));
    assert_null(det_alloc_zeroed(SIZE_MAX / 8 + 1, 8));
    assert_null(det_realloc_array(NULL, SIZE_MAX / 8 + 1, 8));
}

static void nothing_can_be_allocated_and_freed(void **state)
{
    (void)state;
    void *blocks[] = {det_alloc(0), det_alloc_array(0, 8), det_alloc_zeroed(0, 0),
                      det_alloc_aligned(0), det_realloc_array(NULL, 0, 4)};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        assert_non_null(blocks[i]);
        det_free(blocks[i]);
    }
    det_free(NULL);
}

static void aligned_memory_begins_at_a_cache_line(void **state)
{
    (void)state;
    for (size_t size = 1; size < 1000; size += 333) {
        void *block = det_alloc_aligned(size);
        assert_int_equal((uintptr_t)block % 64, 0);
        det_free(block);
    }
}

static void pages_begin_at_2_mebibytes_and_are_zero(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2 << 20, (2 << 20) + 1, 7 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *block = det_alloc_pages(sizes[i]);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % (2 << 20), 0);
        assert_true(block[0] == 0 && block[sizes[i] - 1] == 0);
        memset(block, 1, sizes[i]);
        det_free_pages(block, sizes[i]);
    }
    det_free_pages(NULL, 5);
    assert_null(det_alloc_pages(SIZE_MAX));
    assert_null(det_alloc_pages(SIZE_MAX - (4 << 20)));
}

static void an_array_that_grows_keeps_its_elements(void **state)
{
    (void)state;
    int *items = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        assert_true(det_grow_array(&items, &capacity, (size_t)i + 1, sizeof *items));
        items[i] = i;
    }
    assert_true(capacity >= 1000 && capacity <= 2048);
    for (int i = 0; i < 1000; i++) assert_int_equal(items[i], i);
    assert_false(det_grow_array(&items, &capacity, SIZE_MAX / 2, sizeof *items));
    assert_int_equal(items[999], 999);
    det_free(items);
}

#ifdef DET_FAULT_INJECTION
static void the_nth_allocation_fails_once(void **state)
{
    (void)state;
    det_memory_fail_at(2);
    void *first = det_alloc(1), *second = det_alloc(1), *third = det_alloc(1);
    assert_non_null(first);
    assert_null(second);
    assert_non_null(third);
    assert_true(det_memory_failed());
    det_memory_fail_at(0);
    assert_false(det_memory_failed());
    det_free(first);
    det_free(third);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_that_overflow_give_no_memory),
        cmocka_unit_test(nothing_can_be_allocated_and_freed),
        cmocka_unit_test(aligned_memory_begins_at_a_cache_line),
        cmocka_unit_test(pages_begin_at_2_mebibytes_and_are_zero),
        cmocka_unit_test(an_array_that_grows_keeps_its_elements),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(the_nth_allocation_fails_once),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
