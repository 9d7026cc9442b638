/* SPDX-License-Identifier: Apache-2.0 */
/* Files of proposals and features, one a picture. */
#include "src/train/feature_store.h"

#include "detect/detector.h"
#include "detect/features.h"
#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/base/text.h"
#include "src/data/config_keys.h"
#include "src/data/paths.h"
#include "src/nn/graph.h"
#include "src/train/kept_file.h"

#include <math.h>
#include <string.h>

/* Raised when what is computed changes, so that older files are not taken for new ones. */
#define PROPOSALS_VERSION "detect proposals 1"
#define FEATURES_VERSION "detect features 1"

static const uint64_t most_picture_bytes = (uint64_t)1 << 30;

struct det_feature_store {
    char *folder, *layer;
    const det_config *config;
    det_extractor *extractor;
    det_proposer *proposer;                     /* NULL until the first picture needs it */
    char *proposal_settings, *feature_settings; /* as JSON */
    det_shape shape;                            /* of the layer's map */
    det_grid_windows rows, columns;
    det_feature_store_counts counts;
};

/* ---- The grid ------------------------------------------------------------------------------- */

det_grid_windows det_grid_windows_of(int side, int grid)
{
    const int count = side < grid ? side : grid;
    const int apart = (side - 1) / count, stride = apart > 1 ? apart : 1;
    return (det_grid_windows){count, side - (count - 1) * stride, stride};
}

void det_grid_average(det_shape map_shape, det_grid_windows rows, det_grid_windows columns,
                      const float *map, float *grid)
{
    const size_t height = (size_t)map_shape.height, width = (size_t)map_shape.width;
    const size_t channels = (size_t)map_shape.channels;
    const float share = 1 / (float)(rows.kernel * columns.kernel);
    for (size_t c = 0; c < channels; c++)
        for (int i = 0; i < rows.count; i++)
            for (int j = 0; j < columns.count; j++) {
                const float *at = map + (c * height + (size_t)(i * rows.stride)) * width +
                                  (size_t)(j * columns.stride);
                float sum = 0;
                for (int y = 0; y < rows.kernel; y++, at += width)
                    for (int x = 0; x < columns.kernel; x++) sum += at[x];
                grid[(size_t)(i * columns.count + j) * channels + c] = sum * share;
            }
}

/* In 8 bits, by the greatest of them. What a rectifier has not made positive is 0. */
static void pack(const float *features, size_t width, uint8_t *values, float *scale)
{
    float most = 0;
    for (size_t i = 0; i < width; i++) most = fmaxf(most, features[i]);
    *scale = most / UINT8_MAX;
    const float factor = most > 0 ? UINT8_MAX / most : 0;
    for (size_t i = 0; i < width; i++) values[i] = (uint8_t)lrintf(fmaxf(features[i], 0) * factor);
}

/* ---- Opening -------------------------------------------------------------------------------- */

/* With the model, where it proposes; NULL when memory is short. */
static char *proposal_settings_of(const det_feature_store *store)
{
    static const char *const prefixes[] = {"proposals.", "runtime.seed", NULL};
    char *settings = det_config_excerpt(store->config, prefixes);
    if (!settings || !store->config->proposals.multibox) return settings;
    const det_network *network = det_extractor_network(store->extractor);
    char digest[DET_MODEL_DIGEST_SIZE];
    det_text text = {0};
    if (det_model_file_digest(det_network_model(network), digest, NULL) == DET_OK)
        det_text_format(&text, "%s %s %s", settings, digest,
                        det_precision_name(det_network_precision(network)));
    det_free(settings);
    if (!text.failed) return text.data;
    det_text_free(&text);
    return NULL;
}

static char *feature_settings_of(const det_feature_store *store)
{
    static const char *const prefixes[] = {"classifier.regions", "classifier.pool.",
                                           "classifier.context_px", "classifier.winograd", NULL};
    char *settings = det_config_excerpt(store->config, prefixes);
    if (!settings) return NULL;
    const det_network *network = det_extractor_network(store->extractor);
    det_text text = {0};
    det_text_format(&text, "%s %s %s %s %d %d", settings, store->layer,
                    det_precision_name(det_network_precision(network)),
                    det_model_digest(det_network_model(network)), store->rows.count,
                    store->columns.count);
    det_free(settings);
    if (!text.failed) return text.data;
    det_text_free(&text);
    return NULL;
}

