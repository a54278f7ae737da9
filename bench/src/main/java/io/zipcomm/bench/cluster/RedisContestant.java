package io.zipcomm.bench.cluster;

import io.zipcomm.bench.plan.BenchOperation;
import io.zipcomm.bench.worker.CaseOrder;
import io.zipcomm.bench.worker.CaseResult;
import io.zipcomm.bench.worker.RedisStyle;
import io.zipcomm.bench.worker.RedisWorker;
import io.zipcomm.bench.worker.Worker;
import java.time.Duration;
import java.util.Collection;
import java.util.List;

/** Java processes that talk through a Redis server, as serverless functions do that cannot reach each other. */
final class RedisContestant implements Contestant {

    private static final Duration JOIN_LIMIT = Duration.ofSeconds(45);

    /** Longer than a worker's own limit, which says more when it passes. */
    private static final Duration SILENCE_LIMIT = Duration.ofSeconds(75);

    private final RedisAddress address;
    private final RedisStyle style;
    private final GroupEnvironment environment;
    private WorkerGroup workers;

    /**
     * A contestant without processes yet.
     *
     * @param address of the server, which others may use too
     * @param style   how they use it
     * @param ranks   how many processes
     */
    RedisContestant(RedisAddress address, RedisStyle style, int ranks) {
        this.address = address;
        this.style = style;
        String session = GroupEnvironment.randomSession("bench");
        environment = new GroupEnvironment(address.uri(), session, ranks, name(), "");
    }

    @Override
    public String name() {
        return style.label();
    }

    @Override
    public List<String> algorithms(BenchOperation operation) {
        return RedisWorker.algorithms(operation);
    }

    @Override
    public void start() throws WorkerFailure, InterruptedException {
        if (workers == null) {
            address.version();
            workers = WorkerGroup.start(environment, ChildJvm.flags(), RedisWorker.class);
            workers.awaitAll(Worker.JOINED, JOIN_LIMIT);
        }
    }

    @Override
    public Collection<CaseResult> measure(CaseOrder order) throws WorkerFailure, InterruptedException {
        start();
        return workers.measure(order, SILENCE_LIMIT);
    }

    @Override
    public void end() throws WorkerFailure, InterruptedException {
        if (workers != null) {
            workers.end();
        }
    }

    @Override
    public void close() {
        if (workers == null) {
            return;
        }
        workers.close();
        try {
            address.removeKeys(RedisWorker.keyPrefix(environment.session()));
        } catch (WorkerFailure e) {
            // The server is gone, and the keys with it.
        }
    }
}
