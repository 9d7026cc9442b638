/* SPDX-License-Identifier: Apache-2.0 */
/* The protobuf wire format: a message is a sequence of fields, each a tag (number and wire type, a
 * varint) and a value (a varint, 4 bytes, 8 bytes, or a length and as many bytes). */
#include "src/nn/protobuf_walk.h"

#include "src/base/memory.h"
#include "src/base/text.h"

enum { max_depth = 32, max_value_bytes = 10, max_length_bytes = 5 };

static det_status fail_at_byte(det_error *error, size_t offset, const char *what)
{
    det_fail(error, DET_FORMAT, "%s", what);
    det_error_where(error, "byte %zu", offset);
    return DET_FORMAT;
}

/* Bytes of the varint at the front, 0 where it does not end within `limit` bytes or the data. */
static size_t varint_length(const uint8_t *bytes, size_t available, size_t limit)
{
    for (size_t i = 0; i < available && i < limit; i++)
        if (bytes[i] < 0x80) return i + 1;
    return 0;
}

static uint64_t varint_value(const uint8_t *bytes, size_t length)
{
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++) value |= (uint64_t)(bytes[i] & 0x7F) << (7 * i);
    return value;
}

/* Reads a tag or a length, which protobuf-c wants in at most five bytes. */
static det_status read_short(det_protobuf_cursor *cursor, const char *what, uint64_t *value,
                             det_error *error)
{
    const uint8_t *bytes = cursor->bytes + cursor->at;
    const size_t left = cursor->size - cursor->at;
    const size_t length = varint_length(bytes, left, max_length_bytes);
    if (length == 0) {
        det_fail(error, DET_FORMAT,
                 left < max_length_bytes ? "the data ends within a %s"
                                         : "a %s is longer than 5 bytes",
                 what);
        det_error_where(error, "byte %zu", cursor->base + cursor->at);
        return DET_FORMAT;
    }
    *value = varint_value(bytes, length);
    cursor->at += length;
    return DET_OK;
}

/* Size of the value that begins at the cursor. */
static det_status value_size(det_protobuf_cursor *cursor, const det_protobuf_field *field,
                             uint64_t *size, det_error *error)
{
    switch (field->wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        *size =
            varint_length(cursor->bytes + cursor->at, cursor->size - cursor->at, max_value_bytes);
        return *size > 0 ? DET_OK
                         : fail_at_byte(error, field->offset,
                                        "a number (varint) is cut off or longer than 10 bytes");
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        *size = 8;
        return DET_OK;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        *size = 4;
        return DET_OK;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        return read_short(cursor, "length", size, error);
    default:
        det_fail(error, DET_FORMAT, "field %u has wire type %u, which Caffe's format does not use",
                 field->number, field->wire_type);
        det_error_where(error, "byte %zu", field->offset);
        return DET_FORMAT;
    }
}

det_status det_protobuf_next(det_protobuf_cursor *cursor, det_protobuf_field *field,
                             det_error *error)
{
    *field = (det_protobuf_field){.begin = cursor->at, .offset = cursor->base + cursor->at};
    uint64_t tag, size;
    det_status status = read_short(cursor, "tag", &tag, error);
    if (status < 0) return status;
    if (tag > UINT32_MAX || tag >> 3 == 0)
        return fail_at_byte(error, field->offset, "a tag holds no valid field number");
    field->number = (uint32_t)(tag >> 3);
    field->wire_type = (unsigned)(tag & 7);

    status = value_size(cursor, field, &size, error);
    if (status < 0) return status;
    const size_t left = cursor->size - cursor->at;
    if (size > left) {
        det_fail(error, DET_FORMAT,
                 "field %u announces %llu bytes but %zu are left: %llu bytes are missing",
                 field->number, (unsigned long long)size, left, (unsigned long long)(size - left));
        det_error_where(error, "byte %zu", field->offset);
        return DET_FORMAT;
    }
    field->data = cursor->bytes + cursor->at;
    field->data_offset = cursor->base + cursor->at;
    field->size = (size_t)size;
    cursor->at += (size_t)size;
    field->end = cursor->at;
    return DET_OK;
}

static unsigned wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return PROTOBUF_C_WIRE_TYPE_32BIT;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    default:
        return PROTOBUF_C_WIRE_TYPE_VARINT;
    }
}

