#!/bin/bash
# The guest's program, in a root that is the host's: makes a device with verbs, on an interface that leads nowhere, and runs the
# tests over it. Exit code 0 if all of them passed.
set -euo pipefail
export LC_ALL=C HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
source "$here/../target/guest/environment"

device=rxe0
# Completions that libfabric makes room for are those of so many peers, and soft-RoCE has room for 32,767.
export FI_UNIVERSE_SIZE=16
export ZIP_RDMA_PROVIDER='verbs;ofi_rxm'
flags=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -Xshare:auto "-Dzip.native.path=$native"
    --add-opens=java.base/jdk.internal.misc=ALL-UNNAMED -Dorg.slf4j.simpleLogger.defaultLogLevel=warn)

packets() { cat /sys/class/infiniband/$device/ports/1/hw_counters/sent_pkts; }

# Runs one part. It has failed too if the device sent nothing: then it went another way.
failed=
part() {
    local name=$1 before result=passed begin=$SECONDS
    shift
    echo "---- $name"
    before=$(packets)
    "$@" || result="FAILED, exit code $?"
    local sent=$(($(packets) - before))
    ((sent > 0)) || result="FAILED, nothing was sent"
    echo "---- $name: $result, $((SECONDS - begin)) s, $sent packets sent by $device"
    [[ $result == passed ]] || failed=yes
}

ip address add 10.99.0.1/24 dev dummy0
# So that soft-RoCE sends 4 KiB in a packet.
ip link set dummy0 mtu 9000 up
rdma link add "$device" type rxe netdev dummy0
echo "kernel $(uname -r); $(rdma link show "$device/1"); $("$java" -version 2>&1 | head -n 1)"

part "closing behind reads" "$test_close" "$ZIP_RDMA_PROVIDER" 'closing with reads that nobody answers' \
    'closing with reads and writes in flight'
part "${tests[*]}" "$java" "${flags[@]}" -Dzip.verbs.required=true -cp "$contract" io.zipcomm.transport.rdma.GuestTests "${tests[@]}"
for ranks in "${groups[@]}"; do
    part "all-reduce, $ranks processes" "$java" "${flags[@]}" -cp "$bench" io.zipcomm.bench.Main run --ranks "$ranks" --transport rdma -- \
        "$java" "${flags[@]}" -cp "$collectives" io.zipcomm.collectives.RdmaAllReduce
done
[[ -z $failed ]]
