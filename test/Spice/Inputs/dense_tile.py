#!/usr/bin/env python3
"""A dense tile of 64 oscillators, driven by 8, that nothing but this script has computed.

usage: dense_tile.py write PROGRAM.dsa
       dense_tile.py check DECK CLASS

`write` makes the program, one run of 2 ns. `check` integrates the definition of its right-hand side in f64, from the deck's
initial phases, and compares the simulator's final phases and ngspice's with the result.
"""

import math
import random
import re
import sys

sys.dont_write_bytecode = True  # the tree is not written to

from compare_deck import run_ngspice  # noqa: E402

N, M, CLASSES, SECONDS, STEPS = 64, 8, 3, 2e-9, 100
TOLERANCE = 1e-4


def make_system():
    """Rates in radians per second: K, w, C, wc, D by class."""
    source = random.Random(20)

    def draw(rows, columns, size):
        # As f32 will hold them, so that nothing depends on how a tool reads decimals.
        return [[float(f"{source.gauss(0, size / SECONDS):.6e}") for _ in range(columns)] for _ in range(rows)]

    k, c = draw(N, N, 2 / math.sqrt(N)), draw(M, M, 0.5)
    for matrix in (k, c):
        for i, row in enumerate(matrix):
            row[i] = 0.0
    (w,), (wc,) = draw(1, N, 1), draw(1, M, 1)
    return k, w, c, wc, [draw(N, M, 0.5) for _ in range(CLASSES)]


def write(path):
    k, w, c, wc, d = make_system()

    def table(rows):
        return "  .exact\n" + "".join("    " + " ".join(f"{value:.6e}" for value in row) + "\n" for row in rows)

    with open(path, "w", encoding="utf-8") as file:
        file.write(f"""; A dense tile, made by test/Spice/Inputs/dense_tile.py.
.isa 1.0
.hardware ideal
.model oscillators {N}, conditioning {M}, classes {CLASSES}
.solver euler, time 1
.buffer @theta, {N}
.buffer @phi, {M}
.result @theta
.couplings @K, rows {N}, columns {N}
{table(k)}.frequencies @w, rows {N}
{table([w])}.couplings @C, rows {M}, columns {M}
{table(c)}.frequencies @wc, rows {M}
{table([wc])}.couplings @D, rows {N}, columns {M}, classes {CLASSES}
{table([row for block in d for row in block])}
couple tile0, @K, row 0, column 0
detune tile0, @w, oscillator 0
couple tile1, @C, row 0, column 0
detune tile1, @wc, oscillator 0
each {{
  draw @theta, first 0
  draw @phi, first {N}
  phase tile0, @theta, at 0, count {N}, oscillator 0
  phase tile1, @phi, at 0, count {M}, oscillator 0
  link tile0, @D, from tile1, row 0
  run tile0, {SECONDS} s, steps 10
  sample tile0, @theta, at 0, count {N}, oscillator 0
}}
halt
""")


def slope(phases, system, label):
    """The definition, term by term but for one identity: sin(a - b) = sin a cos b - cos a sin b."""
    k, w, c, wc, d = system
    sines, cosines = [math.sin(p) for p in phases], [math.cos(p) for p in phases]

    def pull(row, first, sine, cosine):
        return (cosine * sum(x * y for x, y in zip(row, sines[first:]))
                - sine * sum(x * y for x, y in zip(row, cosines[first:])))

    rates = [w[i] + pull(k[i], 0, sines[i], cosines[i]) + pull(d[label][i], N, sines[i], cosines[i]) for i in range(N)]
    return rates + [wc[i] + pull(c[i], N, sines[N + i], cosines[N + i]) for i in range(M)]


def integrate(phases, system, label):
    """The classic Runge-Kutta method; its error at these steps is below 1e-9 rad."""
    h = SECONDS / STEPS

    def moved(slopes, size):
        return [p + size * s for p, s in zip(phases, slopes)]

    for _ in range(STEPS):
        k1 = slope(phases, system, label)
        k2 = slope(moved(k1, h / 2), system, label)
        k3 = slope(moved(k2, h / 2), system, label)
        k4 = slope(moved(k3, h), system, label)
        phases = moved([a + 2 * b + 2 * c + d for a, b, c, d in zip(k1, k2, k3, k4)], h / 6)
    return phases


def check(path, label):
    with open(path, encoding="utf-8") as file:
        deck = file.read()
    starts = dict(re.findall(r"^C_(\w+) \S+ 0 \S+ IC=(\S+)$", deck, re.MULTILINE))
    simulator = dict(re.findall(r"^\* simulator (\w+) = (\S+)$", deck, re.MULTILINE))
    names = [f"theta{i}" for i in range(N)] + [f"phi{i}" for i in range(M)]
    begin = [float(starts[name]) for name in names]
    expected = integrate(begin, make_system(), label)
    moved = max(abs(a - b) for a, b in zip(begin, expected))
    spice, _ = run_ngspice(path)
    failed = moved < 1
    for tool, phases in (("simulator", simulator), ("ngspice", spice)):
        worst = max(abs(float(phases[name]) - value) for name, value in zip(names, expected))
        print(f"{tool}: {len(names)} phases moved by up to {moved:.2f} rad, worst error {worst:.2g} rad")
        failed |= not worst <= TOLERANCE
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2])
    else:
        sys.exit(check(sys.argv[2], int(sys.argv[3])))
