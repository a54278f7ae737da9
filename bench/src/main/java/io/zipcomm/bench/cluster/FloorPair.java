package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.plan.Means;
import io.zipcomm.bench.report.Row;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.FloorWorker;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.bench.worker.Worker;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Two processes that play ping-pong over plain sockets, or through shared memory. */
final class FloorPair implements Contestant {

    static final int RANKS = 2;

    private static final Duration START_LIMIT = Duration.ofSeconds(20);
    private static final Duration MEASURE_LIMIT = Duration.ofMinutes(2);

    private final String name;
    private final Means means;
    private final Via via;
    private WorkerGroup pair;

    /** Where to connect so as to arrive at a port. */
    interface Via {

        /** Called once, when somebody listens there. */
        int portTo(int port) throws WorkerFailure, InterruptedException;
    }

    /** From one process to the other. */
    FloorPair(Means means) {
        this(Row.FLOOR, means, port -> port);
    }

    /** Sockets with something between them. */
    FloorPair(String name, Via via) {
        this(name, Means.SOCKETS, via);
    }

    private FloorPair(String name, Means means, Via via) {
        this.name = name;
        this.means = means;
        this.via = via;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<String> algorithms(BenchOperation operation) {
        return operation == BenchOperation.PINGPONG ? List.of(means.floor()) : List.of();
    }

    @Override
    public void start() throws WorkerFailure, InterruptedException {
        if (pair == null) {
            // Nothing of the library runs in these processes: the variables only mark them.
            String session = GroupEnvironment.randomSession("floor");
            GroupEnvironment environment = new GroupEnvironment("", session, RANKS, "tcp", "");
            pair = WorkerGroup.start(
                    environment,
                    Stream.of("0", "1")
                            .map(rank -> ChildJvm.command(ChildJvm.flags(), FloorWorker.class, rank, means.floor()))
                            .toList());
            Message listening =
                    pair.await(Set.of(1), FloorWorker.LISTENING, START_LIMIT).get(1);
            String place = listening.text(FloorWorker.PLACE);
            pair.tell(
                    0,
                    Message.of(FloorWorker.CONNECT)
                            .with(
                                    FloorWorker.PLACE,
                                    means == Means.SOCKETS ? via.portTo(Integer.parseInt(place)) : place));
            pair.awaitAll(Worker.JOINED, START_LIMIT);
        }
    }

    @Override
    public Collection<CaseResult> measure(CaseOrder order) throws WorkerFailure, InterruptedException {
        start();
        pair.tellAll(order.toMessage());
        return pair.awaitAll(CaseResult.KIND, MEASURE_LIMIT).values().stream()
                .map(CaseResult::from)
                .map(result ->
                        new CaseResult(result.rank(), result.mismatch(), means.floor(), result.times(), result.usage()))
                .toList();
    }

    @Override
    public void close() {
        if (pair != null) {
            pair.close();
        }
    }
}
