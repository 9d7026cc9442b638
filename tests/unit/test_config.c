/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/data/config_keys.h"
#include "tests/unit/support.h"
#include "tests/unit/support_documents.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* 128 letters */
#define LETTERS_32 "abcdefghijklmnopabcdefghijklmnop"
#define LONG_NAME LETTERS_32 LETTERS_32 LETTERS_32 LETTERS_32

static det_config *create(void)
{
    det_config *config = NULL;
    det_error error = {0};
    test_assert_ok(det_config_create(&config, &error), &error);
    return config;
}

static void set(det_config *config, const char *assignment)
{
    det_error error = {0};
    test_assert_ok(det_config_set(config, assignment, &error), &error);
}

static det_config *parse(const char *text)
{
    det_config *config = NULL;
    det_error error = {0};
    test_assert_ok(det_config_parse(text, strlen(text), "", &config, &error), &error);
    return config;
}

static void assert_refused(const char *text, const char *where, const char *message)
{
    det_config *config = NULL;
    det_error error = {0};
    test_assert_error(det_config_parse(text, strlen(text), "", &config, &error), DET_FORMAT, &error,
                      message);
    assert_string_equal(error.where, where);
    assert_null(config);
}

/* ---- Defaults and the schema ---- */

static void the_defaults_are_those_of_the_papers_fast_version(void **state)
{
    (void)state;
    det_config *c = create();
    assert_true(c->set_keys[0] == 0 && c->set_keys[1] == 0);
    assert_true(c->proposals.selective_search && !c->proposals.multibox);
    assert_true(!c->proposals.uniform && !c->proposals.sliding);
    assert_true(c->proposals.max == 0 && c->proposals.whole_picture);
    assert_string_equal(c->proposals.preset, "fast");
    const det_selective_search_options *search = &c->proposals.search;
    assert_memory_equal(search->color_spaces, ((unsigned[8]){DET_COLOR_HSV, DET_COLOR_LAB}), 32);
    assert_memory_equal(search->similarities, ((unsigned[16]){15, 14}), 64);
    assert_true(search->k[0] == 50 && search->k[1] == 100 && search->k[2] == 0);
    assert_true(search->min_size_px == 0 && search->sigma_px == .8);
    assert_true(search->superpixel_scale == 1 && search->max == 0 && search->seed == 0);
    assert_true(search->min_side_px == 20 && search->width_px == 500);
    assert_int_equal(c->proposals.multibox_max, 200);
    assert_int_equal(c->classifier.model_count, 0);
    assert_string_equal(c->classifier.vote, "average");
    assert_string_equal(c->classifier.precision, "f32");
    assert_string_equal(c->classifier.regions, "crop");
    assert_true(c->classifier.batch == 8 && c->classifier.context_px == -1);
    assert_false(c->classifier.cascade || c->classifier.winograd);
    assert_true(c->postprocess.score_threshold == .05f && c->postprocess.max_detections == 100);
    assert_true(c->postprocess.nms_method == DET_NMS_HARD && c->postprocess.nms_iou == .3f);
    assert_true(c->postprocess.nms_vote_iou == .5f && c->postprocess.nms_sigma == .5f);
    assert_string_equal(c->postprocess.nms_decay, "gaussian");
    assert_int_equal(c->postprocess.box_regression, -1);
    assert_true(c->runtime.threads == 0 && c->runtime.seed == 0);
    assert_true(c->limits.max_pixels == 100000000 && c->limits.max_file_bytes == 1 << 30);
    assert_true(c->limits.max_regions == 20000 && c->limits.memory_mb == 0);
    assert_true(c->limits.timeout_s == 0);
    det_config_free(c);
}

static json_object *member(json_object *object, const char *key)
{
    json_object *value = NULL;
    json_object_object_get_ex(object, key, &value);
    return value;
}

static void assert_type_agrees(const det_config_row *row, json_object *schema)
{
    json_object *type = member(schema, "type");
    char expected[64];
    snprintf(expected, sizeof expected, row->nullable ? "[\"%s\",\"null\"]" : "\"%s\"", row->type);
    assert_string_equal(json_object_to_json_string_ext(type, JSON_C_TO_STRING_PLAIN), expected);
}

