/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/record.h"

#include "detect/train.h"
#include "detect/version.h"
#include "src/base/file.h"
#include "src/base/json_reader.h"
#include "src/base/memory.h"
#include "src/nn/json_fields.h"

#include <string.h>
#include <unistd.h>

static const char name[] = "training.json";

/* ---- Annotations ---------------------------------------------------------------------------- */

static void add_image(det_digest_chain *chain, const det_annotated_image *image)
{
    const double numbers[] = {image->width, image->height, (double)image->object_count};
    det_digest_add_text(chain, image->file);
    det_digest_add(chain, numbers, sizeof numbers);
}

static void add_object(det_digest_chain *chain, const det_annotated_object *object)
{
    const double marks = object->crowd + 2 * object->ignore + 4 * object->difficult;
    const double numbers[] = {(double)object->category, object->box[0], object->box[1],
                              object->box[2],           object->box[3], marks};
    det_digest_add(chain, numbers, sizeof numbers);
}

det_status det_annotations_digest(const det_annotations *annotations, char digest[DET_DIGEST_SIZE],
                                  det_error *error)
{
    det_digest_chain chain = {0};
    det_digest_add_text(&chain, det_annotations_format_name(annotations->format));
    for (size_t i = 0; i < annotations->category_count; i++)
        det_digest_add_text(&chain, annotations->categories[i].name);
    for (size_t i = 0; i < annotations->image_count; i++)
        add_image(&chain, &annotations->images[i]);
    for (size_t i = 0; i < annotations->object_count; i++)
        add_object(&chain, &annotations->objects[i]);
    if (chain.failed) return det_fail_memory(error, "the digest of annotations");
    memcpy(digest, chain.text, DET_DIGEST_SIZE);
    return DET_OK;
}

/* ---- Writing -------------------------------------------------------------------------------- */

/* Keys that are paths. */
static const struct {
    const char *key;
    size_t offset; /* of the path in a det_config */
} paths[] = {{"train.annotations", offsetof(det_config, train.annotations)},
             {"train.pictures", offsetof(det_config, train.pictures)},
             {"train.output", offsetof(det_config, train.output)},
             {"train.cache", offsetof(det_config, train.cache)}};

/* Where relative paths begin. */
typedef struct {
    char folder[4096];
    bool failed; /* memory was short */
} place;

static void write_path(det_json *json, const char *key, const char *path, place *from)
{
    char *whole = det_path_join(from->folder, path);
    if (!whole) from->failed = true;
    det_json_string(json, key, whole);
    det_free(whole);
}

/* @return whether the key is that of a path, or of paths, that is named. */
static bool write_paths(det_json *json, const char *key, const det_config *config, place *from)
{
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *path = *(char *const *)((const char *)config + paths[i].offset);
        if (strcmp(key, paths[i].key) != 0 || !path) continue;
        write_path(json, key, path, from);
        return true;
    }
    if (strcmp(key, "classifier.models") != 0) return false;
    det_json_begin_array(json, key);
    for (size_t i = 0; i < config->classifier.model_count; i++)
        write_path(json, NULL, config->classifier.models[i], from);
    det_json_end(json);
    return true;
}

static bool is_set(const det_config *config, size_t index)
{
    enum { BITS = 64 };
    return config->set_keys[index / BITS] >> (index % BITS) & 1;
}

static void write_record(det_json *json, const det_config *config, const char *digest,
                         bool finished, place *from)
{
    const char *key;
    det_json_begin_object(json, NULL);
    det_json_integer(json, "schema_version", 1);
    det_json_string(json, "version", det_version());
    det_json_bool(json, "finished", finished);
    det_json_string(json, "annotations_digest", digest);
    det_json_begin_object(json, "settings");
    for (size_t i = 0; det_config_key(i, &key, NULL, NULL, NULL); i++)
        if (is_set(config, i) && !write_paths(json, key, config, from))
            det_config_value(config, i, json, key);
    det_json_end(json);
    det_json_end(json);
}

