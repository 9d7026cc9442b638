/* SPDX-License-Identifier: Apache-2.0 */
/* Features of a layer: against the network run one crop at a time, the real GoogLeNet against
 * another runtime, and the files they are kept in. */
#include "detect/features.h"
#include "src/base/file.h"
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/image/crop.h"
#include "src/image/multi_crop.h"
#include "src/nn/safetensors.h"
#include "tests/unit/support_image.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static det_config *config_of(const char *model, size_t batch)
{
    det_config *config = NULL;
    test_assert_ok(det_config_create(&config, NULL), NULL);
    det_free(config->classifier.models); /* the default, which is empty */
    config->classifier.models = det_alloc_array(1, sizeof(char *));
    config->classifier.models[0] = det_copy_string(model);
    config->classifier.model_count = 1;
    config->classifier.batch = batch;
    config->runtime.threads = 2;
    return config;
}

static det_extractor *create(det_config *config, const det_extract_options *options)
{
    det_extractor *extractor = NULL;
    det_error error = {0};
    test_assert_ok(det_extractor_create(config, options, &extractor, &error), &error);
    det_config_free(config);
    return extractor;
}

static det_extractor *small_extractor(const det_extract_options *options, size_t batch)
{
    const char *path = test_path("small.safetensors");
    test_small_network(path);
    return create(config_of(path, batch), options);
}

/* ---- What a sink gets, gathered ---- */

enum { most_rows = 150, most_values = 512 };

typedef struct {
    size_t row, count, calls;
    float values[most_rows * most_values];
    det_box boxes[most_rows];
    uint8_t mirrored[most_rows];
} gathered;

static det_status gather(void *context, const det_feature_rows *rows, det_error *error)
{
    (void)error;
    gathered *g = context;
    assert_true(g->count + rows->count <= most_rows && g->row <= most_values);
    memcpy(g->values + g->count * g->row, rows->values, rows->count * g->row * sizeof(float));
    memcpy(g->boxes + g->count, rows->boxes, rows->count * sizeof *rows->boxes);
    memcpy(g->mirrored + g->count, rows->mirrored, rows->count);
    g->count += rows->count;
    g->calls++;
    return DET_OK;
}

static gathered *gather_into(const det_extractor *extractor)
{
    static gathered g;
    const det_shape s = det_extractor_shape(extractor);
    g = (gathered){.row = (size_t)s.channels * (size_t)s.height * (size_t)s.width};
    return &g;
}

/* Runs the network up to a layer on one crop. */
static void run_crop(const char *layer, const uint8_t *pixels, float *values)
{
    det_model *model = NULL;
    det_network *network = NULL;
    det_worker *worker = NULL;
    const det_network_options options = {.to = &layer, .to_count = 1};
    test_assert_ok(det_model_open(test_path("small.safetensors"), &model, NULL), NULL);
    test_assert_ok(det_network_compile(model, &options, &network, NULL), NULL);
    const det_network *const one = network;
    test_assert_ok(det_worker_create(&one, 1, &worker, NULL), NULL);
    test_assert_ok(det_network_run_pictures(network, worker, pixels, 1, &values, NULL), NULL);
    det_worker_free(worker);
    det_network_free(network);
    det_model_free(model);
}

static void assert_row(const gathered *g, size_t index, const char *layer, const uint8_t *pixels)
{
    float expected[most_values];
    run_crop(layer, pixels, expected);
    for (size_t i = 0; i < g->row; i++)
        if (fabsf(g->values[index * g->row + i] - expected[i]) > 1e-5f * (1 + fabsf(expected[i])))
            fail_msg("row %zu, value %zu: %g, not %g", index, i,
                     (double)g->values[index * g->row + i], (double)expected[i]);
}

