/* SPDX-License-Identifier: Apache-2.0 */
/* Checked memory. The counter behind the fault injection is the only global state of the library,
 * and exists only in builds made for testing. */
#include "src/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { huge_page = 2 << 20 };

#ifdef DET_FAULT_INJECTION
#include <stdatomic.h>

static atomic_uint_fast64_t
    fail_at; /* allocations still to come up to the one that fails; 0: off */
static atomic_bool failed;

void det_memory_fail_at(uint64_t nth)
{
    atomic_store(&failed, false);
    atomic_store(&fail_at, nth);
}

bool det_memory_failed(void)
{
    return atomic_load(&failed);
}

static bool must_fail(void)
{
    uint_fast64_t left = atomic_load(&fail_at);
    while (left > 0)
        if (atomic_compare_exchange_weak(&fail_at, &left, left - 1)) break;
    if (left != 1) return false;
    atomic_store(&failed, true);
    return true;
}
#else
static bool must_fail(void)
{
    return false;
}
#endif

bool det_multiply_size(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

void *det_alloc(size_t size)
{
    if (must_fail()) return NULL;
    return malloc(size ? size : 1);
}

void *det_alloc_array(size_t count, size_t size)
{
    size_t bytes;
    return det_multiply_size(count, size, &bytes) ? det_alloc(bytes) : NULL;
}

void *det_alloc_zeroed(size_t count, size_t size)
{
    size_t bytes;
    if (must_fail() || !det_multiply_size(count, size, &bytes)) return NULL;
    return calloc(1, bytes ? bytes : 1);
}

void *det_realloc_array(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (must_fail() || !det_multiply_size(count, size, &bytes)) return NULL;
    return realloc(block, bytes ? bytes : 1);
}

/* Whole huge pages: else the last part of a block would be made of small ones. */
static bool round_to_pages(size_t *size)
{
    if (__builtin_add_overflow(*size, huge_page - 1, size)) return false;
    *size -= *size % huge_page;
    return true;
}

/* May be refused: the block is as good as any then. */
static void ask_for_huge_pages(void *block, size_t size)
{
#ifdef MADV_HUGEPAGE
    madvise(block, size, MADV_HUGEPAGE);
#else
    (void)block, (void)size;
#endif
}

void *det_alloc_aligned(size_t size)
{
    if (must_fail()) return NULL;
    void *block = NULL;
    if (size < huge_page) return posix_memalign(&block, 64, size ? size : 1) == 0 ? block : NULL;
    if (!round_to_pages(&size) || posix_memalign(&block, huge_page, size) != 0) return NULL;
    ask_for_huge_pages(block, size);
    return block;
}

void *det_alloc_pages(size_t size)
{
    size_t mapped;
    if (must_fail() || !round_to_pages(&size) || __builtin_add_overflow(size, huge_page, &mapped))
        return NULL;
    uint8_t *start = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return NULL;
    const size_t before = (huge_page - (uintptr_t)start % huge_page) % huge_page;
    const size_t after = mapped - before - size;
    uint8_t *block = start + before;
    if (before > 0) munmap(start, before);
    if (after > 0) munmap(block + size, after);
    ask_for_huge_pages(block, size);
    return block;
}

void det_free_pages(void *block, size_t size)
{
    if (block && round_to_pages(&size)) munmap(block, size);
}

char *det_copy_string(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = det_alloc(size);
    if (copy) memcpy(copy, text, size);
    return copy;
}

void det_free(void *block)
{
    free(block);
}

bool det_grow_array(void *array_pointer, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity) return true;
    size_t grown = *capacity < 8 ? 8 : *capacity;
    while (grown < needed)
        if (!det_multiply_size(grown, 2, &grown)) return false;

    void *old;
    memcpy(&old, array_pointer, sizeof old);
    void *block = det_realloc_array(old, grown, size);
    if (!block) return false;
    memcpy(array_pointer, &block, sizeof block);
    *capacity = grown;
    return true;
}
