/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_CLI_PICTURES_H
#define DETECT_CLI_PICTURES_H

#include "detect/classify.h"
#include "detect/data.h"
#include "src/cli/truth.h"

/* What every command that reads pictures does: settings, inputs, a loop over the pictures, results
 * and annotated pictures. */

/** A run over pictures; {0} is empty. */
typedef struct cli_pictures {
    const cli_values *values;
    det_config *config;
    const cli_truth *truth; /**< whose pictures are the inputs where none are named; or NULL */
    det_inputs inputs;
    char **drawn;    /**< a file for each input, or NULL without --draw */
    char **segments; /**< likewise, --segments */
} cli_pictures;

/** The segments of a picture, drawn; {0} is none. */
typedef struct cli_segments {
    det_image drawn;
    int count;
} cli_segments;

/** What a command does with a picture. */
typedef struct cli_task {
    void *context;
    /** Fills the result. */
    det_status (*process)(void *context, const det_image *image, const det_run *run,
                          det_result *result, det_error *error);
    /** Fills the results of `count` pictures, in place of `process`; what is wrong with one stands
     *  in its error. Or NULL. Such a task draws nothing and measures nothing. */
    det_status (*process_many)(void *context, const det_picture_source *source, size_t count,
                               const det_run *run, det_result *results, det_error *error);
    size_t together; /**< pictures that process_many takes at most */
    /** Draws the result onto the picture. */
    det_status (*draw)(void *context, const det_result *result, det_image *image, det_error *error);
    /** Draws the segments of the picture; called where cli_pictures.segments is there. */
    det_status (*segment)(void *context, const det_image *image, const det_run *run,
                          cli_segments *segments, det_error *error);
    /** Measures a result, or NULL. Its time is not that of the picture. */
    det_status (*measure)(void *context, const det_image *image, const det_run *run,
                          const det_result *result, det_error *error);
    /** Called when all pictures are done and written, or NULL. A failure is that of the run. */
    det_status (*conclude)(void *context, det_error *error);
    const char *unit;  /**< of the steps of `process`, for people, or NULL */
    bool proposals;    /**< the result is its regions */
    bool append;       /**< results are added to what --output holds */
    bool unwritten;    /**< no writer: `measure` and `conclude` are all */
    bool labels;       /**< the result is its labels */
    det_run_info info; /**< for the writer */
} cli_task;

/** How many pictures a task should work on together, so that `steps` of each fill batches; 1 where
 *  each must be done before the next is read (standard input) or has a time of its own
 *  (limits.timeout_s). After cli_pictures_open. */
size_t cli_pictures_together(const cli_pictures *pictures, size_t steps);

/** Sets a key to a text, which may hold any character, as det_config_set does. */
det_status cli_set_text(det_config *config, const char *key, const char *value, det_error *error);

/** Reads the settings: the configuration file, then the options, then --set in order. */
det_status cli_pictures_configure(cli_pictures *pictures, const cli_values *values,
                                  det_error *error);

enum { CLI_METHODS = 4 };
/** The names of the methods that propose regions. @return how many there are. */
size_t cli_methods(const det_config *config, const char *names[CLI_METHODS]);

/** Finds the pictures and checks, as far as possible, that the results can be written. */
det_status cli_pictures_open(cli_pictures *pictures, det_error *error);
/** Works on all pictures. A picture that fails is reported, recorded and counted.
 *  @return the failure of the run, which is not reported yet. */
det_status cli_pictures_work(cli_pictures *pictures, const cli_task *task, size_t *failures,
                             det_error *error);
/** The same for a command that does nothing else. @return the exit status. */
int cli_pictures_run(cli_pictures *pictures, const cli_task *task);
void cli_pictures_free(cli_pictures *pictures);

#endif
