/* SPDX-License-Identifier: Apache-2.0 */
/* What a training begins with: a network, and annotations that are in order. */
#include "src/cli/train_inputs.h"

#include "src/cli/pictures.h"
#include "src/cli/progress.h"
#include "src/cli/report.h"
#include "src/cli/truth.h"

#include <unistd.h>

/* ---- The network ---------------------------------------------------------------------------- */

/** A network that is there already, where ./dev demo and the README put it; NULL: none is. */
static const char *find_network(void)
{
    static const char *const usual[] = {"googlenet.safetensors",
                                        "build/demo/googlenet.safetensors"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (access(usual[i], R_OK) == 0) return usual[i];
    return NULL;
}

/** Takes a network that is there, and says so. */
static det_status take_network(const char *path, const cli_values *values, det_config *config,
                               det_error *error)
{
    const det_status status = cli_set_text(config, "classifier.models", path, error);
    if (status == DET_OK)
        cli_warn(values->quiet, path, "this network is trained on; --model FILE names another");
    return status;
}

det_status cli_train_choose_model(const cli_values *values, det_config *config, det_error *error)
{
    const char *found = values->add_class ? NULL : find_network();
    if (config->classifier.model_count == 1) return DET_OK;
    if (config->classifier.model_count > 1)
        return cli_fail(error, DET_ARGUMENT, "training begins with one network, not with %zu",
                        config->classifier.model_count);
    if (found) return take_network(found, values, config, error);
    if (values->add_class)
        return cli_fail(error, DET_ARGUMENT,
                        "--add-class adds to a finished detector: name it with --model FILE");
    return cli_fail(
        error, DET_ARGUMENT,
        "training begins with a network that knows pictures, --model FILE. To make one of Caffe's "
        "GoogLeNet (free to use), get bvlc_googlenet.caffemodel, linked in\n"
        "  https://github.com/BVLC/caffe/tree/master/models/bvlc_googlenet\n"
        "and synset_words.txt, in http://dl.caffe.berkeleyvision.org/caffe_ilsvrc12.tar.gz; then "
        "type:\n"
        "  detect model import bvlc_googlenet.caffemodel --labels synset_words.txt -o "
        "googlenet.safetensors\n"
        "  detect train %s -m googlenet.safetensors -o %s",
        config->train.annotations, config->train.output);
}

/* ---- The annotations ------------------------------------------------------------------------ */

/** What the check of the pictures says better, or what training does not look at. */
static const unsigned told_later = 1U << DET_ODDITY_NO_ID | 1U << DET_ODDITY_ID_ZERO |
                                   1U << DET_ODDITY_SAME_ID | 1U << DET_ODDITY_NO_AREA |
                                   1U << DET_ODDITY_SAME_FILE | 1U << DET_ODDITY_EMPTY |
                                   1U << DET_ODDITY_OUTSIDE | 1U << DET_ODDITY_UNREADABLE;

static det_status check_what_is_left(const det_annotations *annotations,
                                     const det_annotations_report *report, det_error *error)
{
    const size_t count = annotations->image_count;
    if (report->annotations->image_count > 0 || count == 0) return DET_OK;
    for (size_t i = 0; i < report->fault_count; i++)
        if (report->faults[i].fault == DET_FAULT_MISSING && report->faults[i].count == count)
            return cli_fail(error, DET_IO,
                            "none of the %zu pictures is there; they are looked for in \"%s\", the "
                            "first is %s: name their folder with --images FOLDER",
                            count, annotations->folder, annotations->images[0].file);
    return cli_fail(error, DET_IO, "none of the %zu pictures can be learned from", count);
}

static det_status check_pictures(const cli_values *values, const det_config *config,
                                 const det_annotations *annotations,
                                 det_annotations_report **report, det_error *error)
{
    cli_progress bar = cli_progress_begin(0, "check of picture", values->quiet);
    const det_run run = {.threads = config->runtime.threads,
                         .progress = cli_progress_step,
                         .progress_context = &bar};
    const det_status status = det_annotations_check(annotations, &run, report, error);
    cli_progress_clear(&bar);
    if (status < 0) return status;
    for (size_t i = 0; i < (*report)->fault_count; i++)
        cli_warn(values->quiet, config->train.annotations, (*report)->faults[i].text);
    return check_what_is_left(annotations, *report, error);
}

det_status cli_train_read(const cli_values *values, const det_config *config,
                          det_annotations_report **report, det_error *error)
{
    cli_values settled = *values;
    det_annotations *annotations = NULL;
    settled.images = config->train.pictures;
    settled.split = *config->train.split ? config->train.split : NULL;
    det_status status =
        cli_read_annotations(config->train.annotations, &settled, told_later, &annotations, error);
    if (status == DET_OK) status = check_pictures(values, config, annotations, report, error);
    det_annotations_free(annotations);
    return status;
}
