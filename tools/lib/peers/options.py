"""The command line of bench-peers. Only the standard library: this runs before there is a virtual environment."""

import argparse
import json
import os
import types

# In the order of the tables. (name, family, precision class, what it is)
PEERS = (
    ("torch-eager", "torch", "f32", "PyTorch, best form, not compiled"),
    ("torch-compile", "torch", "f32", "PyTorch, torch.compile with frozen weights"),
    ("torch-compile-bf16", "torch", "bf16", "the same; bf16 weights and activations, f32 phases"),
    ("jax", "jax", "f32", "JAX, one jitted program with a compiled loop, the fastest of four layouts"),
    ("ort", "ort", "f32", "ONNX Runtime"),
    ("ort-dyn8", "ort", "int8", "ONNX Runtime, couplings quantized dynamically"),
    ("ort-qdq8", "ort", "int8", "ONNX Runtime, couplings and decoder quantized statically (QDQ, per channel, min-max)"),
    ("ov", "ov", "f32", "OpenVINO"),
    ("ov-bf16", "ov", "bf16", "OpenVINO with the bf16 hint"),
    ("ov-int8", "ov", "int8", "OpenVINO, quantized after training by NNCF"),
    ("iree", "iree", "f32", "IREE, llvm-cpu for the host, from the same ONNX file"),
    ("un0-f32", "un0", "f32", "`un0c --precision=f32`"),
    ("un0-int16", "un0", "int16", "`un0c --precision=int16`"),
    ("un0-bf16", "un0", "bf16", "`un0c --precision=bf16`"),
    ("un0-int8", "un0", "int8", "`un0c --precision=int8`"),
)
FAMILIES = tuple(dict.fromkeys(family for _, family, _, _ in PEERS))
MODELS = ("n1024", "n2048", "n4096", "n6656", "n10240", "n16384")

EPILOG = """\
n1024 is the bundled trained model, the other models have random weights of the published shapes. Peers are installed into
the virtual environment, each family with its own pip command; one that cannot be installed, prepared or verified is
reported as missing, with the reason. Every output is compared with an fp64 computation before it is timed.

peers: {peers}
families: {families}"""


# Options that say where things are on this machine, which means nothing to the reader of a page.
PLACES = ("build", "venv", "work", "output", "json")


def without_places(arguments, places):
    """The arguments without the options `places` and their values."""
    kept, skip = [], False
    for argument in arguments:
        name = argument.partition("=")[0]
        place = name.startswith("--") and name[2:] in places
        if not skip and not place:
            kept.append(argument)
        skip = place and "=" not in argument
    return kept


def listed(convert, allowed=None):
    """A parser of comma-separated values."""
    def parse(text):
        values = []
        for part in text.split(","):
            try:
                value = convert(part)
            except ValueError:
                raise argparse.ArgumentTypeError(f"'{part}' in '{text}' is not a whole number of 1 or more") from None
            if allowed and value not in allowed:
                raise argparse.ArgumentTypeError(f"'{part}' is not one of {', '.join(allowed)}")
            if value not in values:
                values.append(value)
        return values
    return parse


def count(text):
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def positive(text):
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")
    return value


def parse(arguments, root):
    """Reads the command line; exits with a message when it is wrong."""
    names = [peer[0] for peer in PEERS]
    parser = argparse.ArgumentParser(
        prog="bench-peers", description="Times the Un-0 model in other frameworks beside modules of un0c, interleaved, "
        "and writes a page of results.", formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
        epilog=EPILOG.format(peers=", ".join(names), families=", ".join(FAMILIES)))
    add = parser.add_argument
    add("--models", type=listed(str, MODELS), default=["n1024", "n4096", "n6656"], metavar="LIST",
        help="default: n1024,n4096,n6656")
    add("--batch", type=listed(count), default=[1, 16, 64], metavar="LIST", help="default: 1,16,64")
    add("--threads", type=listed(count), default=[1], metavar="LIST", help="default: 1")
    add("--peers", type=listed(str, names + list(FAMILIES)), default=list(FAMILIES), metavar="LIST",
        help="names or families; default: all")
    add("--rounds", type=count, default=5, metavar="N", help="turns of every peer in a case; default: 5")
    add("--seconds", type=positive, default=1.0, metavar="S", help="of each turn, at least one run; default: 1")
    build, venv = os.path.join(root, "build", "release"), os.path.join(root, "build", "peers", "venv")
    add("--build", default=build, metavar="DIR", help="where bin/un0c and lib/libun0_runtime.so are; default: build/release")
    add("--venv", default=venv, metavar="DIR", help="virtual environment, made when absent; default: build/peers/venv")
    add("--work", default=os.path.join(root, "build", "peers", "work"), metavar="DIR",
        help="for exported models and logs; default: build/peers/work")
    add("--keep", action="store_true", help="keep the exported models, and use those that are there")
    add("--output", default=os.path.join(root, "docs", "performance.md"), metavar="FILE",
        help="the page; default: docs/performance.md")
    add("--json", default="", metavar="FILE", help="also write all figures there")
    options = parser.parse_args(arguments)

    chosen = [peer[0] for peer in PEERS if peer[0] in options.peers or peer[1] in options.peers]
    cpus = len(os.sched_getaffinity(0))
    if max(options.threads) > cpus:
        parser.error(f"--threads asks for {max(options.threads)}, this process may use {cpus} CPUs")
    needs_build = any(name.startswith("un0-") for name in chosen) or options.models != ["n1024"]
    for tool in ("un0c", "un0-make-checkpoint") if needs_build else ():
        if not os.access(os.path.join(options.build, "bin", tool), os.X_OK):
            parser.error(f"no bin/{tool} in '{options.build}'; build it first or give --build")
    fields = vars(options)
    for name in PLACES:
        fields[name] = os.path.abspath(fields[name]) if fields[name] else ""
    fields.update(peers=chosen, root=root, command=" ".join(["tools/bench-peers", *without_places(arguments, PLACES)]))
    return Settings(**fields)


class Settings(types.SimpleNamespace):
    """The options after checking; passed on as JSON."""

    def to_json(self):
        return json.dumps(vars(self))
