/* SPDX-License-Identifier: Apache-2.0 */
/* The one fact of EXIF that matters here: which way up the picture is (EXIF 2.3, section 4.6).
 *
 * An EXIF block is a little TIFF file: "II" or "MM" for its byte order, the number 42, the offset
 * of a directory; a directory is a count and entries of 12 bytes: tag, type, number of values,
 * value. Every read is checked against the end of the block, and nothing is followed but that one
 * offset. */
#include "src/base/memory.h"
#include "src/image/decode.h"

#include <string.h>

enum { tag_orientation = 0x0112, type_short = 3, entry_bytes = 12 };

typedef struct {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
} tiff;

static bool read_u16(const tiff *t, size_t at, unsigned *value)
{
    if (t->size < 2 || at > t->size - 2) return false;
    const uint8_t *b = t->bytes + at;
    *value = t->big_endian ? (unsigned)(b[0] << 8 | b[1]) : (unsigned)(b[1] << 8 | b[0]);
    return true;
}

static bool read_u32(const tiff *t, size_t at, uint32_t *value)
{
    unsigned first, second;
    if (!read_u16(t, at, &first) || !read_u16(t, at + 2, &second)) return false;
    *value = t->big_endian ? first << 16 | second : second << 16 | first;
    return true;
}

static bool begins_tiff(tiff *t)
{
    unsigned magic;
    if (t->size < 8 || t->bytes[0] != t->bytes[1]) return false;
    if (t->bytes[0] != 'I' && t->bytes[0] != 'M') return false;
    t->big_endian = t->bytes[0] == 'M';
    return read_u16(t, 2, &magic) && magic == 42;
}

static bool read_entry(const tiff *t, size_t at, int *orientation)
{
    unsigned tag, type, value;
    uint32_t count;
    if (!read_u16(t, at, &tag) || tag != tag_orientation) return false;
    if (!read_u16(t, at + 2, &type) || type != type_short) return false;
    if (!read_u32(t, at + 4, &count) || count != 1) return false;
    if (!read_u16(t, at + 8, &value) || value < 1 || value > 8) return false;
    *orientation = (int)value;
    return true;
}

int det_exif_orientation(const uint8_t *bytes, size_t size)
{
    if (size >= 6 && memcmp(bytes, "Exif\0", 6) == 0) bytes += 6, size -= 6;
    tiff t = {bytes, size, false};
    uint32_t directory;
    unsigned count;
    if (!begins_tiff(&t) || !read_u32(&t, 4, &directory) || !read_u16(&t, directory, &count))
        return 1;

    int orientation = 1;
    for (size_t i = 0; i < count; i++)
        if (read_entry(&t, (size_t)directory + 2 + i * entry_bytes, &orientation)) break;
    return orientation;
}