static det_status open_store(det_feature_store *store, const char *folder,
                             const det_feature_recipe *recipe, det_error *error)
{
    const det_extract_options options = {.layer = recipe->layer, .regions = true};
    det_status status = det_make_folder(folder, error);
    if (status == DET_OK)
        status = det_extractor_create(store->config, &options, &store->extractor, error);
    if (status < 0) return status;
    store->shape = det_extractor_shape(store->extractor);
    store->rows = det_grid_windows_of(store->shape.height, recipe->grid);
    store->columns = det_grid_windows_of(store->shape.width, recipe->grid);
    store->folder = det_copy_string(folder);
    store->layer = det_copy_string(recipe->layer);
    if (!store->folder || !store->layer) return det_fail_memory(error, "a store of features");
    store->proposal_settings = proposal_settings_of(store);
    store->feature_settings = feature_settings_of(store);
    if (store->proposal_settings && store->feature_settings) return DET_OK;
    return det_fail_memory(error, "a store of features");
}

det_status det_feature_store_open(const char *folder, const det_config *config,
                                  const det_feature_recipe *recipe, det_feature_store **store,
                                  det_error *error)
{
    if (recipe->grid < 1)
        return det_fail(error, DET_ARGUMENT, "a grid of %d windows a side is none", recipe->grid);
    det_feature_store *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "a store of features");
    made->config = config;
    const det_status status = open_store(made, folder, recipe, error);
    if (status < 0)
        det_feature_store_close(made);
    else
        *store = made;
    return status;
}

void det_feature_store_close(det_feature_store *store)
{
    if (!store) return;
    det_extractor_free(store->extractor);
    det_proposer_free(store->proposer);
    det_free(store->proposal_settings);
    det_free(store->feature_settings);
    det_free(store->folder);
    det_free(store->layer);
    det_free(store);
}

size_t det_feature_store_width(const det_feature_store *store)
{
    return (size_t)store->shape.channels * (size_t)(store->rows.count * store->columns.count);
}

det_grid_windows det_feature_store_rows(const det_feature_store *store)
{
    return store->rows;
}

det_grid_windows det_feature_store_columns(const det_feature_store *store)
{
    return store->columns;
}

det_feature_store_counts det_feature_store_count(const det_feature_store *store)
{
    return store->counts;
}

/* ---- A picture ------------------------------------------------------------------------------ */

/* A picture that features are wanted of. Decoded only where something has to be computed. */
typedef struct {
    det_feature_store *store;
    const char *path;
    const det_box *objects;
    size_t object_count;
    const det_run *run;
    det_bytes bytes;
    det_image image;     /* empty until it is needed */
    det_region *regions; /* count: the proposals, and behind them the objects */
    size_t count, proposal_count;
    int width, height;
    char picture_digest[DET_DIGEST_SIZE]; /* of its bytes */
    char proposals_digest[DET_DIGEST_SIZE], features_digest[DET_DIGEST_SIZE];
} picture;

static void free_picture(picture *p)
{
    det_bytes_free(&p->bytes);
    det_image_free(&p->image);
    det_regions_free(p->regions);
}

static det_status need_image(picture *p, det_error *error)
{
    if (p->image.pixels) return DET_OK;
    return det_image_decode(p->bytes.data, p->bytes.size, p->path, NULL, &p->image, error);
}

/* ---- Proposals ------------------------------------------------------------------------------ */

static bool digest_proposals(picture *p)
{
    const void *const blocks[] = {PROPOSALS_VERSION, p->store->proposal_settings, p->bytes.data};
    const size_t sizes[] = {sizeof PROPOSALS_VERSION, strlen(p->store->proposal_settings) + 1,
                            p->bytes.size};
    return det_digest(blocks + 2, sizes + 2, 1, p->picture_digest) &&
           det_digest(blocks, sizes, 3, p->proposals_digest);
}

/* Boxes and the size of the picture, as they are kept. */
static det_status write_proposals(const picture *p, const char *path, det_error *error)
{
    const int64_t n = (int64_t)p->count;
    const int32_t size[2] = {p->width, p->height};
    det_box *boxes = det_alloc_array(p->count, sizeof *boxes);
    if (!boxes) return det_fail_memory(error, "the boxes of regions");
    for (size_t i = 0; i < p->count; i++) boxes[i] = p->regions[i].box;
    const det_tensor_source tensors[] = {
        {"boxes", "F32", {n, 4}, 2, boxes, p->count * sizeof *boxes},
        {"size", "I32", {2}, 1, size, sizeof size},
    };
    const det_status status = det_kept_write(path, PROPOSALS_VERSION, tensors, 2, error);
    det_free(boxes);
    return status;
}

