package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.report.CostModel;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import java.util.Collection;
import java.util.List;

/**
 * Processes of one group size that measure cases when asked, one order at a time, and use no processor while idle: other
 * contestants are measured meanwhile. Made without processes; they start with {@link #start}, or with the first order.
 *
 * <p>Thread: one. After a {@link WorkerFailure} it is only closed; the run makes another one.
 */
interface Contestant extends AutoCloseable {

    /** What stands in the column of the transport: {@code tcp}, {@code relay}, {@code redis}, {@code mpi-tcp}, ... Never fails. */
    String name();

    /**
     * How it does an operation, in the words of the column of the algorithm: one row each. Needs no processes.
     *
     * @return empty if it cannot do it; {@link CaseOrder#AUTO} alone if it chooses by itself
     */
    List<String> algorithms(BenchOperation operation);

    /** Starts the processes and has them connect, so that the first row does not tell of it. */
    void start() throws WorkerFailure, InterruptedException;

    /** Whether its rows are rated by what {@link #probe} finds. Needs no processes. */
    default boolean hasProbe() {
        return false;
    }

    /**
     * Measures what a message costs in this group, now: a short ping-pong and a saturated stream. Blocks until it is done.
     *
     * @return {@link CostModel#UNKNOWN} if it has no probe
     */
    default CostModel probe() throws WorkerFailure, InterruptedException {
        return CostModel.UNKNOWN;
    }

    /**
     * Measures a slice of a row. Blocks until it is done.
     *
     * @return a result of each rank, or of rank 0 alone with the usage of all; that of rank 0 has the times
     */
    Collection<CaseResult> measure(CaseOrder order) throws WorkerFailure, InterruptedException;

    /**
     * Has the processes leave in good order, as far as that is part of what is tested. Measures no more.
     *
     * @throws WorkerFailure if one did not
     */
    default void end() throws WorkerFailure, InterruptedException {}

    /** Ends the processes, whatever they do. */
    @Override
    void close();
}
