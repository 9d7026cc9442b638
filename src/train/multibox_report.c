/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/multibox_report.h"

#include "eval/bootstrap.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/base/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CORNERS = DET_MULTIBOX_CORNERS };
static const double found_iou = .5;
static const size_t default_boxes[] = {1, 5, 10, 20, 50, 100, 200};

/* Regions of the head, of its bare priors, of the method beside it, and of this and the head by
 * turns. */
enum { HEAD, PRIORS, BESIDE, BOTH, WAYS };

/* What a picture gave at a number of boxes. */
typedef struct {
    double found[WAYS], overlaps[WAYS]; /* sums over its objects */
    double boxes;
} cell;

/* A picture of a comparison. */
typedef struct {
    double objects; /* that were measured */
    double looks;   /* how often proposals were made for it: once a class */
    cell *cells;    /* of each number of boxes */
} sheet;

typedef struct {
    const det_multibox_examples *examples;
    const det_multibox_fit_options *fit;
    det_multibox_report_options options; /* without zeros */
    const det_run *run;
    uint64_t done, total; /* heads */
    size_t most_boxes;
    bool *seen;                /* of each row */
    size_t *rows;              /* of each picture: its first row */
    sheet *pictures;           /* picture_count: of held-out pictures; cells of all in one block */
    sheet *classes, *of_class; /* of all classes left out together, and of one */
} measuring;

/* ---- Sheets --------------------------------------------------------------------------------- */

static void free_sheets(sheet *sheets)
{
    if (sheets) det_free(sheets[0].cells);
    det_free(sheets);
}

static sheet *make_sheets(size_t pictures, size_t box_counts)
{
    sheet *sheets = det_alloc_zeroed(pictures + 1, sizeof *sheets);
    cell *cells = det_alloc_zeroed(pictures + 1, box_counts * sizeof *cells);
    if (!sheets || !cells) {
        det_free(sheets);
        det_free(cells);
        return NULL;
    }
    for (size_t i = 0; i <= pictures; i++) sheets[i].cells = cells + i * box_counts;
    return sheets;
}

static void clear_sheets(const measuring *m, sheet *sheets)
{
    const size_t pictures = m->examples->picture_count;
    for (size_t i = 0; i < pictures; i++) sheets[i].objects = sheets[i].looks = 0;
    memset(sheets[0].cells, 0, pictures * m->options.box_counts * sizeof(cell));
}

static void add_cell(cell *to, const cell *from)
{
    for (int which = 0; which < WAYS; which++) {
        to->found[which] += from->found[which];
        to->overlaps[which] += from->overlaps[which];
    }
    to->boxes += from->boxes;
}

static void add_sheets(const measuring *m, sheet *to, const sheet *from)
{
    for (size_t i = 0; i < m->examples->picture_count; i++) {
        to[i].objects += from[i].objects;
        to[i].looks += from[i].looks;
        for (size_t b = 0; b < m->options.box_counts; b++)
            add_cell(&to[i].cells[b], &from[i].cells[b]);
    }
}

/* ---- A picture ------------------------------------------------------------------------------ */

typedef struct {
    det_region *regions[WAYS];
    size_t counts[WAYS];
} proposed;

