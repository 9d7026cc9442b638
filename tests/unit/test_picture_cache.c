/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/train/picture_cache.h"
#include "tests/unit/support_eval.h"
#include "tests/unit/support_image.h"

#include <stdio.h>

enum { PICTURES = 3, BYTES = 20 * 10 * 3 };

static const char *name_of(int picture)
{
    static char name[16];
    snprintf(name, sizeof name, "%d.png", picture);
    return name;
}

/* Pictures of 20 x 10 pixels, black but for one that says which it is. */
static det_picture_cache *make_cache(size_t most_bytes)
{
    det_paths paths = {0};
    det_picture_cache *cache = NULL;
    det_error error = {0};
    for (int i = 0; i < PICTURES; i++) {
        det_image image = {0};
        test_assert_ok(det_image_create(20, 10, &image, &error), &error);
        image.pixels[0] = (uint8_t)(i + 1);
        test_assert_ok(det_image_write(&image, test_path(name_of(i)), &error), &error);
        det_image_free(&image);
        test_assert_ok(det_paths_push(&paths, det_copy_string(test_path(name_of(i))), &error),
                       &error);
    }
    test_assert_ok(det_picture_cache_create(&paths, NULL, most_bytes, &cache, &error), &error);
    assert_null(paths.items);
    assert_int_equal(det_picture_cache_count(cache), PICTURES);
    return cache;
}

/* Whether the picture is kept. */
static bool get(det_picture_cache *cache, size_t index)
{
    det_image own = {0};
    const det_image *image = NULL;
    det_error error = {0};
    test_assert_ok(det_picture_cache_get(cache, index, &own, &image, &error), &error);
    assert_int_equal(image->width, 20);
    assert_int_equal(image->pixels[0], index + 1);
    const bool kept = image != &own;
    assert_true(kept == (own.pixels == NULL));
    det_image_free(&own);
    return kept;
}

static void pictures_are_kept_while_there_is_room(void **state)
{
    (void)state;
    det_picture_cache *cache = make_cache((size_t)2 * BYTES);
    assert_true(get(cache, 2));
    assert_true(get(cache, 0));
    assert_int_equal(det_picture_cache_bytes(cache), 2 * BYTES);
    assert_false(get(cache, 1));
    assert_false(get(cache, 1));
    assert_int_equal(det_picture_cache_bytes(cache), 2 * BYTES);
    remove(test_path(name_of(2)));
    assert_true(get(cache, 2));
    det_picture_cache_free(cache);
}

static void without_room_nothing_is_kept(void **state)
{
    (void)state;
    det_picture_cache *cache = make_cache(BYTES - 1);
    assert_false(get(cache, 0));
    assert_int_equal(det_picture_cache_bytes(cache), 0);
    det_picture_cache_free(cache);
}

static void get_any(void *context, size_t index, int worker)
{
    (void)worker;
    get(context, index % PICTURES);
}

static void threads_share_what_is_kept(void **state)
{
    (void)state;
    det_picture_cache *cache = make_cache((size_t)2 * BYTES);
    det_parallel_for(60, 4, get_any, cache);
    assert_int_equal(det_picture_cache_bytes(cache), 2 * BYTES);
    det_picture_cache_free(cache);
}

static void a_picture_that_is_missing_is_named(void **state)
{
    (void)state;
    det_picture_cache *cache = make_cache(BYTES);
    det_image own = {0};
    const det_image *image = NULL;
    det_error error = {0};
    remove(test_path(name_of(1)));
    assert_int_equal(det_picture_cache_get(cache, 1, &own, &image, &error), DET_IO);
    assert_string_equal(error.file, det_picture_cache_path(cache, 1));
    assert_null(own.pixels);
    det_picture_cache_free(cache);
}

static void pictures_of_annotations_lie_in_their_folder(void **state)
{
    (void)state;
    test_set *set = test_set_begin(DET_BOX_SIZED, 2, 1);
    set->annotations.folder = "pictures";
    set->images[0].file = "a.jpg";
    set->images[1].file = "b.jpg";
    det_picture_cache *cache = NULL;
    det_error error = {0};
    test_assert_ok(det_picture_cache_of(&set->annotations, NULL, 0, &cache, &error), &error);
    assert_int_equal(det_picture_cache_count(cache), 2);
    assert_string_equal(det_picture_cache_path(cache, 1), "pictures/b.jpg");
    det_picture_cache_free(cache);
}

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_out_is_a_status(void **state)
{
    (void)state;
    test_set *set = test_set_begin(DET_BOX_SIZED, 2, 1);
    set->annotations.folder = "pictures";
    set->images[0].file = set->images[1].file = "a.jpg";
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_picture_cache *cache = NULL;
        det_memory_fail_at(nth);
        const det_status status = det_picture_cache_of(&set->annotations, NULL, 0, &cache, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_picture_cache_free(cache);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_kept_while_there_is_room),
        cmocka_unit_test(without_room_nothing_is_kept),
        cmocka_unit_test(threads_share_what_is_kept),
        cmocka_unit_test(a_picture_that_is_missing_is_named),
        cmocka_unit_test(pictures_of_annotations_lie_in_their_folder),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_is_a_status),
#endif
    };
    return cmocka_run_group_tests_name("picture_cache", tests, NULL, NULL);
}
