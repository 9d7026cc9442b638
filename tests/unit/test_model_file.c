/* SPDX-License-Identifier: Apache-2.0 */
/* Model files: what is written is read again, and every alteration is refused with its place. */
#include "src/base/memory.h"
#include "src/base/text.h"
#include "tests/unit/support_network.h"

#include <stdio.h>
#include <string.h>

/* ---- Files and their alterations ------------------------------------------------------------ */

/* The bytes of a file, which det_bytes_free releases. */
static det_bytes read_file(const char *path)
{
    det_bytes bytes = {0};
    det_error error = {0};
    test_assert_ok(det_file_read(path, 1 << 24, &bytes, &error), &error);
    return bytes;
}

static det_bytes small_file(void)
{
    const char *path = test_path("small.safetensors");
    test_small_network(path);
    return read_file(path);
}

static bool holds(const det_bytes *bytes, const char *text)
{
    return memmem(bytes->data, bytes->size, text, strlen(text)) != NULL;
}

static size_t header_length(const det_bytes *bytes)
{
    uint64_t length;
    memcpy(&length, bytes->data, sizeof length);
    return (size_t)length;
}

/* A file of that header and the data of `original`, the header padded to a multiple of 64. */
static det_text join(const char *header, const det_bytes *original)
{
    det_text file = {0};
    uint64_t length = strlen(header);
    while ((length + 8) % 64) length++;
    det_text_append(&file, (const char *)&length, sizeof length);
    det_text_add(&file, header);
    while (file.length < length + 8) det_text_add(&file, " ");
    const size_t data = 8 + header_length(original);
    det_text_append(&file, (const char *)original->data + data, original->size - data);
    assert_false(file.failed);
    return file;
}

/* The text as it is inside a JSON string: quotes are escaped. */
static det_text escape(const char *text)
{
    det_text escaped = {0};
    for (; *text; text++) {
        if (*text == '"') det_text_add(&escaped, "\\");
        det_text_append(&escaped, text, 1);
    }
    det_text_add(&escaped, "");
    return escaped;
}

/* The small file with the first `from` in its header replaced by `to`. */
static det_text altered(const char *from, const char *to)
{
    det_bytes original = small_file();
    det_text header = {0}, changed = {0};
    det_text_append(&header, (const char *)original.data + 8, header_length(&original));
    const char *found = strstr(header.data, from);
    if (!found) fail_msg("the header does not hold %s", from);
    det_text_append(&changed, header.data, (size_t)(found - header.data));
    det_text_add(&changed, to);
    det_text_add(&changed, found + strlen(from));
    det_text file = join(changed.data, &original);
    det_text_free(&header);
    det_text_free(&changed);
    det_bytes_free(&original);
    return file;
}

/* The same inside the JSON string `model`. */
static det_text altered_model(const char *from, const char *to)
{
    det_text a = escape(from), b = escape(to);
    det_text file = altered(a.data, b.data);
    det_text_free(&a);
    det_text_free(&b);
    return file;
}

/* Opens bytes through a copy of their exact size. */
static det_status open_bytes(const void *bytes, size_t size, det_error *error)
{
    det_model model = {0};
    det_safetensors file = {0};
    uint8_t *copy = det_alloc_aligned(size);
    assert_non_null(copy);
    if (size > 0) memcpy(copy, bytes, size);
    const det_status status = det_model_open_bytes(copy, size, &model, &file, error);
    det_safetensors_free(&file);
    det_model_free_contents(&model);
    det_free(copy);
    return status;
}

static void assert_refused(det_text *file, det_status status, const char *where,
                           const char *message)
{
    det_error error = {0};
    test_assert_error(open_bytes(file->data, file->length, &error), status, &error, message);
    assert_string_equal(error.where, where);
    det_text_free(file);
}

static det_model *open_text(const det_text *file, const char *name)
{
    det_model *model = NULL;
    det_error error = {0};
    test_write_file(test_path(name), file->data, file->length);
    test_assert_ok(det_model_open(test_path(name), &model, &error), &error);
    return model;
}

/* ---- What is written is read ---------------------------------------------------------------- */

static void assert_same_attributes(const det_node *a, const det_node *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->op, b->op);
    assert_int_equal(a->channels, b->channels);
    assert_int_equal(a->global, b->global);
    assert_int_equal(a->ceil_mode, b->ceil_mode);
    assert_int_equal(a->local_size, b->local_size);
    assert_true(a->alpha == b->alpha && a->beta == b->beta && a->k == b->k);
    assert_true(a->ratio == b->ratio && a->negative_slope == b->negative_slope);
    if (b->op == DET_OP_MAX_POOL) assert_memory_equal(&a->window, &b->window, 6 * sizeof(int));
    if (b->op != DET_OP_CONVOLUTION) return;
    assert_memory_equal(&a->window, &b->window, sizeof a->window);
    assert_int_equal(a->groups, b->groups);
}

static void assert_same_node(const det_node *a, const det_node *b)
{
    assert_same_attributes(a, b);
    assert_int_equal(a->input_count, b->input_count);
    assert_memory_equal(a->inputs, b->inputs, (size_t)b->input_count * sizeof *b->inputs);
    assert_int_equal(a->weights.count, b->weights.count);
    assert_int_equal(a->bias.count, b->bias.count);
    if (b->weights.count == 0) return;
    assert_memory_equal(a->weights.values, b->weights.values, b->weights.count * sizeof(float));
    assert_memory_equal(a->bias.values, b->bias.values, b->bias.count * sizeof(float));
}

