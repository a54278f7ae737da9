package io.zipcomm.bench.simulate;

import io.zipcomm.collectives.plan.Plan;
import java.util.Arrays;

/**
 * What the simulation needs of a plan, with peers counted from the rank: one object stands for all ranks that do the same.
 * Arrays are not copied on access, and to be left unchanged.
 */
final class RankPlan {

    static final byte SEND = 0;
    static final byte RECEIVE = 1;
    static final byte RECEIVE_REDUCE = 2;
    static final byte COPY = 3;

    final byte[] kinds;

    /** {@link Symmetry#difference} to the peer; 0 for a copy. */
    final int[] peers;

    final int[] ordinals;
    final long[] bytes;

    /** How many steps a step waits for. */
    final int[] waits;

    /** Where the dependents of a step begin; one more than there are steps. */
    final int[] dependentsFrom;

    final int[] dependents;
    final Messages sends;
    final Messages receives;
    final long scratchBytes;
    final long sentBytes;

    RankPlan(Plan plan, int rank, int size, Symmetry symmetry) {
        int count = plan.steps();
        kinds = new byte[count];
        peers = new int[count];
        ordinals = new int[count];
        bytes = new long[count];
        waits = new int[count];
        dependentsFrom = new int[count + 1];
        dependents = new int[plan.dependentsFrom(count)];
        int[] sending = new int[count];
        int[] receiving = new int[count];
        int sendingCount = 0;
        int receivingCount = 0;
        long sent = 0;
        for (int i = 0; i < count; i++) {
            kinds[i] = kind(plan.kind(i));
            ordinals[i] = plan.ordinal(i);
            bytes[i] = plan.bytes(i);
            peers[i] = kinds[i] == COPY ? 0 : symmetry.difference(rank, plan.peer(i), size);
            dependentsFrom[i + 1] = plan.dependentsFrom(i + 1);
            if (kinds[i] == SEND) {
                sending[sendingCount++] = i;
                sent += bytes[i];
            } else if (kinds[i] != COPY) {
                receiving[receivingCount++] = i;
            }
        }
        for (int i = 0; i < dependents.length; i++) {
            dependents[i] = plan.dependent(i);
            waits[dependents[i]]++;
        }
        sends = new Messages(Arrays.copyOf(sending, sendingCount), peers);
        receives = new Messages(Arrays.copyOf(receiving, receivingCount), peers);
        scratchBytes = plan.scratchBytes();
        sentBytes = sent;
    }

    private static byte kind(Plan.Kind kind) {
        return switch (kind) {
            case SEND -> SEND;
            case RECEIVE -> RECEIVE;
            case RECEIVE_REDUCE -> RECEIVE_REDUCE;
            case COPY -> COPY;
            case RELAY_MULTICAST, RELAY_REDUCE, RELAY_ALL_REDUCE ->
                throw new IllegalArgumentException(kind + ": the simulated network has no relay");
        };
    }

    int steps() {
        return kinds.length;
    }

    boolean hasDependents(int step) {
        return dependentsFrom[step + 1] > dependentsFrom[step];
    }

    /** Whether another rank does the same with the same bytes, as seen from itself. */
    boolean isLike(RankPlan other) {
        return Arrays.equals(kinds, other.kinds)
                && Arrays.equals(peers, other.peers)
                && Arrays.equals(ordinals, other.ordinals)
                && Arrays.equals(bytes, other.bytes)
                && Arrays.equals(dependentsFrom, other.dependentsFrom)
                && Arrays.equals(dependents, other.dependents)
                && scratchBytes == other.scratchBytes;
    }
}