static void a_row_of_a_picture_is_what_the_layer_says_of_a_crop(void **state)
{
    (void)state;
    static const int crops[] = {1, 10, 144};
    det_image image = test_picture(40, 25);
    for (size_t n = 0; n < 3; n++) {
        const det_extract_options options = {.layer = "concat", .crops = {.crops = crops[n]}};
        det_extractor *extractor = small_extractor(&options, 4);
        const det_shape shape = det_extractor_shape(extractor);
        assert_int_equal(shape.channels, 8);
        assert_int_equal(shape.height * shape.width > 1, 1);
        gathered *g = gather_into(extractor);
        det_error error = {0};
        test_assert_ok(
            det_extractor_picture(extractor, &image, NULL, &(det_feature_sink){gather, g}, &error),
            &error);
        assert_int_equal(g->count, crops[n]);

        const det_multi_crop_options plan_options = {
            .crops = crops[n], .width = 16, .height = 16, .max_pixels = 100000};
        det_multi_crop plan;
        uint8_t pixels[16 * 16 * 3];
        test_assert_ok(det_multi_crop_plan(40, 25, &plan_options, &plan, NULL), NULL);
        test_assert_ok(det_multi_crop_resize(&plan, &image, 1, NULL), NULL);
        for (size_t i = 0; i < g->count; i += n == 2 ? 29 : 1) {
            const det_box box = det_multi_crop_box(&plan, i);
            test_assert_ok(det_multi_crop_cut(&plan, i, pixels), NULL);
            assert_row(g, i, "concat", pixels);
            assert_memory_equal(&g->boxes[i], &box, sizeof box);
            assert_int_equal(g->mirrored[i], plan.views[i].mirrored);
        }
        det_multi_crop_free(&plan);
        det_extractor_free(extractor);
    }
    det_image_free(&image);
}

/* The small network's crop of 16 shows no surroundings; its mean is 104, 117, 123. */
static void a_row_of_a_region_is_what_the_layer_says_of_its_crop(void **state)
{
    (void)state;
    const det_extract_options options = {.layer = "fc", .regions = true};
    det_extractor *extractor = small_extractor(&options, 4);
    assert_int_equal(det_extractor_crops(extractor), 0);
    assert_string_equal(det_extractor_layer(extractor), "fc");
    assert_int_equal(det_network_batch(det_extractor_network(extractor)), 4);
    det_image image = test_picture(40, 25);
    det_region regions[6];
    for (int i = 0; i < 6; i++)
        regions[i] = (det_region){.box = {(float)i - 2, 1.5f, (float)i + 20, 20 + (float)i}};
    gathered *g = gather_into(extractor);
    det_error error = {0};
    test_assert_ok(det_extractor_regions(extractor, &image, regions, 6, NULL,
                                         &(det_feature_sink){gather, g}, &error),
                   &error);
    assert_int_equal(g->count, 6);
    assert_int_equal(g->calls, 2);
    const det_model *model = det_network_model(det_extractor_network(extractor));
    const det_crop_options crop = {.width = 16,
                                   .height = 16,
                                   .context_px = det_model_get_input(model)->context_px,
                                   .outside = {104, 117, 123}};
    for (size_t i = 0; i < 6; i++) {
        uint8_t pixels[16 * 16 * 3];
        test_assert_ok(det_crop(&image, regions[i].box, &crop, pixels), NULL);
        assert_row(g, i, "fc", pixels);
        assert_memory_equal(&g->boxes[i], &regions[i].box, sizeof(det_box));
        assert_int_equal(g->mirrored[i], 0);
    }
    test_assert_ok(det_extractor_regions(extractor, &image, NULL, 0, NULL,
                                         &(det_feature_sink){gather, g}, &error),
                   &error);
    assert_int_equal(g->count, 6);
    det_image_free(&image);
    det_extractor_free(extractor);
}

/* ---- Refusals ---- */

static void refuse(const char *layer, size_t models, det_status status, const char *part)
{
    const char *path = test_path("small.safetensors");
    test_small_network(path);
    det_config *config = config_of(path, 2);
    if (models == 2) {
        config->classifier.models = det_realloc_array(config->classifier.models, 2, sizeof(char *));
        config->classifier.models[1] = det_copy_string(path);
        config->classifier.model_count = 2;
    }
    det_extractor *extractor = NULL;
    det_error error = {0};
    const det_extract_options options = {.layer = layer};
    test_assert_error(det_extractor_create(config, &options, &extractor, &error), status, &error,
                      part);
    assert_null(extractor);
    det_config_free(config);
}

static void layers_that_there_are_not_are_refused_with_near_ones(void **state)
{
    (void)state;
    refuse("conv2", 1, DET_ARGUMENT, "near it: 'conv1'");
    refuse("branch", 1, DET_ARGUMENT, "'branch1', 'branch1_relu', 'branch2'");
    refuse("inception", 1, DET_ARGUMENT, "no layer of the model is called 'inception' (");
    refuse(NULL, 1, DET_ARGUMENT, "no layer is named");
    refuse("fc", 2, DET_ARGUMENT, "one model, and 2");
}

static det_status end_it(void *context, const det_feature_rows *rows, det_error *error)
{
    (void)rows;
    *(int *)context += 1;
    return det_fail(error, DET_IO, "full");
}

