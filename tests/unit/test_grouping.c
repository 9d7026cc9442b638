/* SPDX-License-Identifier: Apache-2.0 */
#include "proposals/selective_search/grouping.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "tests/unit/support.h"

#include <string.h>

enum { side = 24, pixels = side * side, most = 64 };

static det_arena arena, scratch;

static int free_arena(void **state)
{
    (void)state;
    det_arena_free(&arena);
    det_arena_free(&scratch);
    return 0;
}

typedef struct {
    det_segments segments;
    det_adjacency adjacency;
    det_codes codes;
    det_histograms histograms;
    uint8_t values[3 * pixels];
    int32_t labels[pixels];
} scene;

static void free_scene(void)
{
    det_arena_reset(&arena);
    det_arena_reset(&scratch);
}

static void measure_scene(scene *s)
{
    det_error error;
    const det_planes planes = {side, side, 3, 1, s->values};
    test_assert_ok(det_adjacency_create(&s->segments, &arena, &s->adjacency, &error), &error);
    test_assert_ok(
        det_codes_create(&planes, DET_TEXTURE_PAPER, &arena, &scratch, &s->codes, &error), &error);
    test_assert_ok(det_histograms_create(&s->codes, &s->segments, s->adjacency.blobs, &arena,
                                         &s->histograms, &error),
                   &error);
}

/* Segments that grow from random seeds, each a pixel at a time, until the picture is full. Their
 * colours are few, so that equal similarities occur. */
static void draw_scene(scene *s, det_random *random, int count)
{
    for (int i = 0; i < pixels; i++) s->labels[i] = -1;
    for (int32_t placed = 0; placed < count;) {
        const uint32_t at = det_random_below(random, pixels);
        if (s->labels[at] < 0) s->labels[at] = placed++;
    }
    for (int left = pixels - count; left > 0;) {
        const int at = (int)det_random_below(random, pixels);
        const int x = at % side + (int)det_random_below(random, 3) - 1;
        const int y = at / side + (int)det_random_below(random, 3) - 1;
        if (s->labels[at] >= 0 || x < 0 || x >= side || y < 0 || y >= side) continue;
        s->labels[at] = s->labels[y * side + x];
        left -= s->labels[at] >= 0;
    }
    for (int i = 0; i < 3 * pixels; i++)
        s->values[i] = (uint8_t)(50 * (s->labels[i % pixels] % 4) + i / pixels);
    s->segments = (det_segments){side, side, count, s->labels};
    measure_scene(s);
}

/* ---- A plain reference: every pair of living neighbours is compared at every step -------------
 */

typedef struct {
    det_blob blobs[2 * most];
    bool alive[2 * most], touch[2 * most][2 * most];
} plain;

static bool find_best(const plain *p, const det_histograms *h, unsigned terms, int regions,
                      int *earlier, int *later)
{
    float best = -1;
    for (int b = 0; b < regions; b++)
        for (int a = 0; a < b; a++) {
            if (!p->alive[a] || !p->alive[b] || !p->touch[a][b]) continue;
            const float here = det_similarity(terms, h, &p->blobs[a], &p->blobs[b], pixels);
            if (here <= best) continue;
            best = here;
            *earlier = a;
            *later = b;
        }
    return best >= 0;
}

static void group_plain(const scene *s, unsigned terms, det_rectangle *merged)
{
    static plain p;
    memset(&p, 0, sizeof p);
    det_histograms h;
    det_error error;
    test_assert_ok(det_histograms_copy(&s->histograms, &arena, &h, &error), &error);
    const int count = s->segments.count;
    for (int i = 0; i < count; i++) {
        p.blobs[i] = s->adjacency.blobs[i];
        p.alive[i] = true;
    }
    for (size_t i = 0; i < s->adjacency.touching_count; i++) {
        const det_touching t = s->adjacency.touching[i];
        p.touch[t.a][t.b] = p.touch[t.b][t.a] = true;
    }
    int a, b, next = count;
    while (find_best(&p, &h, terms, next, &a, &b)) {
        const int32_t size = p.blobs[a].size + p.blobs[b].size;
        p.blobs[next] =
            (det_blob){det_rectangle_around(p.blobs[a].box, p.blobs[b].box), size, p.blobs[a].row};
        det_histograms_merge(&h, p.blobs[a].row, p.blobs[b].row, size);
        p.alive[a] = p.alive[b] = false;
        p.alive[next] = true;
        for (int i = 0; i < next; i++)
            p.touch[next][i] = p.touch[i][next] = p.touch[a][i] || p.touch[b][i];
        merged[next - count] = p.blobs[next].box;
        next++;
    }
    assert_int_equal(next, 2 * count - 1);
}