static double best_overlap(const det_region *regions, size_t count, const float corners[CORNERS])
{
    const det_box object = {corners[0], corners[1], corners[2], corners[3]};
    double best = 0;
    for (size_t i = 0; i < count; i++) {
        const double iou = det_box_iou(regions[i].box, object);
        if (iou > best) best = iou;
    }
    return best;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void measure_object(const measuring *m, const proposed *p, const float corners[CORNERS],
                           sheet *to)
{
    to->objects++;
    to->looks = 1;
    for (size_t b = 0; b < m->options.box_counts; b++) {
        const size_t equal = least(m->options.boxes[b], least(p->counts[HEAD], p->counts[PRIORS]));
        cell *c = &to->cells[b];
        c->boxes = (double)equal;
        for (int which = 0; which < WAYS; which++) {
            const size_t boxes =
                which < BESIDE ? equal : least(m->options.boxes[b], p->counts[which]);
            const double overlap = best_overlap(p->regions[which], boxes, corners);
            c->found[which] += overlap >= found_iou;
            c->overlaps[which] += overlap;
        }
    }
}

static size_t picture_of(const det_multibox_examples *e, size_t row)
{
    return e->pictures ? e->pictures[row] : row;
}

/* The regions of the method beside. */
static det_status list_beside(const measuring *m, size_t picture, proposed *p, det_error *error)
{
    const size_t first = m->options.beside ? m->options.first_beside[picture] : 0;
    const size_t count = m->options.beside ? m->options.first_beside[picture + 1] - first : 0;
    p->regions[BESIDE] = det_alloc_zeroed(count, sizeof *p->regions[BESIDE]);
    if (!p->regions[BESIDE]) return det_fail_memory(error, "the regions of a picture");
    p->counts[BESIDE] = count;
    for (size_t i = 0; i < count; i++) {
        const float *c = m->options.beside[first + i];
        p->regions[BESIDE][i].box = (det_box){c[0], c[1], c[2], c[3]};
    }
    return DET_OK;
}

/* By turns; when one has no more, the rest of the other. */
static det_status mix(proposed *p, det_error *error)
{
    static const int ways[] = {BESIDE, HEAD};
    const size_t total = p->counts[BESIDE] + p->counts[HEAD];
    det_region *both = det_alloc_array(total, sizeof *both);
    if (!both) return det_fail_memory(error, "the regions of a picture");
    for (size_t i = 0; p->counts[BOTH] < total; i++)
        for (int w = 0; w < 2; w++)
            if (i < p->counts[ways[w]]) both[p->counts[BOTH]++] = p->regions[ways[w]][i];
    p->regions[BOTH] = both;
    return DET_OK;
}

/* Overlaps do not change when the sides of a picture do: it is a pixel wide and high. */
static det_status propose(const measuring *m, const det_multibox_head *head, size_t row,
                          float *outputs, proposed *p, det_error *error)
{
    const det_multibox_options options = {1, 1, m->most_boxes, m->options.nms_iou};
    const det_multibox_outputs moved = {outputs, outputs + CORNERS * head->priors.count};
    det_multibox_head_outputs(head, m->examples->features + row * head->width, outputs);
    det_status status = det_multibox_decode(&head->priors, &moved, &options, &p->regions[HEAD],
                                            &p->counts[HEAD], error);
    if (status == DET_OK)
        status = det_multibox_decode(&head->priors, NULL, &options, &p->regions[PRIORS],
                                     &p->counts[PRIORS], error);
    if (status == DET_OK) status = list_beside(m, picture_of(m->examples, row), p, error);
    return status == DET_OK ? mix(p, error) : status;
}

/* Its objects of a class; SIZE_MAX: of all classes. */
static det_status measure_picture(const measuring *m, const det_multibox_head *head, size_t picture,
                                  size_t class_id, sheet *sheets, float *outputs, det_error *error)
{
    const det_multibox_examples *e = m->examples;
    const size_t row = m->rows[picture];
    proposed p = {{NULL}, {0}};
    const det_status status = propose(m, head, row, outputs, &p, error);
    for (size_t i = e->first_object[row]; status == DET_OK && i < e->first_object[row + 1]; i++)
        if (class_id == SIZE_MAX || e->classes[i] == class_id)
            measure_object(m, &p, e->corners[i], &sheets[picture]);
    for (int which = 0; which < WAYS; which++) det_regions_free(p.regions[which]);
    return status;
}

/* ---- A head --------------------------------------------------------------------------------- */

/* Pictures of which no row is seen and that show objects are measured. */
static det_status measure_unseen(const measuring *m, const det_multibox_head *head, size_t class_id,
                                 sheet *sheets, det_error *error)
{
    float *outputs = det_alloc_array(head->priors.count, (CORNERS + 1) * sizeof *outputs);
    if (!outputs) return det_fail_memory(error, "the outputs of a head");
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < m->examples->picture_count; i++)
        if (m->rows[i] != SIZE_MAX && !m->seen[m->rows[i]])
            status = measure_picture(m, head, i, class_id, sheets, outputs, error);
    det_free(outputs);
    return status;
}

/* A fit tells of its own progress; here heads count. */
static bool go_on(void *context, uint64_t done, uint64_t total)
{
    (void)done;
    (void)total;
    const measuring *m = context;
    return det_run_check(m->run, m->done, m->total, NULL) == DET_OK;
}

