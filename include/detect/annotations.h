/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_ANNOTATIONS_H
#define DETECT_ANNOTATIONS_H

#include "detect/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Pictures whose objects are known, as COCO, PASCAL VOC and YOLO (Ultralytics, darknet) write them
 * down. Every number is kept as its file has it, because the official evaluations need every bit;
 * det_annotations_box and det_annotations_corners give pixels. */

typedef enum det_annotations_format {
    DET_ANNOTATIONS_COCO = 0,
    DET_ANNOTATIONS_VOC,
    DET_ANNOTATIONS_YOLO
} det_annotations_format;

typedef struct det_annotated_image {
    /** COCO: "file_name" as written. VOC: the name of the XML file, with the ending of its
     *  <filename> (".jpg" where that has none) in place of ".xml"; evaluation names pictures so,
     *  whatever <filename> says. YOLO: the path where the picture was found. */
    const char *file;
    int64_t id;          /**< COCO: its own; else 1, 2, ... */
    int width, height;   /**< pixels, upright; 0 where they are not known */
    size_t first_object; /**< the objects of the picture are objects[first_object], ... */
    size_t object_count; /**< ... so many, in the order of the file */
} det_annotated_image;

/** A class of objects. */
typedef struct det_category {
    const char *name;
    int64_t id; /**< COCO: its own; VOC: 1, 2, ...; YOLO: the number of its labels */
} det_category;

typedef struct det_annotated_object {
    int64_t id;             /**< COCO: its own, -1 where it has none; else 1, 2, ... */
    size_t image, category; /**< where in `images` and `categories` */
    double box[4]; /**< COCO: x, y, width, height, pixels. VOC: xmin, ymin, xmax, ymax, pixels,
                        1-based, inclusive. YOLO: centre x, centre y, width, height, all
                        relative to the picture */
    double area;   /**< pixels. COCO: its "area", else width times height. VOC: (xmax - xmin + 1)
                        (ymax - ymin + 1). YOLO: of the box, 0 where the picture's size is
                        unknown */
    bool crowd, ignore;                  /**< COCO: "iscrowd", "ignore" (not beside "difficult") */
    bool difficult, truncated, occluded; /**< VOC; also members of that name in COCO files, which
                                              only this library writes and reads */
} det_annotated_object;

/** What is strange, though not wrong enough to refuse the annotations. */
typedef enum det_annotations_oddity {
    DET_ODDITY_UNKNOWN_IMAGE = 0, /**< COCO: objects on images that are not there: left out */
    DET_ODDITY_UNKNOWN_CATEGORY,  /**< COCO: objects of categories that are not there: left out */
    DET_ODDITY_NO_ID,             /**< COCO: objects without an id */
    DET_ODDITY_ID_ZERO,           /**< COCO: objects with the id 0: pycocotools takes what matches
                                       them for unmatched */
    DET_ODDITY_SAME_ID,           /**< COCO: objects whose id another has: pycocotools takes the
                                       last one for all of them */
    DET_ODDITY_NO_AREA,           /**< COCO: objects without "area" */
    DET_ODDITY_SAME_FILE,         /**< pictures of a file that another has, too */
    DET_ODDITY_SAME_NAME,         /**< categories of a name that another has, too */
    DET_ODDITY_OTHER_FILENAME,    /**< VOC: <filename> names another file than the XML file */
    DET_ODDITY_EMPTY,             /**< objects whose width, height or area is not above 0 */
    DET_ODDITY_OUTSIDE,           /**< objects that reach more than a pixel beyond the picture */
    DET_ODDITY_POLYGON,           /**< YOLO: outlines, of which the box around them is taken */
    DET_ODDITY_NO_LABELS,         /**< YOLO: pictures without a file of labels: without objects */
    DET_ODDITY_NO_PICTURE,        /**< YOLO: files of labels without a picture: left out */
    DET_ODDITY_UNREADABLE,        /**< YOLO: pictures whose size cannot be read */
    DET_ODDITY_COUNT
} det_annotations_oddity;

typedef struct det_annotations_warning {
    det_annotations_oddity oddity;
    size_t count;     /**< how often, at least 1 */
    const char *text; /**< a line that says what, how often and where first */
} det_annotations_warning;

/** Something that the files say and that is not read. */
typedef struct det_unread {
    char name[80]; /**< COCO: "annotations.segmentation"; VOC: "object/part"; YOLO: "outline" */
    size_t count;  /**< how often it was met */
} det_unread;

