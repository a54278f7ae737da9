package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportProvider;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.SessionKey;
import io.zipcomm.wire.proto.Admitted;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.Member;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
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
        TransportProvider provider = (TransportProvider) Proxy.newProxyInstance(
                TransportProvider.class.getClassLoader(),
                new Class<?>[] {TransportProvider.class},
                (proxy, method, arguments) -> {
                    if (!method.getName().equals("openControl")) {
                        return List.of();
                    }
                    Admitting relay =
                            new Admitting((RelayAddress) arguments[1], (ControlChannel.Listener) arguments[3]);
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
    private record Admitting(RelayAddress address, ControlChannel.Listener rank) implements ControlChannel {

        private void say(ToRank.Builder message) {
            rank.message(ByteBuffer.wrap(message.build().toByteArray()));
        }

        void complete(RelayAddress attached) {
            if (attached.equals(address)) {
                say(ToRank.newBuilder()
                        .setGroupReady(GroupReady.newBuilder()
                                .setEpoch(1)
                                .setSessionKey(ByteString.copyFrom(new byte[SessionKey.BYTES]))
                                .setFlowWindowBytes(1 << 20)
                                .setFragmentBytesMax(1 << 16)
                                .addMembers(Member.newBuilder().setHostId("h"))));
            }
        }

        @Override
        public void send(byte[] message) {
            boolean joins;
            try {
                joins = ToRelay.parseFrom(message).hasJoin();
            } catch (InvalidProtocolBufferException e) {
                throw new AssertionError(e);
            }
            if (joins) {
                say(ToRank.newBuilder()
                        .setAdmitted(Admitted.newBuilder()
                                .setVersion(Frame.VERSION)
                                .setHeartbeatIntervalMs(1000)
                                .setHeartbeatTimeoutMs(5000)));
            }
        }

        @Override
        public InetSocketAddress local() {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
        }

        @Override
        public InetSocketAddress remote() {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), 2);
        }

        @Override
        public void close() {}
    }
}