static void assert_words_agree(const det_config_row *row, json_object *schema)
{
    json_object *words = member(schema, "enum");
    size_t count = 0;
    while (row->words && row->words[count]) count++;
    assert_int_equal(words ? json_object_array_length(words) : 0, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(json_object_get_string(json_object_array_get_idx(words, i)),
                            row->words[i]);
}

static void assert_range_agrees(const det_config_row *row, json_object *schema)
{
    const char *type = json_object_get_string(member(schema, "type"));
    json_object *low = member(schema, "minimum"), *high = member(schema, "maximum");
    const bool number = strstr(type, "number") || strstr(type, "integer");
    assert_int_equal(low && high, number);
    if (!number) return;
    assert_true(json_object_get_double(low) == row->min);
    assert_true(json_object_get_double(high) == row->max);
}

static void assert_key_agrees(const char *path, json_object *schema)
{
    const det_config_row *row = det_config_find(path);
    if (!row) fail_msg("the schema has the key %s, the program has not", path);
    assert_type_agrees(row, schema);
    assert_string_equal(json_object_get_string(member(schema, "description")), row->help);
    json_object *value = NULL;
    assert_int_equal(det_json_parse(row->default_value, strlen(row->default_value), &value, NULL),
                     DET_OK);
    assert_true(json_object_equal(member(schema, "default"), value));
    json_object_put(value);

    json_object *items = member(schema, "items"), *members = member(schema, "additionalProperties");
    assert_int_equal(items != NULL, strcmp(row->type, "array") == 0);
    assert_int_equal(members != NULL, strcmp(row->type, "object") == 0);
    if (items) {
        assert_int_equal(json_object_get_int(member(schema, "minItems")), row->min_count);
        assert_int_equal(json_object_get_int(member(schema, "maxItems")), row->max_count);
    }
    if (members)
        assert_int_equal(json_object_get_int(member(schema, "maxProperties")), row->max_count);
    if (!items) items = members;
    assert_words_agree(row, items ? items : schema);
    assert_range_agrees(row, items ? items : schema);
}

/* @return the number of keys below. */
static size_t assert_group_agrees(const char *path, json_object *schema)
{
    size_t count = 0;
    assert_true(json_object_is_type(member(schema, "additionalProperties"), json_type_boolean));
    assert_false(json_object_get_boolean(member(schema, "additionalProperties")));
    json_object_object_foreach(member(schema, "properties"), key, value)
    {
        char name[128];
        snprintf(name, sizeof name, "%s%s%s", path, *path ? "." : "", key);
        if (member(value, "properties"))
            count += assert_group_agrees(name, value);
        else
            assert_key_agrees(name, value), count++;
    }
    return count;
}

static void the_schema_and_the_table_of_keys_agree(void **state)
{
    (void)state;
    json_object *schema = NULL;
    det_error error = {0};
    test_assert_ok(det_json_read("configs/det.schema.json", &schema, &error), &error);
    assert_int_equal(assert_group_agrees("", schema), det_config_row_count);
    json_object_put(schema);
}

static void keys_can_be_listed(void **state)
{
    (void)state;
    const char *path, *type, *value, *help;
    size_t count = 0;
    while (det_config_key(count, &path, &type, &value, &help)) {
        assert_non_null(det_config_find(path));
        assert_true(help[strlen(help) - 1] == '.');
        count++;
    }
    assert_int_equal(count, det_config_row_count);
    assert_true(det_config_key(0, NULL, NULL, NULL, NULL));
    assert_true(det_config_key(1, &path, &type, &value, NULL));
    assert_string_equal(path, "proposals.methods");
    assert_string_equal(type, "array");
    assert_string_equal(value, "[\"selective_search\"]");
}

/* ---- Keys and their fields ---- */

/* Every key, none at its default. */
static const char *const every_key =
    "{\"schema_version\":1,"
    "\"proposals\":{\"methods\":[\"multibox\"],\"max\":7,\"whole_picture\":false,"
    "\"selective_search\":{\"preset\":\"single\",\"color_spaces\":[\"h\",\"nrgb\",\"c\"],"
    "\"similarities\":[\"FC\",\"S\"],\"k\":[2.5,300],\"min_size\":9,\"sigma\":1.2345678901234567,"
    "\"superpixel_scale\":2,\"max\":11,\"min_side\":5,\"width\":640,"
    "\"seed\":9007199254740991,\"near_duplicate_iou\":0.8},\"multibox\":{\"max\":13}},"
    "\"classifier\":{\"models\":[\"a\",\"/b/c\"],\"vote\":\"average\",\"precision\":\"auto\","
    "\"winograd\":true,"
    "\"batch\":3,\"regions\":\"pool\",\"pool\":{\"layer\":\"conv/1\",\"scales\":[224,448.5],"
    "\"method\":\"max\"},\"context_px\":16,\"cascade\":true},"
    "\"postprocess\":{\"score_threshold\":0.25,\"max_detections\":17,\"box_regression\":true,"
    "\"nms\":{\"method\":\"soft\",\"iou\":0.5,\"vote_iou\":0.625,\"decay\":\"linear\","
    "\"sigma\":0.75}},"
    "\"train\":{\"annotations\":\"boxes.json\",\"pictures\":\"/"
    "p\",\"split\":\"val\",\"output\":\"o\","
    "\"cache\":\"kept\",\"layer\":\"pool/5\",\"grid\":2,\"folds\":7,\"positive_iou\":0.625,"
    "\"negative_iou\":0.25,\"head\":\"svm\",\"class_weights\":\"balanced\",\"l2\":0.0625,"
    "\"max_examples\":26,\"learning_curve\":false,\"bootstrap\":27,"
    "\"multibox\":{\"boxes\":28,\"match\":\"predictions\"},"
    "\"network\":{\"steps\":31,\"batch\":32,\"positive_share\":0.5,\"rate\":0.01,"
    "\"rates\":{\"conv1/*\":0,\"head/?oxes\":10.5},\"schedule\":\"poly\",\"warm_up\":33,"
    "\"step_every\":34,\"step_factor\":0.25,\"power\":2,\"momentum\":0.75,"
    "\"weight_decay\":0.125,\"clip\":35,\"average\":37,\"box_weight\":2.5,"
    "\"mirror\":false,\"jitter\":0.375,\"color\":0.0625,\"validation\":0.625,"
    "\"checkpoint\":36}},"
    "\"runtime\":{\"threads\":2,\"seed\":19},"
    "\"limits\":{\"max_pixels\":21,\"max_file_bytes\":22,\"max_regions\":23,\"memory_mb\":24,"
    "\"timeout_s\":2.5}}";

static void every_key_reaches_its_field(void **state)
{
    (void)state;
    det_config *c = parse(every_key);
    test_keep_document("config", "every_key", every_key, strlen(every_key));
    for (size_t i = 0; i < det_config_row_count; i++)
        assert_true(det_config_is_set(c, &det_config_rows[i]));
    assert_true(!c->proposals.selective_search && c->proposals.multibox);
    assert_true(c->proposals.max == 7 && !c->proposals.whole_picture);
    assert_string_equal(c->proposals.preset, "single");
    const det_selective_search_options *search = &c->proposals.search;
    assert_memory_equal(search->color_spaces,
                        ((unsigned[8]){DET_COLOR_H, DET_COLOR_NRGB, DET_COLOR_C}), 32);
    assert_memory_equal(
        search->similarities,
        ((unsigned[16]){DET_SIMILARITY_FILL | DET_SIMILARITY_COLOR, DET_SIMILARITY_SIZE}), 64);
    assert_true(search->k[0] == 2.5f && search->k[1] == 300 && search->k[2] == 0);
    assert_true(search->min_size_px == 9 && search->sigma_px == 1.2345678901234567);
    assert_true(search->superpixel_scale == 2 && search->max == 11);
    assert_true(search->min_side_px == 5 && search->width_px == 640);
    assert_true(search->seed == 9007199254740991 && search->near_duplicate_iou == .8);
    assert_int_equal(c->proposals.multibox_max, 13);
    assert_int_equal(c->classifier.model_count, 2);
    assert_string_equal(c->classifier.models[0], "a");
    assert_string_equal(c->classifier.models[1], "/b/c");
    assert_string_equal(c->classifier.precision, "auto");
    assert_string_equal(c->classifier.regions, "pool");
    assert_string_equal(c->classifier.pool_layer, "conv/1");
    assert_string_equal(c->classifier.pool_method, "max");
    assert_memory_equal(c->classifier.pool_scales, ((float[8]){224, 448.5f}), sizeof(float[8]));
    assert_true(c->classifier.batch == 3 && c->classifier.context_px == 16);
    assert_true(c->classifier.cascade && c->classifier.winograd);
    assert_int_equal(c->postprocess.box_regression, 1);
    assert_true(c->postprocess.score_threshold == .25f && c->postprocess.max_detections == 17);
    assert_true(c->postprocess.nms_method == DET_NMS_SOFT && c->postprocess.nms_iou == .5f);
    assert_true(c->postprocess.nms_vote_iou == .625f && c->postprocess.nms_sigma == .75f);
    assert_string_equal(c->postprocess.nms_decay, "linear");
    assert_string_equal(c->train.annotations, "boxes.json");
    assert_string_equal(c->train.pictures, "/p");
    assert_string_equal(c->train.split, "val");
    assert_string_equal(c->train.output, "o");
    assert_string_equal(c->train.cache, "kept");
    assert_string_equal(c->train.layer, "pool/5");
    assert_true(c->train.grid == 2 && c->train.folds == 7);
    assert_true(c->train.positive_iou == .625 && c->train.negative_iou == .25);
    assert_string_equal(c->train.head, "svm");
    assert_string_equal(c->train.class_weights, "balanced");
    assert_true(c->train.l2 == .0625 && c->train.max_examples == 26 && c->train.bootstrap == 27);
    assert_false(c->train.learning_curve);
    assert_int_equal(c->train.multibox_boxes, 28);
    assert_string_equal(c->train.multibox_match, "predictions");
    assert_true(c->train.network.steps == 31 && c->train.network.batch == 32);
    assert_true(c->train.network.positive_share == .5 && c->train.network.rate == .01);
    assert_int_equal(c->train.network.rate_count, 2);
    assert_string_equal(c->train.network.rates[0].layers, "conv1/*");
    assert_string_equal(c->train.network.rates[1].layers, "head/?oxes");
    assert_true(c->train.network.rates[0].factor == 0 && c->train.network.rates[1].factor == 10.5);
    assert_string_equal(c->train.network.schedule, "poly");
    assert_true(c->train.network.warm_up == 33 && c->train.network.step_every == 34);
    assert_true(c->train.network.step_factor == .25 && c->train.network.power == 2);
    assert_true(c->train.network.momentum == .75 && c->train.network.weight_decay == .125);
    assert_true(c->train.network.clip == 35 && c->train.network.average == 37);
    assert_true(c->train.network.box_weight == 2.5 && !c->train.network.mirror);
    assert_true(c->train.network.jitter == .375 && c->train.network.color == .0625);
    assert_true(c->train.network.validation == .625 && c->train.network.checkpoint == 36);
    assert_true(c->runtime.threads == 2 && c->runtime.seed == 19);
    assert_true(c->limits.max_pixels == 21 && c->limits.max_file_bytes == 22);
    assert_true(c->limits.max_regions == 23 && c->limits.memory_mb == 24);
    assert_true(c->limits.timeout_s == 2.5);
    det_config_free(c);
}

/* The value of key `index` as JSON. */
static void assert_value(const det_config *c, size_t index, const char *expected)
{
    const char *text;
    det_error error = {0};
    det_json *json = det_json_create();
    assert_true(det_config_value(c, index, json, NULL));
    test_assert_ok(det_json_finish(json, &text, NULL, &error), &error);
    assert_string_equal(text, expected);
    det_json_free(json);
}

static void a_value_that_was_not_set_is_written_as_its_default(void **state)
{
    (void)state;
    det_config *c = create();
    for (size_t i = 0; i < det_config_row_count; i++)
        assert_value(c, i, det_config_rows[i].default_value);
    assert_false(det_config_value(c, det_config_row_count, NULL, NULL));
    det_config_free(c);
}

/* Follows the path of a key through nested objects; NULL for null, too. */
static json_object *find_key(json_object *document, const char *path)
{
    char copy[128], *rest = copy;
    snprintf(copy, sizeof copy, "%s", path);
    for (const char *name; (name = strsep(&rest, "."));)
        assert_true(json_object_object_get_ex(document, name, &document));
    return document;
}

static void every_value_is_written_as_it_was_set(void **state)
{
    (void)state;
    det_config *c = parse(every_key);
    json_object *document = json_tokener_parse(every_key);
    for (size_t i = 0; i < det_config_row_count; i++) {
        if (strcmp(det_config_rows[i].path, "proposals.selective_search.similarities") == 0)
            assert_value(c, i, "[\"CF\",\"S\"]"); /* set as "FC" */
        else
            assert_value(c, i,
                         json_object_to_json_string_ext(find_key(document, det_config_rows[i].path),
                                                        JSON_C_TO_STRING_PLAIN |
                                                            JSON_C_TO_STRING_NOSLASHESCAPE));
    }
    json_object_put(document);
    det_config_free(c);
}

static void every_color_space_and_similarity_has_its_bit(void **state)
{
    (void)state;
    det_config *c = create();
    set(c, "proposals.selective_search.color_spaces="
           "[\"hsv\",\"lab\",\"rgb\",\"i\",\"rgi\",\"nrgb\",\"c\",\"h\"]");
    set(c, "proposals.selective_search.similarities=[\"C\",\"T\",\"S\",\"F\"]");
    static const unsigned spaces[8] = {DET_COLOR_HSV, DET_COLOR_LAB,  DET_COLOR_RGB, DET_COLOR_I,
                                       DET_COLOR_RGI, DET_COLOR_NRGB, DET_COLOR_C,   DET_COLOR_H};
    static const unsigned terms[16] = {DET_SIMILARITY_COLOR, DET_SIMILARITY_TEXTURE,
                                       DET_SIMILARITY_SIZE, DET_SIMILARITY_FILL};
    assert_memory_equal(c->proposals.search.color_spaces, spaces, sizeof spaces);
    assert_memory_equal(c->proposals.search.similarities, terms, sizeof terms);
    det_config_free(c);
}

static void words_fit_the_room_they_are_copied_to(void **state)
{
    (void)state;
    const det_config *c = NULL;
    const struct {
        const char *path;
        size_t size;
    } rooms[] = {{"proposals.selective_search.preset", sizeof c->proposals.preset},
                 {"classifier.vote", sizeof c->classifier.vote},
                 {"classifier.precision", sizeof c->classifier.precision},
                 {"classifier.regions", sizeof c->classifier.regions},
                 {"classifier.pool.method", sizeof c->classifier.pool_method}};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        for (const char *const *word = det_config_find(rooms[i].path)->words; *word; word++)
            assert_true(strlen(*word) < rooms[i].size);
}

static void nothing_and_no_limit_are_written_as_0_or_null(void **state)
{
    (void)state;
    det_config *c = parse("{\"proposals\":{\"selective_search\":{\"min_side\":0,\"width\":0}},"
                          "\"classifier\":{\"context_px\":null}}");
    assert_value(c, (size_t)(det_config_find("proposals.selective_search.width") - det_config_rows),
                 "0");
    assert_int_equal(c->proposals.search.min_side_px, -1);
    assert_int_equal(c->proposals.search.width_px, -1);
    assert_int_equal(c->classifier.context_px, -1);
    set(c, "classifier.context_px=0");
    assert_int_equal(c->classifier.context_px, 0);
    set(c, "classifier.pool.layer=pool4");
    assert_string_equal(c->classifier.pool_layer, "pool4");
    set(c, "classifier.pool.layer=null");
    assert_string_equal(c->classifier.pool_layer, "");
    set(c, "postprocess.box_regression=false");
    assert_int_equal(c->postprocess.box_regression, 0);
    set(c, "postprocess.box_regression=null");
    assert_int_equal(c->postprocess.box_regression, -1);
    const size_t regression =
        (size_t)(det_config_find("postprocess.box_regression") - det_config_rows);
    assert_value(c, regression, "null");
    set(c, "postprocess.box_regression=true");
    assert_value(c, regression, "true");
    det_config_free(c);
}

static void an_integer_may_be_written_as_a_number_with_nothing_after_the_point(void **state)
{
    (void)state;
    det_config *c = parse("{\"classifier\":{\"batch\":16.0},\"proposals\":{\"max\":2e3}}");
    assert_int_equal(c->classifier.batch, 16);
    assert_int_equal(c->proposals.max, 2000);
    det_config_free(c);
}

/* ---- Presets ---- */

static void a_preset_gives_what_is_not_set_itself_in_any_order(void **state)
{
    (void)state;
    det_config *c = parse("{\"proposals\":{\"selective_search\":{\"k\":[77],"
                          "\"preset\":\"quality\"}}}");
    const det_selective_search_options *search = &c->proposals.search;
    assert_true(search->k[0] == 77 && search->k[1] == 0);
    assert_memory_equal(search->similarities, ((unsigned[16]){15, 14, 8, 4}), 64);
    assert_memory_equal(
        search->color_spaces,
        ((unsigned[8]){DET_COLOR_HSV, DET_COLOR_LAB, DET_COLOR_RGI, DET_COLOR_H, DET_COLOR_I}), 32);

    set(c, "proposals.selective_search.preset=single");
    assert_true(search->k[0] == 77 && search->k[1] == 0);
    assert_memory_equal(search->similarities, ((unsigned[16]){15}), 64);
    assert_memory_equal(search->color_spaces, ((unsigned[8]){DET_COLOR_HSV}), 32);
    det_config_free(c);

    c = create();
    set(c, "proposals.selective_search.preset=quality");
    assert_true(c->proposals.search.k[3] == 300 && c->proposals.search.k[4] == 0);
    set(c, "proposals.selective_search.preset=fast");
    assert_true(c->proposals.search.k[0] == 50 && c->proposals.search.k[2] == 0);
    det_config_free(c);
}

/* ---- Refusals ---- */

static void syntax_is_refused_with_line_and_column(void **state)
{
    (void)state;
    assert_refused("{\"runtime\":{\n \"threads\":1,\n \"threads\":2}}", "line 3, column 2",
                   "the key \"threads\" is there twice");
    assert_refused("{\"runtime\":{\"threads\":NaN}}", "line 1, column 23", "NaN is not a number");
    assert_refused("{'runtime':{}}", "line 1, column 2", "strings take double quotes");
    assert_refused("", "line 1, column 1", "end of the text");
    assert_refused("[]", "line 1, column 1", "a configuration is an object");
    assert_refused("null", "line 1, column 1", "a configuration is an object");
}

static const struct {
    const char *text, *where, *message;
} wrong_meanings[] = {
    {"{\"runtime\":3}", "runtime", "must be an object"},
    {"{\"runtime\":{\"threads\":\"2\"}}", "runtime.threads",
     "must be an integer, not the string \"2\""},
    {"{\"runtime\":{\"threads\":2.5}}", "runtime.threads", "not the number 2.5"},
    {"{\"runtime\":{\"threads\":null}}", "runtime.threads", "not null"},
    {"{\"runtime\":{\"threads\":-1}}", "runtime.threads", "-1 is outside the range from 0 to 1024"},
    {"{\"runtime\":{\"threads\":1025}}", "runtime.threads", "1025 is outside"},
    {"{\"runtime\":{\"threads\":1e300}}", "runtime.threads", "1e+300 is outside"},
    {"{\"runtime\":{\"seed\":9007199254740992}}", "runtime.seed",
     "outside the range from 0 to 9007199254740991"},
    {"{\"classifier\":{\"context_px\":\"x\"}}", "classifier.context_px",
     "must be an integer or null"},
    {"{\"postprocess\":{\"box_regression\":1}}", "postprocess.box_regression",
     "must be true, false or null, not the number 1"},
    {"{\"classifier\":{\"pool\":{\"layer\":3}}}", "classifier.pool.layer",
     "must be a plain string or null, not the number 3"},
    {"{\"classifier\":{\"pool\":{\"layer\":\"\"}}}", "classifier.pool.layer", "is empty"},
    {"{\"classifier\":{\"pool\":{\"layer\":\"" LONG_NAME "\"}}}", "classifier.pool.layer",
     "longer than 127 bytes"},
    {"{\"classifier\":{\"pool\":{\"scales\":[]}}}", "classifier.pool.scales",
     "has 0 elements; from 1 to 8 are possible"},
    {"{\"classifier\":{\"pool\":{\"scales\":[224,7]}}}", "classifier.pool.scales[1]",
     "7 is outside the range from 8 to 4096"},
    {"{\"classifier\":{\"pool\":{\"method\":\"mean\"}}}", "classifier.pool.method",
     "is not one of \"align\", \"max\""},
    {"{\"classifier\":{\"cascade\":1}}", "classifier.cascade", "must be true or false"},
    {"{\"classifier\":{\"precision\":\"fp32\"}}", "classifier.precision",
     "\"fp32\" is not one of \"f32\", \"bf16\", \"int8\", \"auto\""},
    {"{\"classifier\":{\"vote\":\"average\\u0000\"}}", "classifier.vote", "must be a plain string"},
    {"{\"classifier\":{\"vote\":1}}", "classifier.vote", "must be a plain string"},
    {"{\"classifier\":{\"models\":\"a\"}}", "classifier.models", "must be an array of strings"},
    {"{\"classifier\":{\"models\":[\"a\",1]}}", "classifier.models[1]", "must be a plain string"},
    {"{\"classifier\":{\"models\":[\"\"]}}", "classifier.models[0]", "is empty"},
    {"{\"classifier\":{\"models\":[\"a\\u0000b\"]}}", "classifier.models[0]",
     "must be a plain string, not the string \"a\""},
    {"{\"postprocess\":{\"score_threshold\":1.5}}", "postprocess.score_threshold",
     "1.5 is outside the range from 0 to 1"},
    {"{\"postprocess\":{\"score_threshold\":true}}", "postprocess.score_threshold",
     "must be a number, not true"},
    {"{\"postprocess\":{\"nms\":{\"iou\":{}}}}", "postprocess.nms.iou", "not an object"},
    {"{\"postprocess\":{\"nms\":{\"method\":\"sofd\"}}}", "postprocess.nms.method",
     "\"sofd\" is not one of"},
    {"{\"proposals\":{\"methods\":[]}}", "proposals.methods",
     "has 0 elements; from 1 to 4 are possible"},
    {"{\"proposals\":{\"methods\":[\"multibox\",\"multibox\"]}}", "proposals.methods[1]",
     "\"multibox\" is there twice"},
    {"{\"proposals\":{\"selective_search\":{\"k\":[50,0]}}}", "proposals.selective_search.k[1]",
     "0 is outside the range from 1 to 100000"},
    {"{\"proposals\":{\"selective_search\":{\"k\":[1,2,3,4,5,6,7,8,9]}}}",
     "proposals.selective_search.k", "has 9 elements"},
    {"{\"proposals\":{\"selective_search\":{\"similarities\":[\"CTX\"]}}}",
     "proposals.selective_search.similarities[0]", "\"CTX\" is not a similarity"},
    {"{\"proposals\":{\"selective_search\":{\"similarities\":[\"CC\"]}}}",
     "proposals.selective_search.similarities[0]", "\"CC\" is not a similarity"},
    {"{\"proposals\":{\"selective_search\":{\"similarities\":[\"\"]}}}",
     "proposals.selective_search.similarities[0]", "\"\" is not a similarity"},
    {"{\"proposals\":{\"selective_search\":{\"similarities\":[\"CT\",\"TC\"]}}}",
     "proposals.selective_search.similarities[1]", "\"TC\" is there twice"},
    {"{\"train\":{\"network\":{\"rates\":[]}}}", "train.network.rates",
     "must be an object of patterns and numbers"},
    {"{\"train\":{\"network\":{\"rates\":{\"\":1}}}}", "train.network.rates",
     "a pattern has 1 to 127 bytes, not 0"},
    {"{\"train\":{\"network\":{\"rates\":{\"" LONG_NAME "\":1}}}}", "train.network.rates",
     "a pattern has 1 to 127 bytes"},
    {"{\"train\":{\"network\":{\"rates\":{\"a\":-1}}}}", "train.network.rates",
     "-1 is outside the range from 0 to 1000000"},
    {"{\"schema_version\":0}", "schema_version", "must be 1, not the number 0"},
    {"{\"schema_version\":\"1\"}", "schema_version", "must be an integer"},
};

static void meaning_is_refused_with_the_path_of_the_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong_meanings / sizeof *wrong_meanings; i++)
        assert_refused(wrong_meanings[i].text, wrong_meanings[i].where, wrong_meanings[i].message);
}

