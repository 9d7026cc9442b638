/* SPDX-License-Identifier: Apache-2.0 */
#include "src/cli/commands.h"
#include "src/cli/report.h"

int cli_run_propose(const cli_values *values)
{
    (void)values;
    det_error error;
    cli_fail(&error, DET_UNSUPPORTED, "this command is being written");
    return cli_exit_status(&error);
}