static void random_segments_merge_as_by_the_plain_reference(void **state)
{
    (void)state;
    static scene s;
    det_random random = det_random_create(5, 0);
    for (int round = 0; round < 30; round++) {
        draw_scene(&s, &random, 2 + (int)det_random_below(&random, most - 2));
        for (unsigned terms = 1; terms < 16; terms++) {
            det_rectangle expected[most], merged[most];
            det_error error;
            group_plain(&s, terms, expected);
            test_assert_ok(
                det_group(&s.adjacency, &s.histograms, terms, pixels, &scratch, merged, &error),
                &error);
            assert_memory_equal(merged, expected, (size_t)(s.segments.count - 1) * sizeof *merged);
        }
        free_scene();
    }
}

static void one_segment_needs_no_merge(void **state)
{
    (void)state;
    static scene s;
    det_random random = det_random_create(6, 0);
    draw_scene(&s, &random, 1);
    det_error error;
    test_assert_ok(det_group(&s.adjacency, &s.histograms, 15, pixels, &arena, NULL, &error),
                   &error);
    free_scene();
}

/* Labels 0 0 1 / 2 2 1: every two touch, 0 and 1 also over the corner. */
static void segments_have_their_sizes_boxes_and_neighbours(void **state)
{
    (void)state;
    int32_t labels[] = {0, 0, 1, 2, 2, 1};
    det_adjacency a;
    det_error error;
    test_assert_ok(det_adjacency_create(&(det_segments){3, 2, 3, labels}, &arena, &a, &error),
                   &error);
    static const det_blob expected[] = {
        {{0, 0, 2, 1}, 2, 0}, {{2, 0, 3, 2}, 2, 1}, {{0, 1, 2, 2}, 2, 2}};
    assert_memory_equal(a.blobs, expected, sizeof expected);
    static const det_touching pairs[] = {{0, 2}, {0, 1}, {1, 2}};
    assert_int_equal(a.touching_count, 3);
    assert_memory_equal(a.touching, pairs, sizeof pairs);
}

static void segments_that_share_only_a_corner_touch(void **state)
{
    (void)state;
    int32_t labels[] = {0, 1, 2, 3};
    det_adjacency a;
    det_error error;
    test_assert_ok(det_adjacency_create(&(det_segments){2, 2, 4, labels}, &arena, &a, &error),
                   &error);
    assert_int_equal(a.touching_count, 6);
}

/* A segment a pixel: more pairs than the set of pairs begins with. */
static void many_neighbours_are_each_listed_once(void **state)
{
    (void)state;
    int32_t labels[pixels];
    for (int32_t i = 0; i < pixels; i++) labels[i] = i;
    det_adjacency a;
    det_error error;
    test_assert_ok(
        det_adjacency_create(&(det_segments){side, side, pixels, labels}, &arena, &a, &error),
        &error);
    assert_int_equal(a.touching_count, 4 * side * side - 6 * side + 2);
    for (size_t i = 0; i < a.touching_count; i++) {
        assert_true(a.touching[i].a < a.touching[i].b);
        for (size_t j = 0; j < i; j++)
            assert_false(a.touching[i].a == a.touching[j].a && a.touching[i].b == a.touching[j].b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_segments_merge_as_by_the_plain_reference),
        cmocka_unit_test(one_segment_needs_no_merge),
        cmocka_unit_test(segments_have_their_sizes_boxes_and_neighbours),
        cmocka_unit_test(segments_that_share_only_a_corner_touch),
        cmocka_unit_test(many_neighbours_are_each_listed_once),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