static void an_unknown_key_is_refused_with_the_nearest_known_one(void **state)
{
    (void)state;
    assert_refused("{\"postprocess\":{\"nms\":{\"iuo\":0.3}}}", "postprocess.nms.iuo",
                   "there is no such key; did you mean postprocess.nms.iou?");
    assert_refused("{\"classifer\":{\"batch\":8}}", "classifer", "did you mean classifier?");
    assert_refused("{\"threads\":2}", "threads", "did you mean runtime.threads?");
    assert_refused("{\"postprocess\":{\"iou\":0.3}}", "postprocess.iou",
                   "did you mean postprocess.nms.iou?");
    assert_refused("{\"nms\":{\"iou\":0.3}}", "nms", "did you mean postprocess.nms?");
    assert_refused("{\"runtime\":{\"threads\":1,\"colour\":2}}", "runtime.colour",
                   "there is no such key");
    assert_refused("{\"runtime\":{\"threads\":{\"n\":1}}}", "runtime.threads",
                   "must be an integer, not an object");
    assert_refused("{\"runtime.threads\":1}", "runtime.threads", "a group is an object");
    assert_refused("{\"\":1}", "", "there is no such key");
}

static void a_far_key_is_refused_without_a_guess(void **state)
{
    (void)state;
    det_config *config = NULL;
    det_error error = {0};
    char text[1200] = "{\"";
    memset(text + 2, 'x', 1000);
    strcpy(text + 1002, "\":1}");
    test_assert_error(det_config_parse(text, strlen(text), "", &config, &error), DET_FORMAT, &error,
                      "there is no such key");
    assert_null(strstr(error.message, "did you mean"));
}

