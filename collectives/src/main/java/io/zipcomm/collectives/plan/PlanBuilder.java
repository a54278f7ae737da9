package io.zipcomm.collectives.plan;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

// Plain loops, no lambdas: a process's first collective builds a plan, and the first lambda costs tens of milliseconds.
/**
 * Turns a sequence of steps into a plan in which everything runs at once that may.
 *
 * <p>An algorithm adds steps in an order in which they could be done one by one. The builder makes a step wait for an
 * earlier one if they use the same bytes and one of them writes, so the result is that of the sequence, and combinations
 * into one extent keep their order. Further waits keep the number of messages that are posted at once within a limit.
 *
 * <p>Messages between two ranks are numbered in this order on both sides: the n-th that one adds for the other is the
 * n-th that the other expects.
 */
public final class PlanBuilder {

    /** Messages in one direction between two ranks that are posted at once: enough to hide a round trip. */
    public static final int POSTED_PER_PEER_MAX = 8;

    /** Steps of which the relay does a part that are posted at once. */
    static final int RELAY_STEPS_MAX = 8;

    /** Scratch memory of one plan: what one buffer can hold. */
    public static final long SCRATCH_BYTES_MAX = 1L << 30;

    private static final int SCRATCH_ALIGNMENT = 64;

    private final List<Plan.Step> steps = new ArrayList<>();
    private final Map<Memory, Hazards> hazards = new EnumMap<>(Memory.class);

    private final Map<Integer, List<Integer>> sendsTo = new HashMap<>();
    private final Map<Integer, List<Integer>> receivesFrom = new HashMap<>();
    private final List<Integer> sends = new ArrayList<>();
    private final List<Integer> receives = new ArrayList<>();
    private final List<Integer> relays = new ArrayList<>();
    private int pace = Integer.MAX_VALUE;
    private Mapping mapping;

    private int fencedReceives;
    private int fencedFrom;
    private long scratchBytes;

    /** For one plan. */
    public PlanBuilder(Shape shape) {
        mapping = Mapping.whole(shape);
        for (Memory memory : Memory.values()) {
            hazards.put(memory, new Hazards());
        }
    }

    /** The plan of an algorithm. */
    public static Plan build(Algorithm algorithm, Shape shape) {
        PlanBuilder builder = new PlanBuilder(shape);
        algorithm.plan(shape, builder);
        return builder.build();
    }

    /**
     * Adds the steps of an algorithm for some of the ranks, or on other memory, as part of this plan. What it takes for
     * the source and the target are extents of this plan; it gets scratch memory of its own.
     *
     * @param algorithm what to add
     * @param part      what it is asked for, by ranks of its own
     * @param ranks     which rank of this plan each of its own is
     * @param source    what it finds as its source; may be its target, where the shape is in place
     * @param target    what it finds as its target
     * @param finishes  whether what is final there contains the data of all ranks here
     */
    void add(Algorithm algorithm, Shape part, int[] ranks, Extent source, Extent target, boolean finishes) {
        Mapping outer = mapping;
        int outerPace = pace;
        int[] members = new int[ranks.length];
        for (int i = 0; i < ranks.length; i++) {
            members[i] = outer.rank(ranks[i]);
        }
        mapping = new Mapping(
                part, members, outer.extent(source), outer.extent(target), scratchBytes, finishes && outer.finishes());
        pace = Integer.MAX_VALUE;
        algorithm.plan(part, this);
        mapping = outer;
        pace = outerPace;
    }

    /** Some of the ranks, which do operations of their own as part of this plan. */
    public Team team(int... ranks) {
        return new Team(mapping.shape(), this, ranks);
    }

    /** Where one extent begins in another; {@link Shape#TWO_BUFFERS} if it is not part of it. */
    long placeIn(Extent whole, Extent part) {
        Extent a = mapping.extent(whole);
        Extent b = mapping.extent(part);
        boolean isPart = a.memory() == b.memory() && a.offset() <= b.offset() && b.end() <= a.end();
        return isPart ? b.offset() - a.offset() : Shape.TWO_BUFFERS;
    }

    /** Sends an extent as one message. */
    public void send(int peer, Extent extent) {
        add(Plan.Kind.SEND, mapping.rank(peer), mapping.extent(extent), null, false);
    }

    /** Sends an extent in segments. */
    public void sendSegments(int peer, Extent extent) {
        for (Extent segment : extent.segments(mapping.shape().segmentBytes())) {
            send(peer, segment);
        }
    }

    /** Receives an extent as one message. */
    public void receive(int peer, Extent extent) {
        add(Plan.Kind.RECEIVE, mapping.rank(peer), null, mapping.extent(extent), false);
    }

    /** Receives an extent in segments. */
    public void receiveSegments(int peer, Extent extent) {
        for (Extent segment : extent.segments(mapping.shape().segmentBytes())) {
            receive(peer, segment);
        }
    }

    /**
     * Receives a message and combines it with an operand, the lower rank's data on the left.
     *
     * @param operand what to combine it with
     * @param result  where the result goes; may be the operand
     * @param last    whether the result is final: contains the data of all ranks
     */
    public void receiveReduce(int peer, Extent operand, Extent result, boolean last) {
        boolean isFinal = last && mapping.finishes();
        add(Plan.Kind.RECEIVE_REDUCE, mapping.rank(peer), mapping.extent(operand), mapping.extent(result), isFinal);
    }

    /** {@link #receiveReduce} in segments. */
    public void receiveReduceSegments(int peer, Extent operand, Extent result, boolean last) {
        List<Extent> operands = operand.segments(mapping.shape().segmentBytes());
        List<Extent> results = result.segments(mapping.shape().segmentBytes());
        for (int i = 0; i < operands.size(); i++) {
            receiveReduce(peer, operands.get(i), results.get(i), last);
        }
    }

