/* SPDX-License-Identifier: Apache-2.0 */
/* Crops as the input of networks. Rows are taken in chunks, whose loops have a length that is known
 * when they are compiled, so that they become vector instructions. */
#include "src/train/network_input.h"

#include <string.h>

enum { chunk = 64 };

/* Channel c of the model's order: (cut(weights * (B G R) + offset) - mean) * scale. */
typedef struct {
    float weights[3], offset, mean, scale;
} channel;

static channel channel_of(const det_model_input *input, const det_color_map *map, int c)
{
    const int from = input->channel_order[0] == 'R' ? 2 - c : c;
    channel made = {.mean = input->mean[c], .scale = input->scale[c]};
    made.weights[from] = 1;
    if (map) {
        memcpy(made.weights, map->matrix[from], sizeof made.weights);
        made.offset = map->offset[from];
    }
    return made;
}

/* planes is (3, chunk), of which the first `count` are written; mirrored: the last pixel first. */
static void split(const uint8_t *pixels, int count, bool mirrored, float planes[3][chunk])
{
    const ptrdiff_t step = mirrored ? -3 : 3;
    if (mirrored) pixels -= step * (count - 1);
    for (int i = 0; i < count; i++, pixels += step)
        for (int c = 0; c < 3; c++) planes[c][i] = pixels[c];
}

static void mix(const float planes[restrict 3][chunk], const channel *c, float *restrict out)
{
    const float b = c->weights[0], g = c->weights[1], r = c->weights[2];
    const float offset = c->offset, mean = c->mean, scale = c->scale;
    for (int i = 0; i < chunk; i++) {
        float value = b * planes[0][i] + g * planes[1][i] + r * planes[2][i] + offset;
        value = value > 0 ? value : 0;
        value = value < 255 ? value : 255;
        out[i] = (value - mean) * scale;
    }
}

void det_write_input(const det_model_input *input, const uint8_t *pixels, const det_color_map *map,
                     bool mirrored, float *out)
{
    const int width = input->width, height = input->height;
    const size_t area = (size_t)width * (size_t)height;
    const channel channels[3] = {channel_of(input, map, 0), channel_of(input, map, 1),
                                 channel_of(input, map, 2)};
    float planes[3][chunk] = {0}, mixed[chunk];
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x += chunk) {
            const int count = width - x < chunk ? width - x : chunk;
            const int first = mirrored ? width - x - count : x;
            const size_t at = (size_t)y * (size_t)width;
            split(pixels + 3 * (at + (size_t)first), count, mirrored, planes);
            for (size_t c = 0; c < 3; c++) {
                mix(planes, &channels[c], mixed);
                memcpy(out + c * area + at + (size_t)x, mixed, (size_t)count * sizeof *mixed);
            }
        }
}