static void a_newer_version_is_unsupported(void **state)
{
    (void)state;
    det_config *config = NULL;
    det_error error = {0};
    const char *text = "{\"schema_version\":2}";
    test_assert_error(det_config_parse(text, strlen(text), "", &config, &error), DET_UNSUPPORTED,
                      &error, "version 2 of the configuration is newer");
    assert_string_equal(error.where, "schema_version");
}

/* ---- Assignments ---- */

static void an_assignment_takes_json_or_a_plain_string(void **state)
{
    (void)state;
    det_config *c = create();
    set(c, "postprocess.nms.iou=0.5");
    set(c, "classifier.precision=auto");
    set(c, "postprocess.nms.method=\"none\"");
    set(c, "runtime={\"threads\":3,\"seed\":4}");
    set(c, "classifier.models=[\"x=y.safetensors\",\"z\"]");
    assert_true(c->postprocess.nms_iou == .5f && c->postprocess.nms_method == DET_NMS_NONE);
    assert_string_equal(c->classifier.precision, "auto");
    assert_true(c->runtime.threads == 3 && c->runtime.seed == 4);
    assert_int_equal(c->classifier.model_count, 2);
    assert_string_equal(c->classifier.models[0], "x=y.safetensors");
    det_config_free(c);
}

static void an_array_of_one_needs_no_brackets_in_an_assignment(void **state)
{
    (void)state;
    det_config *c = create();
    set(c, "classifier.models=../a b/\xFFm.safetensors");
    set(c, "proposals.selective_search.k=123");
    set(c, "proposals.methods=multibox");
    assert_int_equal(c->classifier.model_count, 1);
    assert_string_equal(c->classifier.models[0], "../a b/\xFFm.safetensors");
    assert_true(c->proposals.search.k[0] == 123 && c->proposals.search.k[1] == 0);
    assert_true(c->proposals.multibox && !c->proposals.selective_search);
    set(c, "proposals.methods=[\"sliding\",\"uniform\"]");
    assert_true(c->proposals.uniform && c->proposals.sliding);
    assert_true(!c->proposals.multibox && !c->proposals.selective_search);
    det_config_free(c);
}

