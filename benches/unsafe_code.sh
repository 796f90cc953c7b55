#!/usr/bin/env bash
# The unit tests of `poly`, which holds all unsafe code of the crate (src/poly/simd), where wrong reads and writes are seen.
#
#   benches/unsafe_code.sh valgrind|address|miri [FOLDER]
#
# valgrind  its processor has AVX2 and no AVX-512: the portable twins, and the AVX2 code.
# address   AddressSanitizer, at every level that the processor has; the compiler must be told to allow it.
# miri      needs a nightly toolchain with the component: the portable twins, with undefined behaviour of every kind seen.
#
# Only tests of the modules that reach src/poly/simd run: a wrong address elsewhere cannot be written in safe code.
set -euo pipefail
cd "$(dirname "$0")/.."
way=${1:?valgrind, address or miri}
folder=$(realpath -m "${2:-target/unsafe}")
host=$(rustc -vV | sed -n 's/^host: //p')
# Floors: nothing but exact polynomials is built.
build=(cargo test --locked --lib --no-default-features --features poly)
modules=(poly::simd poly::product poly::evaluation poly::gcd::prime poly::coefficients)

program() { # the test program that a build made
    "${build[@]}" --no-run --message-format=json "$@" | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1
}

case $way in
valgrind)
    export CARGO_TARGET_DIR=$folder/valgrind
    tests=$(program)
    for level in scalar avx2; do
        echo "== valgrind, $level"
        WICKRING_SIMD=$level valgrind --quiet --error-exitcode=9 --fair-sched=yes "$tests" --test-threads=1 "${modules[@]}"
    done ;;
address)
    export CARGO_TARGET_DIR=$folder/address RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address"
    tests=$(program --target "$host")
    for level in scalar avx2 avx512; do
        echo "== AddressSanitizer, $level"
        WICKRING_SIMD=$level ASAN_OPTIONS=detect_leaks=1 "$tests" --test-threads=2 "${modules[@]}"
    done ;;
miri)
    export CARGO_TARGET_DIR=$folder/miri MIRIFLAGS="-Zmiri-disable-isolation"
    WICKRING_SIMD=scalar cargo +nightly miri test --locked --lib --no-default-features --features poly -- poly::simd ;;
*)
    echo "valgrind, address or miri, not $way" >&2
    exit 2 ;;
esac
