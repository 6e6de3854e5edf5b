#!/usr/bin/env python3
"""Runs decks of un0-translate --export-spice in ngspice and compares final phases with the simulator's.

usage: compare_deck.py TOLERANCE DECK...

The simulator's phases stand in the deck, `* simulator NAME = RADIANS`. Fails when ngspice does not reach the end of the
run, when a phase is missing, when nothing moved, or when one differs by more than TOLERANCE radians.
"""

import re
import subprocess
import sys


def run_ngspice(path):
    """Final phases by name, and the time that was reached."""
    result = subprocess.run(["ngspice", "-b", path], capture_output=True, text=True, check=False)
    values = {name: float(value)
              for name, value in re.findall(r"^(\w+)\[last\] = (\S+)$", result.stdout, re.MULTILINE)}
    if result.returncode or "time" not in values:
        sys.exit(f"error: ngspice failed on {path}:\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    return values, values.pop("time")


def main(arguments):
    tolerance, failed = float(arguments[0]), False
    for path in arguments[1:]:
        with open(path, encoding="utf-8") as file:
            deck = file.read()
        expected = {name: float(value)
                    for name, value in re.findall(r"^\* simulator (\w+) = (\S+)$", deck, re.MULTILINE)}
        starts = {name: float(value)
                  for name, value in re.findall(r"^C_(\w+) \S+ 0 \S+ IC=(\S+)$", deck, re.MULTILINE)}
        end = float(re.search(r"^\.tran \S+ (\S+) ", deck, re.MULTILINE).group(1))
        phases, time = run_ngspice(path)
        if not expected or expected.keys() != phases.keys() or starts.keys() != phases.keys():
            sys.exit(f"error: {path}: phases of {sorted(phases)}, expected {sorted(expected)}")
        worst = max(abs(phases[name] - expected[name]) for name in phases)
        moved = max(abs(phases[name] - starts[name]) for name in phases)
        print(f"{len(phases)} phases moved by up to {moved:.3g} rad in {time:.3g} s and differ by up to {worst:.2g} rad")
        if not worst <= tolerance:
            print(f"error: {path}: phases differ by {worst:.2g} rad, allowed are {tolerance:g}")
            failed = True
        if moved < 100 * tolerance:
            print(f"error: {path}: phases moved by {moved:.2g} rad only, so that nothing was compared")
            failed = True
        if abs(time - end) > 1e-6 * end:
            print(f"error: {path}: ngspice stopped after {time} s of {end} s")
            failed = True
    return 1 if failed or len(arguments) < 2 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
