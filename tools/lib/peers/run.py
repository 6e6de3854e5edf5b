"""Verifies and times every peer, case by case, and writes the results. Runs in the virtual environment.

usage: run.py SETTINGS (JSON, from options.Settings)
"""

import json
import os
import select
import shutil
import statistics
import subprocess
import sys
import time

import numpy as np

from . import checkpoint, machine, oracle, report
from .environment import say
from .options import PEERS, Settings

# An output further from fp64 than this (image rms, images in [-1, 1]) is called wrong and not timed. Wide: it tells a
# wrong computation from a coarse one, and the page shows the error itself.
LARGEST_ERROR = {"f32": 1e-4, "int16": 1e-2, "bf16": 1e-1, "int8": 3e-1}
PREPARE_SECONDS = 1800  # exporting, quantizing and compiling one peer
ANSWER_SECONDS = 600
# Left free when a worker starts, besides what the model takes itself.
SPARE_BYTES = 2 << 30


class PeerError(Exception):
    """Why a peer has no figure."""


class Worker:
    """A process that holds one peer, ready to run. Between requests it waits on its pipe."""

    def __init__(self, case, log):
        self.peer = case["peer"]
        self.log = open(log, "w", encoding="utf-8")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen([sys.executable, "-m", "peers.worker", json.dumps(case)], stderr=self.log,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            self.ready = self.answer(PREPARE_SECONDS)
        except PeerError:
            self.close()
            raise

    def answer(self, seconds):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise PeerError(f"no answer in {seconds} s")
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            raise PeerError(f"the process was ended by signal {-code}" if code < 0 else f"the process ended with {code}")
        message = json.loads(line)
        if "error" in message:
            raise PeerError(message["error"])
        return message

    def ask(self, **request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except OSError as error:
            raise PeerError("the process is gone") from error
        return self.answer(ANSWER_SECONDS + 10 * request.get("seconds", 0))

    def close(self):
        try:
            self.process.stdin.close()
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()


class Bench:
    """One run: `results` is what --json gets."""

    def __init__(self, settings):
        self.settings = settings
        self.results = {"command": settings.command, "machine": machine.describe(settings.root),
                        "versions": settings.versions, "rounds": settings.rounds, "seconds": settings.seconds,
                        "peers": settings.peers, "golden": None, "cases": []}

    def path(self, name):
        return os.path.join(self.settings.work, name)

    def tool(self, name, *arguments):
        """Runs a program of the build; the error is its first line of complaint."""
        result = subprocess.run([os.path.join(self.settings.build, "bin", name), *arguments], capture_output=True,
                                text=True, check=False)
        if result.returncode:
            lines = result.stderr.strip().splitlines() or [f"ended with {result.returncode}"]
            raise PeerError(f"{name}: {lines[0].removeprefix(name + ': ')}")

    def prepare_model(self, name):
        """(checkpoint, input file, fp64 images of the largest batch)."""
        if name == "n1024":
            path = os.path.join(self.settings.root, "test/models/fashion_n1024/fashion_n1024.safetensors")
        else:
            path = self.path(f"{name}.safetensors")
            if not os.path.exists(path):
                self.tool("un0-make-checkpoint", f"--shape={name}", "--seed=1", "-o", path)
        model = checkpoint.load(path, np.float64)
        if name == "n1024":
            golden = os.path.join(os.path.dirname(path), "golden.safetensors")
            self.results["golden"] = oracle.check_against_golden(model, golden)
        inputs = oracle.draw_inputs(model, max(self.settings.batch))
        file = self.path(f"{name}-inputs.npz")
        np.savez(file, **dict(zip(("theta0", "phi0", "labels"), inputs)))
        return path, file, oracle.generate(model, *inputs)

    def compile_modules(self, name, path):
        """{peer: module or the PeerError} for our own precisions."""
        modules = {}
        for peer in self.settings.peers:
            if not peer.startswith("un0-"):
                continue
            precision = peer.removeprefix("un0-")
            output = self.path(f"{name}-{precision}.un0")
            try:
                self.tool("un0c", path, f"--precision={precision}", "-o", output)
                modules[peer] = output
            except PeerError as error:
                modules[peer] = error
        return modules

    def start(self, case, expected, module, result):
        """A verified worker; fills in the accuracy of `result`. Raises PeerError."""
        family = case["peer"].split("-")[0]
        if family in self.settings.missing:
            raise PeerError(self.settings.missing[family])
        if isinstance(module, PeerError):
            raise module
        need = SPARE_BYTES + 4 * os.path.getsize(case["checkpoint"])
        if machine.available_memory() < need:
            raise PeerError(f"not started: less than {need >> 20} MiB of memory are free")
        worker = Worker(dict(case, module=module), self.path(f"{case['peer']}.log"))
        try:
            file = self.path("images.npy")
            worker.ask(do="images", file=file)
            images = np.load(file)
            if images.shape != expected.shape:
                raise PeerError(f"wrong output: shape {images.shape}, expected {expected.shape}")
            error = images.astype(np.float64) - expected
            result["rms"] = float(np.sqrt(np.mean(error ** 2)))
            result["max_error"] = float(np.abs(error).max())
            result["form"] = worker.ready["notes"].get("form", "")
            precision = next(p[2] for p in PEERS if p[0] == case["peer"])
            if not result["rms"] <= LARGEST_ERROR[precision]:
                raise PeerError(f"wrong output: image rms error {result['rms']:.1e}")
        except PeerError:
            worker.close()
            raise
        return worker

    def run_case(self, name, path, inputs, images, modules, threads, batch):
        results = {peer: {} for peer in self.settings.peers}
        self.results["cases"].append({"model": name, "threads": threads, "batch": batch, "results": results})
        case = {"model": name, "checkpoint": path, "inputs": inputs, "batch": batch, "threads": threads,
                "work": self.settings.work,
                "library": os.path.join(self.settings.build, "lib", "libun0_runtime.so")}
        workers = []
        title = f"{name}, batch {batch}, {threads} thread{'s' if threads > 1 else ''}"
        try:
            for peer, result in results.items():
                begin = time.perf_counter()
                try:
                    workers.append(self.start(dict(case, peer=peer), images[:batch], modules.get(peer), result))
                    say(f"{title}: {peer} ready in {time.perf_counter() - begin:.0f} s, rms {result['rms']:.1e}")
                except PeerError as error:
                    result["missing"] = str(error)
                    say(f"{title}: {peer} is missing: {error}")
            rounds = {worker.peer: [] for worker in workers}
            for turn in range(self.settings.rounds):
                # Each round starts with another peer, so that none always follows the same neighbour.
                first = turn % max(len(workers), 1)
                for worker in workers[first:] + workers[:first]:
                    if "missing" in results[worker.peer]:
                        continue
                    try:
                        rounds[worker.peer].append(worker.ask(do="time", seconds=self.settings.seconds)["runs"])
                    except PeerError as error:
                        results[worker.peer]["missing"] = str(error)
                        # Busy with what it was too slow for, it would take time from the others.
                        worker.process.kill()
                        worker.process.wait()
        finally:
            for worker in workers:
                worker.close()
        for peer, runs in rounds.items():
            if "missing" not in results[peer]:
                results[peer].update(summarize(runs))
                say(f"{title}: {peer:20} {results[peer]['ms']:10.3f} ms")

    def run(self):
        settings = self.settings
        for name in settings.models:
            say(f"{name}: reading, computing in fp64, compiling with un0c")
            path, inputs, images = self.prepare_model(name)
            modules = self.compile_modules(name, path)
            for threads in settings.threads:
                for batch in settings.batch:
                    self.run_case(name, path, inputs, images, modules, threads, batch)
                    self.write()
        say(f"wrote {settings.output}")

    def write(self):
        """After every case: a long run that is stopped still leaves what it found."""
        if self.settings.json:
            with open(self.settings.json, "w", encoding="utf-8") as file:
                json.dump(self.results, file, indent=1)
        with open(self.settings.output, "w", encoding="utf-8") as file:
            file.write(report.page(self.results))


def summarize(rounds):
    """The median of all runs of all rounds, their extremes, and the medians of the rounds; milliseconds."""
    every = [1e3 * seconds for runs in rounds for seconds in runs]
    return {"ms": statistics.median(every), "min": min(every), "max": max(every), "runs": len(every),
            "rounds": [1e3 * statistics.median(runs) for runs in rounds]}


def main():
    settings = Settings(**json.loads(sys.argv[1]))
    os.makedirs(os.path.dirname(settings.output), exist_ok=True)
    # Files of an earlier run may come from another model or another version of these programs.
    exports = os.path.join(settings.work, "models")
    if not settings.keep:
        shutil.rmtree(exports, ignore_errors=True)
    settings.work = exports
    os.makedirs(exports, exist_ok=True)
    try:
        Bench(settings).run()
    except (PeerError, OSError, ValueError, AssertionError) as error:
        sys.exit(f"bench-peers: error: {error}")
    except KeyboardInterrupt:
        sys.exit("bench-peers: stopped")
    finally:
        if not settings.keep:
            shutil.rmtree(exports, ignore_errors=True)


if __name__ == "__main__":
    main()
