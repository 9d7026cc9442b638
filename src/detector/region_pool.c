/* SPDX-License-Identifier: Apache-2.0 */
/* Regions pooled from the map of a whole picture. Three systems of coordinates, all continuous:
 *
 *   picture   pixels; a region's box
 *   canvas    pixels; x = factor * picture x + frame
 *   map       cells; cell j covers [j, j + 1) and looks around canvas x0 + j * step (det_cells):
 *             map x = (canvas x - x0) / step + 1/2
 *
 * The crop of a region is the rectangle of the picture that is warped to the network's input, W
 * pixels wide. Cell j of the layer would look around pixel x0 + j * step of it, so that the pooled
 * map of n cells reaches from x0 - step / 2 to x0 + (n - 1/2) * step of the crop. */
#include "src/detector/region_pool.h"

#include "src/base/error.h"
#include "src/base/memory.h"
#include "src/base/run.h"
#include "src/detector/box_deltas.h"
#include "src/detector/trunks.h"
#include "src/nn/model_file.h"
#include "src/nn/region_layer.h"
#include "src/nn/roi_pool.h"

#include <math.h>
#include <string.h>

/* canvas_multiple_px: few sizes of pictures, few networks to compile. */
enum { scales_max = 8, canvas_multiple_px = 32, aspect_max = 2 };

struct det_region_pool {
    det_region_pool_options options;
    float scales_px[scales_max];
    const char *layer; /* belongs to the model, which the trunks keep */
    det_cells cells;
    det_shape bins;
    det_trunks *trunks;
};

/* ---- Creation ---------------------------------------------------------------------------------
 */

static det_status find_target(const det_model *model, const det_region_pool_options *options,
                              size_t index, int *target, det_error *error)
{
    if (options->targets)
        return det_graph_require(&model->graph, options->targets[index], target, error);
    *target = model->probabilities;
    if (*target >= 0) return DET_OK;
    return det_fail(error, DET_ARGUMENT, "the model has no class probabilities");
}

/* The layer that the model names, where `target` comes after it, or else one found for it. */
static det_status choose_layer(const det_model *model, int target, int *layer, det_error *error)
{
    det_status status = DET_ARGUMENT;
    if (model->regions >= 0)
        status = det_region_layer_check(&model->graph, model->regions, target, NULL);
    if (status == DET_MEMORY) return det_fail_memory(error, "the layers of a network");
    *layer = model->regions;
    if (status == DET_OK) return DET_OK;
    return det_region_layer_find(&model->graph, model->shapes, target, layer, error);
}

static det_status find_layer(const det_model *model, const det_region_pool_options *options,
                             int *layer, det_error *error)
{
    int target;
    det_status status = find_target(model, options, 0, &target, error);
    if (status < 0) return status;
    status = options->layer ? det_graph_require(&model->graph, options->layer, layer, error)
                            : choose_layer(model, target, layer, error);
    if (status < 0) return status;

    const size_t targets = options->targets ? options->target_count : 1;
    for (size_t i = 0; status == DET_OK && i < targets; i++) {
        status = find_target(model, options, i, &target, error);
        if (status == DET_OK) status = det_region_layer_check(&model->graph, *layer, target, error);
    }
    return status;
}

static det_status create(det_region_pool *pool, det_model *model, det_error *error)
{
    int layer;
    det_status status = find_layer(model, &pool->options, &layer, error);
    if (status == DET_OK)
        status = det_region_layer_cells(&model->graph, layer, &pool->cells, error);
    if (status < 0) return status;
    pool->layer = model->graph.nodes[layer].name;
    pool->bins = model->shapes[layer];
    const det_network_options trunk = {.precision = pool->options.precision,
                                       .threads = pool->options.threads,
                                       .to = &pool->layer,
                                       .to_count = 1,
                                       .to_channels_last = true};
    return det_trunks_create(model, &trunk, &pool->trunks, error);
}

det_region_pool_options det_region_pool_options_of(const det_config *config)
{
    size_t scales = 0;
    while (scales < DET_POOL_SCALES && config->classifier.pool_scales[scales] > 0) scales++;
    return (det_region_pool_options){
        .layer = *config->classifier.pool_layer ? config->classifier.pool_layer : NULL,
        .scales_px = config->classifier.pool_scales,
        .scale_count = scales,
        .maximum = strcmp(config->classifier.pool_method, "max") == 0};
}

det_status det_region_pool_create(det_model *model, const det_region_pool_options *options,
                                  det_region_pool **pool, det_error *error)
{
    det_region_pool *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "the pooling of regions");
    made->options = *options;
    memcpy(made->scales_px, options->scales_px, options->scale_count * sizeof *made->scales_px);
    const det_status status = create(made, model, error);
    if (status < 0)
        det_region_pool_free(made);
    else
        *pool = made;
    return status;
}

void det_region_pool_free(det_region_pool *pool)
{
    if (!pool) return;
    det_trunks_free(pool->trunks);
    det_free(pool);
}

const char *det_region_pool_layer(const det_region_pool *pool)
{
    return pool->layer;
}

