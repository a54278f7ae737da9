#!/bin/sh
# Runs the tests that do not take long under valgrind: memcheck.sh VALGRIND DIRECTORY-OF-TESTS
#
# Nothing is suppressed but, over tcp;ofi_rxm, what libfabric forgets when an endpoint is closed with operations in flight, in
# the one program that does that, and the copy of an endpoint that a child of fork ends with.
set -eu
valgrind=$1
here=$(cd "$(dirname "$0")" && pwd)
cd "$2"

watch() {
    echo "valgrind: $*"
    "$valgrind" -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,possible --fair-sched=yes \
        --num-callers=24 "$@"
}

watch ./test_library
for provider in shm 'tcp;ofi_rxm'; do
    watch ./test_pair "$provider"
    watch ./test_kill "$provider"
    watch ./test_churn "$provider" 10 50
done
watch ./test_abuse shm
watch --suppressions="$here/fork.supp" ./test_abuse 'tcp;ofi_rxm'
watch ./test_close shm
watch --suppressions="$here/libfabric.supp" ./test_close 'tcp;ofi_rxm'
echo 'valgrind: nothing found'