/* Learns from the rows that are seen and measures the others. */
static det_status try_head(measuring *m, size_t class_id, sheet *sheets, det_error *error)
{
    const det_run run = {.progress = go_on, .progress_context = m};
    det_multibox_head head;
    det_status status = det_fit_multibox(m->examples, m->seen, m->fit, &run, &head, error);
    if (status == DET_OK) status = measure_unseen(m, &head, class_id, sheets, error);
    det_multibox_head_free(&head);
    m->done++;
    return status;
}

/* @return whether a row that is seen shows an object. */
static bool sees_objects(const measuring *m)
{
    const det_multibox_examples *e = m->examples;
    for (size_t r = 0; r < e->count; r++)
        if (m->seen[r] && e->first_object[r + 1] > e->first_object[r]) return true;
    return false;
}

/* ---- Held-out pictures ---------------------------------------------------------------------- */

static det_status measure_folds(measuring *m, det_error *error)
{
    const det_multibox_examples *e = m->examples;
    for (size_t fold = 0; fold < m->options.fold_count; fold++) {
        for (size_t r = 0; r < e->count; r++)
            m->seen[r] = m->options.folds[picture_of(e, r)] != (int)fold;
        if (!sees_objects(m)) {
            m->done++;
            continue;
        }
        const det_status status = try_head(m, SIZE_MAX, m->pictures, error);
        if (status < 0) return status;
    }
    return DET_OK;
}

/* ---- Intervals ------------------------------------------------------------------------------ */

/* Sums over pictures, each as often as it was drawn. */
typedef struct {
    double objects, looks;
    cell at;
} total;

static total sum_sheets(const measuring *m, const sheet *sheets, const uint32_t *times,
                        size_t boxes)
{
    total t = {0};
    for (size_t i = 0; i < m->examples->picture_count; i++) {
        if (times[i] == 0 || sheets[i].objects == 0) continue;
        const double weight = times[i];
        const cell *c = &sheets[i].cells[boxes];
        t.objects += weight * sheets[i].objects;
        t.looks += weight * sheets[i].looks;
        t.at.boxes += weight * c->boxes;
        for (int which = 0; which < WAYS; which++) {
            t.at.found[which] += weight * c->found[which];
            t.at.overlaps[which] += weight * c->overlaps[which];
        }
    }
    return t;
}

/* NaN without objects. */
static double gain_of(const total *t)
{
    return (t->at.found[HEAD] - t->at.found[PRIORS]) / t->objects;
}

/* The gains of a sample at each number of boxes, and behind them their mean; `samples` apart. */
static void fill_gains(const measuring *m, const sheet *sheets, const uint32_t *times,
                       double *gains, size_t samples)
{
    const size_t count = m->options.box_counts;
    double sum = 0;
    for (size_t b = 0; b < count; b++) {
        const total t = sum_sheets(m, sheets, times, b);
        gains[b * samples] = gain_of(&t);
        sum += gains[b * samples];
    }
    gains[count * samples] = sum / (double)count;
}

/* Pictures drawn with replacement. */
static void draw(const measuring *m, size_t sample, uint32_t *times)
{
    const size_t pictures = m->examples->picture_count;
    det_random random = det_random_create(m->fit->seed, sample);
    memset(times, 0, pictures * sizeof *times);
    for (size_t i = 0; i < pictures; i++) times[det_random_below(&random, (uint32_t)pictures)]++;
}

static void describe(const measuring *m, const sheet *sheets, const uint32_t *once, size_t b,
                     det_multibox_recall *recall)
{
    const total t = sum_sheets(m, sheets, once, b);
    const bool beside = m->options.beside;
    *recall = (det_multibox_recall){.boxes = m->options.boxes[b],
                                    .mean_boxes = t.at.boxes / t.looks,
                                    .recall = t.at.found[HEAD] / t.objects,
                                    .control_recall = t.at.found[PRIORS] / t.objects,
                                    .beside_recall = beside ? t.at.found[BESIDE] / t.objects : NAN,
                                    .both_recall = beside ? t.at.found[BOTH] / t.objects : NAN,
                                    .overlap = t.at.overlaps[HEAD] / t.objects,
                                    .control_overlap = t.at.overlaps[PRIORS] / t.objects};
}

