package io.zipcomm.bench.doctor;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import java.util.ArrayList;
import java.util.List;

/** A rung of the ladder that pairs of ranks climb, in its order, behind the relay, on which they begin. */
enum Rung {
    RELAY(0, "relay", null),
    LOOPBACK(1, "loopback", Candidate.Kind.LOOPBACK),
    OWN(2, "own address", Candidate.Kind.PRIVATE),
    OBSERVED(3, "observed address", Candidate.Kind.OBSERVED),
    PUNCH(4, "hole punching", Candidate.Kind.OBSERVED);

    private final int number;
    private final String label;
    private final Candidate.Kind kind;

    Rung(int number, String label, Candidate.Kind kind) {
        this.number = number;
        this.label = label;
        this.kind = kind;
    }

    /** By which two doctors make sure that they are at the same one. */
    int number() {
        return number;
    }

    String label() {
        return label;
    }

    /** Why ranks skip it; null if they try it. Both of them say the same. */
    String skipped(GroupView view) {
        boolean sameHost =
                view.members().stream().map(Member::hostId).distinct().count() == 1;
        if (this == LOOPBACK && !sameHost) {
            return "the other one is on another machine";
        }
        if (this == PUNCH && sameHost) {
            return "both are on one machine";
        }
        long known =
                view.members().stream().filter(member -> !of(member).isEmpty()).count();
        if (kind != null && known < (this == PUNCH ? view.size() : 1)) {
            return "there is no such address";
        }
        return null;
    }

    /** The addresses of a rank that this rung uses. */
    List<Candidate> of(Member member) {
        return member.candidates().stream().filter(one -> one.kind() == kind).toList();
    }

    /**
     * The group, with no more addresses than this rung uses. A rank that does not know where it is seen itself does not ask for
     * hole punching.
     */
    GroupView only(GroupView view) {
        List<Member> members = new ArrayList<>();
        for (Member member : view.members()) {
            boolean blank = this == OBSERVED && member.rank() == view.rank();
            members.add(
                    new Member(member.rank(), member.hostId(), blank ? List.of() : of(member), member.transports()));
        }
        return new GroupView(
                view.session(),
                view.epoch(),
                view.rank(),
                members,
                view.sessionKey(),
                view.flowWindowBytes(),
                view.fragmentBytesMax(),
                view.hubWindowBytes(),
                view.hubReduces(),
                view.ranksBefore(),
                view.sealKeys());
    }
}
