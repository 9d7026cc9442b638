/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/network_training.h"

#include "src/base/memory.h"
#include "src/base/parallel.h"
#include "src/base/run.h"
#include "src/data/config_keys.h"
#include "src/detector/box_deltas.h"
#include "src/train/digest_chain.h"
#include "src/train/kept_file.h"
#include "src/train/trained_head.h"
#include "src/train/trained_model.h"

#include <string.h>

/* Changed where equal settings give other networks. */
#define NETWORK_FORMAT "detect network 1"

/* A network at hand. */
typedef struct {
    const det_network_training *training;
    size_t index;
    int threads;
    bool *uses;       /* of each picture */
    det_model *begun; /* what it begins with */
    char *path, *begun_path, *checkpoint;
    char digest[DET_DIGEST_SIZE]; /* of everything that it depends on */
} network;

static void release(network *n)
{
    det_model_free(n->begun);
    det_free(n->uses);
    det_free(n->path);
    det_free(n->begun_path);
    det_free(n->checkpoint);
}

/* ---- Where a network is kept ---------------------------------------------------------------- */

static void digest_network(const network *n, const det_linear_head *head, det_digest_chain *chain)
{
    static const char *const prefixes[] = {"train.network.",     "train.positive_iou",
                                           "train.negative_iou", "classifier.",
                                           "runtime.seed",       NULL};
    const det_network_training *t = n->training;
    char *settings = det_config_excerpt(t->config, prefixes);
    chain->failed = !settings;
    if (!settings) return;
    det_digest_add_text(chain, NETWORK_FORMAT);
    det_digest_add_text(chain, settings);
    det_digest_add_text(chain, det_model_digest(t->source));
    det_digest_add_text(chain, t->set->digest);
    det_digest_add(chain, n->uses, t->set->image_count * sizeof *n->uses);
    det_digest_add(chain, head->weights, head->output_count * head->width * sizeof(float));
    det_digest_add(chain, head->biases, head->output_count * sizeof(float));
    if (head->delta_weights)
        det_digest_add(chain, head->delta_weights,
                       DET_BOX_DELTAS * head->class_count * head->width * sizeof(float));
    det_free(settings);
}

static det_status name_files(network *n, const det_linear_head *head, det_error *error)
{
    const char *folder = n->training->folder;
    det_digest_chain chain = {0};
    digest_network(n, head, &chain);
    if (!chain.failed) {
        n->path = det_kept_path(folder, "network", chain.text);
        n->begun_path = det_kept_path(folder, "begun", chain.text);
        n->checkpoint = det_kept_path(folder, "checkpoint", chain.text);
        memcpy(n->digest, chain.text, sizeof n->digest);
    }
    if (n->path && n->begun_path && n->checkpoint) return DET_OK;
    return det_fail_memory(error, "the name of a network");
}

/* ---- A network ------------------------------------------------------------------------------ */

/* The network as it was, with the head that was learned behind it. */
static det_status write_begun(const network *n, const det_linear_head *head, det_error *error)
{
    const det_network_training *t = n->training;
    return det_trained_model_write(
        &(det_trained_model){.config = t->config,
                             .source = t->source,
                             .set = t->set,
                             .store = t->store,
                             .layer = t->layer,
                             .head = head,
                             .annotations_digest = t->annotations_digest},
        n->begun_path, error);
}

static det_status tune(network *n, const det_linear_head *head, const det_run *run,
                       det_error *error)
{
    const det_network_training *t = n->training;
    det_status status = write_begun(n, head, error);
    if (status == DET_OK) status = det_model_open(n->begun_path, &n->begun, error);
    if (status == DET_OK)
        status = det_fine_tune(&(det_fine_tuning){.config = t->config,
                                                  .set = t->set,
                                                  .uses = n->uses,
                                                  .model = n->begun,
                                                  .checkpoint = n->checkpoint,
                                                  .begun_with = n->digest,
                                                  .threads = n->threads,
                                                  .network = n->index,
                                                  .networks = t->count,
                                                  .progress = t->progress,
                                                  .progress_context = t->progress_context,
                                                  .log = t->log},
                               run, n->path, error);
    det_kept_remove(n->begun_path);
    return status;
}

