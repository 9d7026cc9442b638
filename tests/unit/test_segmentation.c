/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/selective_search/segment.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/unit/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static det_arena arena, scratch;

static int free_arena(void **state)
{
    (void)state;
    det_arena_free(&arena);
    det_arena_free(&scratch);
    return 0;
}

static det_pixel_graph create_graph(const det_planes *planes, double sigma_px)
{
    det_pixel_graph graph;
    det_error error;
    test_assert_ok(det_pixel_graph_create(planes, sigma_px, &arena, &scratch, &graph, &error),
                   &error);
    return graph;
}

/* Fragments that the scales from k / less to k * more share, cut at scale k. */
static det_segments segment_among(const det_planes *planes, double k, int min_size, double less,
                                  double more)
{
    det_pixel_graph graph = create_graph(planes, 0);
    det_fragments fragments;
    det_segments segments;
    det_error error;
    test_assert_ok(
        det_fragments_create(&graph, k / less, k * more, &arena, &scratch, &fragments, &error),
        &error);
    test_assert_ok(det_segment(&fragments, k, min_size, &arena, &segments, &error), &error);
    return segments;
}

static det_segments segment(const det_planes *planes, double k, int min_size)
{
    return segment_among(planes, k, min_size, 1, 1);
}

static void assert_row(uint8_t *values, int width, double k, int min_size, const int32_t *labels,
                       int count)
{
    det_segments s = segment(&(det_planes){width, 1, 1, 1, values}, k, min_size);
    assert_int_equal(s.count, count);
    assert_memory_equal(s.labels, labels, (size_t)width * sizeof *labels);
    det_arena_reset(&arena);
    det_arena_reset(&scratch);
}

/* Edges 10, 0 and 30. The two tens merge first, then they may take an edge of 0 + k / 2. */
static void four_pixels_merge_as_worked_out_by_hand(void **state)
{
    (void)state;
    uint8_t row[] = {0, 10, 10, 40};
    assert_row(row, 4, 19.5, 1, (const int32_t[]){0, 1, 1, 2}, 3);
    assert_row(row, 4, 20, 1, (const int32_t[]){0, 0, 0, 1}, 2); /* 10 <= 0 + 20 / 2 */
    /* All but the last then have Int = 10 and 3 pixels: 30 <= 10 + k / 3 needs k = 60. */
    assert_row(row, 4, 59, 1, (const int32_t[]){0, 0, 0, 1}, 2);
    assert_row(row, 4, 60, 1, (const int32_t[]){0, 0, 0, 0}, 1);
}

static void segments_below_the_minimum_size_join_along_the_lightest_edge(void **state)
{
    (void)state;
    uint8_t row[] = {0, 0, 100, 180, 180};
    assert_row(row, 5, 1, 1, (const int32_t[]){0, 0, 1, 2, 2}, 3);
    assert_row(row, 5, 1, 2, (const int32_t[]){0, 0, 1, 1, 1}, 2);
    assert_row(row, 5, 1, 3, (const int32_t[]){0, 0, 0, 0, 0}, 1);
}

static void a_single_channel_that_stands_for_three_weighs_three_times_its_square(void **state)
{
    (void)state;
    uint8_t values[] = {0, 100};
    det_pixel_graph graph = create_graph(&(det_planes){2, 1, 1, 3, values}, 0);
    const int weight = 11085; /* sqrt(3) * 100 * 64 = 11085.1 */
    assert_int_equal(graph.start[weight], 0);
    assert_int_equal(graph.start[weight + 1], 1);
    assert_int_equal(graph.start[DET_EDGE_BUCKETS], 1);

    uint8_t extremes[] = {0, 255};
    graph = create_graph(&(det_planes){2, 1, 1, 3, extremes}, 0);
    assert_int_equal(graph.start[DET_EDGE_BUCKETS - 1], 0); /* the last bucket is used */
    assert_int_equal(graph.start[DET_EDGE_BUCKETS], 1);
}

/* Right, below left, below, below right, from the pixel above or to the left. */
static void a_grid_has_every_edge_once_ordered_by_weight_then_position(void **state)
{
    (void)state;
    uint8_t values[] = {0, 1, 3, /**/ 0, 1, 3};
    static const uint32_t expected[] = {4 * 0 + 2, 4 * 1 + 2, 4 * 2 + 2, /* 0: the columns */
                                        4 * 0 + 0, 4 * 0 + 3, 4 * 1 + 1, 4 * 3 + 0,  /* 1 */
                                        4 * 1 + 0, 4 * 1 + 3, 4 * 2 + 1, 4 * 4 + 0}; /* 2 */
    det_pixel_graph graph = create_graph(&(det_planes){3, 2, 1, 1, values}, 0);
    assert_int_equal(graph.start[DET_EDGE_BUCKETS], 11);
    assert_memory_equal(graph.edges, expected, sizeof expected);
    assert_int_equal(graph.start[64], 3);
    assert_int_equal(graph.start[65], 7);
    assert_int_equal(graph.start[128], 7);
    assert_int_equal(graph.start[129], 11);
}

static void the_blur_weakens_a_step(void **state)
{
    (void)state;
    uint8_t values[16];
    for (int i = 0; i < 16; i++) values[i] = i < 8 ? 0 : 100;
    det_pixel_graph graph = create_graph(&(det_planes){16, 1, 1, 1, values}, .8);
    /* What is left is the middle of the kernel, 1 / (1 + 2 (.4578 + .0439 + .0009)) = .4987. */
    uint32_t heaviest = DET_EDGE_BUCKETS;
    while (graph.start[heaviest] == graph.start[DET_EDGE_BUCKETS]) heaviest--;
    assert_true(fabs(heaviest / 64. - 49.87) < .1);
}

