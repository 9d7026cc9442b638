/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_PROPOSALS_H
#define DETECT_PROPOSALS_H

#include "detect/image.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum det_source {
    DET_SOURCE_SELECTIVE_SEARCH = 0,
    DET_SOURCE_MULTIBOX = 1,
    DET_SOURCE_UNIFORM = 2,
    DET_SOURCE_SLIDING = 3,
    DET_SOURCE_PICTURE = 4 /**< the whole picture */
} det_source;

/** "selective_search", "multibox", "uniform", "sliding", "picture". Never NULL. */
DET_API const char *det_source_name(det_source source);

/** A place where an object may be. */
typedef struct det_region {
    det_box box; /**< pixels of the picture */
    float score; /**< higher is better; in (0, 1], the order is what counts */
    det_source source;
    int hierarchy; /**< selective search: which of its hierarchies ranked the box best, from 0:
                      (color space * number of k + k) * number of similarities + similarities */
} det_region;

/** Colour spaces of selective search, as bits. */
enum {
    DET_COLOR_HSV = 1,
    DET_COLOR_LAB = 2,
    DET_COLOR_RGB = 4,
    DET_COLOR_I = 8,     /**< intensity */
    DET_COLOR_RGI = 16,  /**< normalised r, g, and intensity */
    DET_COLOR_NRGB = 32, /**< normalised r, g, b ("rgb" in the paper) */
    DET_COLOR_C = 64,    /**< opponent colours over intensity */
    DET_COLOR_H = 128    /**< hue of HSV */
};

/** Terms of the similarity of two regions, as bits; a combination is their mean. */
enum {
    DET_SIMILARITY_COLOR = 1,
    DET_SIMILARITY_TEXTURE = 2,
    DET_SIMILARITY_SIZE = 4,
    DET_SIMILARITY_FILL = 8
};

/** How texture is measured: Gaussian derivatives of every channel (sigma 1, as in the paper), or as
 *  the code that its authors published does (sigma 0.8, the first channel in the place of all). */
typedef enum det_texture { DET_TEXTURE_PAPER = 0, DET_TEXTURE_CODE = 1 } det_texture;

/** What a selective search did. */
typedef struct det_selective_search_report {
    int width, height; /**< of the working picture */
    int hierarchies;
    size_t segments;  /**< initial segments, of all segmentations together */
    size_t found;     /**< different boxes, before `max` cut them */
    size_t too_small; /**< different boxes that min_side_px removed, not counted in `found` */
} det_selective_search_report;

/** Selective search (Uijlings et al., IJCV 2013). Zero in a field means its default. */
typedef struct det_selective_search_options {
    unsigned color_spaces[8];  /**< DET_COLOR_*, one bit an entry, ended by 0; default HSV, Lab */
    unsigned similarities[16]; /**< sets of DET_SIMILARITY_*, ended by 0; default CTSF, TSF */
    float k[8];      /**< scale of the initial segmentation, ended by 0; default 50, 100 */
    int min_size_px; /**< smallest initial segment, in pixels of the working picture; 0: k */
    double sigma_px; /**< Gaussian blur before segmentation; default 0.8 */
    double superpixel_scale; /**< superpixels of so many times the area: k times this, min_size_px
                                times this to the power of .8; default 1; 2 is the GoogLeNet
                                paper's setting and about halves the regions */
    size_t max;              /**< boxes to return at most; default 0: all */
    int min_side_px; /**< boxes with a shorter side, in the working picture, are left out; default
                        20, negative: none is */
    int width_px;    /**< the picture is resized to this width first; default 500, negative: its own
                        size. Enlarging stops where the height would exceed 4 times this, reducing
                        where it would fall below a quarter */
    uint64_t seed;   /**< of the random ranking; default 0 */
    double near_duplicate_iou; /**< boxes that overlap a better one by more come after all others;
                                  default 0.9; 1: the ranking of the paper as it is */
    det_texture texture;
    det_selective_search_report *report; /**< or NULL: filled when the search succeeds */
} det_selective_search_options;

/** Fills in color_spaces, similarities and k as in the paper's table, and zeroes the other fields.
 *  @param name "single" (1 hierarchy), "fast" (8, the default) or "quality" (80).
 *  @return DET_OK, DET_ARGUMENT (another name). Thread-safe. */
DET_API det_status det_selective_search_preset(const char *name,
                                               det_selective_search_options *options,
                                               det_error *error);

