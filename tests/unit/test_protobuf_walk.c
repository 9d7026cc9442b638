/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over protobuf's wire format, against bytes written out by hand. */
#include "caffe.pb-c.h"
#include "src/nn/protobuf_walk.h"
#include "tests/unit/support_caffe.h"

#include <string.h>

enum { base = 1000 }; /* where the messages pretend to begin in their file */

static const ProtobufCMessageDescriptor *const layer = &det_caffe__layer_parameter__descriptor;

static det_status check(const void *bytes, size_t size, det_error *error)
{
    /* A copy of that very size, so that a sanitizer sees a step beyond it. */
    det_text copy = {0};
    det_text_append(&copy, bytes, size);
    const det_status status =
        det_protobuf_check(layer, (const uint8_t *)copy.data, size, base, error);
    det_text_free(&copy);
    return status;
}

static void fields_are_read_one_after_another(void **state)
{
    (void)state;
    /* field 1 varint 300; field 2 text "ab"; field 3 four bytes; field 4 eight bytes */
    static const uint8_t bytes[] = {0x08, 0xAC, 0x02, 0x12, 2, 'a', 'b', 0x1D, 1, 2, 3,
                                    4,    0x21, 1,    2,    3, 4,   5,   6,    7, 8};
    static const struct {
        uint32_t number;
        unsigned wire_type;
        size_t offset, data_offset, size;
    } expected[] = {
        {1, 0, 1000, 1001, 2}, {2, 2, 1003, 1005, 2}, {3, 5, 1007, 1008, 4}, {4, 1, 1012, 1013, 8}};
    (void)state;
    det_protobuf_cursor cursor = {.bytes = bytes, .size = sizeof bytes, .base = base};
    for (size_t i = 0; i < 4; i++) {
        det_protobuf_field field;
        det_error error = {0};
        test_assert_ok(det_protobuf_next(&cursor, &field, &error), &error);
        assert_int_equal(field.number, expected[i].number);
        assert_int_equal(field.wire_type, expected[i].wire_type);
        assert_int_equal(field.offset, expected[i].offset);
        assert_int_equal(field.data_offset, expected[i].data_offset);
        assert_int_equal(field.size, expected[i].size);
    }
    assert_int_equal(cursor.at, sizeof bytes);
}

