/* SPDX-License-Identifier: Apache-2.0 */
/* Draws a picture to test with: rectangles of plain colours on grey, the same for the same seed.
 * Usage: draw_picture FILE WIDTH HEIGHT [SEED] */
#include "detect/image.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECTANGLES = 6 };

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void fill(det_image *image, int x0, int y0, int width, int height, const uint8_t color[3])
{
    for (int y = y0; y < y0 + height && y < image->height; y++)
        for (int x = x0; x < x0 + width && x < image->width; x++)
            for (int c = 0; c < 3; c++)
                image->pixels[(size_t)y * image->stride + 3 * (size_t)x + (size_t)c] = color[c];
}

static void fill_rectangles(det_image *image, unsigned seed)
{
    const uint8_t grey[] = {128, 128, 128};
    fill(image, 0, 0, image->width, image->height, grey);
    for (int i = 0; i < RECTANGLES; i++) {
        uint8_t color[3];
        for (int c = 0; c < 3; c++) color[c] = (uint8_t)next_random(&seed);
        const int x = (int)(next_random(&seed) % (unsigned)image->width);
        const int y = (int)(next_random(&seed) % (unsigned)image->height);
        fill(image, x, y, image->width / 3 + 1, image->height / 3 + 1, color);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: draw_picture FILE WIDTH HEIGHT [SEED]\n");
        return 2;
    }
    det_image image = {0};
    det_error error = {0};
    det_status status = det_image_create(atoi(argv[2]), atoi(argv[3]), &image, &error);
    if (status == DET_OK) {
        fill_rectangles(&image, argc > 4 ? (unsigned)atoi(argv[4]) : 1);
        status = det_image_write(&image, argv[1], &error);
    }
    if (status < 0) fprintf(stderr, "draw_picture: %s: %s\n", argv[1], error.message);
    det_image_free(&image);
    return status < 0;
}