size_t det_region_pool_trunks(const det_region_pool *pool)
{
    return det_trunks_count(pool->trunks);
}

/* ---- One axis ---------------------------------------------------------------------------------
 */

/* An axis of a picture on a canvas. */
typedef struct {
    double factor; /* canvas pixels of a picture pixel */
    int frame;     /* canvas pixels before the picture */
    int size;      /* of the canvas */
} canvas_axis;

/* How much of a crop its region fills: the rest shows the surroundings. */
static double inner_share(int crop, int context)
{
    return (double)(crop - 2 * context) / crop;
}

/* The frame is as wide as the surroundings of a region that is the whole picture. */
static canvas_axis make_canvas_axis(int picture, double factor, int crop, int context)
{
    const double rounding = 1e-3, size = picture * factor;
    const double beyond = size * context / (crop - 2 * context);
    const int frame = (int)ceil(beyond - rounding);
    const int whole = (int)ceil(size - rounding) + 2 * frame;
    if (whole <= crop) return (canvas_axis){factor, frame, crop};
    const int multiples = (whole + canvas_multiple_px - 1) / canvas_multiple_px;
    return (canvas_axis){factor, frame, multiples * canvas_multiple_px};
}

/* An axis of the layer's map and of the crop that the network was made for. */
typedef struct {
    double x0, step; /* det_cells */
    int bins;        /* cells of the map at the network's own size */
    int crop, context;
} map_axis;

/* From low to high: a side of a box in the picture, and then of its crop in cells of the map. */
static void to_map(const canvas_axis *a, const map_axis *m, float *low, float *high)
{
    const double far = 1e6; /* cells; what is infinite to the map */
    const double width = ((double)*high - *low) / inner_share(m->crop, m->context);
    const double start = *low - m->context * width / m->crop;
    const double canvas_start = start * a->factor + a->frame;
    const double zoom = width * a->factor / m->crop; /* canvas pixels of a crop pixel */
    const double first = (canvas_start + (m->x0 - m->step / 2) * zoom - m->x0) / m->step + .5;
    *low = (float)fmin(fmax(first, -far), far);
    *high = (float)fmin(fmax(first + m->bins * zoom, -far), far);
}

/* ---- Maps -------------------------------------------------------------------------------------
 */

/* What the first half of the network says of the picture at one scale. */
typedef struct {
    canvas_axis x, y;
    det_roi_map map; /* values: owned; NULL: not made yet */
    float *values;
} scaled_map;

struct det_region_maps {
    const det_region_pool *pool;
    const det_image *image;
    scaled_map scales[scales_max];
};

static double factor_of(const det_image *image, double shorter_px)
{
    const int shorter = image->width < image->height ? image->width : image->height;
    const int longer = image->width < image->height ? image->height : image->width;
    return fmin(shorter_px / shorter, aspect_max * shorter_px / longer);
}

det_status det_region_maps_create(const det_region_pool *pool, const det_image *image,
                                  det_region_maps **maps, det_error *error)
{
    det_region_maps *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "the maps of a picture");
    made->pool = pool;
    made->image = image;
    const det_crop_options *crop = &pool->options.crop;
    for (size_t i = 0; i < pool->options.scale_count; i++) {
        const double factor = factor_of(image, pool->scales_px[i]);
        made->scales[i].x = make_canvas_axis(image->width, factor, crop->width, crop->context_px);
        made->scales[i].y = make_canvas_axis(image->height, factor, crop->height, crop->context_px);
    }
    *maps = made;
    return DET_OK;
}

void det_region_maps_free(det_region_maps *maps)
{
    if (!maps) return;
    for (size_t i = 0; i < scales_max; i++) det_free(maps->scales[i].values);
    det_free(maps);
}

size_t det_region_maps_memory(const det_region_maps *maps)
{
    size_t bytes = 0;
    for (size_t i = 0; i < scales_max; i++)
        if (maps->scales[i].values)
            bytes += det_shape_values(maps->scales[i].map.shape) * sizeof(float);
    return bytes;
}

/* The scale at which the region's crop has the area nearest to the network's input, by ratio; of
 * two equally near ones the first. */
static size_t scale_of(const det_region_maps *maps, det_box box)
{
    const det_crop_options *crop = &maps->pool->options.crop;
    const double inner =
        inner_share(crop->width, crop->context_px) * inner_share(crop->height, crop->context_px);
    const double area = ((double)box.x1 - box.x0) * ((double)box.y1 - box.y0) / inner;
    const double wanted = (double)crop->width * crop->height;
    size_t best = 0;
    double nearest = INFINITY;
    for (size_t i = 0; i < maps->pool->options.scale_count; i++) {
        const scaled_map *m = &maps->scales[i];
        const double distance = fabs(log(area * m->x.factor * m->y.factor / wanted));
        if (distance < nearest) best = i;
        if (distance < nearest) nearest = distance;
    }
    return best;
}