/** Annotations: read once, never changed, safe to share. Every pointer is owned by them. */
typedef struct det_annotations {
    det_annotations_format format;
    const char *folder; /**< where the pictures are looked for: `file` is relative to it; "" where
                             `file` says it all */
    const det_annotated_image *images;
    size_t image_count;
    const det_category *categories;
    size_t category_count;
    const det_annotated_object *objects; /**< grouped by image */
    size_t object_count;
    const size_t *last_of_id; /**< COCO: of each object, the last one in the file that has its id,
                                   which is what pycocotools takes for all of them; SIZE_MAX: that
                                   one was left out. NULL: no two have the same */
    const size_t *file_order; /**< objects in the order of the file; NULL where last_of_id is */
    const det_unread *unread; /**< by name, in the order in which it was met; beyond some dozens of
                                   names the rest is called "other" */
    size_t unread_count;
    const det_annotations_warning *warnings; /**< one for each oddity that was met */
    size_t warning_count;
} det_annotations;

/** How annotations are read. NULL in its place means the defaults, which are all zero. */
typedef struct det_annotations_options {
    const char *split; /**< VOC: ImageSets/Main/SPLIT.txt gives the pictures. YOLO: "train", "val"
                            or "test" of the .yaml file, or images/SPLIT. COCO: of the files of a
                            folder the one of that name. NULL: all there are */
    const char
        *pictures; /**< the folder of the pictures (COCO, VOC); NULL: where they usually are */
} det_annotations_options;

/** Reads annotations; what `path` is decides how, the first that fits:
 *  - a file that ends in .json: COCO;
 *  - a folder with Annotations/, or one of .xml files: PASCAL VOC;
 *  - a folder whose .yaml file or list of names (classes.txt, obj.names) gives the classes, or that
 *    .yaml file: YOLO;
 *  - a folder with annotations/instances_*.json, else other .json files in annotations/, else
 *    _annotations.coco.json there or in folders below (Roboflow), else .json files: COCO, of which
 *    there must be one, or one whose name the split is or that alone has it in its name;
 *  - a folder with images/: YOLO.
 *
 *  @param options     or NULL for the defaults.
 *  @param annotations free with det_annotations_free. Untouched on failure.
 *  @return DET_OK; DET_IO (missing, unreadable); DET_FORMAT (not what it should be, with the
 * place); DET_UNSUPPORTED (nothing that is known: the message says what was looked for);
 *          DET_ARGUMENT (a split that is not there; several files of COCO); DET_LIMIT; DET_MEMORY.
 *  Memory is proportional to the pictures and objects, not to the file. Thread-safe. */
DET_API det_status det_annotations_read(const char *path, const det_annotations_options *options,
                                        det_annotations **annotations, det_error *error);

/** Takes NULL. */
DET_API void det_annotations_free(det_annotations *annotations);

/** "coco", "voc", "yolo"; never NULL. */
DET_API const char *det_annotations_format_name(det_annotations_format format);

/** The box of an object as corners x0, y0, x1, y1 in pixels, 0-based, half-open, computed in
 *  double: COCO x, y, x + width, y + height; VOC xmin - 1, ymin - 1, xmax, ymax; YOLO (cx - w / 2)
 *  times the width of the picture and so on, all 0 where that is unknown. Neither cut at the edges
 *  of the picture nor put in order.
 *  @param object below object_count. */
DET_API void det_annotations_corners(const det_annotations *annotations, size_t object,
                                     double corners[4]);
/** The same, rounded to float. */
DET_API det_box det_annotations_box(const det_annotations *annotations, size_t object);

/** Finds a picture by its file: the one whose `file` is `path`, else the one of the same base name,
 *  and where several have that, of the longest common end of the path, folder by folder. A name
 *  without an ending ("000012" as in files of results) is taken, too. VOC and YOLO do not tell
 * a.jpg from a.png.
 *  @param index receives its place in `images`.
 *  @return DET_OK; DET_ARGUMENT (none, or several that fit equally well; error->file is `path`).
 *  O(log n). Thread-safe. */
DET_API det_status det_annotations_find_image(const det_annotations *annotations, const char *path,
                                              size_t *index, det_error *error);

#ifdef __cplusplus
}
#endif
#endif
