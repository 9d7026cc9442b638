/* SPDX-License-Identifier: Apache-2.0 */
/* Where annotated pictures go. Everything is planned and checked before the work begins. */
#include "src/cli/drawn.h"

#include "src/cli/report.h"

#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/** A file name that is taken, in a tree (tsearch) sorted by name. */
typedef struct taken_name {
    char *name;
    size_t next; /**< number that the next picture of this name tries first */
} taken_name;

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const taken_name *)a)->name, ((const taken_name *)b)->name);
}

static void free_name(void *node)
{
    taken_name *taken = node;
    free(taken->name);
    free(taken);
}

/** Takes a name, and owns it from then on. @return its node; *is_new tells whether it was free. */
static taken_name *take_name(void **tree, char *name, bool *is_new)
{
    taken_name *taken = cli_alloc(1, sizeof *taken);
    *taken = (taken_name){name, 2};
    taken_name **found = tsearch(taken, tree, compare_names);
    if (!found) cli_out_of_memory();
    *is_new = *found == taken;
    if (!*is_new) free_name(taken);
    return *found;
}

/** The file name of an annotated picture taken apart: "photo" and ".jpg". */
static void split_name(const char *input, bool png, int *stem_length, const char **stem,
                       const char **ending)
{
    const char *slash = strrchr(input, '/');
    *stem = strcmp(input, "-") == 0 ? "stdin" : slash ? slash + 1 : input;
    const char *dot = strrchr(*stem, '.');
    if (!dot || dot == *stem) dot = *stem + strlen(*stem);
    *stem_length = (int)(dot - *stem);
    const bool jpeg = strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0;
    *ending = jpeg && !png ? dot : ".png";
}

static const char *choose_name(void **tree, const char *input, bool png)
{
    int length;
    const char *stem, *ending;
    split_name(input, png, &length, &stem, &ending);
    bool is_new;
    taken_name *first = take_name(tree, cli_format("%.*s%s", length, stem, ending), &is_new);
    taken_name *chosen = first;
    while (!is_new) {
        char *name = cli_format("%.*s-%zu%s", length, stem, first->next++, ending);
        chosen = take_name(tree, name, &is_new);
    }
    return chosen->name;
}

static det_status fail_folder(const char *option, const char *folder, const char *doing,
                              det_error *error)
{
    char text[80];
    snprintf(text, sizeof text, "cannot %s this folder for %s", doing, option);
    return cli_fail_errno(error, folder, text);
}

det_status cli_open_folder(const char *option, const char *folder, char resolved[PATH_MAX],
                           det_error *error)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return fail_folder(option, folder, "make", error);
    struct stat status;
    if (stat(folder, &status) == 0 && !S_ISDIR(status.st_mode))
        errno = ENOTDIR;
    else if (access(folder, W_OK | X_OK) == 0 && realpath(folder, resolved))
        return DET_OK;
    return fail_folder(option, folder, "write into", error);
}

static bool lies_in(const char *file, const char *folder)
{
    char resolved[PATH_MAX];
    if (!realpath(file, resolved)) return false;
    const size_t length = (size_t)(strrchr(resolved, '/') - resolved);
    if (length == 0) return strcmp(folder, "/") == 0;
    return strlen(folder) == length && memcmp(folder, resolved, length) == 0;
}

det_status cli_drawn_plan(const char *option, const char *folder, bool png,
                          const det_inputs *inputs, char ***paths, det_error *error)
{
    char resolved[PATH_MAX];
    const det_status status = cli_open_folder(option, folder, resolved, error);
    if (status < 0) return status;
    for (size_t i = 0; i < inputs->count; i++)
        if (lies_in(inputs->paths[i], resolved))
            return cli_fail(error, DET_ARGUMENT,
                            "%s %s: this folder holds %s, which is to be read; choose another "
                            "folder, so that no picture is overwritten",
                            option, folder, inputs->paths[i]);

    void *tree = NULL;
    char **planned = cli_alloc(inputs->count, sizeof *planned);
    for (size_t i = 0; i < inputs->count; i++)
        planned[i] = cli_format("%s/%s", folder, choose_name(&tree, inputs->paths[i], png));
    tdestroy(tree, free_name);
    *paths = planned;
    return DET_OK;
}

void cli_drawn_free(char **paths, size_t count)
{
    for (size_t i = 0; paths && i < count; i++) free(paths[i]);
    free(paths);
}
