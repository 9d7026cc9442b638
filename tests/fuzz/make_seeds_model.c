/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the seeds of fuzz_model and fuzz_caffe: small networks in every format.
 *     build/dev/tests/make_seeds_model tests/fuzz/seeds/model tests/fuzz/seeds/caffe */
#include "src/base/memory.h"
#include "tests/unit/support_caffe.h"
#include "tests/unit/support_network.h"

#include <stdio.h>
#include <string.h>

static const char *models, *networks;

static const char *path_in(const char *folder, const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void save(const char *name, det_text *bytes)
{
    test_write_file(path_in(networks, name), bytes->data, bytes->length);
    det_text_free(bytes);
}

static void make_small_networks(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    det_text new_format = {0}, old_format = {0};
    test_caffe_model(sketch.model, false, &new_format, NULL);
    test_caffe_model(sketch.model, true, &old_format, NULL);
    save("layer.caffemodel", &new_format);
    save("layers.caffemodel", &old_format);
    test_sketch_free(&sketch);
}

/* A data layer with a phase and a transformation, a split, and a head for training only. */
static void make_training_network(void **state)
{
    (void)state;
    det_text net = {0}, rule = {0}, transform = {0};
    det_text layer = test_caffe_layer("data", "Data", -1, "", "data label");
    test_wire_number(&rule, 1, 1);
    test_wire_message(&layer, test_caffe_field(TEST_CAFFE_INCLUDE, false), &rule);
    test_wire_number(&transform, 3, 8);
    test_wire_float(&transform, 5, 128);
    test_wire_message(&layer, test_caffe_field(TEST_CAFFE_TRANSFORM, false), &transform);
    test_caffe_add(&net, false, &layer);
    static const char *const layers[][4] = {{"split", "Split", "data", "a b"},
                                            {"relu", "ReLU", "a", "a"},
                                            {"lrn", "LRN", "b", "c"},
                                            {"loss1", "SoftmaxWithLoss", "c label", "loss1"},
                                            {"loss2", "SoftmaxWithLoss", "a label", "loss2"}};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        layer = test_caffe_layer(layers[i][0], layers[i][1], -1, layers[i][2], layers[i][3]);
        test_caffe_add(&net, false, &layer);
    }
    save("training.caffemodel", &net);
}

/* Double and transposed weights, sizes for each side. */
static void make_odd_weights(void **state)
{
    (void)state;
    static const double values[] = {1, 2, 3, 4, 5, 6};
    det_text net = {0}, p = {0}, blob = {0};
    test_wire_string(&net, 3, "data");
    for (int i = 0; i < 4; i++) test_wire_number(&net, 4, (const uint64_t[]){1, 3, 1, 1}[i]);
    det_text layer = test_caffe_layer("fc", "InnerProduct", -1, "data", "fc");
    test_wire_number(&p, 1, 2);
    test_wire_number(&p, 2, 0);
    test_wire_number(&p, 6, 1);
    test_wire_message(&layer, test_caffe_field(TEST_CAFFE_INNER_PRODUCT, false), &p);
    test_wire_bytes(&blob, 8, values, sizeof values);
    test_wire_message(&layer, test_caffe_field(TEST_CAFFE_BLOBS, false), &blob);
    test_caffe_add(&net, false, &layer);
    save("transposed.caffemodel", &net);
}

static void write_model(const det_model *model, const char *name)
{
    det_error error = {0};
    test_assert_ok(det_model_write(model, path_in(models, name), &error), &error);
}

static void make_models(void **state)
{
    (void)state;
    test_sketch sketch = test_small_sketch();
    write_model(sketch.model, "small.safetensors");
    test_sketch_free(&sketch);

    sketch = test_sketch_create(2, 2);
    test_sketch_chain(&sketch, "prob", (det_node){.op = DET_OP_SOFTMAX}, DET_PICTURE);
    test_sketch_complete(&sketch);
    det_class *class = &sketch.model->classes[1];
    class->category_id = 7;
    class->synset = det_copy_string("n00000001");
    class->synonyms = det_alloc_zeroed(1, sizeof *class->synonyms);
    class->synonyms[0] = det_copy_string("plantain");
    class->synonym_count = 1;
    write_model(sketch.model, "tiny.safetensors");
    test_sketch_free(&sketch);
}

int main(int count, char **arguments)
{
    if (count != 3) {
        fprintf(stderr, "usage: %s FOLDER_OF_MODELS FOLDER_OF_NETWORKS\n", arguments[0]);
        return 2;
    }
    models = arguments[1];
    networks = arguments[2];
    const struct CMUnitTest makers[] = {
        cmocka_unit_test(make_small_networks),
        cmocka_unit_test(make_training_network),
        cmocka_unit_test(make_odd_weights),
        cmocka_unit_test(make_models),
    };
    return cmocka_run_group_tests(makers, NULL, NULL);
}
