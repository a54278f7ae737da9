#!/usr/bin/env bash
# Runs the transport contract, one-sided operations and all-reduces over verbs, in a guest whose kernel has soft-RoCE. See README.md beside it.
#
#   run.sh            all of it
#   run.sh contract   without the one-sided operations and the group of two, nearly two minutes less: what fits into continuous integration
#
# Exit code 0: all is well; 1: it is not; 77: not run, and the last line says why.
#
# Environment: JAVA_HOME.
set -euo pipefail
export LC_ALL=C

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
root=$(dirname -- "$(dirname -- "$here")")
work=$root/transport-rdma/target/guest
native=$root/transport-rdma/target/native/io/zipcomm/native/linux-x86_64
memory_mib=2048
limit_seconds=420

# In any order: what they depend on is loaded before them.
modules=(virtio_pci 9pnet_virtio 9p overlay crc32_generic dummy rdma_rxe rdma_ucm)

started=$SECONDS
note() { printf '%4d s  %s\n' $((SECONDS - started)) "$*"; }
die() {
    note "failed: $*"
    exit 1
}
skip() {
    note "not run: $*"
    exit 77
}
need() { command -v "$1" >/dev/null || skip "$1 is missing (Debian: apt install $2)"; }

need_all() {
    [[ $(uname -sm) == "Linux x86_64" ]] || skip "this is not Linux on x86-64"
    need apt-get apt
    need dpkg-deb dpkg
    need qemu-system-x86_64 qemu-system-x86
    need busybox busybox-static
    ! ldd "$(command -v busybox)" >/dev/null 2>&1 || skip "busybox needs libraries (Debian: apt install busybox-static)"
    need ip iproute2
    need rdma iproute2
    need mvn maven
    [[ -f /etc/libibverbs.d/rxe.driver ]] || skip "libibverbs has no driver for soft-RoCE (Debian: apt install ibverbs-providers)"
    [[ $(/sbin/ldconfig -p) == *"libfabric.so.1 "* ]] || skip "libfabric is missing (Debian: apt install libfabric1)"
    if [[ -n ${JAVA_HOME:-} ]]; then
        java=$JAVA_HOME/bin/java
    else
        need java openjdk-17-jdk-headless
        java=$(readlink -f -- "$(command -v java)")
    fi
}

# Leaves the kernel and its modules in a directory of their own, where later runs find them.
get_kernel() {
    local package new=$work/new version name path
    package=$(apt-cache depends --important linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -n 1)
    [[ -n $package ]] || skip "apt knows no linux-image-amd64 (apt-get update)"
    kernel=$work/$package
    [[ ! -d $kernel ]] || return 0
    note "fetching $package"
    rm -rf "$new"
    mkdir -p "$new/modules"
    (cd "$new" && apt-get -qq -o APT::Sandbox::User=root download "$package") || skip "$package could not be downloaded"
    dpkg-deb -x "$new"/*.deb "$new/all"
    version=$(basename -- "$new"/all/lib/modules/*)
    busybox depmod -b "$new/all" "$version"
    for name in "${modules[@]}"; do
        path=$(cd "$new/all/lib/modules/$version" && find . -name "$name.ko" -printf '%P')
        [[ -n $path ]] || die "$package has no module $name.ko"
        add_module "$new/all/lib/modules/$version" "$new/modules" "$path"
    done
    mv "$new"/all/boot/vmlinuz-* "$new/vmlinuz"
    rm -rf "$new/all" "$new"/*.deb
    mv "$new" "$kernel"
}

# Copies a module after those that it depends on, and lists them in that order.
add_module() {
    local from=$1 to=$2 path=$3 needed
    ! grep -sqxF "$(basename "$path")" "$to/order" || return 0
    for needed in $(sed -n "s|^$path: *||p" "$from/modules.dep"); do
        add_module "$from" "$to" "$needed"
    done
    cp "$from/$path" "$to/"
    basename "$path" >>"$to/order"
}

# Compiles what changed, and notes for the guest what to run: the class path of each module's tests. Up to 'package', as
# './zip test' does: in an earlier phase modules see each other's folders instead of jars, and Maven compiles all of them again.
build_java() {
    note "building"
    (cd "$root" && mvn --batch-mode -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -pl bench -am package \
        dependency:build-classpath -Dmdep.includeScope=test -Dmdep.outputFile=target/guest.classpath \
        -DskipTests -Dspotless.check.skip -Denforcer.skip) || die "the build failed"
    [[ -f $native/libzip_fabric.so ]] || skip "there is no native library (Debian: apt install gcc cmake libfabric-dev)"
    cmake -S "$root/native" -B "$work/native" >"$work/native.log" 2>&1 || die "cmake failed: $(<"$work/native.log")"
    cmake --build "$work/native" -t test_close >"$work/native.log" 2>&1 || die "the native tests were not built: $(<"$work/native.log")"
    {
        printf 'java=%q\nnative=%q\n' "$java" "$native"
        printf 'test_close=%q\n' "$work/native/test/test_close"
        printf 'tests=(%s)\n' "$tests"
        printf 'groups=(%s)\n' "$groups"
        printf 'contract=%q\n' "$(class_path transport-rdma)"
        printf 'collectives=%q\n' "$(class_path collectives)"
        printf 'bench=%q\n' "$(class_path bench)"
    } >"$work/environment"
}

class_path() { echo "$root/$1/target/test-classes:$root/$1/target/classes:$(<"$root/$1/target/guest.classpath")"; }

make_initramfs() {
    local files=$work/initramfs
    rm -rf "$files"
    mkdir -p "$files/bin"
    cp "$(command -v busybox)" "$files/bin/busybox"
    cp "$here/init" "$files/init"
    chmod +x "$files/init"
    cp -r "$kernel/modules" "$files/modules"
    echo "$here/inside.sh" >"$files/program"
    (cd "$files" && find . | busybox cpio -o -H newc 2>/dev/null) >"$files.cpio"
}

# Prints what the guest prints. Its last words are its result, and nothing else is success.
boot() {
    local line result=
    note "booting $(basename -- "$kernel") with $memory_mib MiB, for at most $limit_seconds s"
    exec {guest_output}< <(exec timeout --kill-after=5 "$limit_seconds" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 \
        -m "$memory_mib" -display none -monitor none -nic none -no-reboot -serial stdio -serial "file:$work/kernel.log" \
        -kernel "$kernel/vmlinuz" -initrd "$work/initramfs.cpio" -append "console=ttyS1 panic=-1 mitigations=off" \
        -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap </dev/null 2>&1)
    guest=$!
    trap 'kill "$guest" 2>/dev/null || true' EXIT # also where this script is told to end
    while IFS= read -r line; do
        line=${line%$'\r'}
        note "$line"
        [[ $line != "guest: exit "* ]] || result=${line#guest: exit }
    done <&"$guest_output"
    if [[ -z $result ]]; then
        tail -n 40 "$work/kernel.log"
        die "the guest ended, or was ended, without a result; above, its kernel's last words"
    fi
    [[ $result == 0 ]] || die "exit code of the guest: $result"
}

tests=VerbsContractTest
groups=3
case ${1-} in
    '')
        tests+=" RdmaMemoryTest RegionTest"
        groups="2 3"
        ;;
    contract) ;;
    *) die "unknown argument $1: expected none, or contract" ;;
esac
mkdir -p "$work"
need_all
get_kernel
build_java
make_initramfs
boot
note "passed"