/* `gains` is (box_counts + 1) x samples, `times` picture_count. */
static void fill_comparison(const measuring *m, const sheet *sheets, double *gains, uint32_t *times,
                            det_multibox_comparison *c)
{
    const size_t samples = m->options.samples;
    double value = 0;
    for (size_t s = 0; s < samples; s++) {
        draw(m, s, times);
        fill_gains(m, sheets, times, gains + s, samples);
    }
    for (size_t i = 0; i < m->examples->picture_count; i++) times[i] = 1;
    for (size_t b = 0; b < c->count; b++) {
        describe(m, sheets, times, b, &c->at[b]);
        const double gain = c->at[b].recall - c->at[b].control_recall;
        c->at[b].gain = det_interval_make(gain, gains + b * samples, samples);
        value += gain / (double)c->count;
    }
    c->gain = det_interval_make(value, gains + c->count * samples, samples);
    c->better = c->gain.low > 0;
}

/* Nothing is said where nothing was measured. */
static det_status compare(const measuring *m, const sheet *sheets, det_multibox_comparison *c,
                          det_error *error)
{
    const size_t pictures = m->examples->picture_count, count = m->options.box_counts;
    for (size_t i = 0; i < pictures; i++) {
        c->object_count += (size_t)sheets[i].objects;
        c->picture_count += sheets[i].objects > 0;
    }
    if (c->object_count == 0) return DET_OK;
    double *gains = det_alloc_array(count + 1, m->options.samples * sizeof *gains);
    uint32_t *times = det_alloc_array(pictures, sizeof *times);
    c->at = det_alloc_zeroed(count, sizeof *c->at);
    const bool enough = gains && times && c->at;
    if (enough) {
        c->count = count;
        fill_comparison(m, sheets, gains, times, c);
    }
    det_free(gains);
    det_free(times);
    return enough ? DET_OK : det_fail_memory(error, "the recall of MultiBox");
}

/* ---- Classes left out ----------------------------------------------------------------------- */

typedef struct {
    size_t class_id, objects;
} class_size;

static int most_first(const void *a, const void *b)
{
    const class_size *x = a, *y = b;
    if (x->objects != y->objects) return x->objects > y->objects ? -1 : 1;
    return x->class_id < y->class_id ? -1 : x->class_id > y->class_id;
}

/* Hides every row of a picture whose first row shows the class, and no others. */
static void hide_class(const measuring *m, size_t class_id)
{
    const det_multibox_examples *e = m->examples;
    for (size_t r = 0; r < e->count; r++) {
        const size_t row = m->rows[picture_of(e, r)];
        m->seen[r] = true;
        for (size_t i = e->first_object[row]; i < e->first_object[row + 1]; i++)
            if (e->classes[i] == class_id) m->seen[r] = false;
    }
}

static det_status leave_out(measuring *m, size_t class_id, det_multibox_comparison *c,
                            det_error *error)
{
    hide_class(m, class_id);
    if (!sees_objects(m)) {
        m->done++;
        return DET_OK;
    }
    clear_sheets(m, m->of_class);
    det_status status = try_head(m, class_id, m->of_class, error);
    if (status < 0) return status;
    add_sheets(m, m->classes, m->of_class);
    return compare(m, m->of_class, c, error);
}

static void count_objects(const measuring *m, class_size *sizes, size_t count)
{
    const det_multibox_examples *e = m->examples;
    for (size_t i = 0; i < count; i++) sizes[i].class_id = i;
    for (size_t p = 0; p < e->picture_count; p++) {
        const size_t row = m->rows[p];
        if (row == SIZE_MAX) continue;
        for (size_t i = e->first_object[row]; i < e->first_object[row + 1]; i++)
            sizes[e->classes[i]].objects++;
    }
    qsort(sizes, count, sizeof *sizes, most_first);
}

static det_status measure_classes(measuring *m, det_multibox_report *report, det_error *error)
{
    const size_t count = report->class_count;
    if (count == 0) return DET_OK;
    class_size *sizes = det_alloc_zeroed(count, sizeof *sizes);
    if (!sizes) return det_fail_memory(error, "the classes of objects");
    count_objects(m, sizes, count);
    det_status status = DET_OK;
    for (size_t i = 0; status == DET_OK && i < count && i < m->options.most_classes; i++)
        if (sizes[i].objects > 0)
            status = leave_out(m, sizes[i].class_id, &report->of_class[sizes[i].class_id], error);
    det_free(sizes);
    return status;
}

