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
    private static final int WORD_TAG_BASE = 200;

    // What ranks do differently in a step that cancels something.
    private static final int AT = 1000;
    private static final int SEND = 1001;
    private static final int RECEIVE = 1002;
    private static final int COLLECTIVE = 1003;

    /** Steps run again in the next epoch, and epochs are limited. */
    private static final int ON_WORLD_ONE_IN = 8;

    private static final int CANCEL_BITS = 25;
    private static final Duration BRIEF = Duration.ofSeconds(2);
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
        COMPUTE,
        CANCEL_MESSAGE,
        CANCEL_ON_TWIN,
        /** Takes all to the next epoch. */
        CANCEL_ON_WORLD
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

    /**
     * Any step.
     *
     * @param changes whether it may end the epoch
     */
    static Step random(RandomGenerator random, int number, boolean changes) {
        int kinds = Kind.values().length - (changes ? 0 : 1);
        int elements = switch (random.nextInt(8)) {
            case 0 -> random.nextInt(3);
            case 1, 2, 3, 4, 5 -> random.nextInt(300);
            case 6 -> random.nextInt(ELEMENTS_MAX / 10);
            default -> random.nextInt(ELEMENTS_MAX);
        };
        return new Step(Kind.values()[random.nextInt(kinds)], elements, random.nextInt(1 << 20), number, 0);
    }

    Step inEpoch(int now) {
        return new Step(kind, elements, pick, number, now);
    }

    /** Blocking calls one after the other, each of which has the time of an operation. */
    int calls() {
        return switch (kind) {
            case PAIRS -> 2;
            case SPLIT, DUPLICATE -> 3;
            case CANCEL_MESSAGE -> 6;
            case CANCEL_ON_TWIN -> 4;
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
            case CANCEL_MESSAGE -> cancelMessage(group, rank, size);
            case CANCEL_ON_TWIN -> {
                try (Communicator twin = group.duplicate()) {
                    cancelOnTwin(collectives, Collectives.of(twin), rank, size);
                }
            }
            case CANCEL_ON_WORLD -> cancelOnWorld(collectives, rank, size);
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

    // ---- what is cancelled

    /** Whether a rank cancels something here, if it has not ended by then; all know it of each other. */
    private boolean cancels(int rank, int what, int oneIn) {
        return Math.floorMod(mixed(rank, what), oneIn) == 0;
    }

    /** Some ns to some ms. */
    private void restBeforeCancel(int rank) {
        Fiber.current().rest(1L << Math.floorMod(mixed(rank, AT), CANCEL_BITS));
    }

    /** Cancels something that has perhaps ended; says whether it had not. What is cancelled ends as such and at once. */
    private boolean cancel(ZipFuture<?> future) {
        boolean done = future.isDone();
        boolean cancelled = future.cancel(false);
        if (cancelled == done || !future.isDone() || future.isCancelled() != cancelled) {
            throw new Wrong(this + ": cancel said " + cancelled + " of " + future + ", done before: " + done);
        }
        if (cancelled && codeOf(future) != ErrorCode.CANCELLED) {
            throw new Wrong(this + ": cancelled, but ended with " + codeOf(future));
        }
        return cancelled;
    }

    /** How something ended; null if it went well. */
    private static ErrorCode codeOf(ZipFuture<?> future) {
        try {
            future.await();
            return null;
        } catch (ZipException e) {
            return e.code();
        }
    }

    private static ErrorCode codeOfBarrier(Collectives collectives) {
        try {
            collectives.barrier();
            return null;
        } catch (ZipException e) {
            return e.code();
        }
    }

    /**
     * Messages around a ring, some of which sender or receiver cancels. The communicator stays as it is: each sender tells its receiver by another
     * message whether the first went out, and then nothing of it is left anywhere.
     */
    private void cancelMessage(Communicator group, int rank, int size) {
        if (size == 1) {
            return;
        }
        int left = (rank + size - 1) % size;
        int right = (rank + 1) % size;
        boolean sure = !cancels(rank, SEND, 2) && !cancels(right, RECEIVE, 2);
        boolean sureLeft = !cancels(left, SEND, 2) && !cancels(rank, RECEIVE, 2);
        Communicator brief = group.withTimeout(BRIEF);
        Payload room = empty(elements);
        ZipFuture<Void> sent = (sure ? group : brief).sendAsync(right, tag(), filled(rank, elements));
        ZipFuture<Long> received = (sureLeft ? group : brief).receiveAsync(left, tag(), room);
        restBeforeCancel(rank);
        if (cancels(rank, SEND, 2)) {
            cancel(sent);
        }
        if (cancels(rank, RECEIVE, 2)) {
            cancel(received);
        }
        boolean went = ended(sent, sure);
        Payload word = Payload.of(new long[] {went ? 1 : 0});
        Payload wordLeft = Payload.of(new long[1]);
        ZipFuture<Void> told = group.sendAsync(right, wordTag(), word);
        group.receive(left, wordTag(), wordLeft);
        told.await();
        boolean came = values(wordLeft).get(0) == 1;
        if (!came) {
            // Nothing comes any more: the time for waiting may go on all the same.
            received.cancel(false);
        }
        if (ended(received, sureLeft)) {
            check(room, 0, elements, left, 0);
        } else if (came) {
            // It is here and nobody has asked for it, or was thrown away on its way into the receive that was
            // cancelled.
            Payload again = empty(elements);
            ZipFuture<Long> late = group.withTimeout(SHORT).receiveAsync(left, tag(), again);
            if (ended(late, false)) {
                check(again, 0, elements, left, 0);
            }
        }
    }

    /** Whether a message went well; else it ended as one may that either side cancels. */
    private boolean ended(ZipFuture<?> future, boolean sure) {
        try {
            future.await();
            return true;
        } catch (ZipException e) {
            boolean may = e.code() == ErrorCode.CANCELLED
                    || e.code() == ErrorCode.DEADLINE
                    || (e.code() == ErrorCode.PEER_FAILED && e.reason().endsWith("withdrew the message"));
            if (sure || !may) {
                throw e;
            }
            return false;
        }
    }

    /** A collective that some cancel is over for all, and so is its communicator for collectives, but no other communicator is. */
    private void cancelOnTwin(Collectives world, Collectives twin, int rank, int size) {
        Payload sum = filled(rank, elements);
        boolean cancelled = false;
        ZipException failure = null;
        try {
            ZipFuture<Void> done = twin.allReduceAsync(sum, reduction().op);
            restBeforeCancel(rank);
            cancelled = cancels(rank, COLLECTIVE, 3) && cancel(done);
            done.await();
        } catch (ZipException e) {
            failure = e;
        }
        boolean others = false;
        for (int other = 0; other < size; other++) {
            others |= other != rank && cancels(other, COLLECTIVE, 3);
        }
        ErrorCode code = failure == null ? null : failure.code();
        // Who hears of it before it begins is told what was before.
        boolean told = others && (code == ErrorCode.PEER_FAILED || code == ErrorCode.COMMUNICATOR_FAILED);
        if (code == null) {
            checkReduced(sum, 0, elements, size);
        } else if (cancelled || told) {
            ErrorCode next = codeOfBarrier(twin);
            if (next != ErrorCode.COMMUNICATOR_FAILED && !isOver(next)) {
                throw new Wrong(this + ": ended with " + code + ", and then a barrier with " + next);
            }
        } else {
            throw failure;
        }
        // Who closes the twin before all have heard looks as if it had left.
        world.barrier();
    }

    /** Of a communicator that has lost a member, or was revoked with the world. */
    private static boolean isOver(ErrorCode code) {
        return code == ErrorCode.PEER_LOST
                || code == ErrorCode.REVOKED
                || code == ErrorCode.EXPELLED
                || code == ErrorCode.RELAY_LOST;
    }

    private void cancelOnWorld(Collectives world, int rank, int size) {
        Payload sum = filled(rank, elements);
        ZipFuture<Void> done = world.allReduceAsync(sum, reduction().op);
        restBeforeCancel(rank);
        if (cancels(rank, COLLECTIVE, ON_WORLD_ONE_IN)) {
            cancel(done);
        }
        done.await();
        checkReduced(sum, 0, elements, size);
    }

    /** Whether a rank ends its own operation in a call. */
    static boolean mayCancel(String call, int rank, int epoch) {
        return isStep(call)
                && kindOf(call) == Kind.CANCEL_ON_WORLD
                && new Step(Kind.CANCEL_ON_WORLD, 0, 0, numberOf(call), epoch)
                        .cancels(rank, COLLECTIVE, ON_WORLD_ONE_IN);
    }

    private static int numberOf(String call) {
        String begin = "number=";
        int from = call.indexOf(begin) + begin.length();
        int to = from;
        while (Character.isDigit(call.charAt(to))) {
            to++;
        }
        return Integer.parseInt(call.substring(from, to));
    }

    /** Whether a call is a step, by its text. */
    static boolean isStep(String call) {
        return call.startsWith(Step.class.getSimpleName());
    }

    /** What a step is, by its text. */
    static Kind kindOf(String call) {
        String begin = "kind=";
        int from = call.indexOf(begin) + begin.length();
        return Kind.valueOf(call.substring(from, call.indexOf(',', from)));
    }

    private int wordTag() {
        return WORD_TAG_BASE + number;
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

    /** What a rank sends. */
    Payload filled(int rank, int count) {
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

    /** All elements: the transport has its own position and limit on the memory. */
    private static LongBuffer values(Payload payload) {
        return payload.direct() != null
                ? payload.direct()
                        .duplicate()
                        .clear()
                        .order(ByteOrder.nativeOrder())
                        .asLongBuffer()
                : LongBuffer.wrap((long[]) payload.array());
    }

    /** Expects some of what a rank sends, from one of its elements on. */
    void check(Payload got, int from, int count, int rank, int firstIndex) {
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
