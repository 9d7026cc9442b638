# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Pages looked at with a browser, where there is one.

# browse PAGE: loads a page; what it made of it is in .run/dom, what it said on its console in .run/console, and
# what the page asked for (not what the browser does for itself) in .run/fetched. No name is resolved.
browse() {
  chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
    --disable-background-networking --disable-component-update --user-data-dir="$work/profile" \
    --host-resolver-rules='MAP * ~NOTFOUND' --hide-scrollbars --virtual-time-budget=5000 --enable-logging=stderr \
    --log-net-log="$work/.run/net.json" \
    --dump-dom "file://$work/$1" >.run/dom 2>.run/browser || fail "the browser failed: $(tail -n 3 .run/browser)"
  grep ':CONSOLE' .run/browser >.run/console
  /usr/bin/python3 - .run/net.json >.run/fetched <<'PY'
import json, sys
with open(sys.argv[1]) as file:
    log = json.load(file)
start = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
for event in log["events"]:
    params = event.get("params", {})
    if event["type"] == start and "url" in params and params.get("initiator") != "not an origin":
        print(params["url"])
PY
}

# check_in_browser NAME: a check that needs the browser, skipped without.
check_in_browser() {
  if command -v chromium >/dev/null; then
    check "$1"
  else
    echo 'there is no chromium to look at pages with'
    skip "$1"
  fi
}
