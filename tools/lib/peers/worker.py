"""One framework, one model, one batch, one number of threads: a process that waits on a pipe, runs when told, and waits.

usage: worker.py CASE (JSON). Requests and answers are lines of JSON on standard input and the original standard output;
whatever libraries print goes to standard error.

  {"do": "images", "file": F}     runs once and writes the images as F            -> {"seconds": s}
  {"do": "time", "seconds": S}    one untimed run, then runs for S seconds       -> {"runs": [s, ...]}
  {"do": "close"}                                                                -> the process ends

The first answer comes unasked when the model is ready: {"seconds": s, "notes": {...}}; an error is {"error": text}.
"""

import importlib
import json
import os
import sys
import time

BUILDERS = {  # first part of the peer's name -> module
    "torch": "torch_peer",
    "jax": "jax_peer",
    "ort": "ort_peer",
    "ov": "openvino_peer",
    "iree": "iree_peer",
    "un0": "un0_peer",
}


class Case:
    """What a builder is told. `inputs()` gives (theta0, phi0, labels) of this batch."""

    def __init__(self, fields):
        self.peer = fields["peer"]  # "ov-int8"
        self.model = fields["model"]  # "n1024"
        self.checkpoint = fields["checkpoint"]
        self.input_file = fields["inputs"]
        self.batch = fields["batch"]
        self.threads = fields["threads"]
        self.work = fields["work"]  # directory for exported files, kept between cases
        self.module = fields.get("module")  # of un0c
        self.library = fields.get("library")  # the runtime of un0
        self.notes = {}  # shown in the report: which form was taken

    def inputs(self):
        import numpy as np
        arrays = np.load(self.input_file)
        return tuple(np.ascontiguousarray(arrays[name][:self.batch]) for name in ("theta0", "phi0", "labels"))

    def load_model(self):
        from . import checkpoint
        return checkpoint.load(self.checkpoint)

    def fastest(self, candidates, seconds=0.3):
        """Runs each of {name: call} for a while and returns the one with the least time; notes its name."""
        times = {name: min(measure(call, seconds)) for name, call in candidates.items()}
        best = min(times, key=times.get)
        self.notes["form"] = best
        return candidates[best]


def measure(call, seconds):
    """Durations of calls for about `seconds`, at least one, after one that is not counted."""
    call()
    runs = []
    begin = now = time.perf_counter()
    while not runs or now - begin < seconds:
        start = time.perf_counter()
        call()
        now = time.perf_counter()
        runs.append(now - start)
    return runs


def pin(threads):
    """Keeps this process and what it starts on the first `threads` CPUs it may use."""
    allowed = sorted(os.sched_getaffinity(0))
    if threads > len(allowed):
        raise RuntimeError(f"{threads} threads wanted, {len(allowed)} CPUs are allowed")
    os.sched_setaffinity(0, allowed[:threads])
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)


def describe(error):
    """The first line that says something, with the type of the exception."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(message):
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    case = Case(json.loads(sys.argv[1]))
    try:
        pin(case.threads)
        begin = time.perf_counter()
        builder = importlib.import_module("peers." + BUILDERS[case.peer.split("-")[0]])
        run = builder.build(case)
        answer({"seconds": time.perf_counter() - begin, "notes": case.notes})
        for line in sys.stdin:
            request = json.loads(line)
            if request["do"] == "close":
                break
            if request["do"] == "images":
                import numpy as np
                begin = time.perf_counter()
                images = np.asarray(run(), np.float32)
                answer_fields = {"seconds": time.perf_counter() - begin}
                np.save(request["file"], images)
                answer(answer_fields)
            else:
                answer({"runs": measure(run, request["seconds"])})
    except Exception as error:  # whatever a framework raises is a reason to report
        import traceback
        traceback.print_exc()
        answer({"error": describe(error)})
    # Some frameworks abort while they unload; the answers are out.
    os._exit(0)


if __name__ == "__main__":
    main()