static void a_small_network_is_read_as_it_was_written(void **state)
{
    (void)state;
    const char *path = test_path("small.safetensors");
    det_error error = {0};
    det_model *model = NULL;
    test_sketch made = test_small_sketch();
    test_small_network(path);
    test_assert_ok(det_model_open(path, &model, &error), &error);

    const det_model *expected = made.model;
    assert_int_equal(model->graph.count, expected->graph.count);
    for (int i = 0; i < expected->graph.count; i++)
        assert_same_node(&model->graph.nodes[i], &expected->graph.nodes[i]);
    assert_memory_equal(model->shapes, expected->shapes,
                        (size_t)expected->graph.count * sizeof *expected->shapes);
    assert_memory_equal(&model->input, &expected->input, sizeof model->input);
    assert_int_equal(model->probabilities, expected->probabilities);
    assert_int_equal(model->features, expected->features);
    assert_int_equal(model->background_index, -1);
    assert_string_equal(det_model_path(model), path);
    det_model_free(model);
    test_sketch_free(&made);
}

static void data_begins_at_a_multiple_of_64_bytes(void **state)
{
    (void)state;
    det_bytes bytes = small_file();
    assert_int_equal((8 + header_length(&bytes)) % 64, 0);
    det_bytes_free(&bytes);
}

static void a_model_answers_questions(void **state)
{
    (void)state;
    test_small_network(test_path("small.safetensors"));
    det_model *model = NULL;
    det_layer_info info;
    det_error error = {0};
    test_assert_ok(det_model_open(test_path("small.safetensors"), &model, &error), &error);
    assert_int_equal(det_model_layer_count(model), 13);
    assert_int_equal(det_model_layer(model, 13, &info), DET_ARGUMENT);
    assert_int_equal(det_model_layer(model, 0, &info), DET_OK);
    assert_string_equal(info.name, "conv1");
    assert_string_equal(info.op, "convolution");
    assert_int_equal(info.input[0], 3);
    assert_int_equal(info.output[0], 4);
    assert_int_equal(info.output[2], 16);
    assert_int_equal(info.parameters, 4 * 27 + 4);
    assert_int_equal(info.macs, 256 * 4 * 27);
    assert_int_equal(det_model_class_count(model), 5);
    assert_string_equal(det_model_class_name(model, 1), "banana");
    assert_string_equal(det_model_class_name(model, 5), "");
    assert_int_equal(det_model_class_category(model, 1), -1);
    assert_int_equal(det_model_class_category(model, 5), -1);
    assert_int_equal(det_model_find_class(model, "CHERRY"), 2);
    assert_string_equal(det_model_provenance(model), "{}");
    assert_int_equal(strlen(det_model_digest(model)), 9 + 32);
    assert_int_equal(det_model_get_input(model)->width, 16);
    det_model_free(model);
}

static void file_digest(const char *path, char digest[DET_MODEL_DIGEST_SIZE])
{
    det_model *model = NULL;
    det_error error = {0};
    test_assert_ok(det_model_open(path, &model, &error), &error);
    test_assert_ok(det_model_file_digest(model, digest, &error), &error);
    assert_int_equal(strlen(digest), 9 + 32);
    det_model_free(model);
}

static void the_digest_of_the_file_covers_how_the_network_is_fed(void **state)
{
    (void)state;
    char digest[DET_MODEL_DIGEST_SIZE], again[DET_MODEL_DIGEST_SIZE], other[DET_MODEL_DIGEST_SIZE];
    const char *path = test_path("small.safetensors"), *fed = test_path("fed.safetensors");
    test_small_network(path);
    file_digest(path, digest);
    file_digest(path, again);
    assert_string_equal(digest, again);
    det_text file = altered_model("\"mean\":[104,", "\"mean\":[105,");
    test_write_file(fed, file.data, file.length);
    file_digest(fed, other);
    assert_string_not_equal(digest, other);
    det_text_free(&file);
}

static void a_shared_model_lives_until_its_last_reference(void **state)
{
    (void)state;
    test_small_network(test_path("small.safetensors"));
    det_model *model = NULL;
    det_error error = {0};
    test_assert_ok(det_model_open(test_path("small.safetensors"), &model, &error), &error);
    det_model *other = det_model_share(model);
    det_model_free(model);
    assert_string_equal(det_model_class_name(other, 0), "apple");
    det_model_free(other);
    det_model_free(NULL);
}

static void classes_may_have_ids_synsets_and_synonyms(void **state)
{
    (void)state;
    det_text file = altered_model("{\"name\":\"banana\"}",
                                  "{\"name\":\"banana\",\"id\":52,\"synset\":\"n07753592\","
                                  "\"synonyms\":[\"plantain\"]}");
    det_model *model = open_text(&file, "classes.safetensors");
    assert_int_equal(det_model_class_category(model, 1), 52);
    assert_string_equal(model->classes[1].synset, "n07753592");
    assert_int_equal(det_model_find_class(model, "Plantain"), 1);
    det_model_free(model);
    det_text_free(&file);
}

