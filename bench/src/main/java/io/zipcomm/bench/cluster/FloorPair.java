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

    private WorkerGroup pair;

    @Override
    public String name() {
        return Row.FLOOR;
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
            pair.tell(0, Message.of(FloorWorker.CONNECT).with("port", listening.number("port")));
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
