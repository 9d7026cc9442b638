/* SPDX-License-Identifier: Apache-2.0 */
/* How scores tell true from false detections: histograms, and the threshold of the highest
 *   F1 = 2 precision recall / (precision + recall) = 2 tp / (detections + objects). */
#include "eval/picture_set.h"

#include "src/base/error.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdlib.h>

/* An analysis that is being made; what the public view points to. */
typedef struct scores_data {
    det_score_analysis seen; /* comes first: the view that the caller has */
    det_score_figures *classes;
} scores_data;

/* A detection that counts. */
typedef struct scored {
    double score;
    bool right;
} scored;

static int compare_scored(const void *a, const void *b)
{
    const double x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x < y) - (x > y);
}

/* The detections of a class that count, best first. @return their number. */
static size_t take_class(const det_evaluation *e, size_t iou, size_t category, scored *list)
{
    const det_class_matches *m = &e->classes[category].matches;
    size_t count = 0;
    for (size_t i = 0; i < m->count; i++) {
        const uint8_t outcome = m->outcomes[iou * m->count + i];
        if (outcome == DET_IGNORED) continue;
        list[count++] =
            (scored){e->results->objects[m->detections[i]].score, outcome == DET_TRUE_POSITIVE};
    }
    return count;
}

static void set_range(const scored *list, size_t count, det_score_analysis *seen)
{
    seen->low = 0;
    seen->high = 1;
    if (count == 0 || (list[count - 1].score >= 0 && list[0].score <= 1)) return;
    seen->low = list[count - 1].score;
    seen->high = list[0].score;
}

static size_t bin_of(const det_score_analysis *seen, double score)
{
    if (!(seen->high > seen->low)) return 0;
    /* Halved, because the whole range may be beyond the largest double. */
    const double share = (score / 2 - seen->low / 2) / (seen->high / 2 - seen->low / 2);
    const size_t bin = (size_t)(share * DET_SCORE_BINS);
    return bin < DET_SCORE_BINS ? bin : DET_SCORE_BINS - 1;
}

/* Looks at the curve where scores change. */
static void find_threshold(const scored *list, size_t count, size_t positives,
                           det_score_figures *figures)
{
    size_t right = 0;
    figures->threshold = figures->precision = figures->recall = figures->f1 = (double)NAN;
    for (size_t i = 0; i < count; i++) {
        right += list[i].right;
        if (right == 0 || (i + 1 < count && list[i + 1].score == list[i].score)) continue;
        const double f1 = 2 * (double)right / (double)(i + 1 + positives);
        if (f1 <= figures->f1) continue;
        figures->threshold = list[i].score;
        figures->precision = (double)right / (double)(i + 1);
        figures->recall = (double)right / (double)positives;
        figures->f1 = f1;
    }
}

static void measure(const det_score_analysis *seen, const scored *list, size_t count,
                    size_t positives, det_score_figures *figures)
{
    for (size_t i = 0; i < count; i++)
        (list[i].right ? figures->right : figures->wrong)[bin_of(seen, list[i].score)]++;
    find_threshold(list, count, positives, figures);
}

static scores_data *create(size_t class_count)
{
    scores_data *data = det_alloc_zeroed(1, sizeof *data);
    if (!data) return NULL;
    data->classes = det_alloc_zeroed(class_count, sizeof *data->classes);
    data->seen.classes = data->classes;
    data->seen.class_count = class_count;
    if (data->classes) return data;
    det_score_analysis_free(&data->seen);
    return NULL;
}

/* list: room for all detections. */
static void fill(scores_data *data, const det_evaluation *e, size_t iou, scored *list)
{
    size_t count = 0;
    for (size_t c = 0; c < e->class_count; c++) count += take_class(e, iou, c, list + count);
    if (count > 1) qsort(list, count, sizeof *list, compare_scored);
    set_range(list, count, &data->seen);
    measure(&data->seen, list, count, e->objects, &data->seen.all);
    for (size_t c = 0; c < e->class_count; c++)
        measure(&data->seen, list, take_class(e, iou, c, list), e->classes[c].objects,
                &data->classes[c]);
}

det_status det_evaluation_scores(const det_evaluation *evaluation, size_t iou,
                                 det_score_analysis **scores, det_error *error)
{
    const det_status status = det_evaluation_check_kept(evaluation, iou, error);
    if (status < 0) return status;
    scored *list = det_alloc_array(evaluation->detections, sizeof *list);
    scores_data *data = list ? create(evaluation->class_count) : NULL;
    if (data) {
        fill(data, evaluation, iou, list);
        *scores = &data->seen;
    }
    det_free(list);
    return data ? DET_OK : det_fail_memory(error, "an analysis of scores");
}

void det_score_analysis_free(det_score_analysis *scores)
{
    if (!scores) return;
    det_free(((scores_data *)scores)->classes);
    det_free(scores);
}
