#!/bin/sh
# Prints the tables of "RDMA in software" in docs/benchmarks.md: two runs of ./zip bench, some five minutes.
#
#   bench/rdma-table.sh [DIRECTORY]   DIRECTORY: gets what the runs print, and their rows as CSV; otherwise a temporary one
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$(mktemp -d)}
mkdir -p "$out"

# Medians in microseconds, one contestant beside the other.
table() {
    awk -F, -v a="$2" -v b="$3" '
        NR > 1 && ($2 == a || $2 == b) {
            row = $1 " | " $4
            if (!(row in seen)) { seen[row]; rows[++count] = row }
            bytes[$5]
            us[row, $5, $2] = $7
            wrong += $11 != "true"
        }
        function cell(row, size) {
            x = us[row, size, a]; y = us[row, size, b]
            return x == "" || y == "" ? "" : sprintf("%s / %s, %.1f", short(x), short(y), x / y)
        }
        function short(x) { return sprintf(x < 100 ? "%.1f" : "%.0f", x) }
        END {
            print "| operation | ranks | 8 B | 64 KiB | 1 MiB |"
            print "|---|---|---|---|---|"
            for (i = 1; i <= count; i++) {
                first = (rows[i], 0, a) in us ? 0 : 8
                printf "| %s | %s | %s | %s |\n", rows[i], cell(rows[i], first), cell(rows[i], 65536), cell(rows[i], 1048576)
            }
            if (wrong > 0) print wrong " rows are NOT verified"
        }' "$1"
}

run() {
    "$root/zip" bench --transport "$2" --ranks 2,4 --csv "$out/$1.csv" > "$out/$1.txt" 2>&1 || echo "the run failed: see $out/$1.txt"
    echo
    echo "$(git -C "$root" describe --always --dirty), $(sed -n 's/^rdma by //p' "$out/$1.txt"): $(grep ' rows, ' "$out/$1.txt")"
    echo
    table "$out/$1.csv" rdma "${2#rdma,}"
}

run tcp rdma,tcp
export ZIP_RDMA_PROVIDER=shm
run shm rdma,aeron-ipc
