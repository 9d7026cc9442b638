/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/support_results.h"

#include "tests/unit/support.h"

#include <stdio.h>

static det_detection found[] = {
    {"cat", 1, 17, .75f, {10.5f, 20, 110.5f, 70}, DET_SOURCE_SELECTIVE_SEARCH},
    {"dog", 2, -1, 1.f / 3, {0, 0, 200, 100}, DET_SOURCE_PICTURE},
};

static det_region regions[] = {{{1, 2, 31, 42}, .5f, DET_SOURCE_SELECTIVE_SEARCH, 3}};

static det_label labels[] = {{"dog", 2, .5f}, {"bird, small", 0, 1.f / 3}};

const det_result test_results[test_result_count] = {
    {.file = "pic/7.jpg",
     .width = 200,
     .height = 100,
     .detections = found,
     .detection_count = 2,
     .regions = regions,
     .region_count = 1,
     .labels = labels,
     .label_count = 2,
     .proposal_count = 1234,
     .timings = {1, 2.5, 3, 4.125, 5, 15.625}},
    {.file = "pic/008.png",
     .width = 50,
     .height = 40,
     .regions = regions,
     .region_count = 1,
     .proposal_count = 56,
     .too_small_count = 7},
    {.file = "pic/9.webp",
     .error = {DET_FORMAT, "pic/9.webp", "byte 12", "the picture ends early"}},
};

static char *paths[] = {(char *)"pic/7.jpg", (char *)"pic/008.png", (char *)"pic/9.webp"};
const det_inputs test_inputs = {paths, test_result_count};

det_writer_options test_writer_options(det_format format, const char *output)
{
    static const char *const classes[] = {"bird", "cat", "dog"};
    static const char *const models[] = {"m/a.safetensors"};
    static const char *const proposals[] = {"selective_search"};
    return (det_writer_options){
        .format = format,
        .output = output,
        .inputs = &test_inputs,
        .info = {models, 1, proposals, 1, "f32", 2, classes, 3, 0},
    };
}

det_status test_write_results(const det_writer_options *options, const det_result *results,
                              size_t count, det_error *error)
{
    det_writer *writer = NULL;
    det_status status = det_writer_open(options, &writer, error);
    if (status < 0) return status;
    for (size_t i = 0; status == DET_OK && i < count; i++)
        status = det_writer_add(writer, &results[i], error);
    if (status == DET_OK) return det_writer_close(writer, error);
    det_writer_abandon(writer);
    return status;
}

const char *test_text_of(const char *path)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s is missing", path);
    const size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    return text;
}
