package io.zipcomm.simulation;

import io.zipcomm.Communicator;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.collectives.Collectives;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongBinaryOperator;
import java.util.random.RandomGenerator;

/**
 * One thing that all ranks of a group do together, with blocking calls, and the check of what came of it.
 *
 * @param kind     what
 * @param elements how much, in longs
 * @param pick     decides root, reduction and the like
 * @param number   of the step in its program
 * @param epoch    in which it runs; what is sent in one is not what is sent in another
 */
record Step(Kind kind, int elements, int pick, int number, int epoch) {

    private static final int ELEMENTS_MAX = 20_000;
    private static final int STREAM_MAX = 40;
    private static final int STREAM_ELEMENTS_MAX = 500;
    private static final int TAG_BASE = 100;
    private static final Duration SHORT = Duration.ofMillis(40);
    private static final long LATE_NS_MAX = 45_000_000;

    /** What there is. */
    enum Kind {
        BARRIER,
        BROADCAST,
        REDUCE,
        ALL_REDUCE,
        SCATTER,
        GATHER,
        ALL_GATHER,
        REDUCE_SCATTER,
        ALL_TO_ALL,
        RING,
        PAIRS,
        STREAM,
        ASYNC,
        SHORT_WAIT,
        TIMEOUT,
        SPLIT,
        DUPLICATE,
        COMPUTE
    }