/* The store of the features that a network gives looks at a configuration that names it. */
static det_status open_store(const network *n, det_config **config, det_feature_store **store,
                             det_error *error)
{
    const det_network_training *t = n->training;
    const det_feature_recipe recipe = {t->layer, t->config->train.grid};
    const det_status status = det_config_copy(t->config, config, error);
    if (status < 0) return status;
    char *path = det_copy_string(n->path);
    if (!path) return det_fail_memory(error, "the path of a network");
    det_free((*config)->classifier.models[0]);
    (*config)->classifier.models[0] = path;
    return det_feature_store_open(t->folder, *config, &recipe, store, error);
}

static det_status take_head(const det_model *model, det_linear_head *head, det_error *error)
{
    det_trained_head trained;
    det_status status = det_trained_head_read(model, &trained, error);
    if (status == DET_OK) {
        det_linear_head_free(head);
        *head = trained.head;
        trained.head = (det_linear_head){0};
    }
    det_trained_head_free(&trained);
    return status;
}

/* A network that is kept, and can be read, is not trained again. */
static det_status make_network(network *n, const det_run *run, det_linear_head *head,
                               det_trained_networks *networks, det_error *error)
{
    const det_network_training *t = n->training;
    det_model **model = &networks->models[n->index];
    n->uses = det_alloc_array(t->set->image_count, sizeof *n->uses);
    if (!n->uses) return det_fail_memory(error, "the pictures of a network");
    for (size_t i = 0; i < t->set->image_count; i++) n->uses[i] = t->folds[i] != (int)n->index;
    det_status status = name_files(n, head, error);
    if (status < 0) return status;
    if (det_model_open(n->path, model, NULL) == DET_OK) {
        networks->reused++;
    } else {
        status = tune(n, head, run, error);
        if (status == DET_OK) status = det_model_open(n->path, model, error);
    }
    if (status == DET_OK) status = take_head(*model, head, error);
    if (status == DET_OK)
        status = open_store(n, &networks->configs[n->index], &networks->stores[n->index], error);
    return status;
}

/* ---- All of them ---------------------------------------------------------------------------- */

static det_status make_networks(const det_network_training *t, const det_run *run,
                                det_linear_head *heads, det_trained_networks *networks,
                                det_error *error)
{
    det_status status = det_run_check(run, 0, t->count, error);
    for (size_t i = 0; status == DET_OK && i < t->count; i++) {
        network n = {
            .training = t, .index = i, .threads = det_resolve_threads(run ? run->threads : 0)};
        status = make_network(&n, run, &heads[i], networks, error);
        release(&n);
        if (status == DET_OK) status = det_run_check(run, i + 1, t->count, error);
    }
    return status;
}

det_status det_train_networks(const det_network_training *training, const det_run *run,
                              det_linear_head *heads, det_trained_networks *networks,
                              det_error *error)
{
    const size_t count = training->count;
    *networks = (det_trained_networks){.models = det_alloc_zeroed(count, sizeof(det_model *)),
                                       .stores = det_alloc_zeroed(count, sizeof(void *)),
                                       .configs = det_alloc_zeroed(count, sizeof(det_config *)),
                                       .count = count};
    if (!networks->models || !networks->stores || !networks->configs)
        return det_fail_memory(error, "the networks of a training");
    det_event_stage_begun(training->log, "network");
    const det_status status = make_networks(training, run, heads, networks, error);
    if (status == DET_OK)
        det_event_stage_ended(training->log, networks->reused, count - networks->reused);
    return status;
}

void det_trained_networks_free(det_trained_networks *networks)
{
    for (size_t i = 0; i < networks->count; i++) {
        if (networks->models) det_model_free(networks->models[i]);
        if (networks->stores) det_feature_store_close(networks->stores[i]);
        if (networks->configs) det_config_free(networks->configs[i]);
    }
    det_free(networks->models);
    det_free(networks->stores);
    det_free(networks->configs);
    *networks = (det_trained_networks){0};
}