static void assert_priors(const det_model *model)
{
    assert_string_equal(det_model_output(model, DET_ROLE_MULTIBOX), "boxes");
    assert_int_equal(det_model_prior_count(model), TEST_PRIORS);
    for (size_t i = 0; i < TEST_PRIORS; i++) {
        const det_box box = det_model_prior(model, i);
        assert_memory_equal(&box, &test_priors[i], sizeof box);
    }
}

static void priors_are_read_as_they_were_written(void **state)
{
    (void)state;
    const char *path = test_path("multibox.safetensors"), *copy = test_path("copy.safetensors");
    det_model *model = NULL, *again = NULL;
    det_error error = {0};
    test_multibox_network(path, NULL);
    test_assert_ok(det_model_verify(path, &error), &error);
    test_assert_ok(det_model_open(path, &model, &error), &error);
    assert_priors(model);
    assert_true(det_model_prior(model, TEST_PRIORS).x1 == 0); /* there is none */
    test_assert_ok(det_model_write(model, copy, &error), &error);
    test_assert_ok(det_model_open(copy, &again, &error), &error);
    assert_priors(again);
    det_model_free(again);
    det_model_free(model);

    test_small_network(path);
    test_assert_ok(det_model_open(path, &model, &error), &error);
    assert_null(det_model_output(model, DET_ROLE_MULTIBOX));
    assert_int_equal(det_model_prior_count(model), 0);
    det_model_free(model);
}