static void every_fault_is_named_with_its_byte(void **state)
{
    static const struct {
        uint8_t bytes[16];
        size_t size;
        const char *message, *where;
    } cases[] = {
        {{0x80}, 1, "the data ends within a tag", "byte 1000"},
        {{0x80, 0x80, 0x80, 0x80, 0x80, 1}, 6, "a tag is longer than 5 bytes", "byte 1000"},
        {{0x00, 0}, 2, "no valid field number", "byte 1000"},
        {{0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, 5, "no valid field number", "byte 1000"},
        {{0x0A, 0x80}, 2, "the data ends within a length", "byte 1001"},
        {{0x0A, 0x80, 0x80, 0x80, 0x80, 0x80, 1}, 7, "a length is longer than 5", "byte 1001"},
        {{0x0A, 5, 'a', 'b'},
         4,
         "announces 5 bytes but 2 are left: 3 bytes are missing",
         "byte 1000"},
        {{0x0A, 1, 'a', 0x50, 0x80}, 5, "a number (varint) is cut off", "byte 1003"},
        {{0x50, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1},
         12,
         "longer than 10 bytes",
         "byte 1000"},
        {{0x55, 1, 2, 3}, 4, "announces 4 bytes but 3 are left", "byte 1000"},
        {{0x0B}, 1, "field 1 has wire type 3", "byte 1000"},
        {{0x0F}, 1, "field 1 has wire type 7", "byte 1000"},
        {{0x08, 1}, 2, "field 'name' (1) of LayerParameter has a wire type", "byte 1000"},
        {{0x0A, 1, 0xFF}, 3, "field 'name' (1) of LayerParameter is not UTF-8 text", "byte 1000"},
        {{0x0A, 2, 'a', 0}, 4, "is not UTF-8 text", "byte 1000"},
        /* blobs { data: three bytes } */
        {{0x3A, 5, 0x2A, 3, 1, 2, 3},
         7,
         "field 'data' (5) of BlobProto holds packed values",
         "byte 1002"},
        /* blobs { shape { dim: a varint without end } } */
        {{0x3A, 5, 0x3A, 3, 0x0A, 1, 0x80},
         7,
         "field 'dim' (1) of BlobShape holds packed values",
         "byte 1004"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_error error = {0};
        test_assert_error(check(cases[i].bytes, cases[i].size, &error), DET_FORMAT, &error,
                          cases[i].message);
        assert_string_equal(error.where, cases[i].where);
    }
}

static void fields_that_are_not_known_are_skipped(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0xD2, 0x0F, 3, 0xFF, 0xFF, 0xFF}; /* field 250, three bytes */
    det_error error = {0};
    test_assert_ok(check(bytes, sizeof bytes, &error), &error);
}

static void a_message_may_be_empty(void **state)
{
    (void)state;
    det_error error = {0};
    test_assert_ok(check("", 0, &error), &error);
}

/* A descriptor whose field 1 is a message of its own kind. */
static const ProtobufCMessageDescriptor recursive;
static const ProtobufCFieldDescriptor recursive_field = {.name = "inner",
                                                         .id = 1,
                                                         .label = PROTOBUF_C_LABEL_OPTIONAL,
                                                         .type = PROTOBUF_C_TYPE_MESSAGE,
                                                         .descriptor = &recursive};
static const ProtobufCIntRange recursive_ranges[] = {{1, 0}, {0, 1}};
static const ProtobufCMessageDescriptor recursive = {.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
                                                     .name = "Recursive",
                                                     .short_name = "Recursive",
                                                     .n_fields = 1,
                                                     .fields = &recursive_field,
                                                     .n_field_ranges = 1,
                                                     .field_ranges = recursive_ranges};

static det_status check_nested(int levels, det_error *error)
{
    det_text nest = {0};
    for (int i = 1; i < levels; i++) {
        det_text outer = {0};
        test_wire_message(&outer, 1, &nest);
        nest = outer;
    }
    const det_status status =
        det_protobuf_check(&recursive, (const uint8_t *)nest.data, nest.length, 0, error);
    det_text_free(&nest);
    return status;
}

static void messages_may_be_32_deep_and_no_deeper(void **state)
{
    (void)state;
    det_error error = {0};
    test_assert_ok(check_nested(32, &error), &error);
    test_assert_error(check_nested(33, &error), DET_LIMIT, &error, "deeper than 32");
    assert_string_equal(error.where, "byte 64"); /* 32 tags and lengths before the last */
    test_assert_error(check_nested(10000, &error), DET_LIMIT, &error, "deeper than 32");
}

static void what_passes_can_be_unpacked(void **state)
{
    (void)state;
    det_text text = test_caffe_layer("conv", "Convolution", -1, "a b", "c");
    ProtobufCMessage *message = NULL;
    det_error error = {0};
    const uint8_t *bytes = (const uint8_t *)text.data;
    test_assert_ok(det_protobuf_check(layer, bytes, text.length, 0, &error), &error);
    test_assert_ok(det_protobuf_unpack(layer, bytes, text.length, &message, &error), &error);
    const DetCaffe__LayerParameter *unpacked = (const DetCaffe__LayerParameter *)message;
    assert_string_equal(unpacked->name, "conv");
    assert_int_equal(unpacked->n_bottom, 2);
    assert_string_equal(unpacked->bottom[1], "b");
    det_protobuf_free(message);
    det_protobuf_free(NULL);
    det_text_free(&text);
}

static void what_protobuf_c_refuses_is_a_format_error(void **state)
{
    (void)state;
    static const uint8_t group[] = {0x0B};
    ProtobufCMessage *message = NULL;
    det_error error = {0};
    test_assert_error(det_protobuf_unpack(layer, group, sizeof group, &message, &error), DET_FORMAT,
                      &error, "LayerParameter cannot be unpacked");
    assert_null(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read_one_after_another),
        cmocka_unit_test(every_fault_is_named_with_its_byte),
        cmocka_unit_test(fields_that_are_not_known_are_skipped),
        cmocka_unit_test(a_message_may_be_empty),
        cmocka_unit_test(messages_may_be_32_deep_and_no_deeper),
        cmocka_unit_test(what_passes_can_be_unpacked),
        cmocka_unit_test(what_protobuf_c_refuses_is_a_format_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
