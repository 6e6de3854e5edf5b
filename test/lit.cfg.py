"""The lit suites of the Un0 compiler: `.mlir` and `.test` files under test/, one configuration for all of them."""

import os
import shutil

import lit.formats
import lit.util
from lit.llvm import llvm_config
from lit.llvm.subst import ToolSubst

config.name = "Un0"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "models", "unittests", "fuzz", "CMakeLists.txt"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = config.un0_obj_root

# Each tool is replaced by its full path, so that a test can never pick up one that is installed.
tools = [
    ToolSubst(name, unresolved="ignore")
    for name in (
        "un0-opt",
        "un0c",
        "un0-run",
        "un0-bench",
        "un0-sweep",
        "un0-translate",
        "un0-reduce",
        "un0-lsp-server",
        "un0-make-checkpoint",
        "un0-compare",
    )
]
tools += [ToolSubst(name) for name in ("FileCheck", "not", "count", "split-file")]
llvm_config.add_tool_substitutions(tools, [config.un0_tools_dir, config.llvm_tools_dir])
llvm_config.with_environment("PATH", [config.un0_tools_dir, config.llvm_tools_dir], append_path=True)

config.substitutions.append(("%models", os.path.join(config.test_source_root, "models")))
config.substitutions.append(("%test_root", config.test_source_root))
config.substitutions.append(("%un0_lib", config.un0_lib_dir))
config.substitutions.append(("%python", config.python))
config.substitutions.append(("%cxx", config.cxx))
config.substitutions.append(("%un0_build", config.un0_build_dir))

# A test writes under %t only; the compile cache of `un0-run` goes there as well.
config.environment["XDG_CACHE_HOME"] = os.path.join(config.un0_obj_root, "cache")


def cpu_features():
    """The feature names Linux reports for the host, which are LLVM's with underscores."""
    try:
        with open("/proc/cpuinfo") as info:
            for line in info:
                if line.startswith("flags"):
                    return set(line.split(":", 1)[1].split())
    except OSError:
        pass
    return set()


features = cpu_features()
for name in ("avx2", "avx512f"):
    if name in features:
        config.available_features.add(name)


def for_processor(cpu, needed):
    """Flags of un0c for code of `cpu` that runs here: where the host lacks an instruction, emulated."""
    emulate = "" if needed <= features else " --emulate-on=x86-64-v3"
    config.substitutions.append(("%mcpu_" + cpu.replace("-", "_"), f"--mcpu={cpu}{emulate}"))


avx512 = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
for_processor("x86-64-v4", avx512)
for_processor(
    "znver4",
    avx512
    | {"avx512_vnni", "avx512_bf16", "avx512_vbmi", "avx512_vbmi2", "avx512_bitalg", "avx512_vpopcntdq", "avx512ifma"},
)
for_processor("alderlake", {"avx2", "avx_vnni"})
for_processor(
    "sapphirerapids",
    avx512
    | {"avx512_vnni", "avx512_bf16", "avx512_vbmi", "avx512_vbmi2", "avx512_bitalg", "avx512_vpopcntdq", "avx512ifma"}
    | {"avx_vnni", "amx_tile", "amx_int8"},
)

if shutil.which("ngspice"):
    config.available_features.add("ngspice")

if config.un0_sanitize:
    # ASAN_OPTIONS and UBSAN_OPTIONS come from the `sanitize` test preset, by way of the environment.
    config.available_features.add("sanitize")
    config.environment["ASAN_SYMBOLIZER_PATH"] = os.path.join(config.llvm_tools_dir, "llvm-symbolizer")

# Renders reports where it is installed; too large a package to be asked for.
if shutil.which("chromium"):
    config.available_features.add("chromium")

# Gigabytes of disk and memory: not part of every run.
if os.environ.get("UN0_LARGE_TESTS"):
    config.available_features.add("large")