    /**
     * Sends the root's extent to all ranks through the relay, which gets one copy.
     *
     * @param extent what the root sends; elsewhere where it goes
     */
    public void relayMulticast(int root, Extent extent) {
        boolean sends = mapping.shape().rank() == root;
        addRelays(Plan.Kind.RELAY_MULTICAST, root, sends ? extent : null, sends ? null : extent);
    }

    /**
     * Has the relay combine an extent of each rank, in rank order.
     *
     * @param target where the root wants the result; not used by the others
     */
    public void relayReduce(int root, Extent source, Extent target) {
        boolean receives = mapping.shape().rank() == root;
        addRelays(Plan.Kind.RELAY_REDUCE, root, source, receives ? target : null);
    }

    /** Has the relay combine an extent of each rank, in rank order, and send the result to all. */
    public void relayAllReduce(Extent source, Extent target) {
        addRelays(Plan.Kind.RELAY_ALL_REDUCE, mapping.shape().rank(), source, target);
    }

    private void addRelays(Plan.Kind kind, int root, Extent from, Extent to) {
        if (mapping.isPart()) {
            throw new IllegalStateException("the relay knows communicators, not teams");
        }
        Set<Integer> after = new TreeSet<>();
        waitFor(relays, RELAY_STEPS_MAX, after);
        add(
                kind,
                root,
                from == null ? null : mapping.extent(from),
                to == null ? null : mapping.extent(to),
                false,
                after);
    }

    /** Copies, unless both extents are the same or empty. */
    public void copy(Extent from, Extent to) {
        Extent mappedFrom = mapping.extent(from);
        Extent mappedTo = mapping.extent(to);
        boolean isSame = mappedFrom.memory() == mappedTo.memory() && mappedFrom.offset() == mappedTo.offset();
        if (!isSame && from.bytes() > 0) {
            add(Plan.Kind.COPY, -1, mappedFrom, mappedTo, false);
        }
    }

    /** Makes what is added from now on wait for all messages that were to be received before. */
    public void fence() {
        if (receives.size() > fencedReceives) {
            fencedFrom = fencedReceives;
            fencedReceives = receives.size();
        }
    }

    /**
     * Lets no more than so many messages of each direction be posted at once, over all peers.
     *
     * @param messages 1 or more
     */
    public void pace(int messages) {
        pace = messages;
    }

    /**
     * Sends an empty message to a peer once this rank may receive one more: when all have come but as many as may be under
     * way besides one, by {@link #pace}. A peer that waits for it does not send too early.
     */
    public void invite(int peer) {
        Set<Integer> after = new TreeSet<>();
        waitFor(receives, pace, after);
        add(Plan.Kind.SEND, mapping.rank(peer), mapping.extent(Extent.target(0)), null, false, after);
    }

    /** Memory for this plan, apart from what it got before. */
    public Extent scratch(long bytes) {
        Extent extent = new Extent(Memory.SCRATCH, scratchBytes - mapping.scratchFrom(), bytes);
        scratchBytes = (scratchBytes + bytes + SCRATCH_ALIGNMENT - 1) / SCRATCH_ALIGNMENT * SCRATCH_ALIGNMENT;
        if (scratchBytes > SCRATCH_BYTES_MAX) {
            throw new ZipException(
                    ErrorCode.LIMIT,
                    mapping.shape().operation() + " of " + mapping.shape().bytes()
                            + " bytes by this algorithm needs more than " + SCRATCH_BYTES_MAX
                            + " bytes of scratch memory");
        }
        return extent;
    }

    /** The plan of the steps so far. */
    public Plan build() {
        return new Plan(steps, scratchBytes);
    }

    private void add(Plan.Kind kind, int peer, Extent from, Extent to, boolean last) {
        add(kind, peer, from, to, last, new TreeSet<>());
    }

    private void add(Plan.Kind kind, int peer, Extent from, Extent to, boolean last, Set<Integer> after) {
        int step = steps.size();
        after.addAll(receives.subList(fencedFrom, fencedReceives));
        int ordinal = 0;
        if (kind.isRelays()) {
            ordinal = relays.size();
            relays.add(step);
        } else if (kind != Plan.Kind.COPY) {
            boolean sending = kind == Plan.Kind.SEND;
            List<Integer> withPeer = withPeer(sending ? sendsTo : receivesFrom, peer);
            ordinal = withPeer.size();
            waitFor(withPeer, POSTED_PER_PEER_MAX, after);
            waitFor(sending ? sends : receives, pace, after);
            withPeer.add(step);
            (sending ? sends : receives).add(step);
        }
        if (from != null) {
            hazards.get(from.memory()).read(step, from.offset(), from.end(), after);
        }
        if (to != null) {
            hazards.get(to.memory()).write(step, to.offset(), to.end(), after);
        }
        steps.add(new Plan.Step(kind, peer, ordinal, from, to, last, new ArrayList<>(after)));
    }

    private static List<Integer> withPeer(Map<Integer, List<Integer>> byPeer, int peer) {
        List<Integer> messages = byPeer.get(peer);
        if (messages == null) {
            messages = new ArrayList<>();
            byPeer.put(peer, messages);
        }
        return messages;
    }

    private static void waitFor(List<Integer> earlier, int atOnce, Set<Integer> after) {
        if (earlier.size() >= atOnce) {
            after.add(earlier.get(earlier.size() - atOnce));
        }
    }
}
