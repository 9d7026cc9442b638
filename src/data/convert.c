/* SPDX-License-Identifier: Apache-2.0 */
#include "src/data/convert.h"

#include "src/base/memory.h"
#include "src/data/paths.h"

det_status det_convert_open(const char *path, const det_convert_options *options,
                            det_output *output, det_error *error)
{
    if (!path)
        return det_output_open_descriptor(options->stream_fd, "standard output", output, error);
    if (!options->overwrite && det_is_regular_file(path))
        return det_fail_at(error, DET_ARGUMENT, path, NULL,
                           "exists: name another file, or let --overwrite replace it");
    return det_output_open(path, output, error);
}

char *det_convert_picture(const det_annotations *annotations, size_t image)
{
    return det_path_join(annotations->folder, annotations->images[image].file);
}

det_status det_convert_size(const det_annotations *annotations, size_t image, int *width,
                            int *height, det_error *error)
{
    const det_annotated_image *known = &annotations->images[image];
    *width = known->width;
    *height = known->height;
    if ((*width > 0 && *height > 0) || annotations->format == DET_ANNOTATIONS_YOLO) return DET_OK;
    char *path = det_convert_picture(annotations, image);
    if (!path) return det_fail_memory(error, "annotations");
    const det_status status = det_is_regular_file(path) /* no pipe to wait for */
                                  ? det_image_size(path, width, height, NULL)
                                  : DET_IO;
    det_free(path);
    if (status == DET_MEMORY) return det_fail_memory(error, "the size of a picture");
    if (status < 0) *width = *height = 0;
    return DET_OK;
}
