/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/trained_model.h"

#include "detect/json.h"
#include "detect/version.h"
#include "src/base/memory.h"
#include "src/data/config_keys.h"
#include "src/nn/model_edit.h"

#include <math.h>
#include <string.h>

/* What the new layers are made from; freed by free_parts. */
typedef struct {
    float *classes, *boxes; /* weights in the order of maps: channels x rows x columns */
    det_class *names;
    float *multibox, *multibox_biases; /* as classes; with the log odds of the priors */
    det_box *priors;
} parts;

static void free_parts(parts *p)
{
    det_free(p->classes);
    det_free(p->boxes);
    det_free(p->names);
    det_free(p->multibox);
    det_free(p->multibox_biases);
    det_free(p->priors);
}

/* Features are rows x columns x channels; a map that an inner product looks at has its channels
 * first. */
static float *reorder(const float *weights, size_t outputs, size_t channels, size_t cells)
{
    float *ordered = det_alloc_array(outputs, channels * cells * sizeof *ordered);
    for (size_t o = 0; ordered && o < outputs; o++)
        for (size_t i = 0; i < cells; i++)
            for (size_t c = 0; c < channels; c++)
                ordered[(o * channels + c) * cells + i] = weights[(o * cells + i) * channels + c];
    return ordered;
}

/* The id, or where an earlier class has it, one above all of theirs. */
static int64_t free_category_id(const det_class *classes, size_t count, int64_t id)
{
    int64_t most = id;
    bool taken = false;
    for (size_t c = 0; c < count; c++) {
        taken = taken || classes[c].category_id == id;
        if (classes[c].category_id > most) most = classes[c].category_id;
    }
    return taken ? most + 1 : id;
}

static det_status make_parts(const det_trained_model *m, size_t cells, parts *p, det_error *error)
{
    const det_linear_head *head = m->head;
    const det_annotations *a = m->set->annotations;
    const size_t channels = head->width / cells;
    p->classes = reorder(head->weights, head->output_count, channels, cells);
    if (head->delta_weights)
        p->boxes = reorder(head->delta_weights, 4 * head->class_count, channels, cells);
    p->names = det_alloc_zeroed(head->class_count, sizeof *p->names);
    if (!p->classes || (head->delta_weights && !p->boxes) || !p->names)
        return det_fail_memory(error, "the layers of a head");
    const size_t known = m->extends ? m->extends->class_count : 0;
    for (size_t c = 0; c < known; c++) p->names[c] = m->extends->classes[c];
    for (size_t c = known; c < head->class_count; c++) {
        const det_category *category = &a->categories[m->set->classes.categories[c]];
        p->names[c] = (det_class){
            .name = (char *)category->name,
            .category_id = a->format == DET_ANNOTATIONS_COCO
                               ? free_category_id(p->names, m->extends ? c : 0, category->id)
                               : -1};
    }
    return DET_OK;
}

static void write_figure(det_json *json, const char *key, double value)
{
    if (isnan(value))
        det_json_null(json, key);
    else
        det_json_number(json, key, value);
}

static det_box prior_of(const float corners[DET_MULTIBOX_CORNERS])
{
    return (det_box){fmaxf(corners[0], 0), fmaxf(corners[1], 0), fminf(corners[2], 1),
                     fminf(corners[3], 1)};
}

/* Locations come first, then logits, to which the log odds of the priors are added. */
static det_status make_multibox(const det_trained_model *m, size_t cells, parts *p,
                                det_error *error)
{
    const det_multibox_head *head = m->multibox;
    if (!head) return DET_OK;
    const size_t priors = head->priors.count, locations = DET_MULTIBOX_CORNERS * priors;
    const size_t outputs = locations + priors;
    p->multibox = reorder(head->weights, outputs, head->width / cells, cells);
    p->multibox_biases = det_alloc_array(outputs, sizeof *p->multibox_biases);
    p->priors = det_alloc_array(priors, sizeof *p->priors);
    if (!p->multibox || !p->multibox_biases || !p->priors)
        return det_fail_memory(error, "the layer of a MultiBox head");
    memcpy(p->multibox_biases, head->biases, outputs * sizeof *p->multibox_biases);
    for (size_t i = 0; i < priors; i++) {
        p->multibox_biases[locations + i] += head->priors.log_odds[i];
        p->priors[i] = prior_of(head->priors.corners[i]);
    }
    return DET_OK;
}

static void write_interval(det_json *json, const char *key, const det_interval *interval)
{
    det_json_begin_object(json, key);
    write_figure(json, "value", interval->value);
    write_figure(json, "low", interval->low);
    write_figure(json, "high", interval->high);
    det_json_end(json);
}

static void write_classes(det_json *json, const det_training *t)
{
    det_json_begin_array(json, "classes");
    for (size_t i = 0; i < t->class_count; i++) {
        const det_trained_class *c = &t->classes[i];
        det_json_begin_object(json, NULL);
        det_json_string(json, "name", c->name);
        det_json_integer(json, "images", (int64_t)c->images);
        det_json_integer(json, "objects", (int64_t)c->objects);
        write_interval(json, "ap50", &c->ap50);
        write_interval(json, "ap", &c->ap);
        det_json_string(json, "verdict", det_class_verdict_name(c->verdict));
        det_json_integer(json, "images_wanted", (int64_t)c->wanted);
        det_json_end(json);
    }
    det_json_end(json);
}