static bool take_proposals(picture *p, const det_kept_file *file)
{
    const det_tensor *boxes = det_safetensors_find(&file->tensors, "boxes");
    const det_tensor *size = det_kept_find(file, "size", "I32", 2);
    if (!boxes || !size || strcmp(boxes->dtype, "F32") != 0 || boxes->count % 4 != 0) return false;
    const size_t count = boxes->count / 4;
    p->regions = det_alloc_zeroed(count, sizeof *p->regions);
    if (!p->regions) return false;
    for (size_t i = 0; i < count; i++)
        memcpy(&p->regions[i].box, boxes->data + i * sizeof(det_box), sizeof(det_box));
    int32_t sides[2];
    memcpy(sides, size->data, sizeof sides);
    p->width = sides[0];
    p->height = sides[1];
    p->count = count;
    return true;
}

/* @return whether proposals that can be used are kept at `path`. */
static bool read_proposals(picture *p, const char *path)
{
    det_kept_file file = {0};
    const bool found =
        det_kept_open(path, PROPOSALS_VERSION, &file, NULL) == DET_OK && take_proposals(p, &file);
    det_kept_close(&file);
    return found;
}

static det_status need_proposer(det_feature_store *store, det_error *error)
{
    if (store->proposer) return DET_OK;
    return det_proposer_create(store->config, &store->proposer, error);
}

static det_status make_proposals(picture *p, const char *path, det_error *error)
{
    const det_run run = det_run_within(p->run, p->store->config->runtime.threads, 0);
    det_result found = {.file = p->path};
    det_status status = need_image(p, error);
    if (status == DET_OK) status = need_proposer(p->store, error);
    if (status == DET_OK)
        status = det_proposer_propose(p->store->proposer, &p->image, 0, &run, &found, error);
    if (status < 0) return status;
    p->regions = found.regions;
    p->count = found.region_count;
    p->width = found.width;
    p->height = found.height;
    p->store->counts.proposed++;
    return write_proposals(p, path, error);
}

static det_status append_objects(picture *p, det_error *error)
{
    p->proposal_count = p->count;
    det_region *regions =
        det_realloc_array(p->regions, p->count + p->object_count, sizeof *regions);
    if (!regions) return det_fail_memory(error, "the regions of a picture");
    p->regions = regions;
    for (size_t i = 0; i < p->object_count; i++)
        regions[p->count++] = (det_region){.box = p->objects[i]};
    return DET_OK;
}

static det_status get_proposals(picture *p, det_error *error)
{
    char *path = digest_proposals(p)
                     ? det_kept_path(p->store->folder, "proposals", p->proposals_digest)
                     : NULL;
    if (!path) return det_fail_memory(error, "the proposals of a picture");
    det_status status = read_proposals(p, path) ? DET_OK : make_proposals(p, path, error);
    det_free(path);
    return status == DET_OK ? append_objects(p, error) : status;
}

/* ---- Features ------------------------------------------------------------------------------- */

static bool digest_features(picture *p)
{
    const det_feature_store *store = p->store;
    const void *const blocks[] = {FEATURES_VERSION, store->feature_settings, p->proposals_digest,
                                  p->objects};
    const size_t sizes[] = {sizeof FEATURES_VERSION, strlen(store->feature_settings) + 1,
                            strlen(p->proposals_digest), p->object_count * sizeof *p->objects};
    return det_digest(blocks, sizes, p->object_count > 0 ? 4 : 3, p->features_digest);
}

/* Features on their way from the network to a file. */
typedef struct {
    const det_feature_store *store;
    size_t count, width;
    uint8_t *values; /* of all regions */
    float *scales;
    det_box *boxes;
    float *grid; /* of one region */
} packing;

static det_status take_rows(void *context, const det_feature_rows *rows, det_error *error)
{
    (void)error;
    packing *out = context;
    const size_t map = det_shape_values(out->store->shape);
    for (size_t i = 0; i < rows->count; i++, out->count++) {
        det_grid_average(out->store->shape, out->store->rows, out->store->columns,
                         rows->values + i * map, out->grid);
        pack(out->grid, out->width, out->values + out->count * out->width,
             &out->scales[out->count]);
        out->boxes[out->count] = rows->boxes[i];
    }
    return DET_OK;
}

static det_status write_features(const picture *p, const packing *out, const char *path,
                                 det_error *error)
{
    const int64_t n = (int64_t)out->count;
    const int32_t size[3] = {p->width, p->height, (int32_t)p->proposal_count};
    const det_tensor_source tensors[] = {
        {"boxes", "F32", {n, 4}, 2, out->boxes, out->count * sizeof *out->boxes},
        {"scales", "F32", {n}, 1, out->scales, out->count * sizeof *out->scales},
        {"size", "I32", {3}, 1, size, sizeof size},
        {"values", "U8", {n, (int64_t)out->width}, 2, out->values, out->count * out->width},
    };
    return det_kept_write(path, FEATURES_VERSION, tensors, 4, error);
}

