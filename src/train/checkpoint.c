/* SPDX-License-Identifier: Apache-2.0 */
#include "src/train/checkpoint.h"

#include "src/base/memory.h"
#include "src/nn/names.h"
#include "src/train/kept_file.h"

#include <string.h>

/* Raised when what is kept changes its meaning. */
#define FORMAT "detect checkpoint 1"
#define PREFIX "training."

/* What beside the values is in a file, as tensors. */
enum { BEGUN_WITH, SEED, STEP, BEST, BEST_STEP, STATE_PARTS };

static void list_state(const det_checkpoint *state, det_tensor_source parts[STATE_PARTS])
{
    const det_tensor_source all[STATE_PARTS] = {
        [BEGUN_WITH] = {.name = PREFIX "begun_with",
                        .dtype = "U8",
                        .shape = {(int64_t)strlen(state->begun_with)},
                        .values = state->begun_with,
                        .size = strlen(state->begun_with)},
        [SEED] = {.name = PREFIX "seed", .dtype = "U64", .values = &state->seed},
        [STEP] = {.name = PREFIX "step", .dtype = "U64", .values = &state->step},
        [BEST] = {.name = PREFIX "best", .dtype = "F64", .values = &state->best},
        [BEST_STEP] = {.name = PREFIX "best_step", .dtype = "U64", .values = &state->best_step}};
    for (int i = 0; i < STATE_PARTS; i++) {
        parts[i] = all[i];
        parts[i].dimensions = 1;
        if (i == BEGUN_WITH) continue;
        parts[i].shape[0] = 1;
        parts[i].size = sizeof(uint64_t); /* as large as a double */
    }
}

/* ---- Writing -------------------------------------------------------------------------------- */

static det_status check_names(const det_checkpoint_values *values, size_t count, det_error *error)
{
    det_names names = {0};
    det_status status = DET_OK;
    int earlier;
    for (size_t i = 0; status == DET_OK && i < count; i++) {
        const char *name = values[i].name;
        if (strncmp(name, PREFIX, strlen(PREFIX)) == 0)
            status = det_fail_at(error, DET_ARGUMENT, NULL, name,
                                 "names that begin with \"" PREFIX "\" are the state's own");
        else if (det_names_get(&names, name, &earlier))
            status = det_fail_at(error, DET_ARGUMENT, NULL, name, "this name is there twice");
        else if (!det_names_set(&names, name, 0))
            status = det_fail_memory(error, "the names of a checkpoint");
    }
    det_names_free(&names);
    return status;
}

det_status det_checkpoint_write(const char *path, const det_checkpoint *state,
                                const det_checkpoint_values *values, size_t count, det_error *error)
{
    det_status status = check_names(values, count, error);
    if (status < 0) return det_error_file(error, path, status);
    det_tensor_source *tensors = det_alloc_array(STATE_PARTS + count, sizeof *tensors);
    if (!tensors) return det_fail_memory(error, "a checkpoint");

    list_state(state, tensors);
    for (size_t i = 0; i < count; i++)
        tensors[STATE_PARTS + i] = (det_tensor_source){.name = values[i].name,
                                                       .dtype = "F32",
                                                       .shape = {(int64_t)values[i].count},
                                                       .dimensions = 1,
                                                       .values = values[i].values,
                                                       .size = values[i].count * sizeof(float)};
    status = det_kept_write(path, FORMAT, tensors, STATE_PARTS + count, error);
    det_free(tensors);
    return det_error_file(error, path, status);
}

/* ---- Reading -------------------------------------------------------------------------------- */

static det_status fail_missing(const char *name, det_error *error)
{
    return det_fail_at(error, DET_FORMAT, NULL, name, "the checkpoint does not have this");
}

static det_status read_state(const det_kept_file *file, det_checkpoint *state, det_error *error)
{
    det_tensor_source parts[STATE_PARTS];
    list_state(state, parts);
    const det_tensor *digest = det_safetensors_find(&file->tensors, parts[BEGUN_WITH].name);
    if (!digest || digest->size >= sizeof state->begun_with)
        return fail_missing(parts[BEGUN_WITH].name, error);
    memset(state->begun_with, 0, sizeof state->begun_with);
    if (digest->size > 0) memcpy(state->begun_with, digest->data, digest->size);

    void *const members[STATE_PARTS] = {[SEED] = &state->seed,
                                        [STEP] = &state->step,
                                        [BEST] = &state->best,
                                        [BEST_STEP] = &state->best_step};
    for (int i = SEED; i < STATE_PARTS; i++) {
        const det_tensor *part = det_kept_find(file, parts[i].name, parts[i].dtype, 1);
        if (!part) return fail_missing(parts[i].name, error);
        memcpy(members[i], part->data, part->size);
    }
    return DET_OK;
}

static det_status check_training(const det_checkpoint *asks, const det_checkpoint *found,
                                 det_error *error)
{
    if (strcmp(asks->begun_with, found->begun_with) != 0)
        return det_fail(error, DET_ARGUMENT,
                        "this checkpoint, of step %llu, is that of a training which was begun with "
                        "another network, other pictures or other settings (%s, not %s): give "
                        "those again, or begin anew without it",
                        (unsigned long long)found->step, found->begun_with, asks->begun_with);
    if (asks->seed == found->seed) return DET_OK;
    return det_fail(error, DET_ARGUMENT,
                    "this checkpoint, of step %llu, is that of a training which was begun with the "
                    "seed %llu, not %llu",
                    (unsigned long long)found->step, (unsigned long long)found->seed,
                    (unsigned long long)asks->seed);
}

static det_status check_values(const det_kept_file *file, const det_checkpoint_values *values,
                               size_t count, det_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const det_tensor *tensor = det_safetensors_find(&file->tensors, values[i].name);
        if (!tensor) return fail_missing(values[i].name, error);
        if (tensor->count != values[i].count || strcmp(tensor->dtype, "F32") != 0)
            return det_fail_at(error, DET_FORMAT, NULL, values[i].name,
                               "%zu values of type %s, where the network has %zu of type F32",
                               tensor->count, tensor->dtype, values[i].count);
    }
    if (file->tensors.count == count + STATE_PARTS) return DET_OK;
    return det_fail(error, DET_FORMAT, "the checkpoint has %zu tensors, where the network has %zu",
                    file->tensors.count - STATE_PARTS, count);
}

static void take_values(const det_kept_file *file, const det_checkpoint_values *values,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const det_tensor *tensor = det_safetensors_find(&file->tensors, values[i].name);
        if (tensor->size > 0) memcpy(values[i].values, tensor->data, tensor->size);
    }
}

det_status det_checkpoint_read(const char *path, det_checkpoint *state,
                               const det_checkpoint_values *values, size_t count, det_error *error)
{
    det_kept_file file = {0};
    det_checkpoint found = {0};
    det_status status = det_kept_open(path, FORMAT, &file, error);
    if (status == DET_OK) status = read_state(&file, &found, error);
    if (status == DET_OK) status = check_training(state, &found, error);
    if (status == DET_OK) status = check_values(&file, values, count, error);
    if (status == DET_OK) {
        take_values(&file, values, count);
        *state = found;
    }
    det_kept_close(&file);
    return det_error_file(error, path, status);
}