/* Keys that say where things are, not how the model was made. */
static bool is_place(const char *key)
{
    static const char *const places[] = {
        "train.annotations", "train.pictures",  "train.output", "train.cache",
        "classifier.models", "runtime.threads", "runtime.seed"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strcmp(key, places[i]) == 0) return true;
    return false;
}

/* The keys whose value is not the default. */
static void write_changed_settings(det_json *json, const det_config *config)
{
    const char *key, *usual, *text;
    det_json_begin_object(json, "settings");
    for (size_t i = 0; det_config_key(i, &key, NULL, &usual, NULL); i++) {
        det_json *value = is_place(key) ? NULL : det_json_create();
        if (!value) continue;
        det_config_value(config, i, value, NULL);
        if (det_json_finish(value, &text, NULL, NULL) == DET_OK && strcmp(text, usual) != 0)
            det_json_raw(json, key, text);
        det_json_free(value);
    }
    det_json_end(json);
}

static void write_curve(det_json *json, const det_training *t)
{
    if (t->curve_count == 0) return;
    det_json_begin_array(json, "learning_curve");
    for (size_t i = 0; i < t->curve_count; i++) {
        det_json_begin_object(json, NULL);
        det_json_integer(json, "images", (int64_t)t->curve[i].images);
        write_interval(json, "ap50", &t->curve[i].ap50);
        det_json_end(json);
    }
    det_json_end(json);
    det_json_begin_object(json, "more_images");
    det_json_integer(json, "images", (int64_t)t->gain_images);
    write_interval(json, "ap50", &t->gain);
    det_json_end(json);
}

static void write_comparison(det_json *json, const char *key, const det_multibox_comparison *c)
{
    det_json_begin_object(json, key);
    det_json_integer(json, "images", (int64_t)c->picture_count);
    det_json_integer(json, "objects", (int64_t)c->object_count);
    det_json_bool(json, "better_than_priors", c->better);
    write_interval(json, "gain", &c->gain);
    det_json_begin_array(json, "recall");
    for (size_t i = 0; i < c->count; i++) {
        det_json_begin_object(json, NULL);
        det_json_integer(json, "boxes", (int64_t)c->at[i].boxes);
        det_json_number(json, "multibox", c->at[i].recall);
        det_json_number(json, "priors", c->at[i].control_recall);
        det_json_number(json, "proposals", c->at[i].beside_recall);
        det_json_number(json, "both", c->at[i].both_recall);
        det_json_end(json);
    }
    det_json_end(json);
    det_json_end(json);
}

static void write_multibox(det_json *json, const det_training *t)
{
    if (t->prior_count == 0) return;
    det_json_begin_object(json, "multibox");
    det_json_integer(json, "priors", (int64_t)t->prior_count);
    write_comparison(json, "unseen_images", t->multibox_pictures);
    write_comparison(json, "unseen_classes", t->multibox_classes);
    det_json_end(json);
}

/* How good it was. */
static void write_figures(det_json *json, const det_training *t)
{
    det_json_integer(json, "images", (int64_t)t->image_count);
    det_json_integer(json, "objects", (int64_t)t->object_count);
    det_json_begin_object(json, "cross_validation");
    det_json_integer(json, "folds", t->folds);
    write_interval(json, "ap50", &t->ap50);
    write_interval(json, "ap", &t->ap);
    write_classes(json, t);
    write_curve(json, t);
    det_json_end(json);
    write_multibox(json, t);
}

/* Where the model comes from and how good it was, for 'detect model info --provenance'. */
static det_json *make_provenance(const det_trained_model *m)
{
    const det_training *t = m->training;
    det_json *json = det_json_create();
    if (!json) return NULL;
    det_json_begin_object(json, NULL);
    det_json_string(json, "tool", "detect train");
    det_json_string(json, "version", det_version());
    det_json_begin_object(json, "network");
    det_json_string(json, "digest", det_model_digest(m->source));
    det_json_raw(json, "provenance", det_model_provenance(m->source));
    det_json_end(json);
    det_json_string(json, "features", m->layer);
    det_json_string(json, "regions", m->config->classifier.regions);
    det_json_string(json, "pictures_digest", m->set->picture_digest);
    det_json_string(json, "annotations_digest", m->annotations_digest);
    det_json_integer(json, "seed", (int64_t)m->config->runtime.seed);
    write_changed_settings(json, m->config);
    if (t) write_figures(json, t);
    det_json_end(json);
    return json;
}

/* How regions are found and looked at, and what becomes of what is found: as it was measured. */
static det_status make_settings(const det_config *config, char **settings, det_error *error)
{
    static const char *const prefixes[] = {"proposals.", "classifier.regions", "classifier.pool.",
                                           "postprocess.nms.", NULL};
    *settings = det_config_excerpt(config, prefixes);
    return *settings ? DET_OK : det_fail_memory(error, "the settings of a model");
}