/* ---- A plain reference ----------------------------------------------------------------------- */

typedef struct {
    int weight, position, a, b;
} plain_edge;

static int compare_edges(const void *p, const void *q)
{
    const plain_edge *a = p, *b = q;
    if (a->weight != b->weight) return a->weight < b->weight ? -1 : 1;
    return a->position < b->position ? -1 : 1;
}

static plain_edge *list_edges(const det_planes *p, size_t *count)
{
    static const int dx[] = {1, -1, 0, 1}, dy[] = {0, 1, 1, 1};
    const int pixels = p->width * p->height;
    plain_edge *edges = det_alloc_array(4 * (size_t)pixels, sizeof *edges);
    *count = 0;
    for (int i = 0; i < pixels; i++)
        for (int d = 0; d < 4; d++) {
            const int x = i % p->width + dx[d], y = i / p->width + dy[d];
            if (x < 0 || x >= p->width || y >= p->height) continue;
            double sum = 0;
            for (int c = 0; c < p->channels; c++) {
                const int step =
                    p->values[c * pixels + i] - p->values[c * pixels + y * p->width + x];
                sum += p->repeat * step * step;
            }
            edges[(*count)++] =
                (plain_edge){(int)lround(64 * sqrt(sum)), 4 * i + d, i, y * p->width + x};
        }
    qsort(edges, *count, sizeof *edges, compare_edges);
    return edges;
}

/* labels[i] is the smallest pixel of the component of i; relabels one component as another. */
static void merge_plain(int *labels, int pixels, int a, int b, int *merged)
{
    const int keep = a < b ? a : b, drop = a < b ? b : a;
    for (int i = 0; i < pixels; i++)
        if (labels[i] == drop) labels[i] = keep;
    *merged = keep;
}

static int size_of(const int *labels, int pixels, int label)
{
    int size = 0;
    for (int i = 0; i < pixels; i++) size += labels[i] == label;
    return size;
}

static void segment_plain(const det_planes *p, double k, int min_size, int *labels)
{
    const int pixels = p->width * p->height;
    size_t count;
    plain_edge *edges = list_edges(p, &count);
    double *inside = det_alloc_zeroed((size_t)pixels, sizeof *inside);
    for (int i = 0; i < pixels; i++) labels[i] = i;

    for (int pass = 0; pass < 2; pass++)
        for (size_t e = 0; e < count; e++) {
            const int a = labels[edges[e].a], b = labels[edges[e].b];
            if (a == b) continue;
            const int sa = size_of(labels, pixels, a), sb = size_of(labels, pixels, b);
            const double weight = edges[e].weight / 64.;
            const bool similar = weight <= fmin(inside[a] + k / sa, inside[b] + k / sb);
            if (pass == 0 ? !similar : sa >= min_size && sb >= min_size) continue;
            int merged;
            merge_plain(labels, pixels, a, b, &merged);
            inside[merged] = weight;
        }
    det_free(inside);
    det_free(edges);
}

/* Noise, and noise on blocks of 4 x 4, so that there is something to find. */
static void draw(det_random *random, det_planes *p, int blocks)
{
    const int pixels = p->width * p->height;
    for (int c = 0; c < p->channels; c++)
        for (int y = 0; y < p->height; y++)
            for (int x = 0; x < p->width; x++) {
                const int level = blocks ? 60 * ((x / 4 + y / 4 * 3 + c) % 4) : 0;
                p->values[c * pixels + y * p->width + x] =
                    (uint8_t)(level + (int)det_random_below(random, blocks ? 20 : 256));
            }
}

static void assert_same(const det_segments *s, const int *labels, int pixels)
{
    int next = 0;
    for (int i = 0; i < pixels; i++) {
        if (labels[i] == i)
            assert_int_equal(s->labels[i], next++); /* numbered by their first pixel */
        assert_int_equal(s->labels[i], s->labels[labels[i]]);
    }
    assert_int_equal(s->count, next);
}

/* Whatever other scales the fragments are made for. */
static void random_pictures_are_cut_as_by_the_plain_reference(void **state)
{
    (void)state;
    enum { side = 20 };
    uint8_t values[3 * side * side];
    int labels[side * side];
    det_random random = det_random_create(3, 0);
    for (int round = 0; round < 60; round++) {
        det_planes p = {.width = 1 + (int)det_random_below(&random, side),
                        .height = 1 + (int)det_random_below(&random, side),
                        .channels = 1 + round % 3,
                        .repeat = round % 3 ? 1 : 3,
                        .values = values};
        draw(&random, &p, round % 2);
        const double k = 1 + det_random_below(&random, 400);
        const int min_size = 1 + (int)det_random_below(&random, 12);
        segment_plain(&p, k, min_size, labels);
        static const double others[][2] = {{1, 1}, {1, 6}, {2, 1}, {3, 1.5}, {1000, 1000}};
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
            det_segments s = segment_among(&p, k, min_size, others[i][0], others[i][1]);
            assert_same(&s, labels, p.width * p.height);
            det_arena_reset(&arena);
            det_arena_reset(&scratch);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_pixels_merge_as_worked_out_by_hand),
        cmocka_unit_test(segments_below_the_minimum_size_join_along_the_lightest_edge),
        cmocka_unit_test(a_single_channel_that_stands_for_three_weighs_three_times_its_square),
        cmocka_unit_test(a_grid_has_every_edge_once_ordered_by_weight_then_position),
        cmocka_unit_test(the_blur_weakens_a_step),
        cmocka_unit_test(random_pictures_are_cut_as_by_the_plain_reference),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