/* "fc" of the small network gives 5 values: room for one prior. */
static void priors_that_make_no_sense_are_refused(void **state)
{
    static const struct {
        const char *priors;
        det_status status;
        const char *where, *message;
    } cases[] = {
        {"[[0,0,1,1],[0,0,1,1]]", DET_FORMAT, "model.outputs.multibox",
         "layer 'fc' gives 5 values; 2 priors have 5 each"},
        {"[]", DET_FORMAT, "model.outputs.multibox", "0 priors have 5 each"},
        {"null", DET_FORMAT, "model.outputs.multibox", "0 priors have 5 each"},
        {"7", DET_FORMAT, "model.priors", "must be an array, but is a whole number"},
        {"[7]", DET_FORMAT, "model.priors[0]", "must be an array, but is a whole number"},
        {"[null]", DET_FORMAT, "model.priors[0]", "must be an array, but is null"},
        {"[[0,0,1]]", DET_FORMAT, "model.priors[0]", "must have 4 elements, but has 3"},
        {"[[0,0,1,\"1\"]]", DET_FORMAT, "model.priors[0]", "must be a number"},
        {"[[0,0,1,1.5]]", DET_FORMAT, "model.priors[0]", "[0, 0, 1, 1.5] is no box in a picture"},
        {"[[-0.5,0,1,1]]", DET_FORMAT, "model.priors[0]", "is no box"},
        {"[[0.5,0,0.5,1]]", DET_FORMAT, "model.priors[0]", "is no box"},
        {"[[0,0.75,1,0.25]]", DET_FORMAT, "model.priors[0]", "is no box"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char to[200];
        snprintf(to, sizeof to, "\"outputs\":{\"multibox\":\"fc\"},\"priors\":%s,\"rest\":{",
                 cases[i].priors);
        det_text file = altered_model("\"outputs\":{", to);
        assert_refused(&file, cases[i].status, cases[i].where, cases[i].message);
    }
    det_text file = altered_model("\"outputs\":{", "\"priors\":[[0,0,1,1]],\"outputs\":{");
    assert_refused(&file, DET_FORMAT, "model.priors", "1 priors, but no layer moves them");
    file = altered_model("\"features\":\"drop\"", "\"multibox\":\"moves\"");
    assert_refused(&file, DET_FORMAT, "model.outputs.multibox", "there is no layer 'moves'");
}

static void more_priors_than_are_read_are_refused(void **state)
{
    (void)state;
    det_text to = {0};
    det_text_add(&to, "\"priors\":[[0,0,1,1]");
    for (int i = 0; i < DET_PRIORS_MAX; i++) det_text_add(&to, ",0");
    det_text_add(&to, "],\"outputs\":{");
    det_text file = altered_model("\"outputs\":{", to.data);
    det_text_free(&to);
    assert_refused(&file, DET_LIMIT, "model.priors", "10001 priors; at most 10000 are read");
}

static void the_background_counts_as_an_output_but_not_as_a_class(void **state)
{
    (void)state;
    det_text file = altered_model("{\"name\":\"apple\"},", "");
    assert_refused(&file, DET_FORMAT, "model.classes",
                   "4 classes, but layer 'prob' gives 5 probabilities");

    det_bytes original = small_file();
    det_text header = {0}, changed = {0};
    det_text_append(&header, (const char *)original.data + 8, header_length(&original));
    char *apple = strstr(header.data, "{\\\"name\\\":\\\"apple\\\"},");
    char *background = strstr(header.data, "\\\"background_index\\\":null");
    assert_non_null(apple);
    assert_non_null(background);
    det_text_append(&changed, header.data, (size_t)(apple - header.data));
    apple += strlen("{\\\"name\\\":\\\"apple\\\"},");
    det_text_append(&changed, apple, (size_t)(background - apple));
    det_text_add(&changed, "\\\"background_index\\\":4");
    det_text_add(&changed, background + strlen("\\\"background_index\\\":null"));
    file = join(changed.data, &original);
    det_model *model = open_text(&file, "background.safetensors");
    assert_int_equal(model->background_index, 4);
    assert_int_equal(det_model_class_count(model), 4);
    det_model_free(model);
    det_text_free(&header);
    det_text_free(&changed);
    det_text_free(&file);
    det_bytes_free(&original);
}

/* What a newer version of the program may have added survives reading and writing. */
static void keys_that_are_not_known_are_kept(void **state)
{
    (void)state;
    det_text file = altered_model("\"input\":{", "\"regimes\":{\"scales\":[1.5,2]},"
                                                 "\"input\":{\"gamma\":2.2,");
    det_model *model = open_text(&file, "future.safetensors");
    det_error error = {0};
    test_assert_ok(det_model_write(model, test_path("again.safetensors"), &error), &error);
    det_model_free(model);
    det_text_free(&file);

    det_bytes again = read_file(test_path("again.safetensors"));
    assert_true(holds(&again, "\\\"gamma\\\":2.2"));
    assert_true(holds(&again, "{\\\"scales\\\":[1.5,2]}"));
    det_bytes_free(&again);
    test_assert_ok(det_model_verify(test_path("again.safetensors"), &error), &error);
}

static void writing_a_model_that_was_read_gives_equal_bytes(void **state)
{
    (void)state;
    det_bytes first = small_file();
    det_model *model = NULL;
    det_error error = {0};
    test_assert_ok(det_model_open(test_path("small.safetensors"), &model, &error), &error);
    test_assert_ok(det_model_write(model, test_path("copy.safetensors"), &error), &error);
    det_model_free(model);
    det_bytes second = read_file(test_path("copy.safetensors"));
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    det_bytes_free(&first);
    det_bytes_free(&second);
}

/* Two layers of one tensor: it is written once. */
static void layers_may_share_a_tensor(void **state)
{
    (void)state;
    det_text file = altered_model("branch2.bias\"}", "branch2.bias\"}");
    det_model *model = open_text(&file, "shared.safetensors");
    det_text_free(&file);
    det_node *a = &model->graph.nodes[det_graph_find(&model->graph, "branch2")];
    det_node *fc = &model->graph.nodes[det_graph_find(&model->graph, "fc")];
    det_error error = {0};
    det_free(fc->bias.tensor);
    fc->bias = (det_weights){det_copy_string(a->bias.tensor), a->bias.values, a->bias.count};
    test_assert_ok(det_model_write(model, test_path("once.safetensors"), &error), &error);
    det_model_free(model);
    test_assert_ok(det_model_verify(test_path("once.safetensors"), &error), &error);
}

static void rounded_weights_are_read_as_they_were_written(void **state)
{
    (void)state;
    const int8_t rounded_8[12] = {127, -127, 3, -4}, rounded_7[12] = {63, -63, 1, -2};
    const char *path = test_path("rounded.safetensors");
    test_sketch sketch = test_small_sketch();
    det_model *model = NULL;
    det_error error = {0};
    test_sketch_round_branch(&sketch, rounded_8, rounded_7);
    test_assert_ok(det_model_write(sketch.model, path, &error), &error);
    test_assert_ok(det_model_open(path, &model, &error), &error);
    const int branch = det_graph_find(&model->graph, "branch1");
    const det_layer_scales *layers = model->quantization.layers;
    assert_memory_equal(layers[branch].rounded[DET_WEIGHTS_8], rounded_8, 12);
    assert_memory_equal(layers[branch].rounded[DET_WEIGHTS_7], rounded_7, 12);
    assert_null(layers[0].rounded[DET_WEIGHTS_8]);
    det_model_free(model);

    test_sketch_round_branch(&sketch, NULL, rounded_7); /* one width alone */
    test_assert_ok(det_model_write(sketch.model, path, &error), &error);
    test_assert_ok(det_model_open(path, &model, &error), &error);
    assert_null(model->quantization.layers[branch].rounded[DET_WEIGHTS_8]);
    assert_memory_equal(model->quantization.layers[branch].rounded[DET_WEIGHTS_7], rounded_7, 12);
    det_model_free(model);
    test_sketch_free(&sketch);
}

static void rounded_weights_of_another_type_are_refused(void **state)
{
    (void)state;
    const int8_t rounded[12] = {1};
    const char *path = test_path("rounded.safetensors");
    test_sketch sketch = test_small_sketch();
    det_model *model = NULL;
    det_bytes bytes = {0};
    det_error error = {0};
    test_sketch_round_branch(&sketch, rounded, NULL);
    test_assert_ok(det_model_write(sketch.model, path, &error), &error);
    test_sketch_free(&sketch);
    test_assert_ok(det_file_read(path, 1 << 20, &bytes, &error), &error);
    char *found = memmem(bytes.data, bytes.size, "\"I8\"", 4);
    assert_non_null(found);
    found[1] = 'U';
    test_write_file(path, bytes.data, bytes.size);
    det_bytes_free(&bytes);
    test_assert_error(det_model_open(path, &model, &error), DET_FORMAT, &error,
                      "12 values of type U8, not the 12 of the layer, of type I8");
    assert_string_equal(error.where, "model.tensor 'branch1.int8'");
}

/* ---- Alterations ---------------------------------------------------------------------------- */

static void a_file_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    det_bytes bytes = small_file();
    for (size_t size = 0; size < bytes.size; size++) {
        det_error error = {0};
        if (open_bytes(bytes.data, size, &error) == DET_OK)
            fail_msg("cut at byte %zu passes", size);
        assert_true(*error.message);
    }
    det_bytes_free(&bytes);
}

