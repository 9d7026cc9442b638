/* SPDX-License-Identifier: Apache-2.0 */
/* Finds objects with a model: find MODEL PICTURE */
#include <detect/detect.h>

#include <stdio.h>

static det_status find(const char *model, const char *picture, det_error *error)
{
    char assignment[4096];
    snprintf(assignment, sizeof assignment, "classifier.models=[\"%s\"]", model);

    det_config *config = NULL;
    det_detector *detector = NULL;
    det_image image = {0};
    det_result result = {0};

    det_status status = det_config_create(&config, error);
    if (status == DET_OK) status = det_config_set(config, assignment, error);
    if (status == DET_OK) status = det_detector_create(config, &detector, error);
    if (status == DET_OK) status = det_image_read(picture, NULL, &image, error);
    if (status == DET_OK) status = det_detector_detect(detector, &image, NULL, &result, error);
    for (size_t i = 0; i < result.detection_count; i++) {
        const det_detection *d = &result.detections[i];
        printf("%s %.3f %g %g %g %g\n", d->class_name, d->score, d->box.x0, d->box.y0, d->box.x1,
               d->box.y1);
    }

    det_result_free(&result);
    det_image_free(&image);
    det_detector_free(detector);
    det_config_free(config);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: find MODEL PICTURE\n");
        return 2;
    }
    det_error error = {0};
    if (find(argv[1], argv[2], &error) == DET_OK) return 0;
    fprintf(stderr, "%s: %s: %s\n", error.file, error.where, error.message);
    return 1;
}
