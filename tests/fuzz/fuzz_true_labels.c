/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a list of pictures and their classes. */
#include "src/detector/true_labels.h"
#include "src/nn/model_file.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *synonyms[] = {(char *)"Tinca tinca"};
    static det_class classes[] = {
        {.name = (char *)"tench",
         .synset = (char *)"n01",
         .synonyms = synonyms,
         .synonym_count = 1},
        {.name = (char *)"great white shark", .synset = (char *)"n02"},
    };
    const det_model model = {.classes = classes, .class_count = 2};
    det_true_labels *labels = NULL;
    det_error error = {0};
    const det_status status =
        det_true_labels_parse((const char *)data, size, &model, &labels, &error);
    if (status < 0 && !*error.message) abort();
    if (status == DET_OK && det_true_labels_count(labels) == 0) abort();
    if (status == DET_OK && det_true_labels_find(labels, "a.jpg") >= 2) abort();
    det_true_labels_free(labels);
    return 0;
}
