/* SPDX-License-Identifier: Apache-2.0 */
/* The published BVLC GoogLeNet, where the test data has it. The numbers are those of the paper's
 * table 1, worked out exactly. */
#include "detect/model.h"
#include "tests/unit/support_network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static det_model *import(const char *name)
{
    const char *path = test_googlenet(name);
    det_error error = {0};
    det_model *model = NULL;
    test_assert_ok(det_model_open(path, &model, &error), &error);
    return model;
}

typedef struct cost {
    uint64_t parameters, macs;
} cost;

/* Costs of the layers whose names begin so. */
static cost cost_of(const det_model *model, const char *prefix)
{
    cost sum = {0, 0};
    for (size_t i = 0; i < det_model_layer_count(model); i++) {
        det_layer_info info;
        assert_int_equal(det_model_layer(model, i, &info), DET_OK);
        if (strncmp(info.name, prefix, strlen(prefix)) != 0) continue;
        sum.parameters += info.parameters;
        sum.macs += info.macs;
    }
    return sum;
}

static void parameters_and_macs_are_those_of_the_paper(void **state)
{
    static const struct {
        const char *prefix;
        uint64_t parameters;
        double mega_macs;
    } modules[] = {
        {"inception_3a", 163696, 128.0},    {"inception_3b", 388736, 304.3},
        {"inception_4a", 376176, 73.6},     {"inception_4b", 449160, 87.9},
        {"inception_4c", 510104, 99.9},     {"inception_4d", 605376, 118.5},
        {"inception_4e", 868352, 170.0},    {"inception_5a", 1043456, 51.1},
        {"inception_5b", 1444080, 70.7},    {"conv", 124416, 477.7},
        {"loss3/classifier", 1025000, 1.0}, {"", 6998552, 1582.7},
    };
    (void)state;
    det_model *model = import("costs.safetensors");
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        const cost found = cost_of(model, modules[i].prefix);
        assert_int_equal(found.parameters, modules[i].parameters);
        assert_true(fabs((double)found.macs / 1e6 - modules[i].mega_macs) < .06);
    }
    det_model_free(model);
}

static void maps_shrink_as_caffe_rounds_them(void **state)
{
    static const struct {
        const char *name;
        int64_t channels, side;
    } maps[] = {
        {"conv1/7x7_s2", 64, 112},
        {"pool1/3x3_s2", 64, 56},
        {"pool2/3x3_s2", 192, 28},
        {"inception_3a/output", 256, 28},
        {"inception_3b/output", 480, 28},
        {"pool3/3x3_s2", 480, 14},
        {"inception_4e/output", 832, 14},
        {"pool4/3x3_s2", 832, 7},
        {"inception_5b/output", 1024, 7},
        {"pool5/7x7_s1", 1024, 1},
        {"prob", 1000, 1},
    };
    (void)state;
    det_model *model = import("maps.safetensors");
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        det_layer_info info = {0};
        for (size_t j = 0; j < det_model_layer_count(model); j++) {
            assert_int_equal(det_model_layer(model, j, &info), DET_OK);
            if (strcmp(info.name, maps[i].name) == 0) break;
        }
        assert_string_equal(info.name, maps[i].name);
        assert_int_equal(info.output[0], maps[i].channels);
        assert_int_equal(info.output[1], maps[i].side);
        assert_int_equal(info.output[2], maps[i].side);
    }
    det_model_free(model);
}

static void classes_are_found_by_any_of_their_names(void **state)
{
    (void)state;
    det_model *model = import("classes.safetensors");
    assert_int_equal(det_model_class_count(model), 1000);
    assert_string_equal(det_model_class_name(model, 0), "tench");
    assert_int_equal(det_model_find_class(model, "tinca TINCA"), 0);
    assert_int_equal(det_model_find_class(model, "banana"), 954);
    assert_int_equal(det_model_find_class(model, "crane"), 134); /* the bird; 517 lifts loads */
    assert_int_equal(det_model_find_class(model, "no such thing"), -1);
    det_model_free(model);
}

static void two_imports_give_equal_bytes_and_pass_verification(void **state)
{
    (void)state;
    det_error error = {0};
    det_model_free(import("first.safetensors"));
    det_model_free(import("second.safetensors"));
    test_assert_ok(det_model_verify(test_path("first.safetensors"), &error), &error);

    FILE *first = fopen(test_path("first.safetensors"), "rb");
    FILE *second = fopen(test_path("second.safetensors"), "rb");
    assert_non_null(first);
    assert_non_null(second);
    static char a[1 << 16], b[1 << 16];
    size_t got;
    while ((got = fread(a, 1, sizeof a, first)) > 0) {
        assert_int_equal(fread(b, 1, sizeof b, second), got);
        assert_memory_equal(a, b, got);
    }
    assert_int_equal(fread(b, 1, 1, second), 0);
    fclose(first);
    fclose(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_and_macs_are_those_of_the_paper),
        cmocka_unit_test(maps_shrink_as_caffe_rounds_them),
        cmocka_unit_test(classes_are_found_by_any_of_their_names),
        cmocka_unit_test(two_imports_give_equal_bytes_and_pass_verification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
