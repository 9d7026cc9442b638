/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/picture_features.h"

#include "detect/features.h"
#include "src/base/memory.h"
#include "src/image/decode.h"
#include "src/nn/graph.h"
#include "src/train/digest_chain.h"
#include "src/train/kept_file.h"

#include <stdio.h>

/* Raised when what is computed changes. */
#define FORMAT "detect picture features 1"

/* EXIF's number of a picture whose left and right are exchanged. */
enum { MIRRORED = 2 };

struct det_picture_features {
    char *folder;
    det_extractor *extractor;
    det_grid_windows rows, columns;
    det_digest_chain settings; /* that the features depend on, besides the picture */
};

/* ---- Opening -------------------------------------------------------------------------------- */

static det_status describe(det_picture_features *f, const det_config *config,
                           const det_feature_recipe *recipe, det_error *error)
{
    const det_network *network = det_extractor_network(f->extractor);
    det_digest_chain *chain = &f->settings;
    det_digest_add_text(chain, FORMAT);
    det_digest_add_text(chain, recipe->layer);
    det_digest_add_text(chain, det_model_digest(det_network_model(network)));
    det_digest_add_text(chain, det_precision_name(det_network_precision(network)));
    det_digest_add_number(chain, config->classifier.winograd);
    det_digest_add_number(chain, f->rows.count);
    det_digest_add_number(chain, f->columns.count);
    return chain->failed ? det_fail_memory(error, "the features of pictures") : DET_OK;
}

static det_status open_features(det_picture_features *f, const char *folder,
                                const det_config *config, const det_feature_recipe *recipe,
                                det_error *error)
{
    const det_extract_options options = {.layer = recipe->layer, .regions = true};
    det_config whole = *config; /* borrows */
    whole.classifier.context_px = 0;
    whole.classifier.batch = 1;
    snprintf(whole.classifier.regions, sizeof whole.classifier.regions, "crop");
    f->folder = det_copy_string(folder);
    if (!f->folder) return det_fail_memory(error, "the features of pictures");
    const det_status status = det_extractor_create(&whole, &options, &f->extractor, error);
    if (status < 0) return status;
    const det_shape shape = det_extractor_shape(f->extractor);
    f->rows = det_grid_windows_of(shape.height, recipe->grid);
    f->columns = det_grid_windows_of(shape.width, recipe->grid);
    return describe(f, config, recipe, error);
}

det_status det_picture_features_open(const char *folder, const det_config *config,
                                     const det_feature_recipe *recipe,
                                     det_picture_features **features, det_error *error)
{
    det_picture_features *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "the features of pictures");
    const det_status status = open_features(made, folder, config, recipe, error);
    if (status < 0)
        det_picture_features_close(made);
    else
        *features = made;
    return status;
}

void det_picture_features_close(det_picture_features *features)
{
    if (!features) return;
    det_extractor_free(features->extractor);
    det_free(features->folder);
    det_free(features);
}

size_t det_picture_features_width(const det_picture_features *features)
{
    const size_t channels = (size_t)det_extractor_shape(features->extractor).channels;
    return channels * (size_t)(features->rows.count * features->columns.count);
}

/* ---- A picture ------------------------------------------------------------------------------ */

/* Where the next row goes. */
typedef struct {
    const det_picture_features *features;
    float *values;
} filling;

static det_status take_row(void *context, const det_feature_rows *rows, det_error *error)
{
    (void)error;
    const filling *to = context;
    det_grid_average(det_extractor_shape(to->features->extractor), to->features->rows,
                     to->features->columns, rows->values, to->values);
    return DET_OK;
}

static det_status look_at(const det_picture_features *f, const det_image *image, float *values,
                          det_error *error)
{
    const det_region whole = {.box = {0, 0, (float)image->width, (float)image->height}};
    filling to = {f, values};
    const det_feature_sink sink = {take_row, &to};
    return det_extractor_regions(f->extractor, image, &whole, 1, NULL, &sink, error);
}

static det_status compute(const det_picture_features *f, const char *path, float *values,
                          det_error *error)
{
    det_image image = {0};
    det_status status = det_image_read(path, NULL, &image, error);
    if (status == DET_OK) status = look_at(f, &image, values, error);
    if (status == DET_OK) status = det_image_orient(&image, MIRRORED, error);
    if (status == DET_OK)
        status = look_at(f, &image, values + det_picture_features_width(f), error);
    det_image_free(&image);
    return det_error_file(error, path, status);
}

static char *name_file(const det_picture_features *f, const char *digest)
{
    det_digest_chain chain = f->settings;
    det_digest_add_text(&chain, digest);
    return chain.failed ? NULL : det_kept_path(f->folder, "picture", chain.text);
}

det_status det_picture_features_get(det_picture_features *features, const char *path,
                                    const char *digest, float *values, det_error *error)
{
    const size_t count = DET_PICTURE_ROWS * det_picture_features_width(features);
    const det_kept_part part = {"values", "F32", values, count, sizeof *values};
    char *kept = name_file(features, digest);
    if (!kept) return det_fail_memory(error, "the features of a picture");
    det_status status = DET_OK;
    if (!det_kept_read_parts(kept, FORMAT, &part, 1)) {
        status = compute(features, path, values, error);
        if (status == DET_OK) status = det_kept_write_parts(kept, FORMAT, &part, 1, error);
    }
    det_free(kept);
    return status;
}
