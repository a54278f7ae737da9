package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.Selection;
import io.zipcomm.bench.worker.ColdStartProbe;
import io.zipcomm.bench.worker.Message;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Measures how long a group of fresh processes takes to join, and to the end of its first all-reduce: with the flags of the
 * launcher, with the class-data archive and without it. The value of a run is the slowest rank's, counted from the start of
 * its process; of several runs the median is shown.
 */
public final class ColdStartRun {

    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final String LINE = "%-9s %5s  %-30s %9s %9s %15s  %s";
    private static final double NS_PER_MS = 1e6;
    private static final String[] SMALL_JVM = {"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"};

    private record Variant(String name, List<String> flags) {}

    /** Milliseconds from the start of the process. */
    private record Times(double main, double joined, double reduced) {}

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
    public ColdStartRun(Selection selection, int runs, PrintStream out, PrintStream err) {
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
    public boolean run() throws InterruptedException {
        boolean good = true;
        out.println("Milliseconds from the start of a process, slowest of the ranks, median of " + runs + " runs:");
        out.println(String.format(
                Locale.ROOT, LINE, "transport", "ranks", "JVM", "main", "joined", "first allreduce", "of it min..max"));
        try (EmbeddedRelay relay = EmbeddedRelay.start()) {
            for (Selection.Group group : selection.groups()) {
                for (Variant variant : variants()) {
                    good &= measure(relay, group, variant);
                }
            }
        }
        return good;
    }

    private List<Variant> variants() {
        List<Variant> variants = new ArrayList<>();
        variants.add(new Variant("without archive", ChildJvm.flagsWithoutArchive()));
        Path archive = ChildJvm.archive();
        if (archive == null) {
            out.println("(no class-data archive here: the launcher makes one when it is first used)");
        } else {
            variants.add(new Variant("with archive", ChildJvm.flags()));
            List<String> small = new ArrayList<>(ChildJvm.flags());
            small.addAll(Arrays.asList(SMALL_JVM));
            variants.add(new Variant("with archive, C1, serial GC", small));
        }
        return variants;
    }

    private boolean measure(EmbeddedRelay relay, Selection.Group group, Variant variant) throws InterruptedException {
        List<Times> times = new ArrayList<>();
        for (int run = 0; run < runs; run++) {
            GroupEnvironment environment = relay.newGroup("start", group.ranks(), group.transport());
            try (WorkerGroup workers = WorkerGroup.start(environment, variant.flags(), ColdStartProbe.class)) {
                times.add(slowest(workers, workers.awaitAll(ColdStartProbe.KIND, LIMIT)));
            } catch (WorkerFailure e) {
                err.println("! " + group.transport() + ", " + group.ranks() + " ranks, " + variant.name() + ":\n"
                        + e.getMessage());
                return false;
            }
        }
        print(group, variant, times);
        return true;
    }

    private static Times slowest(WorkerGroup workers, Map<Integer, Message> answers) throws WorkerFailure {
        double main = 0;
        double joined = 0;
        double reduced = 0;
        for (Map.Entry<Integer, Message> answer : answers.entrySet()) {
            long spawnedNs = workers.spawnedNs(answer.getKey());
            Message message = answer.getValue();
            if (!message.flag("right")) {
                throw new WorkerFailure("rank " + answer.getKey() + ": the all-reduce gave wrong numbers");
            }
            main = Math.max(main, (message.number("mainNs") - spawnedNs) / NS_PER_MS);
            joined = Math.max(joined, (message.number("joinedNs") - spawnedNs) / NS_PER_MS);
            reduced = Math.max(reduced, (message.number("reducedNs") - spawnedNs) / NS_PER_MS);
        }
        return new Times(main, joined, reduced);
    }

    private void print(Selection.Group group, Variant variant, List<Times> times) {
        double[] reduced = times.stream().mapToDouble(Times::reduced).sorted().toArray();
        out.println(String.format(
                Locale.ROOT,
                LINE,
                group.transport(),
                group.ranks(),
                variant.name(),
                ms(median(times.stream().mapToDouble(Times::main).toArray())),
                ms(median(times.stream().mapToDouble(Times::joined).toArray())),
                ms(median(reduced)),
                ms(reduced[0]) + ".." + ms(reduced[reduced.length - 1])));
        out.flush();
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    private static String ms(double value) {
        return String.format(Locale.ROOT, "%.0f", value);
    }
}
