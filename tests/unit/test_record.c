/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/train.h"
#include "src/base/memory.h"
#include "src/data/paths.h"
#include "src/train/event_log.h"
#include "src/train/record.h"
#include "tests/unit/support.h"
#include "tests/unit/support_eval.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *folder(const char *name)
{
    const char *path = test_path(name);
    det_error error;
    test_assert_ok(det_make_folder(path, &error), &error);
    return path;
}

static det_config *configure(void)
{
    static const char *const settings[] = {
        "train.l2=0.002", "train.annotations=here/set.json", "train.output=/there/mine.safetensors",
        "classifier.models=[\"a.safetensors\"]", "postprocess.nms.method=vote"};
    det_config *config = NULL;
    det_error error;
    test_assert_ok(det_config_create(&config, &error), &error);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        test_assert_ok(det_config_set(config, settings[i], &error), &error);
    return config;
}

static void settings_come_back_with_paths_that_hold_anywhere(void **state)
{
    (void)state;
    const char *cache = folder("a");
    char here[4096], expected[4200];
    det_config *config = configure(), *again = NULL;
    det_error error;
    test_assert_ok(det_record_write(cache, config, "xxh3-128:1", false, &error), &error);
    test_assert_ok(det_train_resume(cache, &again, &error), &error);
    assert_non_null(getcwd(here, sizeof here));
    snprintf(expected, sizeof expected, "%s/here/set.json", here);
    assert_string_equal(again->train.annotations, expected);
    assert_string_equal(again->train.output, "/there/mine.safetensors");
    snprintf(expected, sizeof expected, "%s/a.safetensors", here);
    assert_int_equal(again->classifier.model_count, 1);
    assert_string_equal(again->classifier.models[0], expected);
    assert_true(again->train.l2 == config->train.l2);
    assert_int_equal(again->postprocess.nms_method, DET_NMS_VOTE);
    assert_memory_equal(again->set_keys, config->set_keys, sizeof config->set_keys);
    det_config_free(again);
    det_config_free(config);
}

static void what_is_finished_or_missing_is_not_gone_on_with(void **state)
{
    (void)state;
    const char *cache = folder("b");
    det_config *config = configure(), *again = NULL;
    det_error error;
    test_assert_error(det_train_resume(cache, &again, &error), DET_ARGUMENT, &error,
                      "no training to go on with");
    test_assert_ok(det_record_write(cache, config, "xxh3-128:1", true, &error), &error);
    test_assert_error(det_train_resume(cache, &again, &error), DET_ARGUMENT, &error, "finished");
    test_write_file(test_path("b/training.json"), "[1]", 3);
    test_assert_error(det_train_resume(cache, &again, &error), DET_FORMAT, &error, "no record");
    assert_null(again);
    det_config_free(config);
}

static void other_annotations_are_told(void **state)
{
    (void)state;
    const char *cache = folder("c");
    char first[DET_DIGEST_SIZE], second[DET_DIGEST_SIZE];
    det_config *config = configure();
    det_error error;
    test_set *set = test_set_begin(DET_BOX_SIZED, 2, 2);
    for (size_t i = 0; i < 2; i++) set->images[i].file = i == 0 ? "a.png" : "b.png";
    det_annotated_object *object = test_set_object(set, 0, 1, 1, 2, 30, 40);
    test_assert_ok(det_annotations_digest(&set->annotations, first, &error), &error);
    test_assert_ok(det_record_write(cache, config, first, false, &error), &error);
    test_assert_ok(det_record_check(cache, first, &error), &error);
    object->crowd = true;
    test_assert_ok(det_annotations_digest(&set->annotations, second, &error), &error);
    assert_string_not_equal(first, second);
    object->crowd = false;
    object->box[2] += 1;
    test_assert_ok(det_annotations_digest(&set->annotations, second, &error), &error);
    test_assert_error(det_record_check(cache, second, &error), DET_ARGUMENT, &error,
                      "annotations have changed");
    object->box[2] -= 1;
    test_assert_ok(det_annotations_digest(&set->annotations, second, &error), &error);
    assert_string_equal(first, second);
    det_config_free(config);
}

static void a_log_is_added_to(void **state)
{
    (void)state;
    const double losses[] = {1.5, 2};
    const char *path = test_path("log.jsonl");
    char text[1000];
    det_error error;
    for (int i = 0; i < 2; i++) {
        det_event_log *log = NULL;
        test_assert_ok(det_event_log_open(path, &log, &error), &error);
        det_event_stage_begun(log, "heads");
        det_event_iteration(log, 3, losses, 2);
        det_event_stage_ended(log, 0, 1);
        det_event_log_close(log);
    }
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    size_t lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++) lines++;
    assert_int_equal(lines, 6);
    assert_non_null(strstr(text, "\"iteration\":3,\"losses\":[1.5,2]}\n"));
    assert_non_null(strstr(text, "\"reused\":0,\"made\":1}\n"));

    det_event_log *none = NULL;
    test_assert_ok(det_event_log_open(NULL, &none, &error), &error);
    det_event_stage_begun(none, "heads"); /* nothing happens */
    det_event_log_close(none);
    test_assert_error(det_event_log_open(test_path("nowhere/log"), &none, &error), DET_IO, &error,
                      "No such file");
}

static void short_memory_is_reported(void **state)
{
    (void)state;
#ifdef DET_FAULT_INJECTION
    const char *cache = folder("d");
    det_config *config = configure();
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        det_config *again = NULL;
        det_error error = {0};
        det_memory_fail_at(n);
        det_status status = det_record_write(cache, config, "xxh3-128:1", false, &error);
        if (status == DET_OK) status = det_train_resume(cache, &again, &error);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        if (!failed) test_assert_ok(status, &error);
        if (status < 0) assert_int_equal(status, DET_MEMORY);
        det_config_free(again);
    }
    det_config_free(config);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_come_back_with_paths_that_hold_anywhere),
        cmocka_unit_test(what_is_finished_or_missing_is_not_gone_on_with),
        cmocka_unit_test(other_annotations_are_told),
        cmocka_unit_test(a_log_is_added_to),
        cmocka_unit_test(short_memory_is_reported),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
