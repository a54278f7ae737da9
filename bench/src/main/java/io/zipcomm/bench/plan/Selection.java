package io.zipcomm.bench.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What the user wants measured.
 *
 * @param operations in the order of the table
 * @param ranks      group sizes
 * @param bytes      sizes M
 * @param transports names
 * @param algorithm  name, or null to let the library choose
 * @param iterations timed iterations of each row, or 0 to let the time decide
 * @param arrays     whether numbers that are added are in arrays, and not in direct memory
 */
public record Selection(
        List<BenchOperation> operations,
        List<Integer> ranks,
        List<Long> bytes,
        List<String> transports,
        String algorithm,
        int iterations,
        boolean arrays) {

    /** With numbers in direct memory. */
    public Selection(
            List<BenchOperation> operations,
            List<Integer> ranks,
            List<Long> bytes,
            List<String> transports,
            String algorithm,
            int iterations) {
        this(operations, ranks, bytes, transports, algorithm, iterations, false);
    }

    /** Copies the lists, without repetitions. */
    public Selection {
        operations = List.copyOf(Set.copyOf(operations)).stream().sorted().toList();
        ranks = ranks.stream().distinct().sorted().toList();
        bytes = bytes.stream().distinct().sorted().toList();
        transports = transports.stream().distinct().toList();
    }

    /** The rows of one group of processes, which lives until all of them are measured. */
    public record Group(String transport, int ranks, List<BenchCase> cases) {}

    /** An operation and its M: what contestants are compared at. */
    public record Cell(BenchOperation operation, long bytes) {}

    /** All rows, by the group that measures them. */
    public List<Group> groups() {
        List<Group> groups = new ArrayList<>();
        for (String transport : transports) {
            for (int size : ranks) {
                List<BenchCase> cases = cases(transport, size);
                if (!cases.isEmpty()) {
                    groups.add(new Group(transport, size, cases));
                }
            }
        }
        return groups;
    }

    private List<BenchCase> cases(String transport, int size) {
        return cells(size).stream()
                .map(cell -> new BenchCase(cell.operation(), transport, size, cell.bytes()))
                .toList();
    }

    /** What every contestant with groups of a size measures, in order. */
    public List<Cell> cells(int size) {
        List<Cell> cells = new ArrayList<>();
        for (BenchOperation operation : operations) {
            if (size < operation.ranksMin()) {
                continue;
            }
            for (long one : operation.hasBytes() ? bytes : List.of(0L)) {
                cells.add(new Cell(operation, one));
            }
        }
        return cells;
    }

    /** Number of rows. */
    public int caseCount() {
        return groups().stream().mapToInt(group -> group.cases().size()).sum();
    }
}
