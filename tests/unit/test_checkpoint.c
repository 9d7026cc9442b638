/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/file.h"
#include "src/base/memory.h"
#include "src/nn/safetensors.h"
#include "src/train/checkpoint.h"
#include "src/train/kept_file.h"
#include "tests/unit/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WEIGHTS = 300, PARTS = 3 };

/* What a training holds, and the list of it. */
typedef struct {
    float weights[WEIGHTS], momentum[WEIGHTS], variance[1];
    det_checkpoint_values list[PARTS];
    det_checkpoint state;
} training;

static void prepare(training *t, float first, uint64_t step)
{
    *t = (training){.state = {.begun_with = "xxh3-128:0123456789abcdef0123456789abcdef",
                              .seed = UINT64_MAX - 4,
                              .step = step,
                              .best = .1,
                              .best_step = step / 2}};
    for (int i = 0; i < WEIGHTS; i++) {
        t->weights[i] = first + (float)i;
        t->momentum[i] = first / (float)(i + 1);
    }
    t->variance[0] = first;
    t->list[0] = (det_checkpoint_values){"conv1.weight", t->weights, WEIGHTS};
    t->list[1] = (det_checkpoint_values){"conv1.weight/momentum", t->momentum, WEIGHTS};
    t->list[2] = (det_checkpoint_values){"norm1.variance", t->variance, 1};
}

static void write_training(const training *t, const char *path)
{
    det_error error = {0};
    test_assert_ok(det_checkpoint_write(path, &t->state, t->list, PARTS, &error), &error);
}

static void assert_equal(const training *a, const training *b)
{
    assert_memory_equal(a->weights, b->weights, sizeof a->weights);
    assert_memory_equal(a->momentum, b->momentum, sizeof a->momentum);
    assert_memory_equal(a->variance, b->variance, sizeof a->variance);
    assert_string_equal(a->state.begun_with, b->state.begun_with);
    assert_true(a->state.seed == b->state.seed && a->state.step == b->state.step &&
                a->state.best_step == b->state.best_step);
    assert_memory_equal(&a->state.best, &b->state.best, sizeof a->state.best);
}

/* Numbers that a double does not hold among them, and a figure that is none. */
static void a_state_is_read_as_it_was_written(void **state)
{
    (void)state;
    training written, read;
    det_error error = {0};
    prepare(&written, 1.1f, (1ULL << 60) + 1);
    prepare(&read, 0, 0);
    written.state.best = NAN;
    write_training(&written, test_path("state"));
    test_assert_ok(det_checkpoint_read(test_path("state"), &read.state, read.list, PARTS, &error),
                   &error);
    assert_equal(&read, &written);
}

/* Reads with a list; the training must be as it was where that fails. */
static void assert_refused(const char *path, training *t, size_t count, det_status status,
                           const char *where, const char *part)
{
    training before = *t;
    det_error error = {0};
    test_assert_error(det_checkpoint_read(path, &t->state, t->list, count, &error), status, &error,
                      part);
    assert_string_equal(error.file, path);
    assert_string_equal(error.where, where);
    assert_equal(t, &before);
}

static void a_training_that_was_begun_with_something_else_is_refused(void **state)
{
    (void)state;
    training written, other;
    const char *path = test_path("other");
    prepare(&written, 1, 40);
    write_training(&written, path);
    prepare(&other, 2, 0);
    strcpy(other.state.begun_with, "xxh3-128:ffffffffffffffffffffffffffffffff");
    assert_refused(path, &other, PARTS, DET_ARGUMENT, "", "another network, other pictures");
    prepare(&other, 2, 0);
    other.state.seed = 7;
    assert_refused(path, &other, PARTS, DET_ARGUMENT, "", "the seed 18446744073709551611, not 7");
}

static void a_state_of_other_values_is_refused_by_name(void **state)
{
    (void)state;
    training written, other;
    const char *path = test_path("values");
    prepare(&written, 1, 40);
    write_training(&written, path);
    prepare(&other, 2, 0);
    other.list[1].count--;
    assert_refused(path, &other, PARTS, DET_FORMAT, "conv1.weight/momentum",
                   "300 values of type F32, where the network has 299");
    prepare(&other, 2, 0);
    other.list[2].name = "norm1.mean";
    assert_refused(path, &other, PARTS, DET_FORMAT, "norm1.mean", "does not have this");
    prepare(&other, 2, 0);
    assert_refused(path, &other, PARTS - 1, DET_FORMAT, "", "3 tensors, where the network has 2");
}