static void a_cut_file_says_how_many_bytes_are_missing(void **state)
{
    (void)state;
    det_bytes bytes = small_file();
    det_error error = {0};
    test_assert_error(open_bytes(bytes.data, bytes.size - 3, &error), DET_FORMAT, &error,
                      "3 bytes are missing; the file is truncated");
    assert_string_equal(error.where, "tensor 'fc.bias'");
    test_assert_error(open_bytes(bytes.data, 8 + header_length(&bytes) - 7, &error), DET_FORMAT,
                      &error, "7 bytes are missing; the file is truncated");
    assert_string_equal(error.where, "byte 0");
    det_bytes_free(&bytes);
}

static void any_changed_byte_of_the_weights_is_noticed(void **state)
{
    (void)state;
    det_bytes bytes = small_file();
    for (size_t i = 8 + header_length(&bytes); i < bytes.size; i++) {
        det_error error = {0};
        bytes.data[i] ^= 1;
        test_assert_error(open_bytes(bytes.data, bytes.size, &error), DET_FORMAT, &error,
                          "the weights are damaged: their digest is xxh3-128:");
        bytes.data[i] ^= 1;
    }
    det_bytes_free(&bytes);
}

static void no_changed_byte_of_the_header_does_harm(void **state)
{
    (void)state;
    det_bytes bytes = small_file();
    int refused = 0;
    for (size_t i = 0; i < 8 + header_length(&bytes); i++) {
        det_error error = {0};
        bytes.data[i] ^= 1;
        if (open_bytes(bytes.data, bytes.size, &error) < 0) {
            assert_true(*error.message);
            refused++;
        }
        bytes.data[i] ^= 1;
    }
    assert_true(refused > 1000); /* the others change the name of a class, say */
    det_bytes_free(&bytes);
}

