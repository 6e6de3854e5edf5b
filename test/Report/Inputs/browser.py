#!/usr/bin/env python3
"""Renders a page in headless Chromium and says what it did.

usage: browser.py CHROMIUM PAGE.html PROFILE_FOLDER

Prints the text that a reader sees, then one line for every request beyond the page itself and for every line on the
browser's console; fails if there is any.
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys


def main(chromium, page, profile):
    shutil.rmtree(profile, ignore_errors=True)
    os.makedirs(profile)
    log = os.path.join(profile, "requests.json")
    run = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
         "--disable-default-apps", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", f"--user-data-dir={profile}", f"--log-net-log={log}",
         "--virtual-time-budget=2000", "--dump-dom", "file://" + os.path.abspath(page)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", timeout=120, check=False)
    complaints = []
    if run.returncode:
        complaints.append(f"browser: exit status {run.returncode}")
    for line in run.stderr.splitlines():
        if ":CONSOLE" in line:
            complaints.append("console: " + line.split("] ", 1)[-1])
    with open(log, encoding="utf-8", errors="replace") as file:
        events = json.load(file)["events"]
    # The browser asks for updates of its own; what a page asks for has an initiator or is isolated to the page's origin.
    for event in events:
        params = event.get("params", {})
        caused = params.get("initiator", "not an origin") != "not an origin" or \
            str(params.get("network_isolation_key", "")).startswith("file:")
        if caused and "url" in params and params["url"] != "file://" + os.path.abspath(page):
            complaints.append("request: " + params["url"])
    body = re.sub(r"(?s)<(style|script|head|desc)\b.*?</\1>", " ", run.stdout)
    text = html.unescape(re.sub(r"<[^>]*>", " ", body))
    print("\n".join(line.strip() for line in text.splitlines() if line.strip()))
    print(f"pictures: {run.stdout.count('<img')}, drawings: {run.stdout.count('<svg')}")
    for complaint in complaints:
        print(complaint)
    return 1 if complaints or not text.strip() else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
