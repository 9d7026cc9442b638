/* SPDX-License-Identifier: Apache-2.0 */
/* What a selective search is to do: presets, defaults, and the checks of what a caller asks for.
 * The presets are those of table 5 of the IJCV paper; the sizes are those of R-CNN. */
#include "proposals/selective_search/plan.h"

#include "proposals/regions.h"
#include "proposals/selective_search/color.h"
#include "src/base/error.h"

#include <math.h>
#include <string.h>

enum { max_pixels = 1 << 28 };

#define COLOR DET_SIMILARITY_COLOR
#define TEXTURE DET_SIMILARITY_TEXTURE
#define SIZE DET_SIMILARITY_SIZE
#define FILL DET_SIMILARITY_FILL

static const struct {
    const char *name;
    det_selective_search_options options;
} presets[] = {
    {"fast",
     {.color_spaces = {DET_COLOR_HSV, DET_COLOR_LAB},
      .similarities = {COLOR | TEXTURE | SIZE | FILL, TEXTURE | SIZE | FILL},
      .k = {50, 100}}},
    {"single",
     {.color_spaces = {DET_COLOR_HSV},
      .similarities = {COLOR | TEXTURE | SIZE | FILL},
      .k = {100}}},
    {"quality",
     {.color_spaces = {DET_COLOR_HSV, DET_COLOR_LAB, DET_COLOR_RGI, DET_COLOR_H, DET_COLOR_I},
      .similarities = {COLOR | TEXTURE | SIZE | FILL, TEXTURE | SIZE | FILL, FILL, SIZE},
      .k = {50, 100, 150, 300}}},
};

det_status det_selective_search_preset(const char *name, det_selective_search_options *options,
                                       det_error *error)
{
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (strcmp(presets[i].name, name) == 0) {
            *options = presets[i].options;
            return DET_OK;
        }
    return det_fail(error, DET_ARGUMENT,
                    "no preset of selective search is called \"%s\"; use single, fast or quality",
                    name);
}

static det_status plan_spaces(const unsigned *given, det_search_plan *plan, det_error *error)
{
    if (!given[0]) given = presets[0].options.color_spaces;
    for (; plan->spaces < 8 && given[plan->spaces]; plan->spaces++) {
        plan->space[plan->spaces] = given[plan->spaces];
        if (!det_color_name(given[plan->spaces]))
            return det_fail(error, DET_ARGUMENT,
                            "color_spaces[%d] is %u, which is not one of DET_COLOR_*", plan->spaces,
                            given[plan->spaces]);
    }
    return DET_OK;
}

static det_status plan_similarities(const unsigned *given, det_search_plan *plan, det_error *error)
{
    if (!given[0]) given = presets[0].options.similarities;
    for (; plan->similarity_sets < 16 && given[plan->similarity_sets]; plan->similarity_sets++) {
        plan->similarity[plan->similarity_sets] = given[plan->similarity_sets];
        if (given[plan->similarity_sets] & ~(unsigned)(COLOR | TEXTURE | SIZE | FILL))
            return det_fail(error, DET_ARGUMENT,
                            "similarities[%d] is %u, which is not a set of DET_SIMILARITY_*",
                            plan->similarity_sets, given[plan->similarity_sets]);
    }
    return DET_OK;
}

/* Superpixels "2 times as large" (Szegedy et al. 2014, section 7) are read as twice the area, and
 * halve the proposals, as that paper says. Twice k and twice the minimum size are too much, since
 * both enlarge the small segments: the area grows by 2.3, and the 80 hierarchies keep .44 of their
 * boxes. With the exponent of min_size below, the area grows by 2.1 and .46 to .55 are kept. */
static const double min_size_exponent = .8;

static det_status plan_scales(const det_selective_search_options *options, det_search_plan *plan,
                              det_error *error)
{
    const double scale = options->superpixel_scale == 0 ? 1 : options->superpixel_scale;
    if (!(scale > 0 && scale <= 1e6))
        return det_fail(error, DET_ARGUMENT, "superpixel_scale is %g; it must be above 0", scale);
    if (options->min_size_px < 0)
        return det_fail(error, DET_ARGUMENT, "min_size_px is %d; it must not be negative",
                        options->min_size_px);

    const float *given = options->k[0] == 0 ? presets[0].options.k : options->k;
    for (int i = 0; i < 8 && given[i] != 0; i++) {
        if (!(given[i] > 0 && given[i] <= 1e9f))
            return det_fail(error, DET_ARGUMENT, "k[%d] is %g; it must be above 0", i,
                            (double)given[i]);
        const double least = options->min_size_px ? options->min_size_px : (double)given[i];
        plan->k[i] = scale * (double)given[i];
        plan->least_k = i ? fmin(plan->least_k, plan->k[i]) : plan->k[i];
        plan->most_k = fmax(plan->most_k, plan->k[i]);
        plan->min_size[i] =
            (int)fmin(fmax(round(pow(scale, min_size_exponent) * least), 1), max_pixels);
        plan->ks++;
    }
    return DET_OK;
}

det_status det_search_plan_create(const det_selective_search_options *options,
                                  det_search_plan *plan, det_error *error)
{
    static const det_selective_search_options defaults;
    if (!options) options = &defaults;
    *plan = (det_search_plan){
        .sigma_px = options->sigma_px == 0 ? .8 : options->sigma_px,
        .max = options->max,
        .texture = options->texture,
        .min_side_px = options->min_side_px == 0 ? 20 : options->min_side_px,
        .width_px = options->width_px == 0 ? 500 : options->width_px,
        .seed = options->seed,
        .near_duplicate_iou = options->near_duplicate_iou == 0 ? .9 : options->near_duplicate_iou,
    };
    if (!(plan->sigma_px > 0 && plan->sigma_px <= 100))
        return det_fail(error, DET_ARGUMENT, "sigma_px is %g; it must be above 0, at most 100",
                        plan->sigma_px);
    if (!(plan->near_duplicate_iou > 0 && plan->near_duplicate_iou <= 1))
        return det_fail(error, DET_ARGUMENT,
                        "near_duplicate_iou is %g; it must be above 0, at most 1",
                        plan->near_duplicate_iou);
    if (options->texture != DET_TEXTURE_PAPER && options->texture != DET_TEXTURE_CODE)
        return det_fail(error, DET_ARGUMENT, "texture is %d, which is not one of DET_TEXTURE_*",
                        (int)plan->texture);

    det_status status = plan_spaces(options->color_spaces, plan, error);
    if (status == DET_OK) status = plan_similarities(options->similarities, plan, error);
    if (status == DET_OK) status = plan_scales(options, plan, error);
    return status;
}

det_status det_search_plan_size(const det_search_plan *plan, const det_image *image, int *width,
                                int *height, det_error *error)
{
    if (image->width < 1 || image->height < 1 || !image->pixels)
        return det_fail(error, DET_ARGUMENT, "an empty picture has no regions");
    double w, h;
    det_working_size(image, plan->width_px, &w, &h);
    if (w * h > max_pixels)
        return det_fail(error, DET_LIMIT,
                        "selective search would work on %.0f x %.0f pixels, more than its %d; "
                        "lower its width",
                        w, h, max_pixels);
    *width = (int)w;
    *height = (int)h;
    return DET_OK;
}
