"""A worker that gives no answer is gone before another is timed: peers_timeout.py TOOLS_LIB. Nothing is measured."""

import subprocess
import sys
import types
import unittest.mock

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
sys.modules["numpy"] = unittest.mock.MagicMock()  # only arrays need it

from peers import run  # noqa: E402


class Silent:
    peer = "ort"

    def __init__(self):
        self.process = subprocess.Popen(["sleep", "600"])

    def ask(self, **request):
        raise run.PeerError("no answer in 1 s")

    def close(self):
        self.process.kill()
        self.process.wait()


class Other(Silent):
    peer = "ov"

    def ask(self, **request):
        print("the silent one", "runs" if silent.process.poll() is None else "is gone")
        return {"runs": [1.0]}


silent = Silent()
workers = {"ort": silent, "ov": Other()}
settings = types.SimpleNamespace(peers=list(workers), rounds=1, seconds=1, work="", build="")


def start(case, expected, module, result):
    result["rms"] = 0.0
    return workers[case["peer"]]


bench = types.SimpleNamespace(settings=settings, results={"cases": []}, start=start)
run.Bench.run_case(bench, "n1024", "", "", [], {}, 1, 1)
print(bench.results["cases"][0]["results"]["ort"]["missing"])
