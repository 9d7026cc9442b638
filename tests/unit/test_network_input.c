/* SPDX-License-Identifier: Apache-2.0 */
/* Crops as input, against the formula value by value. */
#include "src/base/random.h"
#include "src/train/network_input.h"
#include "tests/unit/support.h"

#include <string.h>

/* Wider than two chunks of a row, and no multiple of them. */
enum { WIDTH = 150, HEIGHT = 3, AREA = WIDTH * HEIGHT };

typedef struct {
    uint8_t pixels[3 * AREA];
    float found[3 * AREA];
} sample;

static void make_sample(sample *s)
{
    det_random random = det_random_create(1, 0);
    for (int i = 0; i < 3 * AREA; i++) s->pixels[i] = (uint8_t)det_random_below(&random, 256);
}

static const det_color_map same = {.matrix = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};

static void assert_input(const sample *s, const det_model_input *input, const det_color_map *map,
                         bool mirrored, float tolerance)
{
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < AREA; i++) {
            const int x = i % WIDTH, from = i - x + (mirrored ? WIDTH - 1 - x : x);
            const int channel = input->channel_order[0] == 'R' ? 2 - c : c;
            float value = map->offset[channel];
            for (int k = 0; k < 3; k++)
                value += map->matrix[channel][k] * (float)s->pixels[3 * from + k];
            value = value < 0 ? 0 : value > 255 ? 255 : value;
            value = (value - input->mean[c]) * input->scale[c];
            assert_float_equal(s->found[c * AREA + i], value, tolerance);
        }
}

static const det_model_input blue_first = {.width = WIDTH,
                                           .height = HEIGHT,
                                           .channel_order = "BGR",
                                           .mean = {104, 117, 123},
                                           .scale = {1, 1, 1}};
static const det_model_input red_first = {.width = WIDTH,
                                          .height = HEIGHT,
                                          .channel_order = "RGB",
                                          .mean = {123.7F, 116.3F, 103.5F},
                                          .scale = {.017F, .0175F, .0174F}};

static void a_crop_without_changes_is_what_a_network_is_fed(void **state)
{
    (void)state;
    static sample s;
    make_sample(&s);
    det_write_input(&blue_first, s.pixels, NULL, false, s.found);
    assert_input(&s, &blue_first, &same, false, 0);
    det_write_input(&red_first, s.pixels, NULL, false, s.found);
    assert_input(&s, &red_first, &same, false, 0);
}

static void a_mirrored_crop_is_written_from_right_to_left(void **state)
{
    (void)state;
    static sample s;
    make_sample(&s);
    det_write_input(&red_first, s.pixels, NULL, true, s.found);
    assert_input(&s, &red_first, &same, true, 0);
}

/* The offsets drive about a third of the values out of 0 to 255. */
static void changed_colors_are_cut_before_the_mean_is_taken_off(void **state)
{
    (void)state;
    static sample s;
    const det_color_map map = {{{.9F, .2F, .1F}, {-.1F, 1.2F, .3F}, {.2F, .1F, 1.1F}},
                               {-70, 20, 60}};
    make_sample(&s);
    det_write_input(&blue_first, s.pixels, &map, true, s.found);
    assert_input(&s, &blue_first, &map, true, 1e-3F);
    int low = 0, high = 0;
    for (int i = 0; i < AREA; i++) {
        low += s.found[i] == -104;
        high += s.found[2 * AREA + i] == 132;
    }
    assert_true(low > 0 && high > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crop_without_changes_is_what_a_network_is_fed),
        cmocka_unit_test(a_mirrored_crop_is_written_from_right_to_left),
        cmocka_unit_test(changed_colors_are_cut_before_the_mean_is_taken_off),
    };
    return cmocka_run_group_tests_name("network_input", tests, NULL, NULL);
}