static void assignments_mark_their_keys(void **state)
{
    (void)state;
    const char *path = "";
    det_config *c = create();
    set(c, "runtime.threads=0");
    for (size_t i = 0; det_config_key(i, &path, NULL, NULL, NULL); i++)
        assert_int_equal(det_config_is_set(c, &det_config_rows[i]),
                         strcmp(path, "runtime.threads") == 0);
    det_config_free(c);
}

static void a_refused_assignment_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *assignment, *where, *message;
    } cases[] = {
        {"postprocess.nms.iou=2", "postprocess.nms.iou", "2 is outside"},
        {"postprocess.nms.iuo=0.3", "postprocess.nms.iuo", "did you mean postprocess.nms.iou?"},
        {"runtime={\"threads\":5,\"sed\":1}", "runtime.sed", "did you mean runtime.seed?"},
        {"classifier.models=[\"b\",1]", "classifier.models[1]", "must be a plain string"},
        {"classifier={\"models\":[\"b\"],\"batch\":0}", "classifier.batch", "0 is outside"},
        {"runtime.threads=two", "runtime.threads", "not the string \"two\""},
        {"runtime.threads=", "runtime.threads", "not the string \"\""},
        {"runtime.threads=NaN", "runtime.threads", "not the string \"NaN\""},
        {"runtime=1", "runtime", "must be an object"},
        {"runtime.threads", "", "write KEY=VALUE"},
        {"=1", "", "write KEY=VALUE"},
        {"", "", "write KEY=VALUE"},
    };
    det_config *c = create();
    set(c, "classifier.models=a");
    const det_config before = *c;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        det_error error = {0};
        test_assert_error(det_config_set(c, cases[i].assignment, &error), DET_ARGUMENT, &error,
                          cases[i].message);
        assert_int_equal(error.status, DET_ARGUMENT);
        assert_string_equal(error.where, cases[i].where);
        assert_memory_equal(c, &before, sizeof before);
        assert_string_equal(c->classifier.models[0], "a");
        assert_int_equal(det_config_set(c, cases[i].assignment, NULL), DET_ARGUMENT);
    }
    det_config_free(c);
}

