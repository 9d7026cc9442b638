/* SPDX-License-Identifier: Apache-2.0 */
/* det_model_import from file to file. */
#include "src/base/memory.h"
#include "tests/unit/support_caffe.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { labels_count = 5 };
static const char labels[] = "n00000001 ant, pismire\nbee\ncicada\ndragonfly\nearwig\n";

static void write_weights(const char *path, bool old_format)
{
    test_sketch sketch = test_small_sketch();
    det_text bytes = {0};
    test_caffe_model(sketch.model, old_format, &bytes, NULL);
    test_write_file(path, bytes.data, bytes.length);
    det_text_free(&bytes);
    test_sketch_free(&sketch);
}

static det_model *import_well(const det_model_import_options *options)
{
    const char *out = test_path("out.safetensors");
    det_model *model = NULL;
    det_error error = {0};
    test_assert_ok(det_model_import(options, out, &error), &error);
    test_assert_ok(det_model_verify(out, &error), &error);
    test_assert_ok(det_model_open(out, &model, &error), &error);
    return model;
}

static void an_imported_network_has_its_labels_and_says_where_it_is_from(void **state)
{
    (void)state;
    char weights[64], names[64];
    strcpy(weights, test_path("small.caffemodel"));
    strcpy(names, test_path("labels.txt"));
    write_weights(weights, true);
    test_write_file(names, labels, strlen(labels));
    det_model *model =
        import_well(&(det_model_import_options){.weights = weights, .labels = names});
    assert_int_equal(det_model_class_count(model), labels_count);
    assert_string_equal(det_model_class_name(model, 4), "earwig");
    assert_int_equal(det_model_find_class(model, "pismire"), 0);

    const char *provenance = det_model_provenance(model);
    assert_non_null(strstr(provenance, "\"format\":\"caffe layers\""));
    assert_non_null(strstr(provenance, "\"network\":\"made by a test\""));
    assert_non_null(strstr(provenance, "{\"file\":\"small.caffemodel\",\"bytes\":"));
    assert_non_null(strstr(provenance, "{\"file\":\"labels.txt\",\"bytes\":51,"));
    assert_null(strstr(provenance, test_folder()));
    det_model_free(model);
}

static void without_labels_and_mean_there_are_defaults(void **state)
{
    (void)state;
    const char *weights = test_path("small.caffemodel");
    write_weights(weights, false);
    det_model *model = import_well(&(det_model_import_options){.weights = weights});
    const det_model_input *input = det_model_get_input(model);
    assert_string_equal(det_model_class_name(model, 4), "class 4");
    assert_true(input->mean[0] == 104 && input->mean[1] == 117 && input->mean[2] == 123);
    assert_true(input->scale[0] == 1);
    assert_string_equal(input->channel_order, "BGR");
    assert_int_equal(input->context_px, 16);
    assert_int_equal(input->width, 16);
    det_model_free(model);
}

static void a_network_of_no_stated_size_takes_the_callers(void **state)
{
    (void)state;
    const char *path = test_path("bare.caffemodel");
    det_text net = {0};
    det_text layer = test_caffe_layer("prob", "Softmax", -1, "data", "prob");
    test_caffe_add(&net, false, &layer);
    test_write_file(path, net.data, net.length);
    det_text_free(&net);
    static const float mean[] = {1, 2, 3};
    det_model *model = import_well(
        &(det_model_import_options){.weights = path, .width = 50, .height = 40, .mean = mean});
    assert_int_equal(det_model_get_input(model)->width, 50);
    assert_int_equal(det_model_get_input(model)->height, 40);
    assert_true(det_model_get_input(model)->mean[1] == 2);
    det_model_free(model);
}

/* A refused import leaves the file of that name as it was. */
static void assert_refused(const det_model_import_options *options, det_status status,
                           const char *file, const char *message)
{
    const char *out = test_path("kept.safetensors");
    det_error error = {0};
    det_bytes bytes = {0};
    test_write_file(out, "before", 6);
    test_assert_error(det_model_import(options, out, &error), status, &error, message);
    assert_string_equal(error.file, file);
    test_assert_ok(det_file_read(out, 100, &bytes, &error), &error);
    assert_int_equal(bytes.size, 6);
    det_bytes_free(&bytes);
}

