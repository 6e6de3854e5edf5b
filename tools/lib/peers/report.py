"""The page of results, from what --json holds."""

import math

from .options import PEERS

OURS = [peer for peer in PEERS if peer[1] == "un0"]
OTHERS = [peer for peer in PEERS if peer[1] != "un0"]

INTRODUCTION = """\
# Performance: other ways to run the same model

Written by `tools/bench-peers`; do not edit. The same weights, initial phases and classes through every framework that can
run the model on a CPU, and through modules of `un0c`. Milliseconds per *batch*, median of all runs of {rounds} interleaved
turns of {seconds:g} s: every program of a case is kept ready in a process of its own, one runs at a time, and all take turns.

Each peer has the best form we could write for it: diagonal removed, scale and step length baked into the constants, sine
and cosine stacked so that the coupling matrix is read once per step, the conditioning block and its drive taken out of the
steps, steps unrolled or a compiled loop, static batch. The upsampled convolutions are not rewritten for the peers. Peers
use whatever instructions of this CPU their kernels support ({widest}); ours use those that `un0c` has code for.
Before it was timed, every output was compared with an fp64 computation{golden}.
"""


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def figure(ms):
    """Three digits that count."""
    if ms is None:
        return "missing"
    return f"{ms:.{max(0, 2 - math.floor(math.log10(ms)))}f}" if ms < 1000 else f"{ms:.0f}"


def chosen(results, group):
    return [peer for peer in group if peer[0] in results["peers"]]


def time_of(case, name):
    return case["results"].get(name, {}).get("ms")


def best(case, precision=None):
    """(ms, name) of the fastest peer, of one precision or of any; None when there is none."""
    times = [(time_of(case, p[0]), p[0]) for p in OTHERS if precision in (None, p[2]) and time_of(case, p[0])]
    return min(times, default=None)


def title(case):
    return f"{case['model']} B{case['batch']}"


def times_table(results, cases):
    # A blank cell would not say whether it is missing or was never asked for.
    rows = [[name] + [figure(time_of(case, name)) for case in cases]
            for name, *_ in chosen(results, PEERS)]
    return table(["ms per batch"] + [title(case) for case in cases], rows)


def ratio_table(results, cases):
    """How often each of our precisions runs in the time of the best peer."""
    rows = []
    for what, precision in (("f32", "f32"), ("any", None)):
        bests = [best(case, precision) for case in cases]
        if not any(bests):
            continue
        rows.append([f"best peer, {what}"] + [f"{figure(b[0])} ({b[1]})" if b else "missing" for b in bests])
        for name, *_ in chosen(results, OURS):
            row = [f"{name} against it"]
            for case, peer in zip(cases, bests):
                ours = time_of(case, name)
                row.append(f"{peer[0] / ours:.2f} x" if ours and peer else "missing")
            rows.append(row)
    return table(["peer's time / ours"] + [title(case) for case in cases], rows) if rows else ""


def accuracy_table(results):
    models = list(dict.fromkeys(case["model"] for case in results["cases"]))
    rows = []
    for name, _, _, what in chosen(results, PEERS):
        row = [name, what]
        for model in models:
            errors = [case["results"][name].get("rms") for case in results["cases"] if case["model"] == model]
            errors = [error for error in errors if error is not None]
            row.append(f"{max(errors):.1e}" if errors else "missing")
        rows.append(row)
    return table(["name", "what it is"] + models, rows)


def missing_list(results):
    """One line per peer and reason, with the cases it holds for."""
    reasons = {}
    for case in results["cases"]:
        for name, result in case["results"].items():
            if "missing" in result:
                reasons.setdefault((name, result["missing"]), []).append(f"{title(case)} t{case['threads']}")
    if not reasons:
        return "Nothing is missing.\n"
    lines = []
    for (name, reason), where in reasons.items():
        everywhere = len(where) == len(results["cases"])
        lines.append(f"- {name}, {'every case' if everywhere else ', '.join(where)}: {reason.replace('|', '/')}")
    return "\n".join(lines) + "\n"


def spread_sentence(results):
    """How far turns of one program lie apart, so that a reader knows which differences mean something."""
    spreads = []
    for case in results["cases"]:
        for result in case["results"].values():
            if len(result.get("rounds", ())) > 1:
                spreads.append(max(result["rounds"]) / min(result["rounds"]) - 1)
    if not spreads:
        return ""
    spreads.sort()
    return (f"The medians of the turns of one program in one case differ by {100 * spreads[len(spreads) // 2]:.0f} % "
            f"(median over all), at most {100 * spreads[-1]:.0f} %.\n")


def machine_section(results):
    machine = results["machine"]
    rows = [["processor", f"{machine['cpu']}, family {machine['family']}, model {machine['model']}"],
            ["CPUs", str(machine["cpus"])], ["caches", ", ".join(machine["caches"])],
            ["vector features", ", ".join(machine["features"])], ["memory", f"{machine['memory_gib']} GiB"],
            ["system", machine["system"]], ["C++ compiler (torch.compile)", machine["compiler"]],
            ["un0", machine["commit"]], ["Python", machine["python"]]]
    rows += [[name, version] for name, version in results["versions"].items()]
    return table(["", ""], rows)


def page(results):
    features = results["machine"]["features"]
    widest = ", ".join(name for name in features if name.startswith(("amx", "avx512"))) or ", ".join(features)
    golden = results["golden"]
    text = INTRODUCTION.format(
        rounds=results["rounds"], seconds=results["seconds"], widest=widest or "no vector features known",
        golden="" if golden is None else f", which itself agrees with the bundled golden images to {golden:.0e}")
    for threads in dict.fromkeys(case["threads"] for case in results["cases"]):
        cases = [case for case in results["cases"] if case["threads"] == threads]
        text += f"\n## {threads} thread{'s' if threads > 1 else ''}\n\n"
        text += times_table(results, cases) + "\n" + ratio_table(results, cases)
    text += "\n" + spread_sentence(results)
    text += ("\n## Accuracy\n\nRoot of the mean square image error against fp64, images in [-1, 1]; the largest over the "
             "cases of a model. n1024 is trained, the other models have random weights.\n\n")
    text += accuracy_table(results)
    text += "\n## Missing\n\n" + missing_list(results)
    text += "\n## Machine, versions, command\n\n" + machine_section(results)
    text += f"\n```sh\n{results['command']}\n```\n"
    return text
