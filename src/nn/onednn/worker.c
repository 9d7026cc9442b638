/* SPDX-License-Identifier: Apache-2.0 */
/* Runs compiled networks. A worker has a lane for each thread: an arena that all its networks
 * share, and for each network a stream and oneDNN's memory objects, which point into the arena. */
#include "src/base/parallel.h"
#include "src/base/run.h"
#include "src/nn/model_file.h"
#include "src/nn/network_fill.h"
#include "src/nn/onednn/plan.h"

#include <stdatomic.h>
#include <string.h>

/* What one thread needs for one network. */
typedef struct {
    dnnl_stream_t stream;
    dnnl_memory_t *tensors;     /* tensor_count */
    dnnl_memory_t *scratchpads; /* step_count; NULL where a step needs none */
    dnnl_exec_arg_t *arguments; /* of all steps, one after another */
} lane_network;

typedef struct {
    uint8_t *arena;
    lane_network *networks; /* network_count */
} lane;

struct det_worker {
    const det_network **networks;
    size_t network_count;
    lane *lanes;
    int lane_count;
};

static int argument_total(const det_plan *plan)
{
    int total = 0;
    for (int i = 0; i < plan->step_count; i++) total += plan->steps[i].argument_count + 1;
    return total;
}

static dnnl_status_t create_memories(const det_plan *plan, uint8_t *arena, lane_network *l)
{
    for (int i = 0; i < plan->tensor_count; i++) {
        const det_plan_tensor *t = &plan->tensors[i];
        const dnnl_status_t result =
            dnnl_memory_create(&l->tensors[i], t->layout, plan->engine, arena + t->arena_offset);
        if (result != dnnl_success) return result;
    }
    for (int i = 0; i < plan->step_count; i++) {
        if (plan->steps[i].scratchpad_size == 0) continue;
        const dnnl_status_t result =
            dnnl_memory_create(&l->scratchpads[i], plan->steps[i].scratchpad, plan->engine,
                               arena + plan->scratchpad_offset);
        if (result != dnnl_success) return result;
    }
    return dnnl_stream_create(&l->stream, plan->engine, dnnl_stream_default_flags);
}

static void bind_arguments(const det_plan *plan, lane_network *l)
{
    dnnl_exec_arg_t *next = l->arguments;
    for (int i = 0; i < plan->step_count; i++) {
        const det_step *step = &plan->steps[i];
        for (int j = 0; j < step->argument_count; j++) {
            const det_argument *a = &step->arguments[j];
            *next++ = (dnnl_exec_arg_t){a->kind, a->constant ? a->constant : l->tensors[a->tensor]};
        }
        *next++ = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, l->scratchpads[i]};
    }
}

static det_status create_lane_network(const det_plan *plan, uint8_t *arena, lane_network *l,
                                      det_error *error)
{
    l->tensors = det_alloc_zeroed((size_t)plan->tensor_count, sizeof(dnnl_memory_t));
    l->scratchpads = det_alloc_zeroed((size_t)plan->step_count, sizeof(dnnl_memory_t));
    l->arguments = det_alloc_zeroed((size_t)argument_total(plan), sizeof *l->arguments);
    if (!l->tensors || !l->scratchpads || !l->arguments) return det_fail_memory(error, "a worker");
    const dnnl_status_t result = create_memories(plan, arena, l);
    if (result != dnnl_success) return det_dnnl_fail(error, "make a worker", result);
    bind_arguments(plan, l);
    return DET_OK;
}

static void free_lane_network(const det_plan *plan, lane_network *l)
{
    for (int i = 0; l->tensors && i < plan->tensor_count; i++)
        if (l->tensors[i]) dnnl_memory_destroy(l->tensors[i]);
    for (int i = 0; l->scratchpads && i < plan->step_count; i++)
        if (l->scratchpads[i]) dnnl_memory_destroy(l->scratchpads[i]);
    if (l->stream) dnnl_stream_destroy(l->stream);
    det_free(l->tensors);
    det_free(l->scratchpads);
    det_free(l->arguments);
}

static det_status create_lane(const det_worker *worker, lane *l, size_t arena_size,
                              det_error *error)
{
    l->arena = det_alloc_aligned(arena_size);
    l->networks = det_alloc_zeroed(worker->network_count, sizeof *l->networks);
    if (!l->arena || !l->networks) return det_fail_memory(error, "a worker");
    for (size_t i = 0; i < worker->network_count; i++) {
        const det_status status =
            create_lane_network(&worker->networks[i]->plan, l->arena, &l->networks[i], error);
        if (status < 0) return status;
    }
    return DET_OK;
}

