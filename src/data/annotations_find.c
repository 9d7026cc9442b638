/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of annotations by file name: a sorted array of base names, and among equal ones the
 * longest common end of the path. */
#include "src/data/annotations.h"

#include "src/base/memory.h"
#include "src/data/names.h"
#include "src/data/paths.h"

#include <stdlib.h>
#include <string.h>

/* ---- The sorted names ---- */

static int compare_texts(const det_image_key *a, const det_image_key *b)
{
    const size_t shorter = a->length < b->length ? a->length : b->length;
    const int order = memcmp(a->text, b->text, shorter);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

static int compare_keys(const void *a, const void *b)
{
    const det_image_key *x = a, *y = b;
    const int order = compare_texts(x, y);
    return order ? order : (x->image > y->image) - (x->image < y->image);
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Counts in `oddity` the texts that another one equals. Sorts them. */
static void note_doubles(det_annotations_data *data, det_annotations_oddity oddity,
                         const char **texts, size_t count)
{
    if (count > 0) qsort(texts, count, sizeof *texts, compare_files);
    for (size_t i = 1; i < count; i++)
        if (strcmp(texts[i], texts[i - 1]) == 0)
            det_annotations_note(data, oddity, "\"%s\"", texts[i]);
}

static det_status find_doubles(det_annotations_data *data, det_error *error)
{
    const size_t images = data->seen.image_count, categories = data->seen.category_count;
    const char **texts = det_alloc_array(images > categories ? images : categories, sizeof *texts);
    if (!texts) return det_fail_memory(error, "the names of annotations");
    for (size_t i = 0; i < images; i++) texts[i] = data->images[i].file;
    note_doubles(data, DET_ODDITY_SAME_FILE, texts, images);
    for (size_t i = 0; i < categories; i++) texts[i] = data->categories[i].name;
    note_doubles(data, DET_ODDITY_SAME_NAME, texts, categories);
    det_free(texts);
    return DET_OK;
}

static bool by_stem(det_annotations_format format)
{
    return format != DET_ANNOTATIONS_COCO;
}

det_status det_annotations_sort_names(det_annotations_data *data, det_error *error)
{
    const size_t count = data->seen.image_count;
    data->keys = det_alloc_array(count, sizeof *data->keys);
    if (!data->keys) return det_fail_memory(error, "the names of annotations");
    for (size_t i = 0; i < count; i++) {
        const char *base = det_base_name(data->images[i].file);
        const size_t length = by_stem(data->seen.format) ? det_stem_length(base) : strlen(base);
        data->keys[i] = (det_image_key){base, length, i};
    }
    if (count > 0) qsort(data->keys, count, sizeof *data->keys, compare_keys);
    return find_doubles(data, error);
}

/* ---- Looking up ---- */

/* Where the base name at the end of a path begins. */
static size_t folder_length(const char *path)
{
    return (size_t)(det_base_name(path) - path);
}

/* How many folders at the ends of two paths, before the base names, are the same. A path that has
 * no more folders fits as well as one that has the next one, too. */
static size_t common_folders(const char *a, const char *b)
{
    size_t i = folder_length(a), j = folder_length(b), folders = 0;
    if (i > 0 && j > 0) i--, j--; /* the slashes before the base names */
    while (i > 0 && j > 0 && a[i - 1] == b[j - 1]) {
        i--, j--;
        folders += a[i] == '/';
    }
    const bool whole = (i == 0 || a[i - 1] == '/') && (j == 0 || b[j - 1] == '/');
    return folders + whole;
}

/* How a key compares with what is looked for; equal ones lie together. */
typedef int compare_function(const det_image_key *key, const det_image_key *wanted);

/* With the names that begin with what is looked for and a point. */
static int compare_stems(const det_image_key *key, const det_image_key *wanted)
{
    const size_t shorter = key->length < wanted->length ? key->length : wanted->length;
    const int order = memcmp(key->text, wanted->text, shorter);
    if (order) return order;
    if (key->length <= wanted->length) return -1;
    const unsigned char next = (unsigned char)key->text[wanted->length];
    return (next > '.') - (next < '.');
}

static size_t lower_bound(const det_annotations_data *data, compare_function *compare,
                          const det_image_key *wanted)
{
    size_t low = 0, high = data->seen.image_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare(&data->keys[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Looks for the images of a key. @return how many fit best: 1 is a find. */
static size_t find_best(const det_annotations_data *data, compare_function *compare,
                        const det_image_key *wanted, const char *path, size_t *index)
{
    size_t best = 0, ties = 0;
    bool exact = false;
    for (size_t i = lower_bound(data, compare, wanted); i < data->seen.image_count; i++) {
        if (compare(&data->keys[i], wanted) != 0) break;
        if (compare == compare_stems && det_stem_length(data->keys[i].text) != wanted->length)
            continue;
        const size_t image = data->keys[i].image;
        const bool same = strcmp(data->images[image].file, path) == 0;
        const size_t common = common_folders(data->images[image].file, path);
        if (exact > same || (exact == same && common < best)) continue;
        ties = ties > 0 && exact == same && common == best ? ties + 1 : 1;
        exact = same;
        best = common;
        *index = image;
    }
    return ties;
}

/* A base name in files of results has no ending, and may hold a point nevertheless. */
static size_t find_stem(const det_annotations_data *data, const char *base, const char *path,
                        size_t *index)
{
    const det_image_key whole = {base, strlen(base), 0}, stem = {base, det_stem_length(base), 0};
    const bool picture = det_is_picture_name(base);
    const size_t found = find_best(data, compare_texts, picture ? &stem : &whole, path, index);
    return found > 0 || picture ? found : find_best(data, compare_texts, &stem, path, index);
}

/* The same where the annotations keep endings: a name that has one must have theirs. */
static size_t find_whole(const det_annotations_data *data, const char *base, const char *path,
                         size_t *index)
{
    const det_image_key whole = {base, strlen(base), 0};
    const size_t found = find_best(data, compare_texts, &whole, path, index);
    if (found > 0 || det_is_picture_name(base)) return found;
    return find_best(data, compare_stems, &whole, path, index);
}

det_status det_annotations_find_image(const det_annotations *annotations, const char *path,
                                      size_t *index, det_error *error)
{
    const det_annotations_data *data = (const det_annotations_data *)annotations;
    const char *base = det_base_name(path);
    const size_t found = by_stem(annotations->format) ? find_stem(data, base, path, index)
                                                      : find_whole(data, base, path, index);
    if (found == 1) return DET_OK;
    if (found == 0)
        return det_fail_at(error, DET_ARGUMENT, path, NULL,
                           "the annotations have no image of this name");
    return det_fail_at(error, DET_ARGUMENT, path, NULL,
                       "the annotations have %zu images that this name fits equally well", found);
}