static void a_sink_can_end_the_extraction(void **state)
{
    (void)state;
    int calls = 0;
    det_error error = {0};
    const det_extract_options options = {.layer = "fc", .crops = {.crops = 10}};
    det_extractor *extractor = small_extractor(&options, 2);
    det_image image = test_picture(20, 20);
    test_assert_error(
        det_extractor_picture(extractor, &image, NULL, &(det_feature_sink){end_it, &calls}, &error),
        DET_IO, &error, "full");
    assert_int_equal(calls, 1);
    test_assert_error(det_extractor_picture(extractor, &(det_image){0}, NULL,
                                            &(det_feature_sink){end_it, &calls}, &error),
                      DET_ARGUMENT, &error, "empty");
    const det_region empty = {.box = {3, 3, 3, 9}};
    test_assert_error(det_extractor_regions(extractor, &image, &empty, 1, NULL,
                                            &(det_feature_sink){end_it, &calls}, &error),
                      DET_ARGUMENT, &error, "empty");
    assert_int_equal(calls, 1);
    det_image_free(&image);
    det_extractor_free(extractor);
}

/* ---- Files ---- */

static const char *const files[] = {"a.jpg", "b\xC3\xBC.jpg"};

static void add(det_feature_file *file, size_t image, size_t count, float first)
{
    float values[3 * 5];
    det_box boxes[3];
    uint8_t mirrored[3];
    for (size_t i = 0; i < count; i++) {
        for (int j = 0; j < 5; j++) values[i * 5 + (size_t)j] = first + (float)i;
        boxes[i] = (det_box){first, 1, 2, (float)i};
        mirrored[i] = i & 1;
    }
    const det_feature_rows rows = {values, boxes, mirrored, count};
    det_error error = {0};
    test_assert_ok(det_feature_file_add(file, image, &rows, &error), &error);
}

static det_feature_file *open_file(const char *path)
{
    det_feature_file *file = NULL;
    det_error error = {0};
    const det_extract_options options = {.layer = "fc", .crops = {.crops = 10}};
    det_extractor *extractor = small_extractor(&options, 2);
    test_assert_ok(det_feature_file_create(path, extractor, files, 2, &file, &error), &error);
    det_extractor_free(extractor);
    return file;
}

static det_bytes parse(const char *path, det_safetensors *parsed)
{
    det_bytes bytes = {0};
    det_error error = {0};
    test_assert_ok(det_file_read(path, 1 << 20, &bytes, &error), &error);
    test_assert_ok(det_safetensors_parse(bytes.data, bytes.size, parsed, &error), &error);
    assert_int_equal(parsed->data_offset % 64, 0);
    return bytes;
}

static void a_file_says_which_row_is_which_crop(void **state)
{
    (void)state;
    const char *path = test_path("features");
    det_feature_file *file = open_file(path);
    add(file, 0, 2, 10);
    add(file, 1, 0, 0);
    add(file, 1, 1, 20);
    assert_int_equal(det_feature_file_count(file), 3);
    assert_int_equal(access(path, F_OK), -1);
    det_error error = {0};
    test_assert_ok(det_feature_file_close(file, &error), &error);

    det_safetensors parsed;
    det_bytes bytes = parse(path, &parsed);
    assert_int_equal(parsed.count, 4);
    const det_tensor *features = det_safetensors_find(&parsed, "features");
    assert_string_equal(features->dtype, "F32");
    assert_int_equal(features->dimensions, 2); /* fc gives vectors */
    assert_true(features->shape[0] == 3 && features->shape[1] == 5);
    const float *values = (const float *)(const void *)features->data;
    assert_true(values[0] == 10 && values[9] == 11 && values[10] == 20);
    const det_tensor *boxes = det_safetensors_find(&parsed, "boxes");
    assert_true(boxes->dimensions == 2 && boxes->shape[0] == 3 && boxes->shape[1] == 4);
    assert_memory_equal(boxes->data + 16, (&(const det_box){10, 1, 2, 1}), 16);
    const det_tensor *images = det_safetensors_find(&parsed, "image_index");
    assert_string_equal(images->dtype, "I32");
    assert_memory_equal(images->data, ((const int32_t[]){0, 0, 1}), 12);
    const det_tensor *mirrored = det_safetensors_find(&parsed, "mirrored");
    assert_string_equal(mirrored->dtype, "U8");
    assert_memory_equal(mirrored->data, ((const uint8_t[]){0, 1, 0}), 3);

    assert_string_equal(det_safetensors_metadata(&parsed, "format"), "detect-features");
    assert_string_equal(det_safetensors_metadata(&parsed, "files"),
                        "[\"a.jpg\",\"b\xC3\xBC.jpg\"]");
    assert_string_equal(det_safetensors_metadata(&parsed, "layer"), "fc");
    assert_string_equal(det_safetensors_metadata(&parsed, "crops"), "10");
    assert_memory_equal(det_safetensors_metadata(&parsed, "model_digest"), "xxh3-128:", 9);
    det_safetensors_free(&parsed);
    det_bytes_free(&bytes);
}

