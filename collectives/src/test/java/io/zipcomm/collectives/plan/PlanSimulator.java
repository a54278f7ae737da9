package io.zipcomm.collectives.plan;

import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.collectives.ReduceOp;
import io.zipcomm.collectives.kernel.Kernel;
import io.zipcomm.collectives.kernel.Reduction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Runs the plans of all ranks of one operation on one thread, in an order that a seed decides: which ready step starts,
 * which message moves, whether a send ends before its receive is posted, in which pieces a message arrives, and where in
 * a segment.
 */
public final class PlanSimulator {

    private static final int PIECE_ALIGNMENT = 8;

    private record Message(int from, int to, int ordinal) {}

    private final class Rank {
        final Plan plan;
        final Shape shape;
        final Binding binding;
        final Kernel kernel;
        final int[] waits;
        final List<Integer> ready = new ArrayList<>();
        final boolean[] ended;
        final Map<Integer, Integer> postedSends = new HashMap<>();
        final Map<Integer, Integer> postedReceives = new HashMap<>();
        int endedCount;
        long bytesSent;
        int messagesSent;

        Rank(Plan plan, Shape shape, Payload source, Payload target) {
            this.plan = plan;
            this.shape = shape;
            binding = new Binding(pool);
            binding.bind(source, target, plan.scratchBytes());
            kernel = shape.type() == null ? null : Kernel.of(shape.type());
            waits = plan.waits().clone();
            ended = new boolean[plan.steps()];
            for (int step : plan.first()) {
                ready.add(step);
            }
        }
    }

    /** A message of which one side or both are posted; -1 is the side that is not. */
    private static final class Transfer {
        int sender = -1;
        int receiver = -1;
        boolean senderEnded;
        Segment kept;
    }

    private final SplittableRandom random;
    private final ReduceOp op;
    private final boolean eager;
    private final Scratch.Pool pool = new Scratch.Pool();
    private final Copier copier = new Copier();
    private final List<Rank> ranks = new ArrayList<>();
    private final Map<Message, Transfer> transfers = new HashMap<>();
    private final List<Message> movable = new ArrayList<>();

    /**
     * For one run.
     *
     * @param op   how to combine; null where data only moves
     * @param seed decides the order; an even one lets sends end early
     */
    public PlanSimulator(ReduceOp op, long seed) {
        this.op = op;
        random = new SplittableRandom(seed);
        eager = seed % 2 == 0;
    }

    /** Adds the next rank. */
    public void add(Plan plan, Shape shape, Payload source, Payload target) {
        ranks.add(new Rank(plan, shape, source, target));
    }

    /** Bytes that a rank has sent. */
    public long bytesSent(int rank) {
        return ranks.get(rank).bytesSent;
    }

    /** Messages that a rank has sent. */
    public int messagesSent(int rank) {
        return ranks.get(rank).messagesSent;
    }

    /** Runs all plans to their end. */
    public void run() {
        List<Rank> startable = new ArrayList<>();
        while (true) {
            startable.clear();
            for (Rank rank : ranks) {
                if (!rank.ready.isEmpty()) {
                    startable.add(rank);
                }
            }
            int choices = startable.size() + movable.size();
            if (choices == 0) {
                break;
            }
            int choice = random.nextInt(choices);
            if (choice < startable.size()) {
                Rank rank = startable.get(choice);
                start(rank, rank.ready.remove(random.nextInt(rank.ready.size())));
            } else {
                move(movable.remove(choice - startable.size()));
            }
        }
        for (int i = 0; i < ranks.size(); i++) {
            Rank rank = ranks.get(i);
            require(
                    rank.endedCount == rank.ended.length,
                    "rank " + i + " is stuck after " + rank.endedCount + " of " + rank.ended.length + " steps: "
                            + Arrays.toString(rank.waits));
            rank.binding.unbind();
        }
        require(transfers.isEmpty(), "messages were left over: " + transfers.keySet());
    }

    private static void require(boolean condition, String failure) {
        if (!condition) {
            throw new AssertionError(failure);
        }
    }

