package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.MembershipClient;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.testkit.ConnectProxy;
import io.zipcomm.transport.Transport;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A control connection that is opened to see what a relay says of it. */
final class VisitTest extends WithRelay {

    private final TcpTransportProvider provider = new TcpTransportProvider();

    private ZipSettings.Builder settings(int rank) {
        return ZipSettings.builder()
                .relay("127.0.0.1:" + relay.address().getPort())
                .session("visit")
                .size(3)
                .rank(rank)
                .joinTimeout(Duration.ofSeconds(5));
    }

    private MembershipClient visit(ZipSettings settings, int localPort) {
        return MembershipClient.visit(settings, settings.relay(), provider, localPort, System::nanoTime);
    }

    @ParameterizedTest
    @EnumSource(
            value = ZipSettings.IoChoice.class,
            names = {"AUTO", "NIO"})
    void shouldTellBothEndsAndTheRoundTrip(ZipSettings.IoChoice io) {
        ZipSettings settings = settings(0).set(Setting.IO, io.name()).build();
        try (Transport transport = provider.open(settings);
                MembershipClient client = visit(settings, transport.rendezvousPort())) {
            assertEquals(transport.rendezvousPort(), client.local().getPort());
            assertEquals("127.0.0.1", client.local().getAddress().getHostAddress());
            assertEquals(relay.address().getPort(), client.remote().getPort());
            assertEquals("127.0.0.1:" + transport.rendezvousPort(), client.observed());
            for (int i = 0; i < 3; i++) {
                OptionalLong roundTripNs = client.roundTripNs(TimeUnit.SECONDS.toNanos(5));
                assertTrue(roundTripNs.orElse(-1) > 0, roundTripNs.toString());
            }
        }
    }

    @Test
    void shouldNotWaitForTheOthersAndLeaveNothing() {
        for (int i = 0; i < 2; i++) {
            try (MembershipClient one = visit(settings(1).build(), 0);
                    MembershipClient other = visit(settings(2).build(), 0)) {
                assertEquals(List.of(1, 2), List.of(one.rank(), other.rank()));
                other.leave(TimeUnit.SECONDS.toNanos(1));
                one.leave(TimeUnit.SECONDS.toNanos(1));
            }
        }
    }

    @Test
    void shouldTellOfTheProxy() {
        try (ConnectProxy proxy = ConnectProxy.open();
                MembershipClient client = visit(
                        settings(0)
                                .set(Setting.PROXY, "http://127.0.0.1:" + proxy.port())
                                .build(),
                        0)) {
            assertEquals(proxy.port(), client.remote().getPort());
        }
    }

    @Test
    void shouldTryOnce() {
        ZipSettings settings = settings(0).build();
        relay.close();
        long beganNs = System.nanoTime();
        ZipException failure = assertThrows(ZipException.class, () -> visit(settings, 0));
        assertEquals(ErrorCode.RELAY_UNREACHABLE, failure.code());
        assertTrue(failure.getMessage().contains(", 1 tries: "), failure.getMessage());
        assertTrue(System.nanoTime() - beganNs < TimeUnit.SECONDS.toNanos(4), "it tried until the timeout");
    }

    @Test
    void shouldGiveUpWaitingForAnAnswerOfARelayThatIsGone() {
        try (MembershipClient client = visit(settings(0).build(), 0)) {
            relay.close();
            assertEquals(OptionalLong.empty(), client.roundTripNs(TimeUnit.MILLISECONDS.toNanos(100)));
        }
    }
}
