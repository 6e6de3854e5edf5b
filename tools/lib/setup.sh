# What tools/check and tools/demo share: the packages of the project, in one place, and how it is configured and built.
# Sourced by bash scripts that have set `root` to the top of the tree.

# Everything the build, the tests and the tools need; all of it from Debian 12's own archive.
un0_packages=(
  llvm-22-dev libmlir-22-dev mlir-22-tools llvm-22-tools libpolly-22-dev
  clang-22 lld-22 libclang-rt-22-dev
  ccache cmake ninja-build pkg-config python3
  libgtest-dev libgmock-dev libbenchmark-dev
  libflatbuffers-dev flatbuffers-compiler libpng-dev nlohmann-json3-dev libssl-dev
  ngspice patch
)

say() { printf '%s: %s\n' "$(basename "$0")" "$*"; }
fail() { printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Installs the packages that are missing, and says which.
install_packages() {
  command -v dpkg-query >/dev/null ||
    fail "this is not a Debian system; install these and run me again: ${un0_packages[*]}"
  local missing=() package
  for package in "${un0_packages[@]}"; do
    [[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then
    say "packages: all ${#un0_packages[@]} are installed"
    return
  fi
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "not root, and there is no sudo; install: ${missing[*]}"
    as_root=(sudo)
  fi
  say "packages: installing ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
    -o Dpkg::Use-Pty=0 "${missing[@]}" </dev/null >/dev/null
}

# The tools must be those that were just installed, or others that will do.
check_versions() {
  local llvm cmake
  llvm=$(llvm-config-22 --version) || fail "llvm-config-22 does not run; reinstall llvm-22-dev"
  [[ "$llvm" == 22.* ]] || fail "llvm-config-22 is version $llvm, expected 22"
  cmake=$(cmake --version | sed -n '1s/[^0-9]*//p')
  [[ "$(printf '%s\n3.25\n' "$cmake" | sort -V | head -n 1)" == 3.25 ]] ||
    fail "cmake is version $cmake, expected 3.25 or newer"
  say "versions: LLVM $llvm, CMake $cmake, $(clang-22 --version | sed -n '1s/.*version \([0-9.]*\).*/clang \1/p')"
}

# build_preset <preset> [target...]: configures once, then builds what is out of date.
build_preset() {
  local preset=$1
  shift
  cd "$root"
  if [[ ! -f "build/$preset/build.ninja" ]]; then
    say "configuring build/$preset"
    mkdir -p "build/$preset"
    if ! cmake --preset "$preset" >"build/$preset/configure.log" 2>&1; then
      cat "build/$preset/configure.log" >&2
      return 1
    fi
  fi
  say "building build/$preset"
  cmake --build --preset "$preset" ${1:+--target "$@"}
}
