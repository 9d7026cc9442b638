/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_DETECTOR_H
#define DETECT_DETECTOR_H

#include "detect/data.h"
#include "detect/network.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A configuration with its networks compiled. Safe to share between threads. */
typedef struct det_detector det_detector;

/** Gives the keys of a configuration that were not set the values that its first model says it was
 *  made for (det_model_settings), such as where proposals come from and how regions are looked at.
 *  det_detector_create does it for itself; whoever asks the configuration what a detector does
 * calls it before. Does nothing where there is no model.
 *  @return DET_OK; as det_model_open; DET_FORMAT (settings that are none, with the key). */
DET_API det_status det_detector_configure(det_config *config, det_error *error);

/** Opens and compiles the models of a configuration.
 *  @param config borrowed for the call.
 *  @return DET_OK; DET_ARGUMENT (no model; models whose classes differ); DET_UNSUPPORTED (a setting
 *          this version cannot run, with its key path in error->where); and what det_model_open and
 *          det_network_compile return. */
DET_API det_status det_detector_create(const det_config *config, det_detector **detector,
                                       det_error *error);
DET_API void det_detector_free(det_detector *detector);

/** The first model; classes are those of every model of the ensemble. Borrowed. */
DET_API const det_model *det_detector_model(const det_detector *detector);

/** The networks of its models, in their order; all run in the same precision. Borrowed.
 *  @param index in [0, det_detector_network_count). */
DET_API size_t det_detector_network_count(const det_detector *detector);
DET_API const det_network *det_detector_network(const det_detector *detector, size_t index);

/** Keeps only these classes in the results.
 *  @param names count class names, letters compared without case; 0 keeps all.
 *  @return DET_OK, DET_ARGUMENT (an unknown name; the message offers near ones), DET_MEMORY.
 *  Not to be called while another thread detects. */
DET_API det_status det_detector_select_classes(det_detector *detector, const char *const *names,
                                               size_t count, det_error *error);

/** Detects objects in one picture: propose, crop or pool, classify, average, suppress (R-CNN,
 * section 2; SPP-net, section 4). Where regions are pooled (classifier.regions), the first picture
 * of a size waits until the networks are compiled for it.
 *
 *  @param run    or NULL; progress counts regions (0 of 0 while they are searched for); the
 *                configuration's threads hold, not run->threads.
 *  @param result receives detections, best first (score descending, then region, then class),
 *                proposal_count, too_small_count, width, height and timings (all but decode); free
 * with det_result_free. Its file is left alone.
 *  @return DET_OK, DET_ARGUMENT (an empty picture), DET_LIMIT, DET_MEMORY, DET_CANCELLED,
 * DET_INTERNAL. Thread-safe; each call makes its own worker. */
DET_API det_status det_detector_detect(const det_detector *detector, const det_image *image,
                                       const det_run *run, det_result *result, det_error *error);

/** The same for regions that the caller brings. */
DET_API det_status det_detector_classify(const det_detector *detector, const det_image *image,
                                         const det_region *regions, size_t region_count,
                                         const det_run *run, det_result *result, det_error *error);

/** What proposes the regions that a detector of some configuration would classify. Safe to share
 *  between threads. */
typedef struct det_proposer det_proposer;

/** @param config borrowed for the call: `proposals` and `runtime` count, as they stand
 *                (det_detector_configure), and `classifier` where "multibox" is among the methods;
 *                else no model is needed.
 *  @return DET_OK; DET_ARGUMENT ("multibox", and no model that proposes regions); as
 *          det_detector_create. */
DET_API det_status det_proposer_create(const det_config *config, det_proposer **proposer,
                                       det_error *error);
/** Takes NULL. */
DET_API void det_proposer_free(det_proposer *proposer);

/** Proposes regions of a picture.
 *
 *  @param max    how many at most, in place of proposals.max; 0: as that says.
 *  @param run    or NULL; its threads and deadline hold.
 *  @param result receives regions, best first, region_count, proposal_count, too_small_count,
 * width, height and timings.proposals_ms; free with det_result_free. Its file is left alone.
 *  @return as det_selective_search; DET_INTERNAL. limits.max_regions does not hold here.
 *          Thread-safe. */
DET_API det_status det_proposer_propose(const det_proposer *proposer, const det_image *image,
                                        size_t max, const det_run *run, det_result *result,
                                        det_error *error);

#ifdef __cplusplus
}
#endif
#endif