static bool is_utf8(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size;) {
        const size_t length = det_utf8_length((const char *)bytes + i, size - i);
        if (length == 0 || bytes[i] == 0) return false;
        i += length;
    }
    return true;
}

static bool are_varints(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size;) {
        const size_t length = varint_length(bytes + i, size - i, max_value_bytes);
        if (length == 0) return false;
        i += length;
    }
    return true;
}

static bool is_packed_well(unsigned element, const det_protobuf_field *field)
{
    if (element == PROTOBUF_C_WIRE_TYPE_VARINT) return are_varints(field->data, field->size);
    return field->size % (element == PROTOBUF_C_WIRE_TYPE_32BIT ? 4 : 8) == 0;
}

static det_status check_message(const ProtobufCMessageDescriptor *descriptor,
                                det_protobuf_cursor cursor, int depth, det_error *error);

static det_status check_field(const ProtobufCMessageDescriptor *descriptor,
                              const det_protobuf_field *field, int depth, det_error *error)
{
    const ProtobufCFieldDescriptor *known =
        protobuf_c_message_descriptor_get_field(descriptor, field->number);
    if (!known) return DET_OK;

    const unsigned expected = wire_type_of(known->type);
    const char *fault = NULL;
    if (field->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED && expected != field->wire_type &&
        known->label == PROTOBUF_C_LABEL_REPEATED) {
        if (!is_packed_well(expected, field)) fault = "holds packed values that are cut off";
    } else if (field->wire_type != expected) {
        fault = "has a wire type that does not belong to it";
    } else if (known->type == PROTOBUF_C_TYPE_STRING && !is_utf8(field->data, field->size)) {
        fault = "is not UTF-8 text";
    } else if (known->type == PROTOBUF_C_TYPE_MESSAGE) {
        return check_message(known->descriptor,
                             (det_protobuf_cursor){.bytes = field->data,
                                                   .size = field->size,
                                                   .base = field->data_offset},
                             depth + 1, error);
    }
    if (!fault) return DET_OK;
    det_fail(error, DET_FORMAT, "field '%s' (%u) of %s %s", known->name, known->id,
             descriptor->short_name, fault);
    det_error_where(error, "byte %zu", field->offset);
    return DET_FORMAT;
}

static det_status check_message(const ProtobufCMessageDescriptor *descriptor,
                                det_protobuf_cursor cursor, int depth, det_error *error)
{
    if (depth > max_depth) {
        det_fail(error, DET_LIMIT, "messages are nested deeper than %d", max_depth);
        det_error_where(error, "byte %zu", cursor.base);
        return DET_LIMIT;
    }
    while (cursor.at < cursor.size) {
        det_protobuf_field field;
        det_status status = det_protobuf_next(&cursor, &field, error);
        if (status == DET_OK) status = check_field(descriptor, &field, depth, error);
        if (status < 0) return status;
    }
    return DET_OK;
}

det_status det_protobuf_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
                              size_t size, size_t base, det_error *error)
{
    return check_message(
        descriptor, (det_protobuf_cursor){.bytes = bytes, .size = size, .base = base}, 1, error);
}

det_status det_protobuf_check_field(const ProtobufCMessageDescriptor *descriptor,
                                    const det_protobuf_field *field, det_error *error)
{
    return check_field(descriptor, field, 1, error);
}

/* protobuf-c reports every failure alike, so the allocator notes its own. */
static void *allocate(void *failed, size_t size)
{
    void *block = det_alloc(size);
    if (!block) *(bool *)failed = true;
    return block;
}

static void release(void *failed, void *block)
{
    (void)failed;
    det_free(block);
}

det_status det_protobuf_unpack(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
                               size_t size, ProtobufCMessage **message, det_error *error)
{
    bool failed = false;
    ProtobufCAllocator allocator = {allocate, release, &failed};
    *message = protobuf_c_message_unpack(descriptor, &allocator, size, bytes);
    if (*message) return DET_OK;
    if (failed) return det_fail_memory(error, "a protobuf message");
    return det_fail(error, DET_FORMAT, "%s cannot be unpacked", descriptor->short_name);
}

void det_protobuf_free(ProtobufCMessage *message)
{
    ProtobufCAllocator allocator = {allocate, release, NULL};
    if (message) protobuf_c_message_free_unpacked(message, &allocator);
}
