/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/training_data.h"

#include "src/base/memory.h"
#include "src/train/class_verdict.h"

#include <math.h>

/* ---- What there is -------------------------------------------------------------------------- */

static bool is_proposed(const det_region_features *regions, det_box object)
{
    for (size_t r = 0; r < regions->proposal_count; r++)
        if (det_box_iou(regions->boxes[r], object) >= .5) return true;
    return false;
}

/* An object of a picture that is learned. @return whether it is proposed. */
static bool count_object(const det_training_set *set, size_t image, size_t object,
                         det_training_data *data)
{
    const det_region_features *f = &set->images[image].features;
    const size_t category = set->annotations->objects[object].category;
    data->seen.object_count++;
    data->classes[set->classes.classes[category]].objects++;
    return is_proposed(
        f, det_object_box(set->annotations, object, f->picture_width, f->picture_height));
}

/* Counts the objects of a picture that are learned, and the picture for each class that it shows.
 * @param last of each class: the picture that showed it last. @return how many are proposed. */
static size_t count_picture(const det_training_set *set, size_t index, size_t *last,
                            det_training_data *data)
{
    const det_region_features *f = &set->images[index].features;
    const det_annotated_image *image = &set->annotations->images[index];
    size_t proposed = 0;
    for (size_t g = image->first_object; g < image->first_object + image->object_count; g++) {
        if (!det_object_counts(set->annotations, g, f->picture_width, f->picture_height)) continue;
        const int class_id = set->classes.classes[set->annotations->objects[g].category];
        data->classes[class_id].images += last[class_id] != index;
        last[class_id] = index;
        proposed += count_object(set, index, g, data);
    }
    return proposed;
}

static det_status count_all(const det_training_set *set, det_training_data *data, det_error *error)
{
    size_t proposed = 0, *last = det_alloc_array(set->classes.count, sizeof *last);
    if (!last) return det_fail_memory(error, "the figures of a training");
    for (size_t c = 0; c < set->classes.count; c++) last[c] = set->image_count;
    for (size_t i = 0; i < set->image_count; i++) proposed += count_picture(set, i, last, data);
    data->seen.recall = (double)proposed / (double)data->seen.object_count;
    det_free(last);
    return DET_OK;
}

static det_status name_classes(const det_training_set *set, det_training_data *data,
                               det_error *error)
{
    const size_t count = set->classes.count;
    data->classes = det_alloc_zeroed(count, sizeof *data->classes);
    data->names = det_alloc_zeroed(count, sizeof *data->names);
    if (!data->classes || !data->names) return det_fail_memory(error, "the figures of a training");
    data->seen.classes = data->classes;
    data->seen.class_count = count;
    for (size_t c = 0; c < count; c++) {
        data->names[c] =
            det_copy_string(set->annotations->categories[set->classes.categories[c]].name);
        if (!data->names[c]) return det_fail_memory(error, "the figures of a training");
        data->classes[c].name = data->names[c];
    }
    return DET_OK;
}

det_status det_training_data_create(const det_training_set *set, det_training_data **result,
                                    det_error *error)
{
    det_training_data *data = det_alloc_zeroed(1, sizeof *data);
    if (!data) return det_fail_memory(error, "the figures of a training");
    data->seen.image_count = set->image_count;
    data->seen.proposal_count = set->region_count;
    det_status status = name_classes(set, data, error);
    if (status == DET_OK) status = count_all(set, data, error);
    if (status == DET_OK)
        *result = data;
    else
        det_training_free(&data->seen);
    return status;
}

void det_training_free(det_training *result)
{
    if (!result) return;
    det_training_data *data = (det_training_data *)result;
    for (size_t c = 0; data->names && c < data->seen.class_count; c++) det_free(data->names[c]);
    det_free(data->names);
    det_free(data->classes);
    det_suspicions_free(&data->suspicions);
    det_multibox_report_free(&data->multibox);
    det_free(data);
}

/* ---- How good it is ------------------------------------------------------------------------- */

static det_interval interval_of(const det_measured_ap *ap, size_t category)
{
    return det_interval_make(ap->values[category], det_resamples_of(&ap->resamples, category),
                             ap->resamples.samples);
}

static void hand_over(const det_training_set *set, const det_measured_ap *ap50,
                      const det_measured_ap *ap, det_training_data *data)
{
    data->seen.ap50 = interval_of(ap50, set->annotations->category_count);
    data->seen.ap = interval_of(ap, set->annotations->category_count);
    for (size_t c = 0; c < set->classes.count; c++) {
        det_trained_class *learned = &data->classes[c];
        learned->ap50 = interval_of(ap50, set->classes.categories[c]);
        learned->ap = interval_of(ap, set->classes.categories[c]);
        learned->verdict = det_judge_class(learned->images, &learned->ap50, &learned->wanted);
    }
}

det_status det_training_data_measure(det_training_data *data, const det_measuring *measuring,
                                     det_error *error)
{
    static const double half = .5;
    det_measured_ap ap50 = {0}, ap = {0};
    det_status status = det_measure_ap(measuring, &half, &ap50, error);
    if (status == DET_OK) status = det_measure_ap(measuring, NULL, &ap, error);
    if (status == DET_OK) hand_over(measuring->set, &ap50, &ap, data);
    det_measured_ap_free(&ap50);
    det_measured_ap_free(&ap);
    return status;
}

det_status det_training_data_add_curve(det_training_data *data, const det_curve_samples *curve,
                                       det_error *error)
{
    const size_t images = data->seen.image_count,
                 more = images < DET_CURVE_MORE ? images : DET_CURVE_MORE;
    const det_status status = det_curve_gain(curve, images, more, &data->seen.gain, error);
    if (status < 0) return status;
    for (size_t i = 0; i < curve->count; i++)
        data->curve[i] = (det_learning_point){
            (size_t)lround(curve->images[i]),
            det_interval_make(curve->ap50[i], curve->values[i], curve->samples)};
    data->seen.curve = data->curve;
    data->seen.curve_count = curve->count;
    data->seen.gain_images = more;
    return DET_OK;
}
