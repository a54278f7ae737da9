package io.zipcomm.relay;

import static io.zipcomm.relay.TestRank.join;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.proto.MemberGone.Cause;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Ending without hurting anybody. */
final class DrainTest {

    @Test
    void shouldTakeNoNewSessionsAndFinishThoseThatAreThere() throws Exception {
        try (RelayFixture fixture = new RelayFixture(RelayFixture.insecure().threads(2))) {
            List<TestRank> running = fixture.group("running", 2);
            TestRank gathering = fixture.opened(TestRank.attached(fixture.at, join("gathering", 2, 0)));
            assertFalse(fixture.relay.stats().draining());
            CompletableFuture<Void> drained = fixture.relay.drain();
            assertTrue(fixture.relay.stats().draining());

            String told = fixture.opened(TestRank.asking(fixture.at, join("new", 2, 0)))
                    .expectRefusal(ErrorCode.RELAY_UNREACHABLE);
            assertEquals("this relay drains: it takes no new sessions, and ends when it has none", told);
            TestRank late = fixture.opened(TestRank.attached(fixture.at, join("gathering", 2, 1)));
            gathering.awaitReady();
            late.awaitReady();
            late.send(0, new byte[] {8});
            assertEquals(8, gathering.receive().payload()[0]);
            running.get(0).send(1, new byte[] {9});
            assertEquals(9, running.get(1).receive().payload()[0]);
            assertFalse(drained.isDone());

            for (List<TestRank> group : List.of(running, List.of(gathering, late))) {
                group.get(0).leave();
                group.get(0).control.expectEnd();
                group.get(0).close();
                group.get(1).expectGone(0, Cause.LEFT);
                assertFalse(drained.isDone());
                group.get(1).close();
            }
            drained.get(10, TimeUnit.SECONDS);
            fixture.relay.drain().get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldBeDrainedAtOnceWithoutSessions() throws Exception {
        try (RelayFixture fixture = new RelayFixture(RelayFixture.insecure())) {
            fixture.relay.drain().get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldBeDrainedWhenItIsClosed() throws Exception {
        try (RelayFixture fixture = new RelayFixture(RelayFixture.insecure())) {
            fixture.group("s", 2);
            CompletableFuture<Void> drained = fixture.relay.drain();
            fixture.relay.close();
            drained.get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldShowSessions() throws Exception {
        try (RelayFixture fixture = new RelayFixture(RelayFixture.insecure().threads(2))) {
            List<TestRank> group = fixture.group("complete", 3);
            fixture.opened(TestRank.admitted(fixture.at, join("gathering", 2, 1)));
            group.get(0).send(1, new byte[100]);
            group.get(0).send(2, new byte[100]);
            group.get(1).receive();
            group.get(2).receive();
            List<SessionView> views = fixture.relay.sessions().get(10, TimeUnit.SECONDS);
            assertEquals(2, views.size());
            SessionView complete = views.get(views.get(0).name().equals("complete") ? 0 : 1);
            assertEquals(group.get(0).epoch(), complete.epoch());
            assertEquals(3, complete.ranks().size());
            SessionView.RankView sender = complete.ranks().get(0);
            assertEquals(328, sender.bytesForwarded());
            assertEquals(2, sender.flows());
            assertTrue(sender.attached());
            assertEquals("127.0.0.1:" + group.get(0).control.socket.getLocalPort(), sender.address());
            SessionView gathering = views.get(views.get(0).name().equals("complete") ? 1 : 0);
            assertEquals(0, gathering.epoch());
            assertEquals(1, gathering.ranks().size());
            assertFalse(gathering.ranks().get(0).attached());
            fixture.relay.close();
        }
    }
}
