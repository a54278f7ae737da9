package io.zipcomm.transport.aeron;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import java.util.Arrays;

/** The ranks of a group that see the same shared memory, in rank order; this process's among them. Immutable. */
final class Neighbours {

    private static final int NONE = -1;

    private final int[] ranks;
    private final int self;

    private Neighbours(int[] ranks, int rank) {
        this.ranks = ranks;
        self = Arrays.binarySearch(ranks, rank);
    }

    /**
     * Those who published the same memory as this rank.
     *
     * @param view the group
     * @param own  what this rank published
     */
    static Neighbours of(GroupView view, Candidate own) {
        int[] ranks = view.members().stream()
                .filter(member ->
                        member.rank() == view.rank() || member.candidates().contains(own))
                .mapToInt(io.zipcomm.membership.Member::rank)
                .sorted()
                .toArray();
        return new Neighbours(ranks, view.rank());
    }

    int count() {
        return ranks.length;
    }

    /** Which of them this process is. */
    int self() {
        return self;
    }

    /** Rank in the world. */
    int rank(int index) {
        return ranks[index];
    }

    /** Which of them a rank is; -1 if it is none. */
    int index(int rank) {
        return Math.max(NONE, Arrays.binarySearch(ranks, rank));
    }
}
