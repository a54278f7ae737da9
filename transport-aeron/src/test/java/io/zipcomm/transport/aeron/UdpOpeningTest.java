package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aeron.driver.MediaDriver;
import io.aeron.driver.ReceiveChannelEndpointSupplier;
import io.aeron.driver.SendChannelEndpointSupplier;
import io.aeron.driver.status.SystemCounterDescriptor;
import io.aeron.protocol.DataHeaderFlyweight;
import io.aeron.protocol.HeaderFlyweight;
import io.aeron.protocol.SetupFlyweight;
import io.aeron.protocol.StatusMessageFlyweight;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.DirectWiring;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SharedMemoryFolder;
import io.zipcomm.transport.DirectTransport;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.tcp.TcpTransportProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** How paths over UDP open, and who cannot keep them from it. */
@Tag("once")
@Timeout(120)
final class UdpOpeningTest {

    private static final long PATIENCE_NS = 20_000_000_000L;
    private static final long SEED = 7;

    /** Longer than a function is frozen, as a rule, and a relay puts up with. */
    private static final long FREEZE_NS = 11_000_000_000L;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @RegisterExtension
    final Seeds seeds = new Seeds();

    @TempDir(factory = SharedMemoryFolder.class)
    private Path directory;

    private final List<Transport> bases = new ArrayList<>();
    private final List<DirectTransport> ranks = new ArrayList<>();
    private final List<Outcomes> outcomes = new ArrayList<>();
    private List<GroupView> views = List.of();

    @BeforeEach
    void open() {
        for (int rank = 0; rank < 2; rank++) {
            ZipSettings settings =
                    AeronWiring.settings(2, rank, TransportChoice.AERON_UDP, directory.toString(), "auto");
            bases.add(new TcpTransportProvider().open(settings));
            ranks.addAll(new AeronUdpProvider().open(settings, bases.get(rank)));
            outcomes.add(new Outcomes());
        }
        views = DirectWiring.views(
                SEED, ranks.stream().map(DirectTransport::candidates).toList());
    }

    private void start() {
        start(0);
        start(1);
    }

    private void start(int rank) {
        ranks.get(rank).start(views.get(rank), outcomes.get(rank));
    }

    @AfterEach
    void close() {
        Thread.interrupted();
        ranks.forEach(DirectTransport::close);
        bases.forEach(Transport::close);
        // What was being made in the background is closed there.
        until(() -> files("group-") == 0);
    }

    private void until(BooleanSupplier done, int... polled) {
        long endNs = System.nanoTime() + PATIENCE_NS;
        while (!done.getAsBoolean()) {
            assertTrue(System.nanoTime() < endNs, () -> outcomes.toString());
            for (int rank : polled) {
                ranks.get(rank).poll();
            }
        }
    }

    private void untilOpen() {
        until(() -> outcomes.stream().allMatch(one -> one.path != null), 0, 1);
    }

    @Test
    void shouldOpenForBothThoughOneAsks() {
        start();
        ranks.get(0).connect(1);
        ranks.get(0).connect(1);
        untilOpen();
        assertTrue(outcomes.stream().allMatch(one -> one.opened == 1 && one.reason == null));
        assertTrue(ranks.get(1).hasPaths() && !ranks.get(1).isConnecting());
    }

    @Test
    void shouldBeToldAtOnceThatAPeerWantsNoPath() {
        start();
        ranks.get(1).giveUp(0);
        ranks.get(0).connect(1);
        long beganNs = System.nanoTime();
        until(() -> outcomes.get(0).reason != null, 0, 1);
        assertTrue(outcomes.get(0).reason.contains("rank 1 wants no connection"), outcomes.get(0).reason);
        assertTrue(System.nanoTime() - beganNs < 8_000_000_000L);
        assertFalse(ranks.get(0).reaches(1), "a pair is tried once");
        assertFalse(ranks.get(0).isConnecting() || ranks.get(1).isConnecting());
        assertNull(outcomes.get(1).reason);
    }

    @Test
    void shouldGiveUpAPeerThatIsSilent() {
        // A driver that starts may have turns enough to answer.
        start(0);
        ranks.get(0).connect(1);
        until(() -> outcomes.get(0).reason != null, 0);
        Candidate tried = views.get(1).members().get(1).candidates().get(0);
        assertTrue(
                outcomes.get(0).reason.contains("within 10000 ms: rank 1 does not answer at [" + tried),
                outcomes.get(0).reason);
        // It is not tried again, neither by this one nor by the other.
        start(1);
        ranks.get(1).connect(0);
        until(() -> outcomes.get(1).reason != null, 0, 1);
        assertEquals(0, outcomes.get(0).opened + outcomes.get(1).opened);
    }