static det_status extract(picture *p, packing *out, det_error *error)
{
    const det_run run = p->run ? (det_run){.deadline_s = p->run->deadline_s} : (det_run){0};
    const det_feature_sink sink = {take_rows, out};
    out->values = det_alloc_array(p->count, out->width);
    out->scales = det_alloc_array(p->count, sizeof *out->scales);
    out->boxes = det_alloc_array(p->count, sizeof *out->boxes);
    out->grid = det_alloc_array(out->width, sizeof *out->grid);
    if (!out->values || !out->scales || !out->boxes || !out->grid)
        return det_fail_memory(error, "the features of a picture");
    return det_extractor_regions(p->store->extractor, &p->image, p->regions, p->count, &run, &sink,
                                 error);
}

static det_status make_features(picture *p, const char *path, det_error *error)
{
    packing out = {.store = p->store, .width = det_feature_store_width(p->store)};
    det_status status = need_image(p, error);
    if (status == DET_OK) status = extract(p, &out, error);
    if (status == DET_OK) status = write_features(p, &out, path, error);
    det_free(out.values);
    det_free(out.scales);
    det_free(out.boxes);
    det_free(out.grid);
    if (status == DET_OK) p->store->counts.extracted++;
    return status;
}

/* Points into the mapped file. */
static bool take_features(const det_kept_file *file, size_t width, det_region_features *features)
{
    const det_tensor *scales = det_safetensors_find(&file->tensors, "scales");
    const det_tensor *size = det_kept_find(file, "size", "I32", 3);
    if (!scales || !size || strcmp(scales->dtype, "F32") != 0) return false;
    const size_t count = scales->count;
    const det_tensor *boxes = det_kept_find(file, "boxes", "F32", count * 4);
    const det_tensor *values = det_kept_find(file, "values", "U8", count * width);
    int32_t numbers[3];
    memcpy(numbers, size->data, sizeof numbers);
    if (!boxes || !values || numbers[2] < 0 || (size_t)numbers[2] > count) return false;
    features->count = count;
    features->proposal_count = (size_t)numbers[2];
    features->width = width;
    features->boxes = (const det_box *)(const void *)boxes->data;
    features->scales = (const float *)(const void *)scales->data;
    features->values = values->data;
    features->picture_width = numbers[0];
    features->picture_height = numbers[1];
    return true;
}

/* Maps features that are kept at `path`. @return DET_OK, DET_IO, DET_FORMAT, DET_MEMORY. */
static det_status map_features(const char *path, size_t width, det_region_features *features,
                               det_error *error)
{
    det_kept_file file = {0};
    det_region_features found = {0};
    det_status status = det_kept_open(path, FEATURES_VERSION, &file, error);
    if (status == DET_OK && !take_features(&file, width, &found))
        status = det_fail(error, DET_FORMAT, "these are no features of %zu values", width);
    if (status == DET_OK) {
        *features = found;
        features->file = file.bytes;
        file.bytes = (det_bytes){0};
    }
    det_kept_close(&file);
    return status;
}

static det_status get_features(picture *p, det_region_features *features, det_error *error)
{
    const size_t width = det_feature_store_width(p->store);
    char *path =
        digest_features(p) ? det_kept_path(p->store->folder, "features", p->features_digest) : NULL;
    if (!path) return det_fail_memory(error, "the features of a picture");
    det_status status = DET_OK;
    if (map_features(path, width, features, NULL) < 0) {
        status = make_features(p, path, error);
        if (status == DET_OK)
            status = det_error_file(error, path, map_features(path, width, features, error));
    }
    det_free(path);
    if (status < 0) return status;
    memcpy(features->digest, p->features_digest, sizeof features->digest);
    memcpy(features->picture_digest, p->picture_digest, sizeof features->picture_digest);
    return DET_OK;
}

det_status det_feature_store_get(det_feature_store *store, const char *picture_path,
                                 const det_box *objects, size_t object_count, const det_run *run,
                                 det_region_features *features, det_error *error)
{
    picture p = {.store = store,
                 .path = picture_path,
                 .objects = objects,
                 .object_count = object_count,
                 .run = run};
    det_status status = det_file_read(picture_path, most_picture_bytes, &p.bytes, error);
    if (status == DET_OK) status = get_proposals(&p, error);
    if (status == DET_OK) status = get_features(&p, features, error);
    free_picture(&p);
    store->counts.pictures += status == DET_OK;
    return det_error_file(error, picture_path, status);
}

void det_region_features_free(det_region_features *features)
{
    det_bytes_free(&features->file);
    *features = (det_region_features){0};
}
