package io.zipcomm.collectives.plan;

import io.zipcomm.collectives.CollectiveOperation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the plans of all ranks cost, counted from their steps.
 *
 * @param rounds           messages in the longest chain in which each waits for the one before
 * @param messagesMax      most messages that one rank sends
 * @param bytesSentMax     most bytes that one rank sends
 * @param bytesReceivedMax most bytes that one rank receives
 */
public record PlanCost(int rounds, int messagesMax, long bytesSentMax, long bytesReceivedMax) {

    /** The other side of a message. */
    private record Message(int from, int to, int ordinal) {}

    /**
     * Of the {@link Shape#usual usual} call.
     *
     * @param size         number of ranks
     * @param messageBytes length of the message, or of all blocks together
     */
    public static PlanCost of(
            Algorithm algorithm, CollectiveOperation operation, int size, long messageBytes, int segmentBytes) {
        List<Plan> plans = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            plans.add(PlanBuilder.build(algorithm, Shape.usual(operation, rank, size, messageBytes, segmentBytes)));
        }
        return of(plans);
    }

    /**
     * Of any plans.
     *
     * @param plans of all ranks, in rank order
     */
    public static PlanCost of(List<Plan> plans) {
        int messagesMax = 0;
        long sentMax = 0;
        long receivedMax = 0;
        for (int rank = 0; rank < plans.size(); rank++) {
            Plan plan = plans.get(rank);
            int messages = 0;
            long sent = 0;
            long received = 0;
            for (int step = 0; step < plan.steps(); step++) {
                boolean isRoot = plan.peer(step) == rank;
                boolean sends = switch (plan.kind(step)) {
                    case SEND, RELAY_REDUCE, RELAY_ALL_REDUCE -> true;
                    case RELAY_MULTICAST -> isRoot;
                    case RECEIVE, RECEIVE_REDUCE, COPY -> false;
                };
                boolean receives = switch (plan.kind(step)) {
                    case RECEIVE, RECEIVE_REDUCE, RELAY_ALL_REDUCE -> true;
                    case RELAY_MULTICAST -> !isRoot;
                    case RELAY_REDUCE -> isRoot;
                    case SEND, COPY -> false;
                };
                messages += sends ? 1 : 0;
                sent += sends ? plan.bytes(step) : 0;
                received += receives ? plan.bytes(step) : 0;
            }
            messagesMax = Math.max(messagesMax, messages);
            sentMax = Math.max(sentMax, sent);
            receivedMax = Math.max(receivedMax, received);
        }
        return new PlanCost(rounds(plans), messagesMax, sentMax, receivedMax);
    }

    /** Works through all plans as fast as messages allow: each rank until it waits for one that is not sent yet. */
    private static int rounds(List<Plan> plans) {
        Map<Message, Integer> sent = new HashMap<>();
        Map<Integer, Meeting> meetings = new HashMap<>();
        List<int[]> depths = new ArrayList<>();
        int[] next = new int[plans.size()];
        for (Plan plan : plans) {
            depths.add(new int[plan.steps()]);
            for (int step = 0; step < plan.steps(); step++) {
                if (plan.kind(step).isRelays()) {
                    meetings.putIfAbsent(plan.ordinal(step), new Meeting(plans.size()));
                }
            }
        }
        int rounds = 0;
        boolean moved = true;
        // A rank's steps are in an order in which they can be done, but for sends: those never wait here.
        while (moved) {
            moved = false;
            for (int rank = 0; rank < next.length; rank++) {
                Plan plan = plans.get(rank);
                while (next[rank] < plan.steps() && take(rank, plan, next[rank], depths.get(rank), sent, meetings)) {
                    rounds = Math.max(rounds, depths.get(rank)[next[rank]]);
                    next[rank]++;
                    moved = true;
                }
            }
        }
        for (int rank = 0; rank < next.length; rank++) {
            if (next[rank] < plans.get(rank).steps()) {
                throw new IllegalStateException("rank " + rank + " waits for a message that nobody sends");
            }
        }
        return rounds;
    }

    /** Ranks that have come to a step of which the relay does a part. */
    private static final class Meeting {
        final Set<Integer> contributed = new HashSet<>();
        final int size;
        int depth;

        Meeting(int size) {
            this.size = size;
        }
    }

    /** Through the relay is one message like any other; false if this rank waits for one that has not contributed. */
    private static boolean meet(int rank, Plan plan, int step, int[] depths, Map<Integer, Meeting> meetings) {
        Meeting meeting = meetings.get(plan.ordinal(step));
        boolean isMulticast = plan.kind(step) == Plan.Kind.RELAY_MULTICAST;
        boolean isRoot = plan.peer(step) == rank;
        if (!isMulticast || isRoot) {
            meeting.contributed.add(rank);
            meeting.depth = Math.max(meeting.depth, depths[step]);
        }
        boolean receives = plan.kind(step) == Plan.Kind.RELAY_ALL_REDUCE || isMulticast != isRoot;
        if (receives && meeting.contributed.size() < (isMulticast ? 1 : meeting.size)) {
            return false;
        }
        depths[step] = receives ? 1 + Math.max(depths[step], meeting.depth) : depths[step];
        return true;
    }

    /** Finds out the depth of a step and tells those that wait for it; false if its message is not sent yet. */
    private static boolean take(
            int rank, Plan plan, int step, int[] depths, Map<Message, Integer> sent, Map<Integer, Meeting> meetings) {
        if (plan.kind(step).isRelays()) {
            if (!meet(rank, plan, step, depths, meetings)) {
                return false;
            }
        } else if (plan.kind(step) == Plan.Kind.SEND) {
            sent.put(new Message(rank, plan.peer(step), plan.ordinal(step)), depths[step]);
        } else if (plan.kind(step) != Plan.Kind.COPY) {
            Integer sender = sent.get(new Message(plan.peer(step), rank, plan.ordinal(step)));
            if (sender == null) {
                return false;
            }
            depths[step] = 1 + Math.max(depths[step], sender);
        }
        for (int i = plan.dependentsFrom(step); i < plan.dependentsFrom(step + 1); i++) {
            int dependent = plan.dependent(i);
            depths[dependent] = Math.max(depths[dependent], depths[step]);
        }
        return true;
    }
}