/** Proposes regions by selective search.
 *
 *  Boxes are integral pixels of the working picture, scaled back to `image`, ranked by
 *  random(0, 1) times the position in the hierarchy counted from its top (section 4.3 of the
 *  paper), best first, duplicates removed; near duplicates come last, with scores up to 0.5.
 *
 *  @param options or NULL for the defaults (the paper's "fast" version).
 *  @param run     or NULL.
 *  @param regions receives an array of *count regions; free with det_regions_free. A picture of
 *                 one pixel gives one region, and a picture never gives none unless min_side_px
 *                 removes them all.
 *  @return DET_OK, DET_ARGUMENT, DET_LIMIT (the working picture exceeds 2^28 pixels), DET_MEMORY,
 *          DET_CANCELLED.
 *  Thread-safe. The same boxes in the same order for the same seed on any number of threads. */
DET_API det_status det_selective_search(const det_image *image,
                                        const det_selective_search_options *options,
                                        const det_run *run, det_region **regions, size_t *count,
                                        det_error *error);

/** A picture cut into segments (superpixels); {0} is none. */
typedef struct det_segmentation {
    int width, height; /**< of the working picture */
    int count;         /**< of segments */
    int32_t *labels;   /**< height x width: the segment of each pixel, 0 to count - 1, numbered by
                          their first pixels, row by row */
} det_segmentation;

/** The segments that the first hierarchy of a selective search begins with: those of the first
 *  colour space and the first k of the options, each connected over 8 neighbours.
 *  @param options      or NULL for the defaults; the sizes, the blur and superpixel_scale hold,
 * too.
 *  @param run          or NULL. It runs on the calling thread alone.
 *  @param segmentation receives them; free with det_segmentation_free. Left empty on failure.
 *  @return as det_selective_search. Thread-safe. */
DET_API det_status det_selective_search_segment(const det_image *image,
                                                const det_selective_search_options *options,
                                                const det_run *run, det_segmentation *segmentation,
                                                det_error *error);

/** Frees the labels and empties the segmentation. Takes NULL and empty ones. */
DET_API void det_segmentation_free(det_segmentation *segmentation);

/** How the controls propose. Zero in a field means its default. */
typedef struct det_control_options {
    size_t max;      /**< boxes to return at most; default 1000 */
    int min_side_px; /**< as in det_selective_search_options */
    int width_px;    /**< boxes are whole pixels of a picture of this width; as there */
    uint64_t seed;   /**< of uniform; default 0 */
} det_control_options;

/** Proposes boxes at random, whatever the picture shows: the chance level of any figure of recall.
 *
 *  "Uniform" of Hosang et al., "What makes for effective detection proposals?" (PAMI 2016): centre,
 *  square root of the area and logarithm of the aspect ratio are drawn uniformly, and the box is
 * cut at the borders of the picture. Here the centre lies anywhere in the picture, the root of the
 * area (before the cut) between min_side_px and that of the picture, width / height between 1/5
 * and 5. Corners are rounded to pixels of the picture that selective search would work on, boxes
 * with a side under min_side_px and boxes that are there already are drawn again.
 *
 *  @param image   only its size is read.
 *  @param options or NULL for the defaults.
 *  @param regions receives an array of *count regions; free with det_regions_free. Fewer than
 *                 options->max where the picture has hardly as many different boxes; none where a
 *                 side of it is under min_side_px. The scores are 1, 1/2, 1/3, ... in the order of
 *                 drawing, so that a smaller max gives the first of them.
 *  @return DET_OK, DET_ARGUMENT (an empty picture), DET_MEMORY.
 *  Thread-safe. The same boxes for the same seed. */
DET_API det_status det_propose_uniform(const det_image *image, const det_control_options *options,
                                       det_region **regions, size_t *count, det_error *error);

/** Proposes the windows of a grid, whatever the picture shows: the other control.
 *
 *  As "SlidingWindow" of Hosang et al., the windows are shared evenly among several sizes, and
 * those of a size spread evenly over the picture. The widths are 1, 1/2, 1/4, ... of the picture's,
 * the heights likewise, down to min_side_px; a size is a width and a height that are halved at most
 *  three times more often than one another. The windows of a size are a lattice that reaches all
 *  borders, its steps as equal as possible in both directions.
 *
 *  They come so that the first n, for any n, are spread over sizes and places: a window of every
 *  size, largest first, then a second of every size, and so on; those of a size from the middle of
 *  the picture in the order of a Bayer matrix, which fills the largest gaps first.
 *
 *  @param image   only its size is read.
 *  @param options or NULL; the seed has no meaning. min_side_px and width_px as for uniform.
 *  @param regions receives an array of *count regions, somewhat fewer than options->max; free with
 *                 det_regions_free. The scores are 1, 1/2, 1/3, ...
 *  @return DET_OK, DET_ARGUMENT (an empty picture), DET_MEMORY. Thread-safe. */
DET_API det_status det_propose_sliding(const det_image *image, const det_control_options *options,
                                       det_region **regions, size_t *count, det_error *error);

/** Frees an array of regions. Takes NULL. */
DET_API void det_regions_free(det_region *regions);

#ifdef __cplusplus
}
#endif
#endif