/* ---- Files ---- */

static void model_paths_are_relative_to_the_folder_of_the_file(void **state)
{
    (void)state;
    const char *text = "{\"classifier\":{\"models\":[\"m.safetensors\",\"../n\",\"/o\"]}}";
    char expected[4200];
    mkdir(test_path("sub"), 0777);
    const char *path = test_path("sub/c.json");
    test_write_file(path, text, strlen(text));
    det_config *c = NULL;
    det_error error = {0};
    test_assert_ok(det_config_load(path, &c, &error), &error);
    snprintf(expected, sizeof expected, "%s/sub/m.safetensors", test_folder());
    assert_string_equal(c->classifier.models[0], expected);
    snprintf(expected, sizeof expected, "%s/sub/../n", test_folder());
    assert_string_equal(c->classifier.models[1], expected);
    assert_string_equal(c->classifier.models[2], "/o");
    det_config_free(c);
}

static void a_bad_file_is_named(void **state)
{
    (void)state;
    det_config *c = NULL;
    det_error error = {0};
    const char *path = test_path("bad.json");
    test_write_file(path, "{\"runtime\":{\"threads\":true}}", 28);
    test_assert_error(det_config_load(path, &c, &error), DET_FORMAT, &error, "must be an integer");
    assert_string_equal(error.file, path);
    assert_string_equal(error.where, "runtime.threads");

    path = test_path("missing.json");
    test_assert_error(det_config_load(path, &c, &error), DET_IO, &error, "No such file");
    assert_string_equal(error.file, path);
    test_assert_error(det_config_load(test_folder(), &c, &error), DET_IO, &error, "folder");
    assert_null(c);
}

