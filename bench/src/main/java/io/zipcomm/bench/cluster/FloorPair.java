package io.zipcomm.bench.cluster;

import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.FloorWorker;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.bench.worker.Worker;
import java.time.Duration;
import java.util.Set;

/** The two processes that play ping-pong with plain sockets. They start when first needed and rest between orders. */
final class FloorPair implements AutoCloseable {

    /** What stands in the column of the algorithm. */
    static final String ALGORITHM = "nio-spin";

    private static final Duration START_LIMIT = Duration.ofSeconds(20);
    private static final Duration MEASURE_LIMIT = Duration.ofMinutes(2);

    private WorkerGroup pair;

    /** Measures one size, or adds to the times of the order before. */
    CaseResult measure(CaseOrder order) throws WorkerFailure, InterruptedException {
        if (pair == null) {
            pair = start();
        }
        pair.tellAll(order.toMessage());
        return CaseResult.from(pair.awaitAll(CaseResult.KIND, MEASURE_LIMIT).get(0));
    }

    private static WorkerGroup start() throws WorkerFailure, InterruptedException {
        // Nothing of the library runs in these processes: the variables only mark them.
        GroupEnvironment environment = new GroupEnvironment("", GroupEnvironment.randomSession("floor"), 2, "tcp", "");
        WorkerGroup pair = WorkerGroup.start(environment, ChildJvm.flags(), FloorWorker.class);
        try {
            Message listening =
                    pair.await(Set.of(1), FloorWorker.LISTENING, START_LIMIT).get(1);
            pair.tell(0, Message.of(FloorWorker.CONNECT).with("port", listening.number("port")));
            pair.awaitAll(Worker.JOINED, START_LIMIT);
            return pair;
        } catch (WorkerFailure | InterruptedException e) {
            pair.close();
            throw e;
        }
    }

    @Override
    public void close() {
        if (pair != null) {
            pair.close();
        }
    }
}
