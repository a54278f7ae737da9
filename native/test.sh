#!/bin/sh
# Builds the shim and runs its plain tests, less than a minute: what a change must pass.
#
#   test.sh WORK    WORK: directory for cmake
#
# Unlike build.sh it fails where something is missing: who asks for these tests wants them run.
set -eu
work=$1
here=$(cd "$(dirname "$0")" && pwd)

missing() {
    echo "cannot test the native library: $1" >&2
    exit 1
}

[ "$(uname -s)" = Linux ] || missing "this is not Linux"
for tool in gcc cmake ctest nm; do
    command -v $tool > /dev/null || missing "there is no $tool (Debian: gcc, cmake, binutils)"
done
echo '#include <rdma/fabric.h>' | gcc -E - > /dev/null 2>&1 || missing "there are no headers of libfabric (Debian: libfabric-dev)"

mkdir -p "$work"
cmake -S "$here" -B "$work" > "$work.log" 2>&1 || { cat "$work.log"; exit 1; }
cmake --build "$work" -j 2 > "$work.log" 2>&1 || { cat "$work.log"; exit 1; }
ctest --test-dir "$work" -LE long -j 2 --output-on-failure
