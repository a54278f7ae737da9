package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportProvider;
import io.zipcomm.wire.proto.ToRank;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Relays that cannot be asked, in ways that nobody has foreseen. */
@Timeout(60)
class RelayMeetingTroubleTest {

    /** Answers what a rank asks before it has a relay. */
    private static final Transport TRANSPORT = (Transport) Proxy.newProxyInstance(
            Transport.class.getClassLoader(),
            new Class<?>[] {Transport.class},
            (proxy, method, arguments) -> switch (method.getName()) {
                case "candidates" -> List.of();
                case "rendezvousPort" -> 0;
                default -> throw new AssertionError(method);
            });

    private static ZipException failure(RuntimeException thrown) {
        TransportProvider provider = (TransportProvider) Proxy.newProxyInstance(
                TransportProvider.class.getClassLoader(),
                new Class<?>[] {TransportProvider.class},
                (proxy, method, arguments) -> {
                    assertEquals("openControl", method.getName());
                    throw thrown;
                });
        ZipSettings settings = ZipSettings.builder()
                .relay("a.invalid:1,b.invalid:2")
                .session("s")
                .size(2)
                .rank(1)
                .joinTimeout(Duration.ofMillis(500))
                .build();
        return assertThrows(
                ZipException.class,
                () -> RelayMeeting.join(
                        settings, CallTime.LONGEST_NS, provider, TRANSPORT, "this host", true, System::nanoTime));
    }

    @Test
    void shouldSayWhatWasThrown() {
        ZipException failure = failure(new IllegalStateException("no such luck"));
        assertEquals(ErrorCode.JOIN_TIMEOUT, failure.code(), failure.getMessage());
        for (String relay : List.of("a.invalid:1", "b.invalid:2")) {
            assertTrue(
                    failure.reason().contains(relay + ": asking the relay failed: java.lang.IllegalStateException: no"),
                    failure.getMessage());
        }
        assertEquals(1, failure.rank());
    }

    /** Of a part only the reason is repeated: session, rank and time are those of the whole. */
    @Test
    void shouldNotRepeatWhatIsKnownOfTheWhole() {
        ZipException failure = failure(ZipException.of(ErrorCode.RELAY_UNREACHABLE, "cannot connect")
                .operation("join")
                .at(1, 2, ZipException.NONE)
                .elapsedMs(17)
                .build());
        assertEquals(ErrorCode.RELAY_UNREACHABLE, failure.code(), failure.getMessage());
        assertTrue(failure.reason().contains("a.invalid:1: cannot connect"), failure.getMessage());
    }

    /** The process stands still while it attaches, and the group is complete meanwhile. */
    @Test
    void shouldSeeThatTheGroupIsCompleteBeforeItLooksAtTheClock() {
        Duration joinTimeout = Duration.ofMillis(300);
        List<Admitting> relays = new CopyOnWriteArrayList<>();
        Transport transport = (Transport) Proxy.newProxyInstance(
                Transport.class.getClassLoader(), new Class<?>[] {Transport.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("attach")) {
                        Thread.sleep(2 * joinTimeout.toMillis());
                        relays.forEach(relay -> relay.complete((RelayAddress) arguments[0]));
                        return null;
                    }
                    return method.getName().equals("candidates") ? List.of() : 0;
                });
        TransportProvider provider = PlayedChannel.provider((address, rank) -> {
            Admitting relay = new Admitting(address, rank);
            relays.add(relay);
            return relay;
        });
        ZipSettings settings = ZipSettings.builder()
                .relay("127.0.0.1:1,127.0.0.1:2")
                .session("s")
                .size(1)
                .joinTimeout(joinTimeout)
                .build();
        MembershipClient client =
                RelayMeeting.join(settings, 1, provider, transport, "this host", true, System::nanoTime);
        assertEquals(1, client.awaitGroup().size());
        client.close();
    }

    /** A relay that admits everybody. */
    private record Admitting(RelayAddress address, ControlChannel.Listener rank) implements PlayedChannel {

        void complete(RelayAddress attached) {
            if (attached.equals(address)) {
                PlayedChannel.say(rank, ToRank.newBuilder().setGroupReady(READY));
            }
        }

        @Override
        public void send(byte[] message) {
            if (PlayedChannel.read(message).hasJoin()) {
                PlayedChannel.admit(rank, 1000, 5000);
            }
        }
    }
}