/* The picture on its canvas: a crop of the picture and its frame, without surroundings. */
static det_status draw_canvas(const det_region_maps *maps, const scaled_map *m, uint8_t *pixels,
                              det_error *error)
{
    det_crop_options options = maps->pool->options.crop;
    options.width = m->x.size;
    options.height = m->y.size;
    options.context_px = 0;
    const det_box box = {(float)(-m->x.frame / m->x.factor), (float)(-m->y.frame / m->y.factor),
                         (float)((m->x.size - m->x.frame) / m->x.factor),
                         (float)((m->y.size - m->y.frame) / m->y.factor)};
    const det_status status = det_crop(maps->image, box, &options, pixels);
    if (status == DET_MEMORY) return det_fail_memory(error, "a picture at another scale");
    return status < 0 ? det_fail(error, DET_INTERNAL, "a picture cannot be resized") : DET_OK;
}

static size_t canvas_bytes(const scaled_map *m)
{
    return (size_t)m->x.size * (size_t)m->y.size * 3;
}

static det_status check_memory(const scaled_map *m, const det_network *trunk, size_t bytes_max,
                               det_error *error)
{
    const size_t bytes = canvas_bytes(m) + det_network_memory(trunk) +
                         det_shape_values(det_network_output_shape(trunk, 0)) * sizeof(float);
    if (bytes <= bytes_max) return DET_OK;
    return det_fail_at(error, DET_LIMIT, NULL, "limits.memory_mb",
                       "the network for this picture at %d x %d pixels needs about %zu MiB, and "
                       "%zu are left; lower classifier.pool.scales, or raise it",
                       m->x.size, m->y.size, (bytes >> 20) + 1, bytes_max >> 20);
}

static det_status run_trunk(const det_region_maps *maps, scaled_map *m, const det_network *trunk,
                            det_region_times *times, det_error *error)
{
    const double start_s = det_now_s();
    const det_shape shape = det_network_output_shape(trunk, 0);
    det_worker *worker = NULL;
    uint8_t *pixels = det_alloc_aligned(canvas_bytes(m));
    float *values = det_alloc_aligned(det_shape_values(shape) * sizeof *values);
    det_status status = pixels && values ? draw_canvas(maps, m, pixels, error)
                                         : det_fail_memory(error, "the map of a picture");
    const double drawn_s = det_now_s();
    if (status == DET_OK) status = det_worker_create(&trunk, 1, &worker, error);
    if (status == DET_OK)
        status = det_network_run_pictures(trunk, worker, pixels, 1, &values, error);
    times->canvas_ms += (drawn_s - start_s) * 1e3;
    times->network_ms += (det_now_s() - drawn_s) * 1e3;
    if (status == DET_OK) {
        m->values = values;
        m->map = (det_roi_map){values, shape};
        values = NULL;
    }
    det_worker_free(worker);
    det_free(values);
    det_free(pixels);
    return status;
}

static det_status make_map(const det_region_maps *maps, scaled_map *m, size_t bytes_max,
                           det_region_times *times, det_error *error)
{
    det_trunks *trunks = maps->pool->trunks;
    const det_network *trunk = NULL;
    const size_t held = det_region_maps_memory(maps);
    bytes_max = bytes_max > held ? bytes_max - held : 0;
    const double start_s = det_now_s();
    det_status status = det_trunks_borrow(trunks, m->x.size, m->y.size, bytes_max, &trunk, error);
    times->network_ms += (det_now_s() - start_s) * 1e3;
    if (status < 0) return status;
    status = check_memory(m, trunk, bytes_max, error);
    if (status == DET_OK) status = run_trunk(maps, m, trunk, times, error);
    det_trunks_return(trunks, trunk);
    return status;
}

det_status det_region_maps_prepare(det_region_maps *maps, const det_region *regions, size_t count,
                                   size_t bytes_max, det_region_times *times, det_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (!det_box_is_sound(regions[i].box))
            return det_fail(error, DET_ARGUMENT, "a region is empty or not finite");
        scaled_map *m = &maps->scales[scale_of(maps, regions[i].box)];
        if (m->values) continue;
        const det_status status = make_map(maps, m, bytes_max, times, error);
        if (status < 0) return status;
    }
    return DET_OK;
}

/* ---- Regions ----------------------------------------------------------------------------------
 */

det_status det_region_maps_pool(const det_region_maps *maps, det_box box, float *out)
{
    const det_region_pool *pool = maps->pool;
    const det_crop_options *crop = &pool->options.crop;
    const det_cells *cells = &pool->cells;
    const scaled_map *m = &maps->scales[scale_of(maps, box)];
    const map_axis x = {cells->x0, cells->step_x, pool->bins.width, crop->width, crop->context_px};
    const map_axis y = {cells->y0, cells->step_y, pool->bins.height, crop->height,
                        crop->context_px};
    to_map(&m->x, &x, &box.x0, &box.x1);
    to_map(&m->y, &y, &box.y0, &box.y1);
    if (!pool->options.maximum)
        return det_roi_align(&m->map, box, pool->bins.height, pool->bins.width, out);
    det_roi_max(&m->map, box, pool->bins.height, pool->bins.width, out);
    return DET_OK;
}