static void the_configurations_that_come_along_are_sound(void **state)
{
    (void)state;
    det_config *c = NULL;
    det_error error = {0};
    test_assert_ok(det_config_load("configs/det.json", &c, &error), &error);
    test_keep_document_file("config", "det", "configs/det.json");
    assert_int_equal(c->classifier.model_count, 1);
    assert_string_equal(c->classifier.models[0], "configs/../models/googlenet.safetensors");
    assert_int_equal(c->classifier.context_px, 16);
    det_config_free(c);

    test_assert_ok(det_config_load("configs/train.json", &c, &error), &error);
    test_keep_document_file("config", "train", "configs/train.json");
    assert_string_equal(c->train.annotations, "configs/../boxes/train.json");
    assert_string_equal(c->train.output, "configs/../boxes/mine.safetensors");
    det_config_free(c);
}

/* ---- Settings of models ---- */

static void adopt(det_config *c, const char *settings)
{
    det_error error = {0};
    test_assert_ok(det_config_adopt(c, settings, &error), &error);
}

static void settings_of_a_model_fill_in_what_was_not_set(void **state)
{
    (void)state;
    det_config *c = create();
    set(c, "proposals.max=5");
    adopt(c, "{\"proposals.max\":9,\"classifier.regions\":\"pool\",\"a.later.key\":1}");
    assert_int_equal(c->proposals.max, 5);
    assert_string_equal(c->classifier.regions, "pool");
    adopt(c, "{\"classifier.regions\":\"crop\"}"); /* another model: it was not set */
    assert_string_equal(c->classifier.regions, "crop");
    det_config_free(c);
}

