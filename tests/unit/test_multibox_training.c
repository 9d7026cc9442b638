/* SPDX-License-Identifier: Apache-2.0 */
/* What a MultiBox head learns from: whole pictures, their mirror images, objects and proposals. */
#include "detect/features.h"
#include "src/base/memory.h"
#include "src/data/paths.h"
#include "src/train/multibox_training.h"
#include "tests/unit/support_detector.h"
#include "tests/unit/support_eval.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Behind "concat" of the small network: 8 maps of 8 x 8, in 2 x 2 windows. */
static const det_feature_recipe recipe = {"concat", 2};
enum { WIDTH = 8 * 2 * 2 };

static const char *write_squares(void)
{
    const char *path = test_path("squares.png");
    det_image image = test_squares();
    test_assert_ok(det_image_write(&image, path, NULL), NULL);
    det_image_free(&image);
    return path;
}

static det_config *configure(void)
{
    const char *path = test_path("small.safetensors");
    test_small_network(path);
    return test_config_of(&path, 1);
}

static det_picture_features *open_features(const det_config *config)
{
    det_picture_features *features = NULL;
    det_error error = {0};
    test_assert_ok(det_make_folder(test_path("cache"), &error), &error);
    test_assert_ok(
        det_picture_features_open(test_path("cache"), config, &recipe, &features, &error), &error);
    assert_int_equal(det_picture_features_width(features), WIDTH);
    return features;
}

static void get(det_picture_features *features, const char *path, const char *digest,
                float values[DET_PICTURE_ROWS * WIDTH])
{
    det_error error = {0};
    test_assert_ok(det_picture_features_get(features, path, digest, values, &error), &error);
}

/* ---- Features of pictures ---- */

typedef struct {
    float map[8 * 8 * 8];
} taken;

static det_status take(void *context, const det_feature_rows *rows, det_error *error)
{
    (void)error;
    memcpy(((taken *)context)->map, rows->values, sizeof(taken));
    return DET_OK;
}

/* Row 0 is what a region without context gives that is the whole picture, averaged over windows of
 * 5 cells in distances of 3. */
static void a_picture_is_looked_at_as_a_whole(void **state)
{
    (void)state;
    const char *picture = write_squares();
    det_config *config = configure();
    float values[DET_PICTURE_ROWS * WIDTH];
    det_picture_features *features = open_features(config);
    get(features, picture, "a", values);
    det_picture_features_close(features);

    test_config_set(config, "classifier.context_px=0");
    det_extractor *extractor = NULL;
    const det_extract_options options = {.layer = "concat", .regions = true};
    test_assert_ok(det_extractor_create(config, &options, &extractor, NULL), NULL);
    det_image image = test_squares();
    const det_region whole = {.box = {0, 0, 220, 150}};
    taken expected;
    const det_feature_sink sink = {take, &expected};
    test_assert_ok(det_extractor_regions(extractor, &image, &whole, 1, NULL, &sink, NULL), NULL);
    for (size_t i = 0; i < WIDTH; i++) {
        const size_t c = i % 8, y = i / 16 * 3, x = i / 8 % 2 * 3;
        double sum = 0;
        for (size_t j = 0; j < 25; j++)
            sum += (double)expected.map[(c * 8 + y + j / 5) * 8 + x + j % 5];
        assert_true(fabs(sum / 25 - (double)values[i]) < 1e-4);
    }
    det_image_free(&image);
    det_extractor_free(extractor);
    det_config_free(config);
}

/* The second row of a picture is the first of its mirror image. */
static void the_second_row_shows_it_mirrored(void **state)
{
    (void)state;
    const char *picture = write_squares(), *mirrored = test_path("mirrored.png");
    det_image image = test_squares(), other = {0};
    test_assert_ok(det_image_create(220, 150, &other, NULL), NULL);
    for (int y = 0; y < 150; y++)
        for (int x = 0; x < 220; x++)
            memcpy(other.pixels + (size_t)y * other.stride + 3 * (size_t)x,
                   image.pixels + (size_t)y * image.stride + 3 * (size_t)(219 - x), 3);
    test_assert_ok(det_image_write(&other, mirrored, NULL), NULL);
    det_image_free(&image);
    det_image_free(&other);

    det_config *config = configure();
    det_picture_features *features = open_features(config);
    float a[DET_PICTURE_ROWS * WIDTH], b[DET_PICTURE_ROWS * WIDTH];
    get(features, picture, "a", a);
    get(features, mirrored, "b", b);
    assert_memory_equal(a + WIDTH, b, WIDTH * sizeof *a);
    assert_memory_equal(a, b + WIDTH, WIDTH * sizeof *a);
    assert_memory_not_equal(a, b, WIDTH * sizeof *a);
    det_picture_features_close(features);
    det_config_free(config);
}