/* A layer that proposes. */
typedef struct {
    det_new_layer layer;
    const det_box *priors; /* count; 0: there is none */
    size_t count;
} proposing;

/* Of the head that was learned. */
static proposing learned_multibox(const det_multibox_head *head, const parts *p)
{
    const size_t outputs = (DET_MULTIBOX_CORNERS + 1) * head->priors.count;
    return (proposing){
        .layer = {.name = "head/multibox",
                  .inputs = {"head/grid"},
                  .node = {.op = DET_OP_INNER_PRODUCT,
                           .channels = (int)outputs,
                           .weights = {.values = p->multibox, .count = outputs * head->width},
                           .bias = {.values = p->multibox_biases, .count = outputs}}},
        .priors = p->priors,
        .count = head->priors.count};
}

/* As a finished model has it; none where it is of another kind. */
static proposing old_multibox(const det_model *model)
{
    if (!model || model->multibox < 0) return (proposing){.count = 0};
    const det_node *node = &model->graph.nodes[model->multibox];
    if (node->op != DET_OP_INNER_PRODUCT ||
        node->inputs[0] != det_graph_find(&model->graph, "head/grid"))
        return (proposing){.count = 0};
    return (proposing){.layer = {.name = "head/multibox", .inputs = {"head/grid"}, .node = *node},
                       .priors = model->priors,
                       .count = model->prior_count};
}

static det_status derive(const det_trained_model *m, const parts *p, const char *provenance,
                         const char *settings, const char *path, det_error *error)
{
    const det_linear_head *head = m->head;
    const det_grid_windows rows = det_feature_store_rows(m->store),
                           columns = det_feature_store_columns(m->store);
    const bool background = head->kind == DET_HEAD_SOFTMAX;
    const bool moves = head->delta_weights; /* else the last of these layers is left out */
    const size_t outputs = head->output_count, deltas = 4 * head->class_count;
    det_new_layer layers[5] = {
        {.name = "head/grid",
         .inputs = {m->layer},
         .node = {.op = DET_OP_AVERAGE_POOL,
                  .window = {.kernel_h = rows.kernel,
                             .kernel_w = columns.kernel,
                             .stride_h = rows.stride,
                             .stride_w = columns.stride,
                             .dilation_h = 1,
                             .dilation_w = 1}}},
        {.name = "head/classes",
         .inputs = {"head/grid"},
         .node = {.op = DET_OP_INNER_PRODUCT,
                  .channels = (int)outputs,
                  .weights = {.values = p->classes, .count = outputs * head->width},
                  .bias = {.values = head->biases, .count = outputs}}},
        {.name = "head/prob",
         .inputs = {"head/classes"},
         .node = {.op = background ? DET_OP_SOFTMAX : DET_OP_SIGMOID}},
        {.name = "head/boxes",
         .inputs = {"head/grid"},
         .node = {.op = DET_OP_INNER_PRODUCT,
                  .channels = (int)deltas,
                  .weights = {.values = p->boxes, .count = deltas * head->width},
                  .bias = {.values = head->delta_biases, .count = deltas}}},
    };
    const size_t layer_count = moves ? 4 : 3;
    const proposing proposes =
        m->multibox ? learned_multibox(m->multibox, p) : old_multibox(m->extends);
    if (proposes.count > 0) layers[layer_count] = proposes.layer;
    const det_model_recipe recipe = {.layers = layers,
                                     .layer_count = layer_count + (proposes.count > 0),
                                     .probabilities = "head/prob",
                                     .box_deltas = moves ? "head/boxes" : NULL,
                                     .features = "head/grid",
                                     .multibox = proposes.count > 0 ? "head/multibox" : NULL,
                                     .priors = proposes.priors,
                                     .prior_count = proposes.count,
                                     .classes = p->names,
                                     .class_count = head->class_count,
                                     .background_index = background ? (int)head->class_count : -1,
                                     .context_px = m->config->classifier.context_px,
                                     .provenance = provenance,
                                     .settings = settings};
    return det_model_derive(m->source, &recipe, path, error);
}

det_status det_trained_model_write(const det_trained_model *m, const char *path, det_error *error)
{
    const det_grid_windows rows = det_feature_store_rows(m->store),
                           columns = det_feature_store_columns(m->store);
    const size_t cells = (size_t)rows.count * (size_t)columns.count;
    parts p = {0};
    const char *provenance;
    det_json *json = NULL;
    char *settings = NULL;
    det_status status = make_parts(m, cells, &p, error);
    if (status == DET_OK) status = make_multibox(m, cells, &p, error);
    if (status < 0) goto done;
    json = make_provenance(m);
    status = json ? det_json_finish(json, &provenance, NULL, error)
                  : det_fail_memory(error, "the provenance of a model");
    if (status == DET_OK) status = make_settings(m->config, &settings, error);
    if (status == DET_OK) status = derive(m, &p, provenance, settings, path, error);
done:
    det_free(settings);
    det_json_free(json);
    free_parts(&p);
    return status;
}
