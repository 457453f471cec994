#!/usr/bin/env bash
# Rust's standard library for wasm, where rustup's server cannot be reached.
#
# Debian keeps a current Rust for its browsers: without the wasm library, but
# with its sources. This script unpacks it (nothing is installed, root is not
# needed), builds that library, and links the result as the rustup toolchain
# `portal-wasm`, which `cargo xtask` then uses for the browser's half only.
# Usage: .ci/wasm-toolchain.sh [FOLDER], by default target/wasm-toolchain.
set -euo pipefail
cd "$(dirname "$0")/.."

toolchain=portal-wasm
target=wasm32-unknown-unknown
work=${1:-target/wasm-toolchain}

stop() { echo "wasm-toolchain: $*" >&2; exit 1; }
say() { echo "  wasm-toolchain: $*"; }

[ "$(uname -m)" = x86_64 ] || stop "made for x86_64; elsewhere add the target with: rustup target add $target"
for program in apt-get apt-cache dpkg rustup cargo; do
  command -v "$program" > /dev/null || stop "needs $program; elsewhere add the target with: rustup target add $target"
done
host=x86_64-unknown-linux-gnu
mkdir -p "$work"
work=$(cd "$work" && pwd)

# ── names: the numbers in them grow, so they come from the dependencies ──────
depends() { apt-cache depends "$1" 2> /dev/null | sed -n 's/^ *Depends: //p'; }
# Reads to the end, so that what writes to it is never cut off.
first() { local all; all=$(grep -E "$1" || true); echo "${all%%$'\n'*}"; }

apt-cache show rustc-web > /dev/null 2>&1 || apt-get update -qq || true
library=$(depends libstd-rust-web-dev | first '^libstd-rust-web-[0-9.]+$')
[ -n "$library" ] || stop "Debian's package lists have no rustc-web; as root run: apt-get update"
llvm=$( (depends "$library"; depends rustc-web) | first '^libllvm[0-9]+$')
[ -n "$llvm" ] || stop "$library depends on no libllvm"
packages=(rustc-web libstd-rust-web-dev "$library" rust-web-src "$llvm" "lld-${llvm#libllvm}")

# ── download and unpack ──────────────────────────────────────────────────────
say "downloading ${packages[*]}"
mkdir -p "$work/packages"
# apt drops its rights while it downloads, and then could not write here.
(cd "$work/packages" && apt-get download -qq -o APT::Sandbox::User="$(id -un)" "${packages[@]}")
rm -rf "$work/root" "$work/tc"
mkdir -p "$work/root"
for package in "$work"/packages/*.deb; do dpkg -x "$package" "$work/root"; done

# ── lay it out as rustup expects a toolchain ─────────────────────────────────
root=$work/root tc=$work/tc
mkdir -p "$tc/bin" "$tc/lib"
cp -a "$root/usr/lib/x86_64-linux-gnu/." "$tc/lib/"
cp -a "$root/usr/lib/rustlib" "$tc/lib/"
llvm_folder=$root/usr/lib/llvm-${llvm#libllvm}
[ ! -d "$llvm_folder/lib" ] || cp -aL "$llvm_folder/lib/." "$tc/lib/"
cp "$root/usr/bin/rustc" "$root/usr/bin/rustdoc" "$tc/bin/" 2> /dev/null || cp "$root/usr/bin/rustc" "$tc/bin/"
ln -sf "$(rustup which cargo)" "$tc/bin/cargo"
linker=$(find "$root/usr/bin" "$llvm_folder/bin" -name 'lld*' 2> /dev/null | first .)
[ -n "$linker" ] || stop "lld-${llvm#libllvm} holds no lld"
mkdir -p "$tc/lib/rustlib/$host/bin"
cp -L "$linker" "$tc/lib/rustlib/$host/bin/rust-lld"
export LD_LIBRARY_PATH=$tc/lib
"$tc/bin/rustc" --version > /dev/null || stop "the unpacked rustc does not start"

# ── the standard library ─────────────────────────────────────────────────────
sources=$(find "$root/usr/src" -maxdepth 2 -type d -name library | first .)
[ -n "$sources" ] || stop "rust-web-src holds no library folder"
say "building the standard library with $("$tc/bin/rustc" --version)"
(
  cd "$sources"
  # The outer cargo may have set these for its own compiler.
  unset CARGO RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER CARGO_ENCODED_RUSTFLAGS RUSTUP_TOOLCHAIN
  export RUSTC=$tc/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zforce-unstable-if-unmarked
  export CARGO_TARGET_DIR=$work/library CARGO_PROFILE_RELEASE_DEBUG=0
  "$tc/bin/cargo" build --quiet --release --target "$target" --manifest-path sysroot/Cargo.toml \
    --features panic-unwind,compiler-builtins-mem
)
built=$tc/lib/rustlib/$target/lib
mkdir -p "$built"
find "$work/library/$target/release/deps" -name '*.rlib' ! -name 'libsysroot*' -exec cp {} "$built/" \;
ls "$built"/libstd-*.rlib > /dev/null || stop "the build made no libstd"

# ── link it ──────────────────────────────────────────────────────────────────
unset LD_LIBRARY_PATH
rustup toolchain link "$toolchain" "$tc"
say "linked as the toolchain $toolchain"
