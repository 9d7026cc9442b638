/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_NN_PROTOBUF_WALK_H
#define DETECT_NN_PROTOBUF_WALK_H

#include "src/base/error.h"

#include <protobuf-c/protobuf-c.h>

/** Reads the fields of a message one after another. */
typedef struct det_protobuf_cursor {
    const uint8_t *bytes; /**< of the message */
    size_t size, at;
    size_t base; /**< where the message begins in its file */
} det_protobuf_cursor;

/** A field of a message. */
typedef struct det_protobuf_field {
    uint32_t number;
    unsigned wire_type;  /**< a ProtobufCWireType */
    size_t begin, end;   /**< in the cursor's bytes, with the tag */
    size_t offset;       /**< of the tag in the file */
    const uint8_t *data; /**< the value: a varint, 4 or 8 bytes, or what the length announced */
    size_t size;
    size_t data_offset; /**< of the value in the file */
} det_protobuf_field;

/** Reads the next field; the cursor must not be at its end.
 *  @return DET_OK, DET_FORMAT (error->where is "byte N" of the file). */
det_status det_protobuf_next(det_protobuf_cursor *cursor, det_protobuf_field *field,
                             det_error *error);

/** Checks a message against its descriptor before protobuf-c unpacks it, which gives neither reason
 *  nor offset: tags, lengths, wire types, packed values, text as UTF-8, and at most 32 levels.
 *  Fields that the descriptor does not have are skipped, whatever is in them.
 *  @param base where the bytes begin in their file.
 *  @return DET_OK, DET_FORMAT or DET_LIMIT (depth); error->where is "byte N". */
det_status det_protobuf_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
                              size_t size, size_t base, det_error *error);

/** The same for one field of a message. */
det_status det_protobuf_check_field(const ProtobufCMessageDescriptor *descriptor,
                                    const det_protobuf_field *field, det_error *error);

/** Unpacks a message that has been checked, with the library's memory.
 *  @return DET_OK, DET_MEMORY, DET_FORMAT (protobuf-c refuses it all the same). */
det_status det_protobuf_unpack(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
                               size_t size, ProtobufCMessage **message, det_error *error);
/** Frees an unpacked message. Takes NULL. */
void det_protobuf_free(ProtobufCMessage *message);

#endif
