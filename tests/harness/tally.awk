# SPDX-License-Identifier: Apache-2.0
# Reads what ctest writes with --output-junit, or the output of a check script, and prints a line a test function:
# "passed NAME", "failed NAME" or "skipped NAME". Programs print a line a function as cmocka does; a program that
# prints none counts as one test, and one that fails or dies without a failed function counts as failed.
function report(result, name) {
    print result, (program == "" ? "" : program ": ") name
    reported++
    if (result == "failed") failures++
}

/^\t<testcase / {
    match($0, / name="[^"]*"/)
    program = substr($0, RSTART + 7, RLENGTH - 8)
    outcome = /status="run"/ ? "passed" : "failed"
    listing = reported = failures = 0
    running = ""
}
/^\t\t<skipped message="SKIP_/ { outcome = "skipped" }
/<\/testcase>/ {
    if (outcome == "failed" ? failures == 0 : reported == 0) report(outcome, running == "" ? "the whole program" : running)
    program = running = ""
}

{ sub(/^\t\t<system-out>/, "") }

# After its last function cmocka lists failed and skipped ones once more.
/^\[==========\] .*Running [0-9]+ test/ { listing = 0 }
/^\[==========\] .*run\./ { listing = 1 }
listing { next }

/^\[ RUN      \] / { running = substr($0, 14) }
/^\[       OK \] / { report("passed", substr($0, 14)); running = "" }
/^\[  FAILED  \] / { report("failed", substr($0, 14)); running = "" }
/^\[  SKIPPED \] / { report("skipped", substr($0, 14)); running = "" }

# A check script that ended in the middle of a test.
END { if (running != "") report("failed", running) }
