package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.bench.worker.Times;
import io.zipcomm.bench.worker.Usage;
import io.zipcomm.bench.worker.Worker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** The ranks of one Open MPI job, all children of one {@code mpirun}; rank 0 talks to the harness. */
final class MpiContestant implements Contestant {

    /** By what the ranks of one machine reach each other. */
    enum Path {
        /** TCP over loopback. */
        TCP("mpi-tcp", "--mca btl tcp,self --mca btl_tcp_if_include lo"),
        /** Shared memory. */
        SHM("mpi-shm", "--mca btl vader,self");

        private final String label;
        private final String flags;

        Path(String label, String flags) {
            this.label = label;
            this.flags = flags;
        }
    }

    private static final Duration START_LIMIT = Duration.ofSeconds(45);
    private static final Duration SILENCE_LIMIT = Duration.ofSeconds(75);
    private static final String TIMES = "times";
    private static final String DONE = "done";

    private final Path path;
    private final MpiProgram program;
    private final int ranks;
    private WorkerGroup job;

    /**
     * A contestant without processes yet.
     *
     * @param path    by what the ranks reach each other
     * @param program what they run; stays the caller's
     * @param ranks   how many
     */
    MpiContestant(Path path, MpiProgram program, int ranks) {
        this.path = path;
        this.program = program;
        this.ranks = ranks;
    }

    @Override
    public String name() {
        return path.label;
    }

    @Override
    public List<String> algorithms(BenchOperation operation) {
        return List.of(CaseOrder.AUTO);
    }

    @Override
    public void start() throws WorkerFailure, InterruptedException {
        if (job == null) {
            String executable = program.executable().toString();
            String session = GroupEnvironment.randomSession("mpi");
            // To the harness the whole job is one process; the variables only mark it.
            GroupEnvironment environment = new GroupEnvironment("", session, 1, name(), "");
            job = WorkerGroup.start(environment, List.of(command(executable)));
            job.awaitAll(Worker.JOINED, START_LIMIT);
        }
    }

    private List<String> command(String executable) {
        boolean coreForEach = ranks <= Runtime.getRuntime().availableProcessors();
        List<String> command = new ArrayList<>(List.of("mpirun", "-np", Integer.toString(ranks)));
        command.addAll(List.of("--oversubscribe", "--bind-to", coreForEach ? "core:overload-allowed" : "none"));
        if ("root".equals(System.getProperty("user.name"))) {
            command.add("--allow-run-as-root");
        }
        // All on this machine: no remote shell is looked for, and nothing is left in the folder for temporary files.
        command.addAll(List.of("--mca", "plm", "isolated"));
        command.addAll(List.of("--mca", "orte_tmpdir_base", program.folder().toString()));
        command.addAll(List.of("--mca", "pml", "ob1", "--mca", "mpi_yield_when_idle", "1"));
        command.addAll(List.of(path.flags.split(" ", -1)));
        command.add(executable);
        return command;
    }

    @Override
    public Collection<CaseResult> measure(CaseOrder order) throws WorkerFailure, InterruptedException {
        start();
        job.tellAll(order.toMessage());
        Times times = new Times();
        List<Message> measured = new ArrayList<>();
        job.await(Set.of(0), DONE, SILENCE_LIMIT, message -> {
            if (message.kind().equals(TIMES)) {
                long[] ns = Arrays.stream(message.text("ns").split(",", -1))
                        .mapToLong(Long::parseLong)
                        .toArray();
                times.add(ns, ns.length);
            } else if (message.kind().equals(CaseResult.KIND)) {
                measured.add(message);
            }
        });
        return measured.stream().map(one -> result(one, times)).toList();
    }

    private static CaseResult result(Message message, Times times) {
        int rank = (int) message.number("rank");
        // What a rank has sent MPI does not tell, and there is no Java heap.
        Usage usage = new Usage(
                message.decimal("cpuNs"),
                message.decimal("contextSwitches"),
                Double.NaN,
                Double.NaN,
                message.decimal("peakMemoryBytes"));
        return new CaseResult(
                rank, message.text("mismatch"), message.text("algorithm"), rank == 0 ? times : new Times(), usage);
    }

    @Override
    public void end() throws WorkerFailure, InterruptedException {
        if (job != null) {
            job.end();
        }
    }

    @Override
    public void close() {
        if (job != null) {
            job.close();
        }
    }
}