det_status det_record_write(const char *folder, const det_config *config, const char *digest,
                            bool finished, det_error *error)
{
    place from = {0};
    det_text text = {0};
    const char *written;
    char *path = det_path_join(folder, name);
    det_json *json = det_json_create();
    det_status status = path && json ? DET_OK : det_fail_memory(error, "the record of a training");
    if (status < 0) goto done;
    if (!getcwd(from.folder, sizeof from.folder)) *from.folder = '\0';
    write_record(json, config, digest, finished, &from);
    status = det_json_finish(json, &written, NULL, error);
    if (status == DET_OK && from.failed)
        status = det_fail_memory(error, "the record of a training");
    if (status < 0) goto done;
    det_text_format(&text, "%s\n", written);
    status = det_file_write(path, &text, error);
done:
    det_text_free(&text);
    det_json_free(json);
    det_free(path);
    return status;
}

/* ---- Reading -------------------------------------------------------------------------------- */

static det_status read_record(const char *folder, json_object **record, det_error *error)
{
    char *path = det_path_join(folder, name);
    if (!path) return det_fail_memory(error, "the record of a training");
    det_status status = DET_OK;
    if (access(path, F_OK) != 0)
        status = det_fail(error, DET_ARGUMENT,
                          "there is no training to go on with: none was begun with this cache, or "
                          "it was deleted. Begin one without --resume");
    else
        status = det_json_read(path, record, error);
    if (status == DET_OK && !json_object_is_type(*record, json_type_object))
        status = det_fail(error, DET_FORMAT, "this is no record of a training");
    status = det_error_file(error, path, status);
    det_free(path);
    return status;
}

static det_status apply(json_object *settings, det_config *config, det_error *error)
{
    json_object_object_foreach(settings, key, value)
    {
        det_text assignment = {0};
        det_text_format(&assignment, "%s=%s", key,
                        json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
        const det_status status = assignment.failed
                                      ? det_fail_memory(error, "the record of a training")
                                      : det_config_set(config, assignment.data, error);
        det_text_free(&assignment);
        if (status < 0) return status;
    }
    return DET_OK;
}

static det_status take_record(json_object *record, det_config **config, det_error *error)
{
    json_object *settings = NULL;
    bool finished = false;
    int version;
    det_status status = det_json_get_int(record, "schema_version", 1, 1, &version, error);
    if (status == DET_OK) status = det_json_get_bool(record, "finished", &finished, error);
    if (status == DET_OK)
        status = det_json_get(record, "settings", json_type_object, &settings, error);
    if (status < 0) return status;
    if (finished)
        return det_fail(error, DET_ARGUMENT,
                        "there is no training to go on with: the last one was finished. Begin "
                        "another without --resume; what has not changed is not repeated");
    status = det_config_create(config, error);
    return status == DET_OK ? apply(settings, *config, error) : status;
}

det_status det_train_resume(const char *cache, det_config **config, det_error *error)
{
    json_object *record = NULL;
    det_config *made = NULL;
    det_status status = read_record(cache, &record, error);
    if (status == DET_OK) status = det_error_file(error, cache, take_record(record, &made, error));
    json_object_put(record);
    if (status == DET_OK)
        *config = made;
    else
        det_config_free(made);
    return status;
}

det_status det_record_check(const char *folder, const char *digest, det_error *error)
{
    json_object *record = NULL;
    const char *there = NULL;
    det_status status = read_record(folder, &record, error);
    if (status == DET_OK) status = det_json_get_text(record, "annotations_digest", &there, error);
    if (status == DET_OK && strcmp(there, digest) != 0)
        status = det_fail(error, DET_ARGUMENT,
                          "the annotations have changed since the training was interrupted; begin "
                          "it again without --resume: what has not changed is not repeated");
    json_object_put(record);
    return det_error_file(error, folder, status);
}
