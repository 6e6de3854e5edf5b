"""What a figure was measured on."""

import os
import platform
import subprocess

# Features that decide which kernels the frameworks take, as Linux names them.
VECTOR_FEATURES = ("avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile",
                   "amx_int8", "amx_bf16", "asimd", "asimddp", "bf16", "i8mm", "sve")


def first_line(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return ""


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def field(text, *names):
    """The value behind the first line of `name : value` with one of the names."""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in names:
            return value.strip()
    return ""


def available_memory():
    """Bytes that new processes can have; unlimited where the system does not say."""
    value = field(read("/proc/meminfo"), "MemAvailable").split()
    return int(value[0]) * 1024 if value else 1 << 62


def caches():
    """["L2 2048K"] of the first CPU."""
    found = []
    base = "/sys/devices/system/cpu/cpu0/cache"
    for index in sorted(os.listdir(base)) if os.path.isdir(base) else ():
        kind, level, size = (read(f"{base}/{index}/{what}").strip() for what in ("type", "level", "size"))
        if kind in ("Data", "Unified") and size:
            found.append(f"L{level} {size}")
    return found


def describe(root):
    info = read("/proc/cpuinfo")
    features = set(field(info, "flags", "Features").split())
    memory = field(read("/proc/meminfo"), "MemTotal").split()
    return {"cpu": field(info, "model name", "CPU part") or platform.machine(), "family": field(info, "cpu family"),
            "model": field(info, "model"), "cpus": len(os.sched_getaffinity(0)), "caches": caches(),
            "memory_gib": round(int(memory[0]) / 2**20, 1) if memory else None,
            "features": [name for name in VECTOR_FEATURES if name in features],
            "system": f"{platform.system()} {platform.release()}", "python": platform.python_version(),
            "compiler": first_line(["c++", "--version"]),
            "commit": first_line(["git", "-C", root, "describe", "--always", "--dirty", "--exclude=*"])}
