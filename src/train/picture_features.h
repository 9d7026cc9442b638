/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_TRAIN_PICTURE_FEATURES_H
#define DETECT_TRAIN_PICTURE_FEATURES_H

#include "src/train/feature_store.h"

/* What the network says of pictures as a whole, as a MultiBox head looks at them: warped to the
 * network's input without surroundings, whatever classifier.regions says. Kept in the folder of the
 * features of regions, a file a picture. */

/** Rows of a picture: as it is, and mirrored. */
enum { DET_PICTURE_ROWS = 2 };

/** Opened for one configuration; one caller at a time. */
typedef struct det_picture_features det_picture_features;

/** @param folder that there is; with config and recipe as in det_feature_store_open. The
 *                configuration is borrowed for the call. @return as det_extractor_create. */
det_status det_picture_features_open(const char *folder, const det_config *config,
                                     const det_feature_recipe *recipe,
                                     det_picture_features **features, det_error *error);
/** Takes NULL. */
void det_picture_features_close(det_picture_features *features);

/** Features of a row: as many as a region has in a feature store of the same recipe, in the same
 *  order. */
size_t det_picture_features_width(const det_picture_features *features);

/** The features of a picture: read where they are kept, else computed and kept.
 *  @param digest of the picture's bytes.
 *  @param values receives DET_PICTURE_ROWS rows.
 *  @return DET_OK; as det_image_read, with the file; DET_LIMIT, DET_MEMORY, DET_INTERNAL. */
det_status det_picture_features_get(det_picture_features *features, const char *path,
                                    const char *digest, float *values, det_error *error);

#endif
