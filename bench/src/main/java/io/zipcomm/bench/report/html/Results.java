package io.zipcomm.bench.report.html;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import io.zipcomm.bench.plan.Transports;
import io.zipcomm.bench.report.Row;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The rows of a run, by what they are about. */
final class Results {

    /** What is compared: the same work, whoever does it. */
    record Task(BenchOperation operation, int ranks, long bytes) {

        static Task of(Row row) {
            return new Task(row.operation(), row.ranks(), row.bytes());
        }

        /** The place within an operation, for people. */
        String place() {
            String group = ranks + " ranks";
            return operation.hasBytes() ? Units.size(bytes) + ", " + group : group;
        }
    }

    /** The order of legends and columns, and the number of a style. Strangers come last, in the order of their rows. */
    private static final List<String> ORDER = List.of(
            "tcp",
            "aeron-ipc",
            "aeron-udp",
            "relay",
            "redis",
            "redis-tuned",
            "mpi-tcp",
            "mpi-shm",
            Row.FLOOR,
            "auto",
            "rdma");

    private final List<Row> rows;
    private final Map<Task, List<Row>> byTask;
    private final List<String> contestants;

    Results(List<Row> rows) {
        this.rows = List.copyOf(rows);
        byTask = rows.stream().collect(Collectors.groupingBy(Task::of));
        List<String> names = rows.stream().map(Row::transport).distinct().collect(Collectors.toList());
        List<String> strangers = new ArrayList<>(names);
        strangers.removeAll(ORDER);
        names.sort(Comparator.comparingInt(name -> styleNumber(name, strangers)));
        contestants = names;
    }

    private static int styleNumber(String contestant, List<String> strangers) {
        int known = ORDER.indexOf(contestant);
        return known >= 0 ? known : ORDER.size() + strangers.indexOf(contestant);
    }

    List<Row> rows() {
        return rows;
    }

    /** Who took part. */
    List<String> contestants() {
        return contestants;
    }

    /** Whoever is not the library. */
    List<String> baselines() {
        return contestants.stream().filter(name -> !isPath(name)).toList();
    }

    /** The library's contestant that a baseline, but no floor, is compared with; empty if there is none. */
    Optional<String> reference(String baseline) {
        return Transports.peer(Means.of(baseline), contestants);
    }

    /** With whom the baselines among some rows are compared, in words: "tcp, aeron-ipc for mpi-shm"; empty if with nobody. */
    Optional<String> references(List<Row> rows) {
        Map<String, Set<String>> compared = new LinkedHashMap<>();
        for (Row row : rows) {
            if (!isPath(row.transport())) {
                String name = row.isFloor() ? row.transport() + " " + row.algorithm() : row.transport();
                row.peer(contestants)
                        .ifPresent(peer -> compared.computeIfAbsent(peer, key -> new LinkedHashSet<>())
                                .add(name));
            }
        }
        List<String> peers =
                Transports.ALL.stream().filter(compared::containsKey).toList();
        if (peers.isEmpty()) {
            return Optional.empty();
        }
        StringBuilder words = new StringBuilder(peers.get(0));
        for (String other : peers.subList(1, peers.size())) {
            words.append(", ").append(other).append(" for ").append(String.join(" and ", compared.get(other)));
        }
        return Optional.of(words.toString());
    }

    List<BenchOperation> operations() {
        return distinct(rows, Row::operation);
    }

    List<Integer> ranks(BenchOperation operation) {
        return distinct(of(operation), Row::ranks);
    }

    List<Long> sizes(BenchOperation operation, int ranks) {
        return distinct(
                of(operation).stream().filter(row -> row.ranks() == ranks).toList(), Row::bytes);
    }

    List<Row> of(BenchOperation operation) {
        return rows.stream().filter(row -> row.operation() == operation).toList();
    }

    private static <T extends Comparable<T>> List<T> distinct(List<Row> rows, Function<Row, T> of) {
        return List.copyOf(rows.stream().map(of).collect(Collectors.toCollection(TreeSet::new)));
    }

    /** The fastest row of a contestant that has the right data: it is judged by its best algorithm. */
    Optional<Row> best(Task task, String contestant) {
        return byTask.getOrDefault(task, List.of()).stream()
                .filter(row -> row.transport().equals(contestant) && row.isMeasured() && row.verified())
                .min(Comparator.comparingDouble(Row::p50Us));
    }

    /** The row of a series; empty if there is none. */
    Optional<Row> row(Task task, Series series) {
        return byTask.getOrDefault(task, List.of()).stream().filter(series::has).findFirst();
    }

    /** Time of a baseline's row over that of its reference at the same task: above 1, the reference is faster. NaN if either lacks. */
    double ratio(Row row) {
        if (!row.isMeasured() || !row.verified()) {
            return Double.NaN;
        }
        return row.peer(contestants)
                .flatMap(name -> best(Task.of(row), name))
                .map(best -> row.p50Us() / best.p50Us())
                .orElse(Double.NaN);
    }

    /** Whether a contestant is a way of the library itself. */
    static boolean isPath(String contestant) {
        return Transports.isOwn(contestant);
    }

    /** The lines of an operation. A contestant that was measured with several algorithms at one task has one for each. */
    List<Series> series(BenchOperation operation) {
        List<String> strangers = new ArrayList<>(contestants);
        strangers.removeAll(ORDER);
        Map<String, List<Row>> byContestant = of(operation).stream()
                .collect(Collectors.groupingBy(Row::transport, TreeMap::new, Collectors.toList()));
        List<Series> series = new ArrayList<>();
        for (String contestant : contestants) {
            List<Row> own = byContestant.getOrDefault(contestant, List.of());
            Style style = Style.of(styleNumber(contestant, strangers));
            if (own.stream().map(Task::of).distinct().count() == own.size()) {
                if (!own.isEmpty()) {
                    series.add(new Series(contestant, null, style));
                }
                continue;
            }
            List<String> algorithms = distinct(own, Row::algorithm);
            for (int i = 0; i < algorithms.size(); i++) {
                series.add(new Series(contestant, algorithms.get(i), style.variant(i)));
            }
        }
        return series;
    }
}