det_status det_worker_create(const det_network *const *networks, size_t count, det_worker **worker,
                             det_error *error)
{
    if (count == 0) return det_fail(error, DET_ARGUMENT, "a worker needs a network");
    det_worker *made = det_alloc_zeroed(1, sizeof *made);
    if (!made) return det_fail_memory(error, "a worker");

    det_status status = DET_OK;
    size_t arena_size = 0;
    made->networks = det_alloc_array(count, sizeof *made->networks);
    if (!made->networks) {
        status = det_fail_memory(error, "a worker");
        goto done;
    }
    made->network_count = count;
    for (size_t i = 0; i < count; i++) {
        made->networks[i] = networks[i];
        if (made->lane_count < det_network_lanes(networks[i]))
            made->lane_count = det_network_lanes(networks[i]);
        if (arena_size < networks[i]->plan.arena_size) arena_size = networks[i]->plan.arena_size;
    }
    made->lanes = det_alloc_zeroed((size_t)made->lane_count, sizeof *made->lanes);
    if (!made->lanes) {
        status = det_fail_memory(error, "a worker");
        goto done;
    }
    for (int i = 0; i < made->lane_count && status == DET_OK; i++)
        status = create_lane(made, &made->lanes[i], arena_size, error);
done:
    if (status < 0) {
        det_worker_free(made);
        return status;
    }
    *worker = made;
    return DET_OK;
}

void det_worker_free(det_worker *worker)
{
    if (!worker) return;
    for (int i = 0; worker->lanes && i < worker->lane_count; i++) {
        lane *l = &worker->lanes[i];
        for (size_t j = 0; l->networks && j < worker->network_count; j++)
            free_lane_network(&worker->networks[j]->plan, &l->networks[j]);
        det_free(l->networks);
        det_free(l->arena);
    }
    det_free(worker->lanes);
    det_free(worker->networks);
    det_free(worker);
}

/* ---- Running -----------------------------------------------------------------------------------
 */

/* One batch: each index of the parallel loop is a picture. */
typedef struct {
    const det_network *network;
    const lane *lanes;
    size_t which; /* index of the network in the worker */
    const uint8_t *pixels;
    const float *tensor;
    det_network_fill *fill; /* where there are neither */
    const void *fill_context;
    size_t count;
    float *const *outputs;
    double *lane_ms;         /* of each lane: its steps, input and output; or NULL: nobody asks */
    atomic_int failure;      /* dnnl_status_t of the last step that failed */
    atomic_int fill_failure; /* det_status of the last fill that failed */
} batch;

/* pixels: (H,W,3) B G R bytes; out: (3,H,W) = (pixel - mean) * scale in the model's channel order.
 */
static void write_picture(const det_model_input *input, const uint8_t *pixels, size_t area,
                          float *out)
{
    for (int c = 0; c < 3; c++) {
        const uint8_t *from = pixels + (input->channel_order[0] == 'R' ? 2 - c : c);
        const float mean = input->mean[c], scale = input->scale[c];
        float *plane = out + (size_t)c * area;
        for (size_t i = 0; i < area; i++) plane[i] = ((float)from[3 * i] - mean) * scale;
    }
}

static void run_kernel(const det_plan *plan, const det_step *step, uint8_t *arena, int threads)
{
    const det_plan_tensor *in = &plan->tensors[step->arguments[0].tensor],
                          *out = &plan->tensors[step->arguments[1].tensor];
    step->kernel->run(step->kernel, arena + in->arena_offset, arena + out->arena_offset, threads);
}

/* Adds the time since `*since_s` to a sum, where there is one, and starts again. */
static void add_lap(double *sum_ms, double *since_s)
{
    if (!sum_ms) return;
    const double now_s = det_now_s();
    *sum_ms += (now_s - *since_s) * 1e3;
    *since_s = now_s;
}

/* step_ms: a sum for each step, or NULL. */
static dnnl_status_t run_steps(const det_network *network, const lane_network *l, uint8_t *arena,
                               double *step_ms)
{
    const det_plan *plan = &network->plan;
    const dnnl_exec_arg_t *arguments = l->arguments;
    double since_s = step_ms ? det_now_s() : 0;
    for (int i = 0; i < plan->step_count; i++) {
        const det_step *step = &plan->steps[i];
        const int count = step->argument_count + (step->scratchpad_size > 0);
        dnnl_status_t result = dnnl_success;
        if (step->kernel)
            run_kernel(plan, step, arena, network->inner_threads);
        else
            result = dnnl_primitive_execute(step->primitive, l->stream, count, arguments);
        if (result != dnnl_success) return result;
        arguments += step->argument_count + 1;
        add_lap(step_ms ? step_ms + i : NULL, &since_s);
    }
    return dnnl_stream_wait(l->stream);
}

/* input: size values of the network's input, written whole. */
static det_status write_input(const batch *b, size_t index, size_t size, float *input)
{
    if (b->fill) return b->fill(b->fill_context, index, input);
    const size_t area = size / 3;
    if (b->pixels)
        write_picture(&b->network->model->input, b->pixels + index * area * 3, area, input);
    else
        memcpy(input, b->tensor + index * size, size * sizeof *input);
    return DET_OK;
}

