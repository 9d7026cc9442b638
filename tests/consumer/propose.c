/* SPDX-License-Identifier: Apache-2.0 */
/* Regions where an object may be, without any network: propose PICTURE */
#include <detect/detect.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    det_error error = {0};
    det_image image = {0};
    det_region *regions = NULL;
    size_t count = 0;

    printf("detect %s\n", det_version());
    det_status status = det_image_read(argc > 1 ? argv[1] : "", NULL, &image, &error);
    if (status == DET_OK)
        status = det_selective_search(&image, NULL, NULL, &regions, &count, &error);
    for (size_t i = 0; i < count; i++)
        printf("%g %g %g %g\n", regions[i].box.x0, regions[i].box.y0, regions[i].box.x1,
               regions[i].box.y1);
    if (status != DET_OK) fprintf(stderr, "%s: %s\n", error.file, error.message);

    det_regions_free(regions);
    det_image_free(&image);
    return status == DET_OK ? 0 : 1;
}