static void files_that_are_no_caffemodel_are_told_apart(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        det_status status;
        const char *message;
    } cases[] = {
        {"", 0, DET_FORMAT, "the file is empty"},
        {"name: \"GoogLeNet\"\nlayer {\n", 25, DET_UNSUPPORTED, "a .prototxt describes a network"},
        {"\x89HDF\r\n\x1a\n____", 12, DET_UNSUPPORTED, "weights in HDF5"},
        {"\x0A\x02x\x01", 4, DET_FORMAT, "no layers in these 4 bytes"},
        {"\xFF\xFF\xFF\xFF\xFF\xFF", 6, DET_FORMAT, "a tag is longer"},
    };
    (void)state;
    char path[64];
    strcpy(path, test_path("odd.caffemodel"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_write_file(path, cases[i].bytes, cases[i].size);
        assert_refused(&(det_model_import_options){.weights = path}, cases[i].status, path,
                       cases[i].message);
    }
}

static void arguments_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const float mean[] = {1, NAN, 3};
    char missing[64];
    strcpy(missing, test_path("missing.caffemodel"));
    assert_refused(&(det_model_import_options){0}, DET_ARGUMENT, "", "no weights are named");
    assert_refused(&(det_model_import_options){.weights = missing}, DET_IO, missing,
                   "No such file");
    assert_refused(&(det_model_import_options){.weights = missing, .width = -1}, DET_ARGUMENT, "",
                   "an input of -1x0");
    assert_refused(&(det_model_import_options){.weights = missing, .mean = mean}, DET_ARGUMENT, "",
                   "the mean is not three finite numbers");
}

static void labels_must_be_as_many_as_the_outputs(void **state)
{
    (void)state;
    char weights[64], names[64];
    strcpy(weights, test_path("small.caffemodel"));
    strcpy(names, test_path("few.txt"));
    const det_model_import_options options = {.weights = weights, .labels = names};
    write_weights(weights, false);
    assert_refused(&options, DET_IO, names, "No such file");
    test_write_file(names, "a\nb\nc\nd\n", 8);
    assert_refused(&options, DET_FORMAT, names,
                   "4 classes, but layer 'prob' of the network gives 5 probabilities");
    test_write_file(names, "a\nb\n\nd\ne", 8);
    assert_refused(&options, DET_FORMAT, names, "the line is empty");
    test_write_file(names, "", 0);
    assert_refused(&options, DET_FORMAT, names, "0 classes");
}

static void a_file_that_cannot_be_written_is_named(void **state)
{
    (void)state;
    char weights[64];
    strcpy(weights, test_path("small.caffemodel"));
    write_weights(weights, false);
    const char *out = test_path("no/such/folder.safetensors");
    det_error error = {0};
    const det_model_import_options options = {.weights = weights};
    test_assert_error(det_model_import(&options, out, &error), DET_IO, &error, "No such file");
    assert_string_equal(error.file, out);
}

static void short_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
#ifdef DET_FAULT_INJECTION
    char weights[64], names[64];
    strcpy(weights, test_path("small.caffemodel"));
    strcpy(names, test_path("labels.txt"));
    const char *out = test_path("short.safetensors");
    const det_model_import_options options = {.weights = weights, .labels = names};
    write_weights(weights, false);
    test_write_file(names, labels, strlen(labels));
    det_status status = DET_MEMORY;
    for (uint64_t n = 1; status != DET_OK; n++) {
        det_error error = {0};
        det_memory_fail_at(n);
        status = det_model_import(&options, out, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        assert_int_equal(access(out, F_OK) == 0, status == DET_OK);
    }
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_imported_network_has_its_labels_and_says_where_it_is_from),
        cmocka_unit_test(without_labels_and_mean_there_are_defaults),
        cmocka_unit_test(a_network_of_no_stated_size_takes_the_callers),
        cmocka_unit_test(files_that_are_no_caffemodel_are_told_apart),
        cmocka_unit_test(arguments_that_make_no_sense_are_refused),
        cmocka_unit_test(labels_must_be_as_many_as_the_outputs),
        cmocka_unit_test(a_file_that_cannot_be_written_is_named),
        cmocka_unit_test(short_memory_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