static void headers_that_make_no_sense_are_refused(void **state)
{
    static const struct {
        uint8_t bytes[24];
        size_t size;
        const char *where, *message;
    } cases[] = {
        {"", 0, "byte 0", "0 bytes are no model file"},
        {"\2\0\0", 3, "byte 0", "3 bytes are no model file"},
        {{0, 0, 0, 0, 0, 0, 0, 128}, 8, "byte 0", "9223372036854775808 bytes is announced"},
        {{255, 255, 255, 255, 255, 255, 255, 255}, 8, "byte 0", "this is no model file"},
        {{9, 0, 0, 0, 0, 0, 0, 0, '{', '}'}, 10, "byte 0", "7 bytes are missing"},
        {{2, 0, 0, 0, 0, 0, 0, 0, '[', ']'}, 10, "byte 8", "not a JSON object"},
        {{2, 0, 0, 0, 0, 0, 0, 0, '{', '}'}, 10, "__metadata__.format", "is missing"},
        {{2, 0, 0, 0, 0, 0, 0, 0, '{', '}', 0}, 11, "byte 10", "1 bytes follow the last tensor"},
        {{1, 0, 0, 0, 0, 0, 0, 0, '{'}, 9, "header, line 1, column 2", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_error error = {0};
        test_assert_error(open_bytes(cases[i].bytes, cases[i].size, &error), DET_FORMAT, &error,
                          cases[i].message);
        assert_string_equal(error.where, cases[i].where);
    }
}

static void tensors_that_make_no_sense_are_refused(void **state)
{
    static const struct {
        const char *from, *to;
        det_status status;
        const char *where, *message;
    } cases[] = {
        {"\"F32\"", "\"F31\"", DET_UNSUPPORTED, "tensor 'conv1.weight'",
         "dtype 'F31' is not known"},
        {"\"F32\"", "32", DET_FORMAT, "tensor 'conv1.weight'", "'dtype' is not a string"},
        {"\"F32\"", "\"I32\"", DET_UNSUPPORTED, "model.graph[0].weights.weight",
         "tensor 'conv1.weight' is I32; weights must be F32"},
        {"[4,3,3,3]", "[4,3,3,4]", DET_FORMAT, "tensor 'conv1.weight'",
         "432 bytes of data do not hold 144 values of type F32"},
        {"[4,3,3,3]", "[4,3,3,-3]", DET_FORMAT, "tensor 'conv1.weight'", "shape[3] is not a whole"},
        {"[4,3,3,3]", "[4,3,3,\"3\"]", DET_FORMAT, "tensor 'conv1.weight'", "shape[3] is not"},
        {"[4,3,3,3]", "[4294967296,4294967296]", DET_FORMAT, "tensor 'conv1.weight'",
         "larger than any memory"},
        {"[4,3,3,3]", "[4611686018427387904]", DET_FORMAT, "tensor 'conv1.weight'", "do not hold"},
        {"[4,3,3,3]", "[1,1,1,1,1,4,3,3,3]", DET_LIMIT, "tensor 'conv1.weight'", "9 dimensions"},
        {"[4,3,3,3]", "{}", DET_FORMAT, "tensor 'conv1.weight'", "'shape' is not an array"},
        {"[0,432]", "[432,0]", DET_FORMAT, "tensor 'conv1.weight'", "[432, 0] are not a range"},
        {"[0,432]", "[-432,0]", DET_FORMAT, "tensor 'conv1.weight'", "are not a range"},
        {"[0,432]", "[0,432,1]", DET_FORMAT, "tensor 'conv1.weight'", "not a pair of whole"},
        {"[0,432]", "[0.5,432]", DET_FORMAT, "tensor 'conv1.weight'", "not a pair of whole"},
        {"[432,448]", "[428,444]", DET_FORMAT, "tensor 'conv1.bias'",
         "begins at byte 428, but 432 is where the one before it ends (an overlap)"},
        {"[432,448]", "[436,452]", DET_FORMAT, "tensor 'conv1.bias'",
         "begins at byte 436, but 432 is where the one before it ends (a gap)"},
        {"\"conv1.bias\":{", "\"other\":7,\"conv1.bias\":{", DET_FORMAT, "tensor 'other'",
         "a tensor must be an object"},
        {"\"conv1.bias\":{", "\"other\":{},\"conv1.bias\":{", DET_FORMAT, "tensor 'other'",
         "'dtype' is not a string"},
        {"\"conv1.bias\":{", "\"conv9.bias\":{", DET_FORMAT, "model.graph[0].weights.bias",
         "there is no tensor 'conv1.bias'"},
        {"\"format\":\"detect-model\"", "\"format\":1", DET_FORMAT, "__metadata__",
         "must be an object of strings"},
        {"detect-model", "pt", DET_FORMAT, "__metadata__.format", "is 'pt', not 'detect-model'"},
        {"\"format_version\":\"1\"", "\"format_version\":\"2\"", DET_UNSUPPORTED,
         "__metadata__.format_version", "version 2 is newer than 1"},
        {"\"format_version\":\"1\"", "\"format_version\":\"1x\"", DET_FORMAT,
         "__metadata__.format_version", "'1x' is not a version"},
        {"\"format_version\":\"1\"", "\"format_version\":\"0\"", DET_FORMAT,
         "__metadata__.format_version", "'0' is not a version"},
        {"xxh3-128:", "md5:", DET_FORMAT, "__metadata__.digest",
         "is not 'xxh3-128:' and 32 digits"},
        {"\"model\":\"{", "\"model\":\"[{", DET_FORMAT, "__metadata__.model, line 1, column", ""},
        {"\"model\":\"", "\"x\":\"\",\"other\":\"", DET_FORMAT, "__metadata__.model", "is missing"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_text file = altered(cases[i].from, cases[i].to);
        det_error error = {0};
        test_assert_error(open_bytes(file.data, file.length, &error), cases[i].status, &error,
                          cases[i].message);
        if (strncmp(error.where, cases[i].where, strlen(cases[i].where)) != 0)
            fail_msg("case %zu: the place is %s, not %s", i, error.where, cases[i].where);
        det_text_free(&file);
    }
}

static const struct {
    const char *from, *to;
    det_status status;
    const char *where, *message;
} wrong_graphs[] = {
    {"\"graph\":[", "\"grapf\":[", DET_FORMAT, "model.graph", "is missing"},
    {"\"graph\":[", "\"graph\":[7,", DET_FORMAT, "model.graph[0]", "must be an object"},
    {"\"name\":\"relu1\"", "\"name\":7", DET_FORMAT, "model.graph[1].name",
     "must be a string, but is a whole number"},
    {"\"op\":\"relu\"", "\"op\":\"gelu\"", DET_UNSUPPORTED, "model.graph[1].op",
     "'gelu' is not known to this version"},
    {"\"inputs\":[\"conv1\"]", "\"inputs\":[\"conv2\"]", DET_FORMAT, "model.graph[1].inputs",
     "'conv2' is neither the picture nor an earlier layer"},
    {"\"inputs\":[\"conv1\"]", "\"inputs\":[\"relu1\"]", DET_FORMAT, "model.graph[1].inputs",
     "'relu1' is neither"},
    {"\"inputs\":[\"conv1\"]", "\"inputs\":[]", DET_FORMAT, "model.graph[1].inputs",
     "0 inputs do not suit the operation relu"},
    {"\"inputs\":[\"conv1\"]", "\"inputs\":[\"conv1\",\"conv1\"]", DET_FORMAT,
     "model.graph[1].inputs", "2 inputs do not suit the operation relu"},
    {"\"inputs\":[\"conv1\"]", "\"inputs\":[null]", DET_FORMAT, "model.graph[1].inputs",
     "must be strings"},
    {"\"outputs\":[\"relu1\"]", "\"outputs\":[\"relu2\"]", DET_FORMAT, "model.graph[1].outputs",
     "must be the layer's name, 'relu1', alone"},
    {"\"name\":\"data\"", "\"name\":\"conv1\"", DET_FORMAT, "model.graph[0].inputs",
     "'data' is neither"},
    {"\"name\":\"relu1\",\"op\":\"relu\",\"inputs\":[\"conv1\"],\"outputs\":[\"relu1\"]",
     "\"name\":\"conv1\",\"op\":\"relu\",\"inputs\":[\"conv1\"],\"outputs\":[\"conv1\"]",
     DET_FORMAT, "model.graph[1].name", "'conv1' is there twice"},
    {"\"attributes\":{\"channels\":4,", "\"attributes\":{", DET_FORMAT,
     "model.graph[0].attributes.channels", "is missing"},
    {"\"channels\":4,", "\"channels\":4.5,", DET_FORMAT, "model.graph[0].attributes.channels",
     "must be a whole number from 1 to 16777216, but is 4.5"},
    {"\"kernel\":[3,3]", "\"kernel\":[3]", DET_FORMAT, "model.graph[0].attributes.kernel",
     "must have 2 elements, but has 1"},
    {"\"kernel\":[3,3]", "\"kernel\":[3,0]", DET_FORMAT, "model.graph[0].attributes.kernel",
     "from 1 to 65535, but is 0"},
    {"\"kernel\":[3,3]", "\"kernel\":[3,5]", DET_FORMAT, "layer 'conv1'",
     "108 weights do not fit 4 output channels x 3 input channels / 1 groups"},
    {"\"groups\":1", "\"groups\":2", DET_FORMAT, "layer 'conv1'", "2 groups do not divide 3"},
    {"\"global\":false", "\"global\":0", DET_FORMAT, "model.graph[2].attributes.global",
     "must be true or false, but is a whole number"},
    {"\"negative_slope\":0", "\"negative_slope\":1e39", DET_FORMAT,
     "model.graph[1].attributes.negative_slope", "must be a number of at most"},
    {"\"negative_slope\":0", "\"negative_slope\":\"0\"", DET_FORMAT,
     "model.graph[1].attributes.negative_slope", "must be a number"},
    {"\"weights\":{\"weight\":\"conv1.weight\",", "\"weights\":{", DET_FORMAT,
     "model.graph[0].weights.weight", "is missing; it must be a string"},
    {"\"width\":16", "\"width\":0", DET_FORMAT, "model.input.width", "from 1 to 16384"},
    {"\"width\":16", "\"width\":1e3", DET_FORMAT, "model.input.width", "but is 1000"},
    {"\"BGR\"", "\"GBR\"", DET_UNSUPPORTED, "model.input.channel_order", "'GBR' is not supported"},
    {"\"mean\":[104,", "\"mean\":[null,", DET_FORMAT, "model.input.mean", "must be a number"},
    {"\"mean\":[104,", "\"mean\":[", DET_FORMAT, "model.input.mean", "must have 3 elements"},
    {"\"probabilities\":\"prob\"", "\"probabilities\":\"x\"", DET_FORMAT,
     "model.outputs.probabilities", "there is no layer 'x'"},
    {"\"probabilities\":\"prob\"", "\"probabilities\":\"pool1\"", DET_FORMAT, "model.classes",
     "5 classes, but layer 'pool1' gives 4 probabilities"},
    {"\"features\":\"drop\"", "\"box_deltas\":\"moves\"", DET_FORMAT, "model.outputs.box_deltas",
     "there is no layer 'moves'"},
    {"\"features\":\"drop\"", "\"box_deltas\":\"pool1\"", DET_FORMAT, "model.outputs.box_deltas",
     "layer 'pool1' gives 256 values a region; 5 classes have 4 each, or 4 in all"},
    {"\"features\":\"drop\"", "\"regions\":\"branch1\"", DET_FORMAT,
     "model.outputs.regions: concat", "does not go through 'branch1'"},
    {"\"features\":\"drop\"", "\"regions\":\"pool2\"", DET_UNSUPPORTED,
     "model.outputs.regions: pool2", "has no map"},
    {"\"background_index\":null", "\"background_index\":5", DET_FORMAT, "model.classes",
     "5 classes and the background, but layer 'prob' gives 5"},
    {"\"background_index\":null", "\"background_index\":-1", DET_FORMAT, "model.background_index",
     "from 0 to"},
    {"{\"name\":\"apple\"}", "{\"name\":null}", DET_FORMAT, "model.classes[0].name", "is missing"},
    {"{\"name\":\"apple\"}", "\"apple\"", DET_FORMAT, "model.classes[0]", "must be an object"},
    {"{\"name\":\"apple\"}", "{\"name\":\"apple\",\"id\":-5}", DET_FORMAT, "model.classes[0].id",
     "must not be negative, but is -5"},
    {"{\"name\":\"apple\"}", "{\"name\":\"apple\",\"synonyms\":[1]}", DET_FORMAT,
     "model.classes[0].synonyms", "must be strings"},
};

static void graphs_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong_graphs / sizeof *wrong_graphs; i++) {
        det_text file = altered_model(wrong_graphs[i].from, wrong_graphs[i].to);
        assert_refused(&file, wrong_graphs[i].status, wrong_graphs[i].where,
                       wrong_graphs[i].message);
    }
}