static void rows_of_a_picture_that_failed_can_be_taken_back(void **state)
{
    (void)state;
    const char *path = test_path("dropped");
    det_feature_file *file = open_file(path);
    det_error error = {0};
    add(file, 0, 2, 10);
    add(file, 1, 3, 20);
    test_assert_ok(det_feature_file_drop(file, 1, &error), &error);
    test_assert_ok(det_feature_file_drop(file, 1, &error), &error); /* nothing to take back */
    assert_int_equal(det_feature_file_count(file), 2);
    test_assert_ok(det_feature_file_close(file, &error), &error);
    det_safetensors parsed;
    det_bytes bytes = parse(path, &parsed); /* no bytes are left over */
    assert_int_equal(det_safetensors_find(&parsed, "features")->shape[0], 2);
    det_safetensors_free(&parsed);
    det_bytes_free(&bytes);
}

static void a_file_without_rows_is_sound(void **state)
{
    (void)state;
    const char *path = test_path("none");
    det_error error = {0};
    test_assert_ok(det_feature_file_close(open_file(path), &error), &error);
    det_safetensors parsed;
    det_bytes bytes = parse(path, &parsed);
    assert_int_equal(det_safetensors_find(&parsed, "boxes")->shape[0], 0);
    det_safetensors_free(&parsed);
    det_bytes_free(&bytes);
}

static void an_abandoned_file_leaves_the_old_one_alone(void **state)
{
    (void)state;
    const char *path = test_path("old");
    test_write_file(path, "old", 3);
    det_feature_file *file = open_file(path);
    add(file, 0, 1, 1);
    det_feature_file_abandon(file);
    det_feature_file_abandon(NULL);
    det_bytes bytes = {0};
    test_assert_ok(det_file_read(path, 100, &bytes, NULL), NULL);
    assert_int_equal(bytes.size, 3);
    det_bytes_free(&bytes);
}

static void files_that_cannot_be_written_are_refused_at_once(void **state)
{
    (void)state;
    const det_extract_options options = {.layer = "fc"};
    det_extractor *extractor = small_extractor(&options, 2);
    det_feature_file *file = NULL;
    det_error error = {0};
    const char *path = test_path("no/such/folder");
    test_assert_error(det_feature_file_create(path, extractor, files, 2, &file, &error), DET_IO,
                      &error, "cannot write");
    assert_string_equal(error.file, path);
    test_assert_error(
        det_feature_file_create(path, extractor, files, (size_t)INT32_MAX + 1, &file, &error),
        DET_LIMIT, &error, "2147483648");
    assert_null(file);
    det_extractor_free(extractor);

    file = open_file(test_path("f"));
    const det_feature_rows rows = {.count = 1};
    test_assert_error(det_feature_file_add(file, 2, &rows, &error), DET_ARGUMENT, &error,
                      "no picture 2 of 2");
    det_feature_file_abandon(file);
}

#ifdef DET_FAULT_INJECTION
static det_status extract_into_file(const det_config *config, const det_image *image)
{
    const det_extract_options options = {.layer = "fc", .crops = {.crops = 10}};
    det_extractor *extractor = NULL;
    det_feature_file *file = NULL;
    gathered *g = NULL;
    det_status status = det_extractor_create(config, &options, &extractor, NULL);
    if (status == DET_OK)
        status = det_feature_file_create(test_path("m"), extractor, files, 2, &file, NULL);
    if (status == DET_OK) g = gather_into(extractor);
    if (status == DET_OK)
        status =
            det_extractor_picture(extractor, image, NULL, &(det_feature_sink){gather, g}, NULL);
    if (status == DET_OK)
        status = det_feature_file_add(
            file, 0, &(det_feature_rows){g->values, g->boxes, g->mirrored, g->count}, NULL);
    if (status == DET_OK)
        status = det_feature_file_close(file, NULL);
    else
        det_feature_file_abandon(file);
    det_extractor_free(extractor);
    return status;
}

