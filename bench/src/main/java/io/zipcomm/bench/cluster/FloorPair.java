package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchOperation;
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

/** Two processes that play ping-pong with plain sockets. */
final class FloorPair implements Contestant {

    static final int RANKS = 2;

    private static final String ALGORITHM = "nio-spin";
    private static final Duration START_LIMIT = Duration.ofSeconds(20);
    private static final Duration MEASURE_LIMIT = Duration.ofMinutes(2);

    private final String name;
    private final Via via;
    private WorkerGroup pair;

    /** Where to connect so as to arrive at a port. */
    interface Via {

        /** Called once, when somebody listens there. */
        int portTo(int port) throws WorkerFailure, InterruptedException;
    }

    /** Sockets from one process to the other. */
    FloorPair() {
        this(Row.FLOOR, port -> port);
    }

    /** With something between them. */
    FloorPair(String name, Via via) {
        this.name = name;
        this.via = via;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<String> algorithms(BenchOperation operation) {
        return operation == BenchOperation.PINGPONG ? List.of(ALGORITHM) : List.of();
    }

    @Override
    public void start() throws WorkerFailure, InterruptedException {
        if (pair == null) {
            // Nothing of the library runs in these processes: the variables only mark them.
            String session = GroupEnvironment.randomSession("floor");
            GroupEnvironment environment = new GroupEnvironment("", session, RANKS, "tcp", "");
            pair = WorkerGroup.start(environment, ChildJvm.flags(), FloorWorker.class);
            Message listening =
                    pair.await(Set.of(1), FloorWorker.LISTENING, START_LIMIT).get(1);
            pair.tell(0, Message.of(FloorWorker.CONNECT).with("port", via.portTo((int) listening.number("port"))));
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
                        new CaseResult(result.rank(), result.mismatch(), ALGORITHM, result.times(), result.usage()))
                .toList();
    }

    @Override
    public void close() {
        if (pair != null) {
            pair.close();
        }
    }
}