static void a_preset_that_was_set_wins_over_what_a_model_says_of_its_parts(void **state)
{
    (void)state;
    det_config *c = create();
    adopt(c, "{\"proposals.selective_search.k\":[7]}");
    assert_true(c->proposals.search.k[0] == 7);
    det_config_free(c);
    c = create();
    set(c, "proposals.selective_search.preset=single");
    adopt(
        c,
        "{\"proposals.selective_search.preset\":\"quality\",\"proposals.selective_search.k\":[7]}");
    assert_string_equal(c->proposals.preset, "single");
    assert_true(c->proposals.search.k[0] == 100 && c->proposals.search.k[1] == 0);
    det_config_free(c);
}

static void an_excerpt_can_be_adopted(void **state)
{
    (void)state;
    det_config *from = parse(every_key), *c = create();
    char *text =
        det_config_excerpt(from, (const char *const[]){"proposals.", "postprocess.nms.iou", NULL});
    adopt(c, text);
    assert_null(strstr(text, "classifier"));
    assert_true(c->proposals.max == 7 && c->proposals.multibox && c->postprocess.nms_iou == .5F);
    assert_true(c->proposals.search.k[0] == 2.5F);
    assert_true(c->postprocess.nms_method == DET_NMS_HARD);
    det_free(text);
    det_config_free(from);
    det_config_free(c);
}

static void settings_that_are_none_are_refused(void **state)
{
    (void)state;
    det_config *c = create();
    det_error error = {0};
    test_assert_error(det_config_adopt(c, "{\"proposals.max\":-1}", &error), DET_FORMAT, &error,
                      "outside the range");
    assert_string_equal(error.where, "proposals.max");
    test_assert_error(det_config_adopt(c, "[]", &error), DET_FORMAT, &error, "not a JSON object");
    det_config_free(c);
}

/* ---- Memory ---- */

#ifdef DET_FAULT_INJECTION
static void every_allocation_may_fail(void **state)
{
    (void)state;
    const char *text = "{\"classifier\":{\"models\":[\"a\",\"b\"]},\"train\":{\"cache\":\"c\"},"
                       "\"proposals\":{"
                       "\"selective_search\":{\"preset\":\"quality\"}}}";
    const char *path = test_path("memory.json");
    test_write_file(path, text, strlen(text));
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        det_config *c = NULL;
        det_memory_fail_at(nth);
        det_status status = det_config_load(path, &c, NULL);
        if (status == DET_OK)
            status = det_config_set(c, "classifier.models=[\"c\",\"d\",\"e\"]", NULL);
        char *kept = NULL;
        if (status == DET_OK) {
            kept = det_config_excerpt(c, (const char *const[]){"proposals.", NULL});
            status = kept ? det_config_adopt(c, kept, NULL) : DET_MEMORY;
        }
        failed = det_memory_failed();
        det_memory_fail_at(0);
        assert_int_equal(status, failed ? DET_MEMORY : DET_OK);
        if (!failed) assert_int_equal(c->classifier.model_count, 3);
        det_free(kept);
        det_config_free(c);
    }
    det_config_free(NULL);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_of_the_papers_fast_version),
        cmocka_unit_test(the_schema_and_the_table_of_keys_agree),
        cmocka_unit_test(keys_can_be_listed),
        cmocka_unit_test(every_key_reaches_its_field),
        cmocka_unit_test(a_value_that_was_not_set_is_written_as_its_default),
        cmocka_unit_test(every_value_is_written_as_it_was_set),
        cmocka_unit_test(every_color_space_and_similarity_has_its_bit),
        cmocka_unit_test(words_fit_the_room_they_are_copied_to),
        cmocka_unit_test(nothing_and_no_limit_are_written_as_0_or_null),
        cmocka_unit_test(an_integer_may_be_written_as_a_number_with_nothing_after_the_point),
        cmocka_unit_test(a_preset_gives_what_is_not_set_itself_in_any_order),
        cmocka_unit_test(syntax_is_refused_with_line_and_column),
        cmocka_unit_test(meaning_is_refused_with_the_path_of_the_key),
        cmocka_unit_test(an_unknown_key_is_refused_with_the_nearest_known_one),
        cmocka_unit_test(a_far_key_is_refused_without_a_guess),
        cmocka_unit_test(a_newer_version_is_unsupported),
        cmocka_unit_test(an_assignment_takes_json_or_a_plain_string),
        cmocka_unit_test(an_array_of_one_needs_no_brackets_in_an_assignment),
        cmocka_unit_test(assignments_mark_their_keys),
        cmocka_unit_test(a_refused_assignment_changes_nothing),
        cmocka_unit_test(model_paths_are_relative_to_the_folder_of_the_file),
        cmocka_unit_test(a_bad_file_is_named),
        cmocka_unit_test(the_configurations_that_come_along_are_sound),
        cmocka_unit_test(settings_of_a_model_fill_in_what_was_not_set),
        cmocka_unit_test(a_preset_that_was_set_wins_over_what_a_model_says_of_its_parts),
        cmocka_unit_test(an_excerpt_can_be_adopted),
        cmocka_unit_test(settings_that_are_none_are_refused),
#ifdef DET_FAULT_INJECTION
        cmocka_unit_test(every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