/* ---- The report ----------------------------------------------------------------------------- */

static void free_comparison(det_multibox_comparison *c)
{
    det_free(c->at);
    *c = (det_multibox_comparison){0};
}

void det_multibox_report_free(det_multibox_report *report)
{
    if (!report) return;
    free_comparison(&report->pictures);
    free_comparison(&report->classes);
    for (size_t i = 0; report->of_class && i < report->class_count; i++)
        free_comparison(&report->of_class[i]);
    det_free(report->of_class);
    *report = (det_multibox_report){0};
}

static void fill_defaults(measuring *m)
{
    det_multibox_report_options *o = &m->options;
    if (!o->boxes) {
        const size_t priors = m->fit->priors > 0 ? m->fit->priors : DET_MULTIBOX_DEFAULT_PRIORS;
        o->boxes = default_boxes;
        o->box_counts = 1;
        while (o->box_counts < sizeof default_boxes / sizeof *default_boxes &&
               default_boxes[o->box_counts] <= priors)
            o->box_counts++;
    }
    if (o->most_classes == 0) o->most_classes = 20;
    if (o->samples == 0) o->samples = 1000;
    for (size_t i = 0; i < o->box_counts; i++)
        if (o->boxes[i] > m->most_boxes) m->most_boxes = o->boxes[i];
}

static size_t count_classes(const det_multibox_examples *e)
{
    size_t count = 0;
    for (size_t i = 0; i < e->first_object[e->count]; i++)
        if (e->classes[i] >= count) count = (size_t)e->classes[i] + 1;
    return count;
}

static det_status allocate(measuring *m, det_multibox_report *report, det_error *error)
{
    const size_t pictures = m->examples->picture_count, boxes = m->options.box_counts;
    m->seen = det_alloc_array(m->examples->count, sizeof *m->seen);
    m->rows = det_alloc_array(pictures, sizeof *m->rows);
    m->pictures = make_sheets(pictures, boxes);
    m->classes = make_sheets(pictures, boxes);
    m->of_class = make_sheets(pictures, boxes);
    report->of_class = det_alloc_zeroed(report->class_count, sizeof *report->of_class);
    if (!m->seen || !m->rows || !m->pictures || !m->classes || !m->of_class || !report->of_class)
        return det_fail_memory(error, "the recall of MultiBox");
    for (size_t i = 0; i < pictures; i++) m->rows[i] = SIZE_MAX;
    for (size_t r = m->examples->count; r-- > 0;) m->rows[picture_of(m->examples, r)] = r;
    return DET_OK;
}

static void release(measuring *m)
{
    det_free(m->seen);
    det_free(m->rows);
    free_sheets(m->pictures);
    free_sheets(m->classes);
    free_sheets(m->of_class);
}

static det_status measure_all(measuring *m, det_multibox_report *report, det_error *error)
{
    det_status status = measure_folds(m, error);
    if (status == DET_OK) status = compare(m, m->pictures, &report->pictures, error);
    if (status == DET_OK) status = measure_classes(m, report, error);
    if (status == DET_OK) status = compare(m, m->classes, &report->classes, error);
    return status;
}

det_status det_multibox_measure(const det_multibox_examples *examples,
                                const det_multibox_fit_options *fit,
                                const det_multibox_report_options *options, const det_run *run,
                                det_multibox_report *report, det_error *error)
{
    measuring m = {.examples = examples, .fit = fit, .options = *options, .run = run};
    *report = (det_multibox_report){.class_count = count_classes(examples)};
    if (options->fold_count < 2)
        return det_fail(error, DET_ARGUMENT, "%zu folds: at least 2", options->fold_count);
    fill_defaults(&m);
    const size_t left_out =
        report->class_count < m.options.most_classes ? report->class_count : m.options.most_classes;
    m.total = options->fold_count + left_out;
    det_status status = allocate(&m, report, error);
    if (status == DET_OK) status = measure_all(&m, report, error);
    release(&m);
    return status;
}
