#!/bin/sh
# All checks of the shim, one after the other, until one fails: plain tests, sanitizers, valgrind, the price of the shim.
#
#   check.sh         some four minutes, on a machine that does nothing else
#   check.sh long    and what takes long: 10,000 endpoints and a million cycles of each provider
#
# Builds below native/target. What is missing here is named, and then it fails.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=$here/target
[ $# -eq 0 ] || [ "$1" = long ] || { echo "check.sh [long]" >&2; exit 2; }

step() {
    echo
    echo "== $1"
}

lacks=
for tool in gcc cmake ctest nm valgrind; do
    command -v $tool > /dev/null || lacks="$lacks $tool"
done
echo '#include <rdma/fabric.h>' | gcc -E - > /dev/null 2>&1 || lacks="$lacks rdma/fabric.h"
echo 'int main(void) { return 0; }' | gcc -fsanitize=address,undefined -x c -o /dev/null - 2> /dev/null || lacks="$lacks libasan/libubsan"
if [ -n "$lacks" ]; then
    echo "missing:$lacks (Debian: gcc, cmake, binutils, valgrind, libfabric-dev)" >&2
    exit 1
fi
mkdir -p "$target"

step "plain tests"
"$here/test.sh" "$target/plain"

step "address and undefined-behaviour sanitizers"
cmake -S "$here" -B "$target/sanitized" -DZIP_SANITIZE=ON > "$target/sanitized.log" 2>&1 || { cat "$target/sanitized.log"; exit 1; }
cmake --build "$target/sanitized" -j 2 > "$target/sanitized.log" 2>&1 || { cat "$target/sanitized.log"; exit 1; }
ctest --test-dir "$target/sanitized" -LE long -j 2 --output-on-failure

step "valgrind"
cmake --build "$target/plain" -t memcheck

step "price: the shim against libfabric alone"
"$target/plain/bench/fabric_floor" shm 9 --check
"$target/plain/bench/fabric_floor" 'tcp;ofi_rxm' 9 --check

if [ "${1:-}" = long ]; then
    step "long tests"
    ctest --test-dir "$target/plain" -L long -j 2 -V
fi
echo
echo "all checks passed"
