package io.zipcomm.membership;

import java.util.List;

/**
 * By which provider of a fabric the ranks of a group reach each other, if they are on fabrics: the same for both ends of each pair. If
 * there is one that all ranks publish that publish any, all use that one, the first in the order in which the lowest of them
 * publishes its own; otherwise each pair uses the first of its lower rank's that the higher has, too. Immutable.
 */
public final class FabricChoice {

    /** Reaches ranks of the same host only. */
    private static final String SHARED_MEMORY = "shm";

    private static final String NONE = "";

    private final List<Member> members;
    private final String common;

    /**
     * The choice of a group.
     *
     * @param members of the group, in rank order
     */
    public FabricChoice(List<Member> members) {
        this.members = List.copyOf(members);
        List<Member> published =
                members.stream().filter(one -> !one.fabrics().isEmpty()).toList();
        common = published.isEmpty() ? NONE : first(published.get(0), published);
    }

    /**
     * The provider that two ranks use.
     *
     * @param rank one
     * @param peer another; the order does not matter
     * @return its name; empty if there is none
     */
    public String between(int rank, int peer) {
        Member lower = members.get(Math.min(rank, peer));
        Member higher = members.get(Math.max(rank, peer));
        boolean areBothOn = lower.fabrics().contains(common) && higher.fabrics().contains(common);
        return areBothOn ? common : first(lower, List.of(higher));
    }

    /** The first of a member's own by which it reaches all others. */
    private static String first(Member member, List<Member> others) {
        return member.fabrics().stream()
                .filter(provider -> others.stream().allMatch(other -> reaches(provider, member, other)))
                .findFirst()
                .orElse(NONE);
    }

    private static boolean reaches(String provider, Member member, Member other) {
        return other.fabrics().contains(provider)
                && (!provider.equals(SHARED_MEMORY) || member.hostId().equals(other.hostId()));
    }
}