/* A file of another kind, one without the state, and one that was cut or changed anywhere. */
static void what_is_damaged_or_no_checkpoint_is_refused(void **state)
{
    (void)state;
    training written, other;
    const char *path = test_path("damaged");
    det_bytes bytes = {0};
    det_error error = {0};
    float number = 1;
    const det_kept_part part = {"conv1.weight", "F32", &number, 1, sizeof number};
    prepare(&other, 2, 0);
    test_assert_ok(det_kept_write_parts(path, "detect fit 1", &part, 1, &error), &error);
    assert_refused(path, &other, PARTS, DET_FORMAT, "", "not \"detect checkpoint 1\"");
    test_assert_ok(det_kept_write_parts(path, "detect checkpoint 1", &part, 1, &error), &error);
    assert_refused(path, &other, PARTS, DET_FORMAT, "training.begun_with", "does not have this");

    prepare(&written, 1, 40);
    write_training(&written, path);
    test_assert_ok(det_file_read(path, 1 << 20, &bytes, &error), &error);
    for (size_t i = bytes.size - sizeof written.weights; i < bytes.size; i += 97) {
        bytes.data[i] ^= 0x10;
        test_write_file(path, bytes.data, bytes.size);
        assert_refused(path, &other, PARTS, DET_FORMAT, "", "the values are damaged");
        bytes.data[i] ^= 0x10;
    }
    for (size_t size = 1; size < bytes.size; size += 97) {
        test_write_file(path, bytes.data, size);
        assert_int_equal(det_checkpoint_read(path, &other.state, other.list, PARTS, NULL),
                         DET_FORMAT);
    }
    det_bytes_free(&bytes);
    assert_int_equal(unlink(path), 0);
    assert_refused(path, &other, PARTS, DET_IO, "", "No such file");
}

static void names_that_cannot_be_read_again_are_not_written(void **state)
{
    (void)state;
    training t;
    det_error error = {0};
    const char *path = test_path("names");
    prepare(&t, 1, 40);
    t.list[2].name = "conv1.weight";
    test_assert_error(det_checkpoint_write(path, &t.state, t.list, PARTS, &error), DET_ARGUMENT,
                      &error, "there twice");
    assert_string_equal(error.where, "conv1.weight");
    t.list[2].name = "training.step";
    test_assert_error(det_checkpoint_write(path, &t.state, t.list, PARTS, &error), DET_ARGUMENT,
                      &error, "the state's own");
    assert_int_not_equal(access(path, F_OK), 0);
}

/* The disk is full after every so many bytes, from the first one on. */
static void a_full_disk_leaves_the_older_state(void **state)
{
    (void)state;
    training older, newer, read;
    det_error error = {0};
    const char *folder = test_path("full"), *path = test_path("full/state");
    assert_int_equal(mkdir(folder, 0777), 0);
    prepare(&older, 1, 40);
    prepare(&newer, 2, 80);
    write_training(&older, path);
    for (size_t room = 1; room < 2 * sizeof newer.weights; room += 211) {
        test_limit_file_size(room);
        const det_status status =
            det_checkpoint_write(path, &newer.state, newer.list, PARTS, &error);
        test_limit_file_size(0);
        test_assert_error(status, DET_IO, &error, "cannot write");
        assert_string_equal(error.file, path);
        prepare(&read, 0, 0);
        test_assert_ok(det_checkpoint_read(path, &read.state, read.list, PARTS, &error), &error);
        assert_equal(&read, &older);
        assert_int_equal(test_count_files(folder), 1);
    }
    write_training(&newer, path);
    prepare(&read, 0, 0);
    test_assert_ok(det_checkpoint_read(path, &read.state, read.list, PARTS, &error), &error);
    assert_equal(&read, &newer);
}

#ifdef DET_FAULT_INJECTION
static void short_memory_leaves_the_older_state(void **state)
{
    (void)state;
    training older, newer, read;
    det_error error = {0};
    const char *path = test_path("memory");
    prepare(&older, 1, 40);
    prepare(&newer, 2, 80);
    write_training(&older, path);
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        det_memory_fail_at(n);
        const det_status status =
            det_checkpoint_write(path, &newer.state, newer.list, PARTS, &error);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        prepare(&read, 0, 0);
        test_assert_ok(det_checkpoint_read(path, &read.state, read.list, PARTS, &error), &error);
        assert_equal(&read, failed ? &older : &newer);
    }
    failed = true;
    for (uint64_t n = 1; failed; n++) {
        prepare(&read, 0, 0);
        training before = read;
        det_memory_fail_at(n);
        const det_status status = det_checkpoint_read(path, &read.state, read.list, PARTS, &error);
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        assert_equal(&read, failed ? &before : &newer);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_is_read_as_it_was_written),
        cmocka_unit_test(a_training_that_was_begun_with_something_else_is_refused),
        cmocka_unit_test(a_state_of_other_values_is_refused_by_name),
        cmocka_unit_test(what_is_damaged_or_no_checkpoint_is_refused),
        cmocka_unit_test(names_that_cannot_be_read_again_are_not_written),
        cmocka_unit_test(a_full_disk_leaves_the_older_state),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(short_memory_leaves_the_older_state),
#endif
    };
    return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
