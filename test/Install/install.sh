#!/usr/bin/env bash
# usage: install.sh BUILD SOURCE SCRATCH LLVM_BIN
# The sources are copied first: nothing below may find this tree through a path that happens to work.
set -euo pipefail
build=$1 source=$2 scratch=$3 llvm_bin=$4
rm -rf "$scratch"
mkdir -p "$scratch"
prefix=$scratch/prefix
cmake --install "$build" --prefix "$prefix" >"$scratch/install.log"
cp -r "$source/test/Plugin" "$scratch/plugin"
cp -r "$source/test/Install/program" "$scratch/program"
checkpoint=$source/test/models/fashion_n1024/fashion_n1024.safetensors
export PATH="$prefix/bin:$llvm_bin:$PATH"
export CMAKE_PREFIX_PATH=$prefix

# No installed file may name the build or the source folder in text that a user's build reads.
if grep -rlF -e "$build/" -e "$source/" "$prefix/lib/cmake" "$prefix/include"; then
  echo "error: the files above name the tree they were built from" >&2
  exit 1
fi

for project in plugin program; do
  cmake -S "$scratch/$project" -B "$scratch/$project/build" >"$scratch/$project.log" 2>&1 ||
    { cat "$scratch/$project.log" >&2; exit 1; }
  cmake --build "$scratch/$project/build" || exit 1
done

# The plugin, in the installed tools.
plugin=$scratch/plugin/build/DropCoupling.so
un0-opt "$scratch/plugin/drop-coupling.mlir" --load-pass-plugin="$plugin" \
  --pass-pipeline='builtin.module(un0-drop-coupling{param=K})' |
  FileCheck "$scratch/plugin/drop-coupling.mlir" --check-prefix=K
un0c "$checkpoint" -o "$scratch/fashion.un0"
un0c "$checkpoint" -o "$scratch/ablated.un0" --load-pass-plugin="$plugin" \
  --insert-pass='model:un0-drop-coupling{param=K}'

# The C program: a picture of a sneaker, 32 lines of 32 characters, that needs its couplings.
"$scratch/program/build/generate" "$scratch/fashion.un0" >"$scratch/fashion.txt"
"$scratch/program/build/generate" "$scratch/ablated.un0" >"$scratch/ablated.txt"
cat "$scratch/fashion.txt"
[[ $(grep -cxE '.{32}' "$scratch/fashion.txt") == 32 ]]
grep -q '[^ ]\{20\}' "$scratch/fashion.txt"
if cmp -s "$scratch/fashion.txt" "$scratch/ablated.txt"; then
  echo "error: the picture is the same without the coupling @K" >&2
  exit 1
fi
if "$scratch/program/build/generate" "$checkpoint" 2>"$scratch/message.txt"; then
  echo "error: a checkpoint was taken for a module" >&2
  exit 1
fi
grep . "$scratch/message.txt"