static void failed_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    const char *path = test_path("small.safetensors");
    test_small_network(path);
    det_config *config = config_of(path, 4);
    det_image image = test_picture(20, 12);
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        unlink(test_path("m"));
        det_memory_fail_at(nth);
        const det_status status = extract_into_file(config, &image);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        assert_int_equal(access(test_path("m"), F_OK) == 0, !failed);
    }
    det_config_free(config);
    det_image_free(&image);
}
#endif

/* ---- The real one ---- */

/* The first 16 features and the norm of all. */
typedef struct {
    float first[16];
    double squares;
} summary;

static det_status summarize(void *context, const det_feature_rows *rows, det_error *error)
{
    (void)error;
    summary *s = context;
    assert_int_equal(rows->count, 1);
    memcpy(s->first, rows->values, sizeof s->first);
    s->squares = 0;
    for (int i = 0; i < 1024; i++) s->squares += (double)rows->values[i] * (double)rows->values[i];
    return DET_OK;
}

static void check_summary(const summary *s, json_object *c)
{
    json_object *list = NULL, *norm = NULL;
    assert_true(json_object_object_get_ex(c, "pool5_first16", &list));
    assert_true(json_object_object_get_ex(c, "pool5_l2", &norm));
    for (size_t i = 0; i < 16; i++) {
        const double expected = json_object_get_double(json_object_array_get_idx(list, i));
        assert_true(fabs((double)s->first[i] - expected) <= 1e-4 * fabs(expected) + 1e-6);
    }
    assert_true(fabs(sqrt(s->squares) / json_object_get_double(norm) - 1) < 1e-4);
}

/* A region that is the whole crop, without surroundings, is the crop, too. */
static void check_case(const det_extractor *extractor, json_object *c)
{
    char name[256];
    json_object *value = NULL;
    summary s;
    det_image image;
    det_error error = {0};
    assert_true(json_object_object_get_ex(c, "image", &value));
    snprintf(name, sizeof name, "oracles/googlenet/%s", json_object_get_string(value));
    test_assert_ok(det_image_read(test_data(name), NULL, &image, &error), &error);
    test_assert_ok(
        det_extractor_picture(extractor, &image, NULL, &(det_feature_sink){summarize, &s}, &error),
        &error);
    check_summary(&s, c);
    const det_region whole = {.box = {0, 0, 224, 224}};
    test_assert_ok(det_extractor_regions(extractor, &image, &whole, 1, NULL,
                                         &(det_feature_sink){summarize, &s}, &error),
                   &error);
    check_summary(&s, c);
    det_image_free(&image);
}

static void googlenet_has_the_features_that_another_runtime_finds(void **state)
{
    (void)state;
    json_object *oracle = NULL, *cases = NULL;
    det_error error = {0};
    test_assert_ok(det_json_read(test_data("oracles/googlenet/expected.json"), &oracle, &error),
                   &error);
    assert_true(json_object_object_get_ex(oracle, "cases", &cases));
    det_config *config = config_of(test_googlenet("googlenet.safetensors"), 1);
    config->classifier.context_px = 0;
    const det_extract_options options = {.layer = "pool5/7x7_s1",
                                         .crops = {.shorter_side_px = 224}};
    det_extractor *extractor = create(config, &options);
    assert_int_equal(det_extractor_shape(extractor).channels, 1024);
    for (size_t i = 0; i < json_object_array_length(cases); i++)
        check_case(extractor, json_object_array_get_idx(cases, i));
    det_extractor_free(extractor);
    json_object_put(oracle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_of_a_picture_is_what_the_layer_says_of_a_crop),
        cmocka_unit_test(a_row_of_a_region_is_what_the_layer_says_of_its_crop),
        cmocka_unit_test(layers_that_there_are_not_are_refused_with_near_ones),
        cmocka_unit_test(a_sink_can_end_the_extraction),
        cmocka_unit_test(a_file_says_which_row_is_which_crop),
        cmocka_unit_test(rows_of_a_picture_that_failed_can_be_taken_back),
        cmocka_unit_test(a_file_without_rows_is_sound),
        cmocka_unit_test(an_abandoned_file_leaves_the_old_one_alone),
        cmocka_unit_test(files_that_cannot_be_written_are_refused_at_once),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(failed_allocations_leave_nothing_behind),
#endif
        cmocka_unit_test(googlenet_has_the_features_that_another_runtime_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
