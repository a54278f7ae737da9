package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.Selection;
import io.zipcomm.bench.worker.FootprintProbe;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.settings.Setting;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Measures what it takes to start a rank, in time and in memory: from the start of its process to joined, to the end of the first
 * all-reduce and to the first path in shared memory; then, when each rank has exchanged data with each, the memory of the first
 * rank, which runs the media driver if there is one, of the others, and of the files that they share.
 *
 * <p>Times of a run are the slowest rank's; of several runs the median is shown, of memory too.
 */
public final class FootprintRun {

    private static final Path MEMORY = Path.of("/dev/shm");
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final String LINE = "%-9s %5s  %7s %7s %9s %9s  %11s %11s  %11s %11s  %9s";
    private static final double NS_PER_MS = 1e6;
    private static final double BYTES_PER_MIB = 1 << 20;

    /** What one run showed: milliseconds, bytes. */
    private record Figures(
            double main,
            double joined,
            double reduced,
            double path,
            double first,
            double firstShared,
            double other,
            double otherShared,
            double files) {}

    private final Selection selection;
    private final int runs;
    private final PrintStream out;
    private final PrintStream err;

    /**
     * A measurement.
     *
     * @param selection group sizes and transports
     * @param runs      groups to start of each kind
     * @param out       for the table
     * @param err       for problems
     */
    public FootprintRun(Selection selection, int runs, PrintStream out, PrintStream err) {
        this.selection = selection;
        this.runs = runs;
        this.out = out;
        this.err = err;
    }

    /**
     * Measures and prints.
     *
     * @return whether every run went well
     */
    public boolean run() throws InterruptedException, IOException {
        boolean good = true;
        out.println(
                "Milliseconds from the start of a process, slowest of the ranks; MiB of memory, when each rank has exchanged"
                        + " data with each: resident, and of that in shared files; median of " + runs + " runs:");
        out.println(String.format(
                Locale.ROOT,
                LINE,
                "transport",
                "ranks",
                "main",
                "joined",
                "allreduce",
                "ipc path",
                "rank 0",
                "shared",
                "others",
                "shared",
                "files"));
        try (EmbeddedRelay relay = EmbeddedRelay.start()) {
            for (Selection.Group group : selection.groups()) {
                good &= measure(relay, group);
            }
        }
        return good;
    }

    private boolean measure(EmbeddedRelay relay, Selection.Group group) throws InterruptedException, IOException {
        List<Figures> all = new ArrayList<>();
        Path memory = Files.isDirectory(MEMORY)
                ? Files.createTempDirectory(MEMORY, "zip-footprint-")
                : Files.createTempDirectory("zip-footprint-");
        try {
            for (int run = 0; run < runs; run++) {
                all.add(measure(relay, group, memory));
            }
        } catch (WorkerFailure e) {
            err.println("! " + group.transport() + ", " + group.ranks() + " ranks:\n" + e.getMessage());
            return false;
        } finally {
            remove(memory);
        }
        print(group, all);
        return true;
    }

    private static Figures measure(EmbeddedRelay relay, Selection.Group group, Path memory)
            throws WorkerFailure, InterruptedException, IOException {
        GroupEnvironment environment = relay.newGroup("start", group.ranks(), group.transport())
                .with(Map.of(Setting.SHARED_MEMORY, memory.toString()));
        boolean expectsShared =
                group.transport().equals("aeron-ipc") || group.transport().equals("auto");
        List<List<String>> commands = IntStream.range(0, group.ranks())
                .mapToObj(rank -> ChildJvm.command(
                        ChildJvm.flags(),
                        FootprintProbe.class,
                        Integer.toString(rank),
                        Boolean.toString(expectsShared && group.ranks() > 1)))
                .toList();
        try (WorkerGroup workers = WorkerGroup.start(environment, commands)) {
            Map<Integer, Message> answers = workers.awaitAll(FootprintProbe.KIND, LIMIT);
            double files = bytes(memory);
            workers.end();
            List<Message> others = answers.entrySet().stream()
                    .filter(one -> one.getKey() > 0)
                    .map(Map.Entry::getValue)
                    .toList();
            return new Figures(
                    slowestMs(workers, answers, "mainNs"),
                    slowestMs(workers, answers, "joinedNs"),
                    slowestMs(workers, answers, "reducedNs"),
                    slowestMs(workers, answers, "pathNs"),
                    answers.get(0).decimal("residentBytes"),
                    answers.get(0).decimal("sharedBytes"),
                    median(others, one -> one.decimal("residentBytes")),
                    median(others, one -> one.decimal("sharedBytes")),
                    files);
        }
    }

    /** NaN if it did not happen at one of the ranks. */
    private static double slowestMs(WorkerGroup workers, Map<Integer, Message> answers, String instant) {
        double slowest = 0;
        for (Map.Entry<Integer, Message> answer : answers.entrySet()) {
            long atNs = answer.getValue().number(instant);
            double ms = atNs < 0 ? Double.NaN : (atNs - workers.spawnedNs(answer.getKey())) / NS_PER_MS;
            slowest = Math.max(slowest, ms);
        }
        return slowest;
    }

    private static double bytes(Path directory) throws IOException {
        double sum = 0;
        for (Path one : contents(directory)) {
            sum += Files.isRegularFile(one) ? Files.size(one) : 0;
        }
        return sum;
    }

    private static void remove(Path directory) throws IOException {
        for (Path one : contents(directory)) {
            Files.deleteIfExists(one);
        }
    }

    /** The directory with whatever is in it, what is deepest first. */
    private static List<Path> contents(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.sorted(Comparator.reverseOrder()).toList();
        }
    }

    private static <T> double median(List<T> all, ToDoubleFunction<T> figure) {
        double[] sorted = all.stream().mapToDouble(figure).toArray();
        Arrays.sort(sorted);
        return sorted.length == 0 ? Double.NaN : (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    private void print(Selection.Group group, List<Figures> all) {
        out.println(String.format(
                Locale.ROOT,
                LINE,
                group.transport(),
                group.ranks(),
                ms(median(all, Figures::main)),
                ms(median(all, Figures::joined)),
                ms(median(all, Figures::reduced)),
                ms(median(all, Figures::path)),
                mib(median(all, Figures::first)),
                mib(median(all, Figures::firstShared)),
                mib(median(all, Figures::other)),
                mib(median(all, Figures::otherShared)),
                mib(median(all, Figures::files))));
        out.flush();
    }

    private static String ms(double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.0f", value);
    }

    private static String mib(double bytes) {
        return Double.isNaN(bytes) ? "-" : String.format(Locale.ROOT, "%.1f", bytes / BYTES_PER_MIB);
    }
}