    @Test
    void shouldSayWhyNothingOpens() throws Exception {
        try (GroupDirectory taken = SharedDirectory.open(directory).enter(new UdpNames(views.get(0)).group(), 0)) {
            start();
            ranks.get(0).connect(1);
            assertTrue(ranks.get(0).isConnecting());
            until(() -> outcomes.get(0).reason != null, 0);
            assertTrue(outcomes.get(0).reason.contains("living rank 0 in " + taken.path()), outcomes.get(0).reason);
            assertFalse(ranks.get(0).reaches(1) || ranks.get(0).isConnecting());
        }
    }

    @Test
    void shouldLeaveNothingIfTheDriverCannotBeMade() {
        ranks.get(0).close();
        ZipSettings settings = AeronWiring.settings(2, 0, TransportChoice.AERON_UDP, directory.toString(), "auto");
        ranks.set(
                0,
                new AeronUdpProvider((names, signs) -> {
                            throw new NoClassDefFoundError("some class");
                        })
                        .open(settings, bases.get(0))
                        .get(0));
        start(0);
        ranks.get(0).connect(1);
        until(() -> outcomes.get(0).reason != null, 0);
        assertTrue(outcomes.get(0).reason.contains("some class"), outcomes.get(0).reason);
        assertEquals(0, files("group-"));
    }

    /** The driver would take the rest from the datagram before it. */
    @Test
    void shouldNotHearHalfADatagram() {
        List<UdpSender> senders = new ArrayList<>();
        List<MediaDriver.Context> contexts = new ArrayList<>();
        ranks.get(0).close();
        ZipSettings settings = AeronWiring.settings(2, 0, TransportChoice.AERON_UDP, directory.toString(), "auto");
        UdpEndpoint.Gates gates = new UdpEndpoint.Gates() {
            @Override
            public ReceiveChannelEndpointSupplier of(UdpNames names, UdpSigns signs) {
                return (channel, dispatcher, status, context) ->
                        new UdpGate(names, signs, channel, dispatcher, status, context);
            }

            @Override
            public SendChannelEndpointSupplier senders() {
                return (channel, status, context) -> {
                    contexts.add(context);
                    senders.add(new UdpSender(channel, status, context));
                    return senders.get(senders.size() - 1);
                };
            }
        };
        ranks.set(0, new AeronUdpProvider(gates).open(settings, bases.get(0)).get(0));
        views = DirectWiring.views(
                SEED, ranks.stream().map(DirectTransport::candidates).toList());
        start();
        ranks.get(0).connect(1);
        untilOpen();
        StatusMessageFlyweight said = new StatusMessageFlyweight(new UnsafeBuffer(ByteBuffer.allocateDirect(128)));
        UdpNames names = new UdpNames(views.get(0));
        said.version(HeaderFlyweight.CURRENT_VERSION)
                .headerType(HeaderFlyweight.HDR_TYPE_SM)
                .frameLength(StatusMessageFlyweight.HEADER_LENGTH);
        said.streamId(names.streamOf(1) + 1).sessionId(names.sessionTo(1, 0, 0));
        AtomicCounter heard = contexts.get(0).systemCounters().get(SystemCounterDescriptor.STATUS_MESSAGES_RECEIVED);
        InetSocketAddress somebody = new InetSocketAddress(InetAddress.getLoopbackAddress(), 9);
        long before = heard.get();
        senders.get(0).onStatusMessage(said, said, StatusMessageFlyweight.HEADER_LENGTH - 1, somebody, null);
        senders.get(0).onStatusMessage(said, said, HeaderFlyweight.MIN_HEADER_LENGTH, somebody, null);
        assertEquals(before, heard.get());
        senders.get(0).onStatusMessage(said, said, StatusMessageFlyweight.HEADER_LENGTH, somebody, null);
        assertEquals(before + 1, heard.get());
    }

    @Test
    void shouldOpenInAThreadThatIsInterrupted() {
        start();
        ranks.get(0).connect(1);
        Thread.currentThread().interrupt();
        untilOpen();
        assertTrue(Thread.interrupted(), "the flag is for others");
    }

    @Test
    void shouldOpenThoughStrangersSendToThePort() throws IOException {
        start();
        UdpNames known = new UdpNames(views.get(0));
        Random random = new Random(seeds.seed());
        try (DatagramChannel stranger = DatagramChannel.open()) {
            SocketsOf target =
                    new SocketsOf(stranger, views.get(0).self().candidates().get(0));
            until(() -> hasDriver(0), 0);
            for (int i = 0; i < 2000; i++) {
                byte[] noise = new byte[random.nextInt(1, 300)];
                random.nextBytes(noise);
                if (i % 3 == 0) {
                    noise[0] = 0;
                }
                target.send(ByteBuffer.wrap(noise));
                target.send(setup(random.nextInt(), random.nextInt(), 1 << 30));
                target.send(setup(known.stream(), random.nextInt(), 1 << 16));
                target.send(setup(known.stream(), new UdpNames(views.get(1)).sessionTo(0, 0, 3), 1 << 30));
                target.send(data(known.stream(), random.nextInt(), noise));
                ranks.get(0).poll();
            }
            assertEquals(0, streams(0), "a stranger was given memory");
            ranks.get(0).connect(1);
            untilOpen();
        }
    }