    private void start(Rank rank, int step) {
        Plan plan = rank.plan;
        int self = rank.shape.rank();
        int peer = plan.peer(step);
        switch (plan.kind(step)) {
            case COPY -> {
                Memory from = plan.fromMemory(step);
                Memory to = plan.memory(step);
                copier.copy(
                        rank.binding.payload(from),
                        rank.binding.segment(from),
                        plan.fromOffset(step),
                        rank.binding.payload(to),
                        rank.binding.segment(to),
                        plan.offset(step),
                        plan.bytes(step));
                end(rank, step);
            }
            case SEND -> {
                Message message = new Message(self, peer, plan.ordinal(step));
                Transfer transfer = transfer(message);
                require(transfer.sender < 0, "sent twice: " + message);
                transfer.sender = step;
                rank.bytesSent += plan.bytes(step);
                rank.messagesSent++;
                int posted = rank.postedSends.merge(peer, 1, Integer::sum);
                require(posted <= PlanBuilder.POSTED_PER_PEER_MAX, posted + " sends posted to rank " + peer);
                if (eager && random.nextBoolean()) {
                    keep(rank, step, transfer);
                }
                movableIfMet(message, transfer);
            }
            case RECEIVE, RECEIVE_REDUCE -> {
                Message message = new Message(peer, self, plan.ordinal(step));
                Transfer transfer = transfer(message);
                require(transfer.receiver < 0, "received twice: " + message);
                transfer.receiver = step;
                int posted = rank.postedReceives.merge(peer, 1, Integer::sum);
                require(posted <= PlanBuilder.POSTED_PER_PEER_MAX, posted + " receives posted from rank " + peer);
                movableIfMet(message, transfer);
            }
            case RELAY_MULTICAST, RELAY_REDUCE, RELAY_ALL_REDUCE ->
                throw new IllegalArgumentException("the relay is in no simulation");
        }
    }

    private Transfer transfer(Message message) {
        return transfers.computeIfAbsent(message, unused -> new Transfer());
    }

    private void movableIfMet(Message message, Transfer transfer) {
        if (transfer.sender >= 0 && transfer.receiver >= 0) {
            movable.add(message);
        }
    }

    /** The send ends before there is a receive. */
    private void keep(Rank rank, int step, Transfer transfer) {
        transfer.kept = read(rank, step);
        transfer.senderEnded = true;
        rank.postedSends.merge(rank.plan.peer(step), -1, Integer::sum);
        end(rank, step);
    }

    private Segment read(Rank rank, int step) {
        int bytes = (int) rank.plan.bytes(step);
        Segment segment = Segment.allocate((bytes + 2 * PIECE_ALIGNMENT) / PIECE_ALIGNMENT * PIECE_ALIGNMENT);
        if (bytes > 0) {
            rank.binding.payload(rank.plan.memory(step)).copyOut(rank.plan.offset(step), segment, 0, bytes);
        }
        return segment;
    }

    private void move(Message message) {
        Transfer transfer = transfers.remove(message);
        Rank sender = ranks.get(message.from);
        Rank receiver = ranks.get(message.to);
        Segment content = transfer.kept != null ? transfer.kept : read(sender, transfer.sender);
        long bytes = receiver.plan.bytes(transfer.receiver);
        require(
                bytes == sender.plan.bytes(transfer.sender),
                message + " has " + sender.plan.bytes(transfer.sender) + " bytes, expected were " + bytes);
        land(receiver, transfer.receiver, content, (int) bytes);
        if (!transfer.senderEnded) {
            sender.postedSends.merge(message.to, -1, Integer::sum);
            end(sender, transfer.sender);
        }
        receiver.postedReceives.merge(message.from, -1, Integer::sum);
        end(receiver, transfer.receiver);
    }

    private void land(Rank rank, int step, Segment content, int bytes) {
        boolean reduces = rank.plan.kind(step) == Plan.Kind.RECEIVE_REDUCE;
        Payload payload = reduces ? reduction(rank, step) : rank.binding.payload(rank.plan.memory(step));
        long offset = reduces ? 0 : rank.plan.offset(step);
        int done = 0;
        while (done < bytes) {
            int most = (bytes - done + PIECE_ALIGNMENT - 1) / PIECE_ALIGNMENT;
            int length = Math.min(bytes - done, (1 + random.nextInt(most)) * PIECE_ALIGNMENT);
            int shift = random.nextInt(2) * random.nextInt(PIECE_ALIGNMENT);
            Segment piece = Segment.allocate((length + 2 * PIECE_ALIGNMENT) / PIECE_ALIGNMENT * PIECE_ALIGNMENT);
            piece.bytes().put(shift, content.bytes(), done, length);
            payload.copyIn(offset + done, piece, shift, length);
            done += length;
        }
    }

    private Reduction reduction(Rank rank, int step) {
        Plan plan = rank.plan;
        Memory operand = plan.fromMemory(step);
        Memory result = plan.memory(step);
        Reduction reduction = new Reduction(rank.kernel, rank.shape.type());
        reduction.operand(rank.binding.payload(operand), rank.binding.segment(operand), plan.fromOffset(step));
        reduction.result(rank.binding.payload(result), rank.binding.segment(result), plan.offset(step));
        boolean divide = op.kind() == ReduceOp.Kind.AVG && plan.isLast(step);
        reduction.combineBy(op, plan.peer(step) < rank.shape.rank(), divide ? rank.shape.size() : 1);
        return reduction;
    }

    private static void end(Rank rank, int step) {
        require(!rank.ended[step], "step " + step + " ended twice");
        rank.ended[step] = true;
        rank.endedCount++;
        for (int i = rank.plan.dependentsFrom(step); i < rank.plan.dependentsFrom(step + 1); i++) {
            int dependent = rank.plan.dependent(i);
            if (--rank.waits[dependent] == 0) {
                rank.ready.add(dependent);
            }
        }
    }
}
