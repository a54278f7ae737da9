package io.zipcomm.relay;

import static io.zipcomm.relay.TestRank.join;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Starting and ending a relay. */
final class RelayServerTest {

    private static Set<Thread> relayThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("zip-relay"))
                .collect(Collectors.toSet());
    }

    @ParameterizedTest
    @EnumSource(RelaySettings.IoChoice.class)
    void shouldLeaveNothingBehind(RelaySettings.IoChoice io) {
        Set<Thread> before = relayThreads();
        for (int round = 0; round < 30; round++) {
            try (RelayFixture fixture =
                    new RelayFixture(RelayFixture.insecure().io(io).threads(2))) {
                fixture.group("s", 2);
                // In every state a connection can be in.
                fixture.opened(TestRank.asking(fixture.at, join("t", 2, -1)));
                fixture.opened(TestRank.admitted(fixture.at, join("t", 2, 0)));
                TestRank refused = fixture.opened(TestRank.asking(fixture.at, join("t", 9, 0)));
                refused.expectRefusal(ErrorCode.SIZE_MISMATCH);
                if (round % 2 == 0) {
                    fixture.relay.close();
                }
            }
            Await.until("threads have ended", () -> before.containsAll(relayThreads()));
        }
    }

    @Test
    void shouldNotLeaveThreadsWhenTheAddressIsTaken() {
        Set<Thread> before = relayThreads();
        try (RelayFixture fixture = new RelayFixture(RelayFixture.insecure())) {
            Set<Thread> one = relayThreads();
            ZipException taken = assertThrows(
                    ZipException.class,
                    () -> RelayServer.start(RelaySettings.builder()
                            .listen("127.0.0.1:" + fixture.at.getPort())
                            .insecure(true)
                            .build()));
            assertEquals(ErrorCode.BAD_SETTING, taken.code());
            assertTrue(taken.getMessage().contains(":" + fixture.at.getPort()), taken.getMessage());
            Await.until("threads have ended", () -> one.containsAll(relayThreads()));
        }
        Await.until("threads have ended", () -> before.containsAll(relayThreads()));
    }

    @Test
    void shouldEndOnceWhoeverAsks() throws InterruptedException {
        RelayServer relay = RelayServer.start(RelayFixture.insecure().build());
        Thread other = new Thread(relay::close);
        other.start();
        relay.close();
        relay.awaitClosed();
        other.join();
        relay.close();
    }

    @Test
    void shouldServeWhileItSpins() {
        try (RelayFixture fixture = new RelayFixture(RelayFixture.insecure().set(RelayOption.SPIN_TIME, "200"))) {
            var group = fixture.group("s", 2);
            group.get(0).send(1, new byte[] {4});
            assertEquals(4, group.get(1).receive().payload()[0]);
        }
    }
}
