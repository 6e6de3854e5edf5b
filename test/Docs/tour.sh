#!/usr/bin/env bash
# The five-minute tour of README.md, which quotes the marked regions.
# usage: tour.sh BIN LIB MODELS SCRATCH LLVM_BIN
set -euo pipefail
export PATH="$1:$5:$PATH"
lib=$2 models=$3 scratch=$4
rm -rf "$scratch"
mkdir -p "$scratch/test" "$scratch/build/release"
cd "$scratch"
ln -s "$models" test/models
ln -s "$lib" build/release/lib
export XDG_CACHE_HOME=$scratch/cache

# [doc:compile]
un0c test/models/fashion_n1024/fashion_n1024.safetensors -o fashion.un0
un0-translate --inspect fashion.un0
# [doc:end]

# [doc:run]
un0-run fashion.un0 --classes=0,2,5-7 --samples-per-class=8 --seed=7 --output=fashion.png
# [doc:end]
[[ $(head -c 4 fashion.png | tail -c 3) == PNG ]]

# [doc:precision]
un0c test/models/fashion_n1024/fashion_n1024.safetensors --precision=auto --max-feature-error=0.02 -o small.un0
un0-bench fashion.un0 small.un0 --batch=1 --threads=1 --repetitions=3
# [doc:end]

# [doc:dsa]
un0c test/models/fashion_n1024/fashion_n1024.safetensors --target=dsa --hardware=oscillator-1024 -o chip.un0 --explain
un0-run chip.un0 --classes=all --samples-per-class=4 --seed=7 --output=chip.png --report=chip.html
un0c --compare fashion.un0 chip.un0 --report=compare.html
# [doc:end]
[[ $(head -c 4 chip.png | tail -c 3) == PNG ]]
grep -q '</html>' chip.html
grep -q '</html>' compare.html

# [doc:phase]
un0c test/models/fashion_n1024/fashion_n1024.safetensors --compile-to=fused -o fused.mlir
grep -A 8 'un0.evolve' fused.mlir
# [doc:end]
un0c fused.mlir --compile-from=fused -o again.un0

# [doc:plugin]
un0c test/models/fashion_n1024/fashion_n1024.safetensors -o ablated.un0 \
  --load-pass-plugin=build/release/lib/DropCoupling.so --insert-pass='model:un0-drop-coupling{param=K}'
un0-run ablated.un0 --classes=all --samples-per-class=8 --seed=7 --output=ablated.png
# [doc:end]
[[ $(head -c 4 ablated.png | tail -c 3) == PNG ]]
if cmp -s fashion.png ablated.png; then
  echo "error: the pictures are the same without the coupling @K" >&2
  exit 1
fi
