/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations that results are measured against, and which pictures of theirs were there. */
#include "src/cli/truth.h"

#include "src/cli/report.h"

#include <stdlib.h>
#include <string.h>

det_status cli_truth_check_options(const cli_values *values, det_error *error)
{
    const struct {
        bool given;
        const char *option;
    } options[] = {{values->images, "images"},
                   {values->split, "split"},
                   {values->plots, "plots"},
                   {values->compare.count > 0, "compare"},
                   {values->without_difficult, "without-difficult"}};
    for (size_t i = 0; !values->truth && i < sizeof options / sizeof *options; i++)
        if (options[i].given)
            return cli_fail(error, DET_ARGUMENT, "--%s needs --annotations", options[i].option);
    return DET_OK;
}

det_status cli_read_annotations(const char *path, const cli_values *values, unsigned untold,
                                det_annotations **annotations, det_error *error)
{
    const det_annotations_options options = {.split = values->split, .pictures = values->images};
    const det_status status = det_annotations_read(path, &options, annotations, error);
    if (status < 0) return status;
    const det_annotations *read = *annotations;
    if (values->images && read->format == DET_ANNOTATIONS_YOLO)
        return cli_fail(error, DET_ARGUMENT,
                        "--images is for COCO and VOC; YOLO annotations lie beside their pictures");
    for (size_t i = 0; i < read->warning_count; i++)
        if (!(untold >> read->warnings[i].oddity & 1))
            cli_warn(values->quiet, path, read->warnings[i].text);
    return DET_OK;
}

det_status cli_truth_read(cli_truth *truth, const cli_values *values, det_error *error)
{
    const det_status status =
        cli_read_annotations(values->truth, values, 0, &truth->annotations, error);
    if (status == DET_OK)
        truth->met = cli_alloc(truth->annotations->image_count, sizeof *truth->met);
    return status;
}

void cli_truth_free(cli_truth *truth)
{
    free(truth->met);
    det_annotations_free(truth->annotations);
    *truth = (cli_truth){0};
}

/** The path of a picture, written so that it is neither a list nor standard input. */
static char *path_of(const char *folder, const char *file)
{
    if (*file == '/') return cli_format("%s", file);
    if (*folder) return cli_format("%s/%s", folder, file);
    return cli_format("%s%s", *file == '@' || strcmp(file, "-") == 0 ? "./" : "", file);
}

char **cli_truth_paths(const cli_truth *truth)
{
    const det_annotations *annotations = truth->annotations;
    char **paths = cli_alloc(annotations->image_count, sizeof *paths);
    for (size_t i = 0; i < annotations->image_count; i++)
        paths[i] = path_of(annotations->folder, annotations->images[i].file);
    return paths;
}

void cli_truth_paths_free(char **paths, size_t count)
{
    for (size_t i = 0; paths && i < count; i++) free(paths[i]);
    free(paths);
}

/** Counts something, and keeps where it was first. */
static void count(size_t *counter, char first[256], const char *file)
{
    if ((*counter)++ == 0) snprintf(first, 256, "%s", file);
}

bool cli_truth_meet(cli_truth *truth, const char *file, int width, int height, size_t *index)
{
    if (det_annotations_find_image(truth->annotations, file, index, NULL) < 0) {
        count(&truth->unknown_count, truth->first_unknown, file);
        return false;
    }
    if (truth->met[*index]) {
        truth->repeated_count++;
        return false;
    }
    const det_annotated_image *image = &truth->annotations->images[*index];
    truth->met[*index] = true;
    truth->met_count++;
    if (image->width > 0 && (image->width != width || image->height != height))
        count(&truth->resized_count, truth->first_resized, file);
    return true;
}

void cli_truth_say(const cli_truth *truth)
{
    const size_t missing = truth->annotations->image_count - truth->met_count;
    if (truth->unknown_count > 0)
        fprintf(stderr, "detect: pictures without annotations, not measured: %zu (first: %s)\n",
                truth->unknown_count, truth->first_unknown);
    if (truth->repeated_count > 0)
        fprintf(stderr, "detect: pictures that came again, measured once: %zu\n",
                truth->repeated_count);
    if (truth->resized_count > 0)
        fprintf(stderr,
                "detect: pictures of another size than the annotations say, whose boxes may be "
                "wrong: %zu (first: %s)\n",
                truth->resized_count, truth->first_resized);
    if (missing > 0)
        fprintf(stderr, "detect: annotated pictures that were not run: %zu of %zu\n", missing,
                truth->annotations->image_count);
}