    @Test
    void shouldOpenThoughSomebodyWhoKnowsTheNumbersPretendsToBeThePeer() throws IOException {
        start();
        UdpNames own = new UdpNames(views.get(0));
        int session = new UdpNames(views.get(1)).sessionTo(0, 0, UdpNames.ATTEMPTS_MAX - 1);
        try (DatagramChannel stranger = DatagramChannel.open()) {
            SocketsOf target =
                    new SocketsOf(stranger, views.get(0).self().candidates().get(0));
            // Until the driver has the port.
            until(
                    () -> {
                        target.send(setup(own.stream(), session, 1 << 16));
                        return streams(0) == 1;
                    },
                    0);
            byte[] lie = new byte[StreamHandshake.MESSAGE_BYTES];
            Arrays.fill(lie, (byte) 1);
            target.send(data(own.stream(), session, lie));
            untilOpen();
        }
    }

    @Test
    @Tag("long")
    void shouldOutliveAFreeze() {
        start();
        ranks.get(0).connect(1);
        untilOpen();
        for (int frozen = 0; frozen < 2; frozen++) {
            outcomes.get(1 - frozen).send(3);
            long thawNs = System.nanoTime() + FREEZE_NS;
            int other = 1 - frozen;
            until(() -> System.nanoTime() - thawNs > 0, other);
            outcomes.get(frozen).send(4);
            int expected = 7 * (1 + frozen);
            until(() -> outcomes.get(0).received + outcomes.get(1).received == expected, 0, 1);
        }
        assertNull(outcomes.get(0).failure);
        assertNull(outcomes.get(1).failure);
    }

    @Test
    void shouldBeUsedByAutoOnlyIfSomebodySaysSo() {
        AeronUdpProvider provider = new AeronUdpProvider();
        ZipSettings.Builder settings = ZipSettings.builder().session("s").size(2);
        assertFalse(provider.isWanted(settings.build()));
        assertFalse(provider.isWanted(settings.transport(TransportChoice.TCP)
                .set(Setting.AERON_UDP, "on")
                .build()));
        assertTrue(provider.isWanted(settings.transport(TransportChoice.AUTO).build()));
        assertTrue(provider.isWanted(settings.transport(TransportChoice.AERON_UDP)
                .set(Setting.AERON_UDP, "off")
                .build()));
    }

    // Fixture.

    /** Whether a rank's driver has its port, more or less: peers that answer are not there yet. */
    private boolean hasDriver(int rank) {
        return files("rank-" + rank + ".udp/cnc.dat") > 0;
    }

    /** How many streams come in at a rank. */
    private long streams(int rank) {
        return files("rank-" + rank + ".udp/images/");
    }

    private long files(String part) {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.filter(one -> one.toString().contains(part)).count();
        } catch (UncheckedIOException e) {
            // Something went away meanwhile.
            return files(part);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where a stranger sends to. */
    private record SocketsOf(DatagramChannel from, Candidate to) {
        void send(ByteBuffer datagram) {
            try {
                from.send(datagram, new InetSocketAddress(InetAddress.getByName(to.host()), to.port()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static ByteBuffer setup(int stream, int session, int termBytes) {
        ByteBuffer datagram = ByteBuffer.allocateDirect(SetupFlyweight.HEADER_LENGTH);
        SetupFlyweight header = new SetupFlyweight(new UnsafeBuffer(datagram));
        header.version(HeaderFlyweight.CURRENT_VERSION)
                .headerType(HeaderFlyweight.HDR_TYPE_SETUP)
                .frameLength(SetupFlyweight.HEADER_LENGTH);
        header.streamId(stream).sessionId(session).termLength(termBytes).mtuLength(1408);
        return datagram;
    }

    private static ByteBuffer data(int stream, int session, byte[] payload) {
        int bytes = DataHeaderFlyweight.HEADER_LENGTH + payload.length;
        ByteBuffer datagram = ByteBuffer.allocateDirect((bytes + 31) / 32 * 32);
        UnsafeBuffer buffer = new UnsafeBuffer(datagram);
        DataHeaderFlyweight header = new DataHeaderFlyweight(buffer);
        header.version(HeaderFlyweight.CURRENT_VERSION)
                .flags(DataHeaderFlyweight.BEGIN_AND_END_FLAGS)
                .headerType(HeaderFlyweight.HDR_TYPE_DATA)
                .frameLength(bytes);
        header.streamId(stream).sessionId(session);
        buffer.putBytes(DataHeaderFlyweight.HEADER_LENGTH, payload);
        return datagram;
    }
}