    /** A result was not what it has to be. */
    static final class Wrong extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Wrong(String message) {
            super(message);
        }
    }

    private record Reduction(ReduceOp op, LongBinaryOperator function) {}

    private static final List<Reduction> REDUCTIONS = List.of(
            new Reduction(ReduceOp.SUM, Long::sum),
            new Reduction(ReduceOp.MIN, Math::min),
            new Reduction(ReduceOp.MAX, Math::max));

    static Step random(RandomGenerator random, int number) {
        Kind[] kinds = Kind.values();
        int elements = switch (random.nextInt(8)) {
            case 0 -> random.nextInt(3);
            case 1, 2, 3, 4, 5 -> random.nextInt(300);
            case 6 -> random.nextInt(ELEMENTS_MAX / 10);
            default -> random.nextInt(ELEMENTS_MAX);
        };
        return new Step(kinds[random.nextInt(kinds.length)], elements, random.nextInt(1 << 20), number, 0);
    }

    Step inEpoch(int now) {
        return new Step(kind, elements, pick, number, now);
    }

    /** Blocking calls one after the other, each of which has the time of an operation. */
    int calls() {
        return switch (kind) {
            case PAIRS -> 2;
            case SPLIT, DUPLICATE -> 3;
            case STREAM -> messages() + 1;
            default -> 1;
        };
    }

    private int messages() {
        return 1 + pick % STREAM_MAX;
    }

    /** Does it and checks it. */
    void run(Communicator group) {
        Collectives collectives = Collectives.of(group);
        int size = group.size();
        int rank = group.rank();
        int root = pick % size;
        switch (kind) {
            case BARRIER -> collectives.barrier();
            case BROADCAST -> {
                Payload message = rank == root ? filled(root, elements) : empty(elements);
                collectives.broadcast(message, root);
                check(message, 0, elements, root, 0);
            }
            case REDUCE -> {
                Payload target = empty(elements);
                collectives.reduce(filled(rank, elements), target, reduction().op, root);
                if (rank == root) {
                    checkReduced(target, 0, elements, size);
                }
            }
            case ALL_REDUCE -> allReduce(collectives, rank, size);
            case SCATTER -> {
                Payload target = empty(block());
                collectives.scatter(rank == root ? filled(root, block() * size) : null, target, root);
                check(target, 0, block(), root, rank * block());
            }
            case GATHER -> {
                Payload target = rank == root ? empty(block() * size) : null;
                collectives.gather(filled(rank, block()), target, root);
                if (rank == root) {
                    checkBlocks(target, size, 0);
                }
            }
            case ALL_GATHER -> {
                Payload target = empty(block() * size);
                collectives.allGather(filled(rank, block()), target);
                checkBlocks(target, size, 0);
            }
            case REDUCE_SCATTER -> {
                Payload target = empty(block());
                collectives.reduceScatter(filled(rank, block() * size), target, reduction().op);
                checkReduced(target, rank * block(), block(), size);
            }
            case ALL_TO_ALL -> {
                Payload target = empty(block() * size);
                collectives.allToAll(filled(rank, block() * size), target);
                checkBlocks(target, size, rank * block());
            }
            case RING -> ring(group, rank, size);
            case PAIRS -> pairs(group, rank, size);
            case STREAM -> stream(group, rank, size);
            case ASYNC -> async(collectives, rank, size, root);
            case SHORT_WAIT -> shortWait(collectives, rank, size);
            case TIMEOUT -> timeout(group, rank, size);
            case SPLIT -> split(group);
            case DUPLICATE -> {
                try (Communicator twin = group.duplicate()) {
                    allReduce(Collectives.of(twin), rank, size);
                }
            }
            case COMPUTE -> Fiber.current().rest(1L + Math.floorMod(mixed(rank, 0), 200_000_000L));
        }
    }

    private int block() {
        return elements / 4;
    }

    private Reduction reduction() {
        return REDUCTIONS.get(pick % REDUCTIONS.size());
    }

    private void allReduce(Collectives collectives, int rank, int size) {
        Payload message = filled(rank, elements);
        collectives.allReduce(message, reduction().op);
        checkReduced(message, 0, elements, size);
    }

    private void ring(Communicator group, int rank, int size) {
        if (size == 1) {
            return;
        }
        int left = (rank + size - 1) % size;
        Payload room = empty(elements);
        ZipFuture<Void> sent = group.sendAsync((rank + 1) % size, tag(), filled(rank, elements));
        ZipFuture<Long> received = group.receiveAsync(left, tag(), room);
        received.await();
        sent.await();
        check(room, 0, elements, left, 0);
    }

    /** Blocking on both sides, of neighbours in pairs. */
    private void pairs(Communicator group, int rank, int size) {
        int peer = rank ^ 1;
        if (peer >= size) {
            return;
        }
        Payload room = empty(elements);
        if (rank < peer) {
            group.send(peer, tag(), filled(rank, elements));
            group.receive(peer, tag(), room);
        } else {
            group.receive(peer, tag(), room);
            group.send(peer, tag(), filled(rank, elements));
        }
        check(room, 0, elements, peer, 0);
    }

    /** Many messages, all with the same tag: each comes once, and in its turn. */
    private void stream(Communicator group, int rank, int size) {
        int left = (rank + size - 1) % size;
        int messages = size == 1 ? 0 : messages();
        int length = Math.min(elements, STREAM_ELEMENTS_MAX);
        List<ZipFuture<Void>> sent = new ArrayList<>();
        for (int i = 0; i < messages; i++) {
            Payload message = empty(length);
            fill(message, rank, i * length);
            sent.add(group.sendAsync((rank + 1) % size, tag(), message));
        }
        for (int i = 0; i < messages; i++) {
            Payload room = empty(length);
            long bytes = group.receive(left, tag(), room);
            if (bytes != (long) length * Long.BYTES) {
                throw new Wrong(this + ": message " + i + " has " + bytes + " bytes, expected " + length + " elements");
            }
            check(room, 0, length, left, i * length);
        }
        sent.forEach(ZipFuture::await);
    }

    private void async(Collectives collectives, int rank, int size, int root) {
        Payload sum = filled(rank, elements);
        Payload told = rank == root ? filled(root, block()) : empty(block());
        List<ZipFuture<Void>> all = new ArrayList<>();
        all.add(collectives.allReduceAsync(sum, reduction().op));
        all.add(collectives.broadcastAsync(told, root));
        all.add(collectives.barrierAsync());
        ZipException first = null;
        for (ZipFuture<Void> one : all) {
            try {
                one.await();
            } catch (ZipException e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw first;
        }
        checkReduced(sum, 0, elements, size);
        check(told, 0, block(), root, 0);
    }

    private void shortWait(Collectives collectives, int rank, int size) {
        Payload sum = filled(rank, elements);
        ZipFuture<Void> done = collectives.allReduceAsync(sum, reduction().op);
        try {
            done.await(Duration.ofNanos(1 + pick * 10L));
        } catch (ZipException e) {
            if (done.isDone() || e.code() != ErrorCode.DEADLINE) {
                throw e;
            }
            done.await();
        }
        checkReduced(sum, 0, elements, size);
    }

    /** A message that nobody sends: the time is kept. */
    private void timeout(Communicator group, int rank, int size) {
        if (size == 1) {
            return;
        }
        Host host = Fiber.current().host();
        long beganNs = host.time().nowNs();
        long frozenNs = host.frozenNs();
        try {
            group.withTimeout(SHORT).receive((rank + 1) % size, 1, empty(elements));
        } catch (ZipException e) {
            if (e.code() != ErrorCode.DEADLINE) {
                throw e;
            }
            long tookNs = host.time().nowNs() - beganNs - (host.frozenNs() - frozenNs);
            if (tookNs > SHORT.toNanos() + LATE_NS_MAX) {
                throw new Wrong("a receive with a timeout of " + SHORT + " took " + tookNs / 1000 + " us");
            }
            return;
        }
        throw new Wrong("received what nobody sent");
    }

    private void split(Communicator group) {
        int colour = Math.floorMod(mixed(group.rank(), 1), 2);
        try (Communicator part = group.split(colour, -group.rank())) {
            allReduce(Collectives.of(part), part.rank(), part.size());
        }
    }

    private int tag() {
        return TAG_BASE + number;
    }

    // ---- contents

    private long mixed(int rank, int index) {
        long x = (number + ((long) epoch << 16)) * 0x9e3779b97f4a7c15L
                + rank * 0xbf58476d1ce4e5b9L
                + index * 0x94d049bb133111ebL;
        x ^= x >>> 29;
        return x * 0xff51afd7ed558ccdL;
    }

    private boolean inArray() {
        return (pick & 1024) != 0;
    }

    private Payload empty(int count) {
        return inArray()
                ? Payload.of(new long[count])
                : Payload.of(
                        ByteBuffer.allocateDirect(count * Long.BYTES).order(ByteOrder.nativeOrder()), DataType.INT64);
    }

    private Payload filled(int rank, int count) {
        Payload payload = empty(count);
        fill(payload, rank, 0);
        return payload;
    }

    private void fill(Payload payload, int rank, int firstIndex) {
        LongBuffer values = values(payload);
        for (int i = 0; i < values.limit(); i++) {
            values.put(i, mixed(rank, firstIndex + i));
        }
    }

    private static LongBuffer values(Payload payload) {
        return payload.direct() != null
                ? payload.direct().duplicate().order(ByteOrder.nativeOrder()).asLongBuffer()
                : LongBuffer.wrap((long[]) payload.array());
    }

    private void check(Payload got, int from, int count, int rank, int firstIndex) {
        LongBuffer values = values(got);
        for (int i = 0; i < count; i++) {
            compare(values, from + i, mixed(rank, firstIndex + i));
        }
    }

    private void checkBlocks(Payload got, int size, int firstIndex) {
        for (int rank = 0; rank < size; rank++) {
            check(got, rank * block(), block(), rank, firstIndex);
        }
    }

    private void checkReduced(Payload got, int firstIndex, int count, int size) {
        LongBinaryOperator function = reduction().function;
        LongBuffer values = values(got);
        for (int i = 0; i < count; i++) {
            long expected = mixed(0, firstIndex + i);
            for (int rank = 1; rank < size; rank++) {
                expected = function.applyAsLong(expected, mixed(rank, firstIndex + i));
            }
            compare(values, i, expected);
        }
    }

    private void compare(LongBuffer got, int index, long expected) {
        if (got.get(index) != expected) {
            throw new Wrong(this + ": element " + index + " is " + got.get(index) + ", expected " + expected);
        }
    }
}
