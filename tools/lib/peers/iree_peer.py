"""IREE: the ONNX file through its importer and the llvm-cpu target, for this CPU."""

import os
import subprocess
import sys

from . import onnx_export


def compiled(case):
    """Path of the compiled module, made when it is not there."""
    stem = os.path.join(case.work, f"{case.model}-b{case.batch}")
    if os.path.exists(stem + ".vmfb"):
        return stem + ".vmfb"
    tools = os.path.dirname(sys.executable)
    for command in (
            [f"{tools}/iree-import-onnx", onnx_export.exported(case), "-o", stem + ".mlir"],
            [f"{tools}/iree-compile", stem + ".mlir", "-o", stem + ".vmfb.part", "--iree-hal-target-device=local",
             "--iree-hal-local-target-device-backends=llvm-cpu", "--iree-llvmcpu-target-cpu=host",
             "--iree-opt-level=O3"]):
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            sys.stderr.write(result.stderr)
            reason = next((line for line in result.stderr.splitlines() if "error" in line), f"code {result.returncode}")
            raise RuntimeError(f"{os.path.basename(command[0])}: {reason.strip()}")
    os.remove(stem + ".mlir")
    os.replace(stem + ".vmfb.part", stem + ".vmfb")
    return stem + ".vmfb"


def build(case):
    import iree.runtime as rt

    path = compiled(case)
    # One thread needs no task system; more get one worker for each CPU of the process.
    rt.flags.parse_flags(f"--task_topology_max_group_count={case.threads}")
    config = rt.Config("local-sync" if case.threads == 1 else "local-task")
    module = rt.load_vm_module(rt.VmModule.mmap(config.vm_instance, path), config)
    inputs = [rt.asdevicearray(config.device, array) for array in case.inputs()]
    return lambda: module.un0(*inputs).to_host()