static void what_is_kept_is_not_computed_again(void **state)
{
    (void)state;
    const char *picture = write_squares();
    det_config *config = configure();
    det_picture_features *features = open_features(config);
    float a[DET_PICTURE_ROWS * WIDTH], b[DET_PICTURE_ROWS * WIDTH];
    det_error error = {0};
    get(features, picture, "kept", a);
    unlink(picture);
    get(features, picture, "kept", b);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(det_picture_features_get(features, picture, "other", b, &error), DET_IO);
    assert_string_equal(error.file, picture);
    det_picture_features_close(features);
    det_config_free(config);
}

/* ---- What is learned from ---- */

/* Of a picture of 80 x 40 pixels: an object, a crowd; two proposals and the object behind them. */
static void objects_and_proposals_are_shares_of_the_picture(void **state)
{
    (void)state;
    const char *picture = write_squares();
    test_set *annotated = test_set_begin(DET_BOX_SIZED, 1, 2);
    test_set_object(annotated, 0, 1, 0, 10, 40, 20);
    test_set_object(annotated, 0, 0, 0, 0, 80, 40)->crowd = true;
    annotated->annotations.folder = (char *)test_folder();
    annotated->images[0].file = strrchr(picture, '/') + 1;
    const det_box boxes[] = {{20, 0, 80, 40}, {0, 0, 20, 10}, {0, 10, 40, 30}};
    size_t categories[] = {1};
    int classes[] = {-1, 0};
    det_training_image image = {.features = {.count = 3,
                                             .proposal_count = 2,
                                             .boxes = boxes,
                                             .picture_width = 80,
                                             .picture_height = 40,
                                             .picture_digest = "c"}};
    const det_training_set set = {.annotations = &annotated->annotations,
                                  .classes = {1, categories, classes},
                                  .images = &image,
                                  .image_count = 1};
    det_config *config = configure();
    det_picture_features *features = open_features(config);
    det_multibox_training t = {0};
    det_error error = {0};
    test_assert_ok(det_multibox_gather(&set, features, NULL, &t, &error), &error);

    static const float object[] = {0, .25f, .5f, .75f}, mirrored[] = {.5f, .25f, 1, .75f};
    static const float beside[2][4] = {{.25f, 0, 1, 1}, {0, 0, .25f, .25f}};
    assert_int_equal(t.picture_count, 1);
    assert_int_equal(t.object_count, DET_PICTURE_ROWS);
    assert_true(t.pictures[0] == 0 && t.pictures[1] == 0);
    assert_true(t.first_object[0] == 0 && t.first_object[1] == 1 && t.first_object[2] == 2);
    assert_memory_equal(t.corners[0], object, sizeof object);
    assert_memory_equal(t.corners[1], mirrored, sizeof mirrored);
    assert_true(t.classes[0] == 0 && t.classes[1] == 0);
    assert_true(t.first_beside[0] == 0 && t.first_beside[1] == 2);
    assert_memory_equal(t.beside, beside, sizeof beside);
    det_multibox_training_free(&t);
    det_picture_features_close(features);
    det_config_free(config);
}

#ifdef DET_FAULT_INJECTION
static void memory_that_runs_out_anywhere_is_an_error(void **state)
{
    (void)state;
    char picture[300], folder[300];
    snprintf(picture, sizeof picture, "%s", write_squares());
    snprintf(folder, sizeof folder, "%s", test_path("cache"));
    det_config *config = configure();
    float values[DET_PICTURE_ROWS * WIDTH];
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        det_picture_features *features = NULL;
        char digest[32];
        snprintf(digest, sizeof digest, "short %llu", (unsigned long long)n);
        det_memory_fail_at(n);
        det_status status = det_picture_features_open(folder, config, &recipe, &features, NULL);
        if (status == DET_OK)
            status = det_picture_features_get(features, picture, digest, values, NULL);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        det_picture_features_close(features);
        /* What is kept and cannot be read counts as nothing: it is made again. */
        assert_true(status == DET_OK || (failed && status == DET_MEMORY));
    }
    det_config_free(config);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_looked_at_as_a_whole),
        cmocka_unit_test(the_second_row_shows_it_mirrored),
        cmocka_unit_test(what_is_kept_is_not_computed_again),
        cmocka_unit_test(objects_and_proposals_are_shares_of_the_picture),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(memory_that_runs_out_anywhere_is_an_error),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
