#!/bin/sh
# Builds the library for the Maven module that takes it along. Without what that takes it says so and succeeds: all of the
# rest works without.
#
#   build.sh WORK OUT    WORK: directory for cmake; OUT: directory that gets libzip_fabric.so
#   build.sh --missing   builds nothing: prints what is missing, nothing if nothing is
#
# Environment: CC, the compiler, otherwise gcc.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
CC=${CC:-gcc}
export CC

# What the library needs of libfabric, as libfabric's headers compare versions.
headers='#include <rdma/fabric.h>
#if FI_VERSION(FI_MAJOR_VERSION, FI_MINOR_VERSION) < FI_VERSION(1, 17)
#error too old
#endif'

missing() {
    if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
        echo "this is not Linux on x86-64"
    elif ! command -v "${CC%% *}" > /dev/null; then
        echo "there is no C compiler: no ${CC%% *}"
    elif ! command -v cmake > /dev/null; then
        echo "there is no cmake"
    elif ! cmake --version | awk 'NR == 1 { split($3, v, "."); exit !(v[1] > 3 || v[1] == 3 && v[2] >= 20) }'; then
        echo "cmake is older than 3.20"
    elif ! command -v make > /dev/null && ! command -v ninja > /dev/null; then
        echo "there is no make"
    elif ! echo '#include <stdint.h>' | $CC -E - > /dev/null 2>&1; then
        echo "there are no headers of the C library (Debian: libc6-dev)"
    elif ! echo '#include <rdma/fabric.h>' | $CC -E - > /dev/null 2>&1; then
        echo "there are no headers of libfabric (Debian: libfabric-dev)"
    elif ! echo "$headers" | $CC -E - > /dev/null 2>&1; then
        echo "the headers of libfabric are older than 1.17"
    fi
}

why=$(missing)
if [ "${1:-}" = --missing ]; then
    echo "$why"
    exit 0
fi
work=$1
out=$2
if [ -n "$why" ]; then
    echo "no native library, and so no RDMA: $why"
    rm -rf "$out"
    exit 0
fi

mkdir -p "$work"
cmake -S "$here" -B "$work" -DBUILD_TESTING=OFF > "$work.log" 2>&1 || { cat "$work.log"; exit 1; }
cmake --build "$work" --target zip_fabric > "$work.log" 2>&1 || { cat "$work.log"; exit 1; }
mkdir -p "$out"
# By another name first: a process that has the file mapped must not see it change.
cp -L "$work/libzip_fabric.so" "$out/libzip_fabric.so.new"
mv -f "$out/libzip_fabric.so.new" "$out/libzip_fabric.so"
