package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.wire.SessionKey;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class NeighboursTest {

    private static Candidate memory(String name) {
        return new Candidate(Candidate.Kind.MEMORY, "aeron-ipc", name, 0);
    }

    /** A group whose ranks see one memory each; null for none. */
    private static GroupView view(int rank, String... memories) {
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < memories.length; i++) {
            Candidate tcp = new Candidate(Candidate.Kind.LOOPBACK, "tcp", "127.0.0.1", 1000 + i);
            List<Candidate> candidates = memories[i] == null ? List.of(tcp) : List.of(tcp, memory(memories[i]));
            members.add(new Member(i, "host", candidates, List.of("tcp", "aeron-ipc")));
        }
        return new GroupView("s", 1, rank, members, new SessionKey(new byte[SessionKey.BYTES]), 1, 1);
    }

    @Test
    void shouldBeThoseWhoSeeTheSameMemory() {
        Neighbours neighbours = Neighbours.of(view(3, "a", "b", null, "a", "b", "a"), memory("a"));
        assertEquals(3, neighbours.count());
        assertEquals(1, neighbours.self());
        assertEquals(0, neighbours.rank(0));
        assertEquals(3, neighbours.rank(1));
        assertEquals(5, neighbours.rank(2));
    }

    @Test
    void shouldFindARankAmongThem() {
        Neighbours neighbours = Neighbours.of(view(0, "a", "b", null, "a"), memory("a"));
        assertEquals(0, neighbours.index(0));
        assertEquals(-1, neighbours.index(1));
        assertEquals(-1, neighbours.index(2));
        assertEquals(1, neighbours.index(3));
        assertEquals(-1, neighbours.index(4));
    }

    @Test
    void shouldBeThisRankAloneIfNobodySeesItsMemory() {
        // The relay may have left out what it could not read.
        Neighbours neighbours = Neighbours.of(view(1, "b", null, "c"), memory("a"));
        assertEquals(1, neighbours.count());
        assertEquals(0, neighbours.self());
        assertEquals(1, neighbours.rank(0));
    }

    @Test
    void shouldNotTakeAnAddressForMemory() {
        GroupView view = view(0, "a", "a");
        assertEquals(1, Neighbours.of(view, memory("127.0.0.1")).count());
    }
}