/* One space more in the header, and the floats lie across words. */
static void weights_that_are_not_aligned_are_refused(void **state)
{
    (void)state;
    det_bytes original = small_file();
    det_text file = {0};
    const size_t length = header_length(&original);
    const uint64_t longer = length + 1;
    det_text_append(&file, (const char *)&longer, sizeof longer);
    det_text_append(&file, (const char *)original.data + 8, length);
    det_text_add(&file, " ");
    det_text_append(&file, (const char *)original.data + 8 + length, original.size - 8 - length);
    det_bytes_free(&original);
    assert_refused(&file, DET_FORMAT, "model.graph[0].weights.weight",
                   "tensor 'conv1.weight' is not aligned to 4 bytes");
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    det_text deep = {0};
    det_text_add(&deep, "\"x\":");
    for (int i = 0; i < 10000; i++) det_text_add(&deep, "[");
    for (int i = 0; i < 10000; i++) det_text_add(&deep, "]");
    det_text_add(&deep, ",\"conv1.bias\":{");
    det_text file = altered("\"conv1.bias\":{", deep.data);
    det_error error = {0};
    test_assert_error(open_bytes(file.data, file.length, &error), DET_FORMAT, &error, "64");
    det_text_free(&file);
    det_text_free(&deep);
}

/* ---- The file system and short memory ------------------------------------------------------- */

