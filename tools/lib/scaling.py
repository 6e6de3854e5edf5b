"""What tools/bench-scaling does. Only the standard library."""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

from peers import machine, options

# Shapes of un0-make-checkpoint, and one of our own: stored in bf16, int8 only, for its checkpoint would be 4 GB.
SHAPES = (1024, 2048, 4096, 6656, 10240, 16384, 32768)
SYNTHETIC = 32768
PARTS = ("oscillators", "decoder")
COLORS = {"f32": "#1f5fa8", "int8": "#c04a1a", "int16": "#2c8a4b", "bf16": "#7a3fa0", "int4": "#8a7a1c"}


def fit(points):
    """Least squares of log y = exponent * log x + log factor: (factor, exponent)."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    n, sx, sy = len(logs), sum(x for x, _ in logs), sum(y for _, y in logs)
    sxx, sxy = sum(x * x for x, _ in logs), sum(x * y for x, y in logs)
    exponent = (n * sxy - sx * sy) / (n * sxx - sx * sx)
    return math.exp((sy - exponent * sx) / n), exponent


def parse(arguments, root):
    parser = argparse.ArgumentParser(prog="bench-scaling", allow_abbrev=False, description=
                                     "Times random models of growing size, one thread, and writes a page with a plot.")
    add = parser.add_argument
    add("--sizes", type=options.listed(str, tuple(map(str, SHAPES))), default=list(map(str, SHAPES)), metavar="LIST",
        help="oscillators (default: all of %s)" % ",".join(map(str, SHAPES)))
    add("--precisions", type=options.listed(str, tuple(COLORS)), default=["f32", "int8"], metavar="LIST",
        help="of f32, int16, bf16, int8, int4 (default: f32,int8); %d in int8 only" % SYNTHETIC)
    add("--batch", type=options.listed(options.count), default=[1, 16], metavar="LIST", help="default: 1,16")
    add("--repetitions", type=options.count, default=5, metavar="N", help="default: 5")
    add("--build", default=os.path.join(root, "build", "release"), metavar="DIR", help="where bin/un0c and others are (default: build/release)")
    add("--work", metavar="DIR", help="for checkpoints and modules, up to 4 GB at a time (default: a temporary directory)")
    add("--output", metavar="FILE", help="the page; the plot goes to images/scaling.svg beside it (default: docs/scaling.md)")
    add("--json", metavar="FILE", help="also write the results")
    add("--from-json", metavar="FILE", help="write the page of earlier results; times nothing")
    settings = parser.parse_args(arguments)
    settings.sizes = sorted(map(int, settings.sizes))
    if len(settings.sizes) < 2:
        parser.error("an exponent needs two sizes or more")
    if settings.work and not os.path.isdir(settings.work):
        parser.error(f"--work: '{settings.work}' is not a directory")
    return parser, settings


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise RuntimeError(f"{os.path.basename(command[0])}: {lines[0] if lines else 'failed'}")
    return done.stdout


def checkpoint_bytes(size):
    return size * size * (2 if size == SYNTHETIC else 4) * 5 // 4


def measure(settings, tools, work):
    """One entry per model, precision and batch, as un0-bench gives them; and what was left out, with the reason."""
    results, missing, about = [], [], None
    for size in settings.sizes:
        name = f"n{size}"
        precisions = [p for p in settings.precisions if size != SYNTHETIC or p == "int8"]
        if not precisions:
            continue
        # The checkpoint and one module on disk; both are mapped and may be in memory at once.
        need = 2 * checkpoint_bytes(size)
        if need > min(shutil.disk_usage(work).free, machine.available_memory()):
            missing.append(f"{name}: needs {need / 1e9:.1f} GB of disk and memory")
            continue
        checkpoint = os.path.join(work, name + ".st")
        shape = ["--shape=" + name] if size != SYNTHETIC else [
            f"--oscillators={size}", "--conditioning=1", "--classes=10", "--blocks=4", "--dtype=bf16"]
        try:
            run([tools["un0-make-checkpoint"], *shape, "--seed=1", "-o", checkpoint])
            for precision in precisions:
                module = os.path.join(work, f"{name}.un0")
                table = os.path.join(work, "bench.json")
                print(f"bench-scaling: {name} {precision}", file=sys.stderr, flush=True)
                run([tools["un0c"], checkpoint, "-o", module, "--precision=" + precision])
                run([tools["un0-bench"], module, "--batch=" + ",".join(map(str, settings.batch)), "--threads=1",
                     f"--repetitions={settings.repetitions}", "--json=" + table])
                with open(table, encoding="utf-8") as file:
                    measured = json.load(file)
                about = measured["machine"]
                for result in measured["results"]:
                    results.append({"oscillators": size, "precision": precision, "batch": result["batch"],
                                    **{f"{part}_ms": result[part]["ms"] / result["batch"] for part in PARTS}})
                os.remove(module)
        except RuntimeError as error:
            missing.append(f"{name}: {error}")
        finally:
            if os.path.exists(checkpoint):
                os.remove(checkpoint)
    return {"machine": about, "results": results, "missing": missing}


def check(data):
    """Raises ValueError for what `measure` cannot have made: files may be written by hand."""
    if not isinstance(data, dict) or not isinstance(data.get("results"), list):
        raise ValueError("there is no list 'results'")
    if not isinstance(data.get("machine"), (dict, type(None))):
        raise ValueError("'machine' is not an object")
    missing = data.get("missing")
    if not isinstance(missing, list) or not all(isinstance(reason, str) for reason in missing):
        raise ValueError("'missing' is not a list of texts")
    seen = set()
    for index, row in enumerate(data["results"]):
        if not isinstance(row, dict) or row.get("precision") not in list(COLORS):
            raise ValueError(f"result {index} has none of the precisions {', '.join(COLORS)}")
        for name, kinds in (("oscillators", int), ("batch", int), *((part + "_ms", (int, float)) for part in PARTS)):
            value = row.get(name)
            if not isinstance(value, kinds) or isinstance(value, bool) or not 0 < value < 1e15:
                raise ValueError(f"result {index} has no positive '{name}'")
        key = (row["oscillators"], row["precision"], row["batch"])
        if key in seen:
            raise ValueError(f"result {index} repeats an earlier one")
        seen.add(key)


def series(results):
    """{(precision, batch, part): [(oscillators, ms)]}, by size."""
    found = {}
    for result in sorted(results, key=lambda r: r["oscillators"]):
        for part in PARTS:
            key = (result["precision"], result["batch"], part)
            found.setdefault(key, []).append((result["oscillators"], result[part + "_ms"]))
    return found


def plot(curves):
    """Time per image against oscillators, both logarithmic, as SVG."""
    width, height, left, bottom, top, right = 830, 520, 70, 60, 20, 250
    xs = [x for points in curves.values() for x, _ in points]
    ys = [y for points in curves.values() for _, y in points]
    x0, x1 = math.log10(min(xs)) - 0.05, math.log10(max(xs)) + 0.05
    y0, y1 = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))
    y1 = max(y1, y0 + 1)

    def at(x, y):
        px = left + (math.log10(x) - x0) / (x1 - x0) * (width - left - right)
        return px, height - bottom - (math.log10(y) - y0) / (y1 - y0) * (height - bottom - top)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
           'font-size="12">', f'<rect width="{width}" height="{height}" fill="white"/>']

    def line(a, b, style):
        out.append(f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" {style}/>')

    def text(x, y, words, more=""):
        out.append(f'<text x="{x:.1f}" y="{y:.1f}" {more}>{words}</text>')

    low, high = 10 ** x0, 10 ** x1
    for decade in range(y0, y1 + 1):
        a, b = at(low, 10.0 ** decade), at(high, 10.0 ** decade)
        line(a, b, 'stroke="#dddddd"')
        text(left - 8, a[1] + 4, f"{10.0 ** decade:g}", 'text-anchor="end"')
    for size in sorted(set(xs)):
        a, b = at(size, 10.0 ** y0), at(size, 10.0 ** y1)
        line(a, b, 'stroke="#eeeeee"')
        text(a[0], a[1] + 18, str(size), 'text-anchor="middle"')
    text((left + width - right) / 2, height - 16, "oscillators", 'text-anchor="middle"')
    text(18, (top + height - bottom) / 2, "ms per image", 'text-anchor="middle" transform="rotate(-90 18 '
         f'{(top + height - bottom) / 2:.1f})"')
    for row, ((precision, batch, part), points) in enumerate(curves.items()):
        color = COLORS[precision]
        dash = "" if part == "oscillators" else ' stroke-dasharray="5 4"'
        hollow = batch == min(b for _, b, _ in curves)
        marker = f'fill="{"white" if hollow else color}" stroke="{color}" stroke-width="1.5"'
        label = f"{precision}, batch {batch}, {part}"
        if len(points) > 1:
            factor, exponent = fit(points)
            first, last = points[0][0], points[-1][0]
            line(at(first, factor * first ** exponent), at(last, factor * last ** exponent), f'stroke="{color}"{dash}')
            label += f": {exponent:.2f}"
        for x, y in points:
            px, py = at(x, y)
            out.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3.5" {marker}/>' if part == "oscillators" else
                       f'<rect x="{px - 3:.1f}" y="{py - 3:.1f}" width="6" height="6" {marker}/>')
        y = top + 14 + 20 * row
        line((width - right + 10, y - 4), (width - right + 34, y - 4), f'stroke="{color}"{dash}')
        text(width - right + 40, y, label, 'font-size="10"')
    return "\n".join(out) + "\n</svg>\n"


def page(data, command):
    curves = series(data["results"])
    about = data["machine"] or {}
    lines = ["# Cost against size", "", "Written by `tools/bench-scaling`; one thread, random weights of the published shapes "
             f"and of {SYNTHETIC} oscillators in int8. Time per image is that of a request divided by its batch.", "",
             f"Machine: {about.get('cpu', 'unknown')}, {about.get('cpus', '?')} CPUs. Command: `{command}`", "",
             "![ms per image against oscillators](images/scaling.svg)", ""]
    sizes = sorted({r["oscillators"] for r in data["results"]})
    lines += ["| ms per image | " + " | ".join(map(str, sizes)) + " | exponent |", "|---" * (len(sizes) + 2) + "|"]
    for (precision, batch, part), points in curves.items():
        values = dict(points)
        exponent = f"{fit(points)[1]:.2f}" if len(points) > 1 else ""
        lines.append(f"| {precision}, batch {batch}, {part} | " + " | ".join(
            f"{values[size]:.3g}" if size in values else "" for size in sizes) + f" | {exponent} |")
    lines += ["", "The exponent is that of a least-squares line through the logarithms. Oscillators cost N^2 multiply-adds a step, "
              "so 2.0 is the model's own; less is overhead that small models pay, more is a cache that a coupling has outgrown "
              "(one sample reads it once a step, a batch once for 16). The decoder of 6656 and more has a fourth block and four "
              "times the pixels; within a family its channels grow with N."]
    lines += [""] + [f"- Left out: {reason}" for reason in data["missing"]] if data["missing"] else []
    return "\n".join(lines) + "\n"


def main(arguments, root):
    parser, settings = parse(arguments, root)
    output = settings.output or os.path.join(root, "docs", "scaling.md")
    if settings.from_json:
        try:
            with open(settings.from_json, encoding="utf-8") as file:
                data = json.load(file)
            check(data)
            curves = series(data["results"])
        except (OSError, ValueError) as error:
            parser.error(f"cannot read results from '{settings.from_json}': {error}")
    else:
        tools = {name: os.path.join(settings.build, "bin", name) for name in ("un0c", "un0-bench", "un0-make-checkpoint")}
        for name, path in tools.items():
            if not os.access(path, os.X_OK):
                parser.error(f"no bin/{name} in '{settings.build}'; build it first or give --build")
        with tempfile.TemporaryDirectory(prefix="un0-scaling-", dir=settings.work) as work:
            data = measure(settings, tools, work)
        curves = series(data["results"])
        if settings.json:
            with open(settings.json, "w", encoding="utf-8") as file:
                json.dump(data, file, indent=1)
    if not curves:
        print("bench-scaling: error: nothing was measured: " + "; ".join(data["missing"]), file=sys.stderr)
        return 1
    words = options.without_places(arguments, ("build", "work", "output", "json", "from-json"))
    images = os.path.join(os.path.dirname(os.path.abspath(output)), "images")
    os.makedirs(images, exist_ok=True)
    with open(os.path.join(images, "scaling.svg"), "w", encoding="utf-8") as file:
        file.write(plot(curves))
    with open(output, "w", encoding="utf-8") as file:
        file.write(page(data, " ".join(["tools/bench-scaling", *words])))
    return 0
