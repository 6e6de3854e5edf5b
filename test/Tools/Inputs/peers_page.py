"""usage: peers_page.py TOOLS_LIB RESULTS.json; prints the page that bench-peers would write."""

import json
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from peers import report  # noqa: E402

with open(sys.argv[2], encoding="utf-8") as file:
    print(report.page(json.load(file)))
