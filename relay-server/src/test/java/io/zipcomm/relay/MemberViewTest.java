package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.wire.proto.Candidate;
import io.zipcomm.wire.proto.Candidate.Kind;
import io.zipcomm.wire.proto.Join;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

/** At which addresses the others are told to look for a rank. */
final class MemberViewTest {

    private static final Candidate LOOPBACK = candidate(Kind.LOOPBACK, "127.0.0.1", 4000);
    private static final Candidate PRIVATE = candidate(Kind.PRIVATE, "10.0.0.7", 4001);

    private static Candidate candidate(Kind kind, String host, int port) {
        return Candidate.newBuilder()
                .setKind(kind)
                .setTransport("tcp")
                .setHost(host)
                .setPort(port)
                .build();
    }

    private static List<Candidate> seenFrom(String host, Candidate... own) {
        Join join = Join.newBuilder().addAllCandidates(List.of(own)).build();
        return MemberView.of(3, join, new InetSocketAddress(host, 50_000)).getCandidatesList();
    }

    @Test
    void shouldAddAddressFromWhichRankWasSeen() {
        assertEquals(
                List.of(LOOPBACK, PRIVATE, candidate(Kind.OBSERVED, "198.51.100.9", 50_000)),
                seenFrom("198.51.100.9", LOOPBACK, PRIVATE));
        assertEquals(
                List.of(LOOPBACK, PRIVATE, candidate(Kind.OBSERVED, "10.0.0.7", 50_000)),
                seenFrom("10.0.0.7", LOOPBACK, PRIVATE));
    }

    @Test
    void shouldAddNothingThatNobodyElseReaches() {
        assertEquals(List.of(LOOPBACK, PRIVATE), seenFrom("127.0.0.1", LOOPBACK, PRIVATE));
        assertEquals(List.of(LOOPBACK), seenFrom("198.51.100.9", LOOPBACK));
    }

    @Test
    void shouldNotBelieveRankThatSaysWhereItWasObserved() {
        Candidate claimed = candidate(Kind.OBSERVED, "203.0.113.1", 22);
        assertEquals(List.of(), seenFrom("127.0.0.1", claimed));
    }
}
