package io.zipcomm.collectives.plan;

import io.zipcomm.collectives.CollectiveOperation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

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
        for (Plan plan : plans) {
            int messages = 0;
            long sent = 0;
            long received = 0;
            for (int step = 0; step < plan.steps(); step++) {
                if (plan.kind(step) == Plan.Kind.SEND) {
                    messages++;
                    sent += plan.bytes(step);
                } else if (plan.kind(step) != Plan.Kind.COPY) {
                    received += plan.bytes(step);
                }
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
        List<int[]> depths = new ArrayList<>();
        int[] next = new int[plans.size()];
        for (Plan plan : plans) {
            depths.add(new int[plan.steps()]);
        }
        int rounds = 0;
        boolean moved = true;
        // A rank's steps are in an order in which they can be done, but for sends: those never wait here.
        while (moved) {
            moved = false;
            for (int rank = 0; rank < next.length; rank++) {
                Plan plan = plans.get(rank);
                while (next[rank] < plan.steps() && take(rank, plan, next[rank], depths.get(rank), sent)) {
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

    /** Finds out the depth of a step and tells those that wait for it; false if its message is not sent yet. */
    private static boolean take(int rank, Plan plan, int step, int[] depths, Map<Message, Integer> sent) {
        if (plan.kind(step) == Plan.Kind.SEND) {
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