static void errors_name_the_file(void **state)
{
    (void)state;
    det_model *model = (det_model *)1;
    det_error error = {0};
    const char *path = test_path("missing.safetensors");
    test_assert_error(det_model_open(path, &model, &error), DET_IO, &error, "No such file");
    assert_string_equal(error.file, path);
    assert_null(model);

    test_write_file(test_path("empty.safetensors"), "", 0);
    test_assert_error(det_model_open(test_path("empty.safetensors"), &model, &error), DET_FORMAT,
                      &error, "empty");
    test_write_file(test_path("text.safetensors"), "name: \"GoogLeNet\"", 17);
    test_assert_error(det_model_open(test_path("text.safetensors"), &model, &error), DET_FORMAT,
                      &error, "this is no model file");
    assert_non_null(strstr(error.file, "text.safetensors"));

    test_sketch sketch = test_small_sketch();
    path = test_path("no/such/folder");
    test_assert_error(det_model_write(sketch.model, path, &error), DET_IO, &error, "No such file");
    assert_string_equal(error.file, path);
    test_sketch_free(&sketch);
}

#ifdef DET_FAULT_INJECTION
static void assert_short_memory_is_reported(const char *path)
{
    const char *copy = test_path("short.safetensors");
    det_status status = DET_MEMORY;
    for (uint64_t n = 1; status != DET_OK; n++) {
        det_model *model = NULL;
        det_error error = {0};
        det_memory_fail_at(n);
        status = det_model_open(path, &model, &error);
        if (status == DET_OK) status = det_model_write(model, copy, &error);
        const bool failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        det_model_free(model);
    }
}
#endif

static void short_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
#ifdef DET_FAULT_INJECTION
    det_text rich =
        altered_model("{\"name\":\"banana\"}", "{\"name\":\"banana\",\"synset\":\"n07753592\","
                                               "\"synonyms\":[\"plantain\",\"pisang\"]}");
    const char *path = test_path("rich.safetensors");
    test_write_file(path, rich.data, rich.length);
    det_text_free(&rich);
    assert_short_memory_is_reported(path);
    test_multibox_network(path, NULL);
    assert_short_memory_is_reported(path);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_network_is_read_as_it_was_written),
        cmocka_unit_test(data_begins_at_a_multiple_of_64_bytes),
        cmocka_unit_test(a_model_answers_questions),
        cmocka_unit_test(the_digest_of_the_file_covers_how_the_network_is_fed),
        cmocka_unit_test(a_shared_model_lives_until_its_last_reference),
        cmocka_unit_test(classes_may_have_ids_synsets_and_synonyms),
        cmocka_unit_test(priors_are_read_as_they_were_written),
        cmocka_unit_test(priors_that_make_no_sense_are_refused),
        cmocka_unit_test(more_priors_than_are_read_are_refused),
        cmocka_unit_test(the_background_counts_as_an_output_but_not_as_a_class),
        cmocka_unit_test(keys_that_are_not_known_are_kept),
        cmocka_unit_test(writing_a_model_that_was_read_gives_equal_bytes),
        cmocka_unit_test(layers_may_share_a_tensor),
        cmocka_unit_test(rounded_weights_are_read_as_they_were_written),
        cmocka_unit_test(rounded_weights_of_another_type_are_refused),
        cmocka_unit_test(a_file_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_cut_file_says_how_many_bytes_are_missing),
        cmocka_unit_test(any_changed_byte_of_the_weights_is_noticed),
        cmocka_unit_test(no_changed_byte_of_the_header_does_harm),
        cmocka_unit_test(headers_that_make_no_sense_are_refused),
        cmocka_unit_test(tensors_that_make_no_sense_are_refused),
        cmocka_unit_test(graphs_that_make_no_sense_are_refused),
        cmocka_unit_test(weights_that_are_not_aligned_are_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(errors_name_the_file),
        cmocka_unit_test(short_memory_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
