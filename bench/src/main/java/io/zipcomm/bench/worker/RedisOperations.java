package io.zipcomm.bench.worker;

import io.zipcomm.bench.plan.BenchOperation;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The operations as serverless programs do them that meet in a store. Blocks go from their owner to whoever needs them;
 * what a rank owes itself does not go through the store. An all-reduce is done in one of two ways:
 * {@value #GATHER}: the root takes the numbers of all, adds them up and publishes the sums; {@value #SCATTER_REDUCE}: every
 * rank takes one share of the numbers of all, adds it up and publishes its sums.
 */
final class RedisOperations implements Operations {

    /** Through the root. */
    static final String GATHER = "gather";

    /** Every rank adds up a share. */
    static final String SCATTER_REDUCE = "scatter-reduce";

    private static final String LISTS = "lists";

    private final RedisMail mail;
    private final int rank;
    private final int ranks;
    private final int[] others;
    private final String asked;
    private String algorithm = LISTS;

    RedisOperations(RedisMail mail, String algorithm) {
        this.mail = mail;
        rank = mail.rank();
        ranks = mail.ranks();
        others = mail.others();
        asked = algorithm;
    }

    /** The ways there are to do an operation. */
    static List<String> algorithms(BenchOperation operation) {
        return switch (operation) {
            case ALLREDUCE -> List.of(GATHER, SCATTER_REDUCE);
            case BARRIER -> List.of("counter");
            case PINGPONG, SCATTER, GATHER, ALLTOALL -> List.of("one-to-one");
            case BROADCAST, ALLGATHER -> List.of("publish");
            case REDUCE -> List.of(RedisOperations.GATHER);
            case REDUCESCATTER -> List.of(SCATTER_REDUCE);
        };
    }

    @Override
    public String algorithm() {
        return algorithm;
    }

    private void use(BenchOperation operation) {
        List<String> known = algorithms(operation);
        algorithm = asked.equals(CaseOrder.AUTO) ? known.get(known.size() - 1) : asked;
        if (!known.contains(algorithm)) {
            throw new IllegalArgumentException(
                    "redis does " + operation.label() + " by " + known + ", not by '" + asked + "'");
        }
    }

    @Override
    public Runnable barrier() {
        use(BenchOperation.BARRIER);
        return mail::barrier;
    }

    @Override
    public Runnable ping(ByteBuffer sent, ByteBuffer received) {
        use(BenchOperation.PINGPONG);
        RedisMemory source = whole(sent);
        RedisMemory target = whole(received);
        return () -> {
            mail.send(1, source);
            mail.receive(1, target);
            mail.await();
        };
    }

    @Override
    public Runnable pong(ByteBuffer buffer) {
        use(BenchOperation.PINGPONG);
        RedisMemory memory = whole(buffer);
        return () -> {
            mail.receive(0, memory);
            mail.await();
            mail.send(0, memory);
            mail.await();
        };
    }

    @Override
    public Runnable broadcast(ByteBuffer buffer) {
        use(BenchOperation.BROADCAST);
        RedisMemory memory = whole(buffer);
        return () -> {
            if (rank == ROOT) {
                mail.publish(memory);
            } else {
                mail.receivePublished(ROOT, memory);
            }
            mail.await();
        };
    }

    @Override
    public Runnable scatter(ByteBuffer from, Blocks blocks, ByteBuffer to) {
        use(BenchOperation.SCATTER);
        if (rank != ROOT) {
            RedisMemory target = whole(to);
            return () -> {
                mail.receive(ROOT, target);
                mail.await();
            };
        }
        RedisMemory[] parts = parts(from, blocks);
        return () -> {
            sendToOthers(parts);
            to.put(0, from, blocks.start(ROOT), blocks.length(ROOT));
            mail.await();
        };
    }

    @Override
    public Runnable gather(ByteBuffer from, ByteBuffer to, Blocks blocks) {
        use(BenchOperation.GATHER);
        if (rank != ROOT) {
            RedisMemory source = whole(from);
            return () -> {
                mail.send(ROOT, source);
                mail.await();
            };
        }
        RedisMemory[] parts = parts(to, blocks);
        return () -> {
            receiveFromOthers(parts);
            to.put(blocks.start(ROOT), from, 0, blocks.length(ROOT));
            mail.await();
        };
    }

    @Override
    public Runnable allGather(ByteBuffer from, ByteBuffer to, Blocks blocks) {
        use(BenchOperation.ALLGATHER);
        RedisMemory source = whole(from);
        RedisMemory[] parts = parts(to, blocks);
        return () -> {
            mail.publish(source);
            for (int peer : others) {
                mail.receivePublished(peer, parts[peer]);
            }
            to.put(blocks.start(rank), from, 0, blocks.length(rank));
            mail.await();
        };
    }

    @Override
    public Runnable allToAll(ByteBuffer from, Blocks sending, ByteBuffer to, Blocks arriving) {
        use(BenchOperation.ALLTOALL);
        RedisMemory[] sources = parts(from, sending);
        RedisMemory[] targets = parts(to, arriving);
        return () -> {
            sendToOthers(sources);
            receiveFromOthers(targets);
            to.put(arriving.start(rank), from, sending.start(rank), sending.length(rank));
            mail.await();
        };
    }

    @Override
    public Runnable reduce(Numbers from, Numbers to) {
        use(BenchOperation.REDUCE);
        return sumAtRoot(from, to);
    }

    private Runnable sumAtRoot(Numbers from, Numbers to) {
        RedisMemory source = RedisMemory.of(from, 0, from.count());
        if (rank != ROOT) {
            return () -> {
                mail.send(ROOT, source);
                mail.await();
            };
        }
        RedisMemory sums = RedisMemory.summing(to, 0, to.count());
        return () -> {
            to.copy(0, from, 0, to.count());
            for (int peer : others) {
                mail.receive(peer, sums);
            }
            mail.await();
        };
    }

    @Override
    public Runnable allReduce(Numbers from, Numbers to) {
        use(BenchOperation.ALLREDUCE);
        return algorithm.equals(GATHER) ? allReduceByGather(from, to) : allReduceByShares(from, to);
    }

    private Runnable allReduceByGather(Numbers from, Numbers to) {
        RedisMemory sums = RedisMemory.of(to, 0, to.count());
        if (rank != ROOT) {
            RedisMemory source = RedisMemory.of(from, 0, from.count());
            return () -> {
                mail.send(ROOT, source);
                mail.receivePublished(ROOT, sums);
                mail.await();
            };
        }
        Runnable sum = sumAtRoot(from, to);
        return () -> {
            sum.run();
            mail.publish(sums);
            mail.await();
        };
    }

    private Runnable allReduceByShares(Numbers from, Numbers to) {
        Blocks shares = new Blocks(to.count(), ranks);
        Runnable sum = sumShare(from, shares, to, shares.start(rank));
        RedisMemory own = RedisMemory.of(to, shares.start(rank), shares.length(rank));
        RedisMemory[] all = parts(to, shares);
        return () -> {
            sum.run();
            mail.publish(own);
            for (int peer : others) {
                mail.receivePublished(peer, all[peer]);
            }
            mail.await();
        };
    }

    @Override
    public Runnable reduceScatter(Numbers from, Blocks blocks, Numbers to) {
        use(BenchOperation.REDUCESCATTER);
        return sumShare(from, blocks, to, 0);
    }

    /** This rank's share of the sums, to be found in {@code to} from {@code start} on. */
    private Runnable sumShare(Numbers from, Blocks shares, Numbers to, int start) {
        RedisMemory[] sources = parts(from, shares);
        RedisMemory sums = RedisMemory.summing(to, start, shares.length(rank));
        return () -> {
            to.copy(start, from, shares.start(rank), shares.length(rank));
            sendToOthers(sources);
            for (int peer : others) {
                mail.receive(peer, sums);
            }
            mail.await();
        };
    }

    private void sendToOthers(RedisMemory[] parts) {
        for (int peer : others) {
            mail.send(peer, parts[peer]);
        }
    }

    private void receiveFromOthers(RedisMemory[] parts) {
        for (int peer : others) {
            mail.receive(peer, parts[peer]);
        }
    }

    private static RedisMemory whole(ByteBuffer buffer) {
        return RedisMemory.of(buffer, 0, buffer.capacity());
    }

    private static RedisMemory[] parts(ByteBuffer buffer, Blocks blocks) {
        RedisMemory[] parts = new RedisMemory[blocks.ranks()];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = RedisMemory.of(buffer, blocks.start(i), blocks.length(i));
        }
        return parts;
    }

    private static RedisMemory[] parts(Numbers numbers, Blocks blocks) {
        RedisMemory[] parts = new RedisMemory[blocks.ranks()];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = RedisMemory.of(numbers, blocks.start(i), blocks.length(i));
        }
        return parts;
    }
}
