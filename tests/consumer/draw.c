/* SPDX-License-Identifier: Apache-2.0 */
/* Draws two boxes on a grey picture and writes it: draw PICTURE */
#include <detect/detect.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    const det_drawn_box boxes[] = {
        {.box = {30, 40, 120, 150}, .label = "one", .color = det_draw_color(0)},
        {.box = {160, 20, 290, 200}, .label = "two", .color = det_draw_color(1)},
    };
    det_error error = {0};
    det_image image = {0};
    det_status status = argc == 2 ? det_image_create(320, 240, &image, &error) : DET_ARGUMENT;
    if (status == DET_OK) memset(image.pixels, 128, image.stride * (size_t)image.height);
    if (status == DET_OK) status = det_draw_boxes(&image, boxes, 2, &error);
    if (status == DET_OK) status = det_image_write(&image, argv[1], &error);
    if (status != DET_OK) fprintf(stderr, "%s: %s\n", det_status_name(status), error.message);
    det_image_free(&image);
    return status == DET_OK ? 0 : 1;
}
