/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_BASE_MEMORY_H
#define DETECT_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All memory of the library comes from here: sizes are multiplied with a check, and a test can make
 * the Nth allocation fail. Every function returns NULL when memory is short; a size of 0 gives a
 * pointer that may be freed. Thread-safe. */

void *det_alloc(size_t size);
void *det_alloc_array(size_t count, size_t size);
void *det_alloc_zeroed(size_t count, size_t size);
/** Like realloc; on failure the old block stays. */
void *det_realloc_array(void *block, size_t count, size_t size);
/** Aligned to 64 bytes, a cache line and an AVX-512 register. From 2 MiB on it asks for huge pages,
 *  one page fault in the place of 512: for large arrays that are filled at once. */
void *det_alloc_aligned(size_t size);
/** Aligned to 2 MiB, huge pages if there are any, zeroed; `size` is above 0. Straight from the
 * system, to which det_free_pages returns it at once: large blocks of ever different sizes leave
 * holes in a heap, which then grows to several times of what is in use. */
void *det_alloc_pages(size_t size);
/** Frees what det_alloc_pages returned for this size. Takes NULL. */
void det_free_pages(void *block, size_t size);
char *det_copy_string(const char *text);
/** Frees what any of the above returned. Takes NULL. */
void det_free(void *block);

/** product = a * b. @return false on overflow. */
bool det_multiply_size(size_t a, size_t b, size_t *product);

/** Grows an array so that it holds at least `needed` elements, at least doubling it.
 *  @return false when memory is short; the array is then unchanged. */
bool det_grow_array(void *array_pointer, size_t *capacity, size_t needed, size_t size);

#ifdef DET_FAULT_INJECTION
/** Tests only: the `nth` allocation from now on fails (1 is the next), once; 0 switches it off. */
void det_memory_fail_at(uint64_t nth);
/** Tests only: whether the allocation that was to fail has been reached. */
bool det_memory_failed(void);
#endif

#endif
