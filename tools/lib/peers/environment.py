"""The virtual environment of the peers. Only the standard library."""

import json
import os
import subprocess
import sys
import venv

# These versions were run together. Each family is one pip command, so that one failure costs one family.
PACKAGES = {
    "base": ["numpy==2.4.6"],
    "torch": ["torch==2.13.0", "setuptools"],
    "jax": ["jax==0.10.2", "jaxlib==0.10.2"],
    "ort": ["onnx==1.23.2", "onnxruntime==1.32.0", "sympy"],
    "ov": ["onnx==1.23.2", "openvino==2026.4.1", "nncf==3.4.0"],
    "iree": ["onnx==1.23.2", "iree-base-compiler==3.13.0", "iree-base-runtime==3.13.0"],
}

LIST_INSTALLED = """
import importlib.metadata as m, json
print(json.dumps({d.metadata["Name"].lower(): d.version for d in m.distributions()}))
"""


def say(text):
    print(f"bench-peers: {text}", flush=True)


def installed(python):
    """{distribution: version} of the environment."""
    result = subprocess.run([python, "-c", LIST_INSTALLED], capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def is_installed(requirement, have):
    name, _, version = requirement.partition("==")
    # "2.13.0+cpu" is a build of 2.13.0.
    return name in have and version in ("", have[name].split("+")[0])


def install(python, requirements, log):
    """None, or why pip failed."""
    command = [python, "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check", *requirements]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    log.write(f"$ {' '.join(command)}\n{result.stdout}{result.stderr}\n")
    if result.returncode == 0:
        return None
    errors = [line for line in result.stderr.splitlines() if line.lower().startswith("error")]
    return "cannot be installed: " + (errors[-1] if errors else f"pip ended with {result.returncode}")


def prepare(settings):
    """Makes the environment and installs what the chosen peers need; returns its python. Sets `missing` and `versions`."""
    python = os.path.join(settings.venv, "bin", "python")
    os.makedirs(settings.work, exist_ok=True)
    if not os.access(python, os.X_OK):
        say(f"making the virtual environment {settings.venv}")
        try:
            venv.create(settings.venv, with_pip=True)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"bench-peers: error: cannot make a virtual environment: {error}")
    have = installed(python)
    settings.missing = {}  # family: reason
    families = [f for f in PACKAGES if f == "base" or any(p.split("-")[0] == f for p in settings.peers)]
    with open(os.path.join(settings.work, "pip.log"), "w", encoding="utf-8") as log:
        for family in families:
            wanted = [r for r in PACKAGES[family] if not is_installed(r, have)]
            if not wanted:
                continue
            say(f"installing {' '.join(wanted)}")
            reason = install(python, wanted, log)
            have = installed(python)
            if reason and family == "base":
                sys.exit(f"bench-peers: error: numpy {reason}")
            if reason:
                say(f"{family}: {reason}")
                settings.missing[family] = reason
    names = {r.partition("==")[0] for family in families for r in PACKAGES[family] if "==" in r}
    settings.versions = {name: have[name] for name in sorted(names) if name in have}
    return python