static void run_picture(void *context, size_t index, int worker)
{
    batch *b = context;
    const det_network *network = b->network;
    const det_plan *plan = &network->plan;
    const lane *l = &b->lanes[worker];
    float *input = (float *)(void *)(l->arena + plan->tensors[network->input].arena_offset);
    const size_t steps = (size_t)plan->step_count;
    double *step_ms = b->lane_ms ? b->lane_ms + (size_t)worker * (steps + 1) : NULL;
    double *copies_ms = step_ms ? step_ms + steps : NULL;
    double since_s = step_ms ? det_now_s() : 0;

    const det_status status = write_input(b, index, det_shape_values(network->input_shape), input);
    if (status < 0) {
        atomic_store(&b->fill_failure, (int)status);
        return;
    }
    add_lap(copies_ms, &since_s);
    const dnnl_status_t result = run_steps(network, &l->networks[b->which], l->arena, step_ms);
    if (result != dnnl_success) atomic_store(&b->failure, (int)result);
    if (step_ms) since_s = det_now_s();

    for (size_t i = 0; i < network->output_count; i++) {
        const size_t values = det_shape_values(network->output_shapes[i]);
        memcpy(b->outputs[i] + index * values,
               l->arena + plan->tensors[network->outputs[i]].arena_offset, values * sizeof(float));
    }
    add_lap(copies_ms, &since_s);
}

static void run_batch(void *context)
{
    batch *b = context;
    det_parallel_for(b->count, b->network->inner_threads > 1 ? 1 : b->network->threads, run_picture,
                     b);
}

static det_status run(const det_network *network, const det_worker *worker, batch *b,
                      det_error *error)
{
    while (b->which < worker->network_count && worker->networks[b->which] != network) b->which++;
    if (b->which == worker->network_count)
        return det_fail(error, DET_ARGUMENT, "the worker was made for other networks");
    if (b->count < 1 || b->count > network->batch)
        return det_fail(error, DET_ARGUMENT, "%zu pictures do not fit a batch of %zu", b->count,
                        network->batch);
    b->network = network;
    b->lanes = worker->lanes;
    atomic_init(&b->failure, (int)dnnl_success);
    atomic_init(&b->fill_failure, (int)DET_OK);
    det_with_threads(network->inner_threads, run_batch, b);
    const det_status unfilled = (det_status)atomic_load(&b->fill_failure);
    if (unfilled < 0) return det_fail(error, unfilled, "an input of the network cannot be made");
    const int failure = atomic_load(&b->failure);
    return failure == (int)dnnl_success
               ? DET_OK
               : det_dnnl_fail(error, "run a layer", (dnnl_status_t)failure);
}

static det_status run_pictures(const det_network *network, const det_worker *worker, batch *b,
                               det_error *error)
{
    if (network->takes_tensor)
        return det_fail(error, DET_ARGUMENT, "this network is fed a layer's output, not pictures");
    return run(network, worker, b, error);
}

det_status det_network_run_pictures(const det_network *network, det_worker *worker,
                                    const uint8_t *pixels, size_t count, float *const *outputs,
                                    det_error *error)
{
    batch b = {.pixels = pixels, .count = count, .outputs = outputs};
    return run_pictures(network, worker, &b, error);
}

det_status det_network_time_steps(const det_network *network, det_worker *worker,
                                  const uint8_t *pixels, size_t count, float *const *outputs,
                                  double *step_ms, det_error *error)
{
    const size_t sums = (size_t)network->plan.step_count + 1;
    double *lane_ms = det_alloc_zeroed((size_t)worker->lane_count * sums, sizeof *lane_ms);
    if (!lane_ms) return det_fail_memory(error, "the times of steps");
    batch b = {.pixels = pixels, .count = count, .outputs = outputs, .lane_ms = lane_ms};
    const det_status status = run_pictures(network, worker, &b, error);
    for (size_t i = 0; status == DET_OK && i < (size_t)worker->lane_count * sums; i++)
        step_ms[i % sums] += lane_ms[i];
    det_free(lane_ms);
    return status;
}

det_status det_network_run_tensor(const det_network *network, det_worker *worker,
                                  const float *input, size_t count, float *const *outputs,
                                  det_error *error)
{
    batch b = {.tensor = input, .count = count, .outputs = outputs};
    return run(network, worker, &b, error);
}

det_status det_network_run_filled(const det_network *network, det_worker *worker,
                                  det_network_fill *fill, const void *context, size_t count,
                                  float *const *outputs, det_error *error)
{
    batch b = {.fill = fill, .fill_context = context, .count = count, .outputs = outputs};
    return run(network, worker, &b, error);
}
