package io.zipcomm.testkit;

import static io.zipcomm.testkit.Outcome.assertFailed;
import static io.zipcomm.testkit.Outcome.assertSucceeded;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Frames that break the protocol end their link with a named error, and nothing else. */
@Tag("once")
final class ProtocolTest {

    private static final int EAGER = 1024;
    private static final int WINDOW = 16 << 10;
    private static final int LIAR = 0;
    private static final int VICTIM = 1;
    private static final long NOTICED_MS_MAX = 5000;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    /** Changes one field of a frame. */
    @FunctionalInterface
    private interface Lie {
        void tell(ByteBuffer header, int at);
    }

    private void shouldRefuse(FrameType type, ErrorCode code, String word, Lie lie) {
        seeds.each(12, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(3, seed);
            int[] skipped = {1};
            network.tamper(LIAR, VICTIM, (header, at) -> {
                boolean chosen = Frame.type(header, at) == type.number() && skipped[0]-- <= 0;
                if (chosen) {
                    lie.tell(header, at);
                }
                return chosen;
            });
            try (SimulatedGroup group = SimulatedGroup.of(
                    network, options -> options.eagerBytes(EAGER).windowBytes(WINDOW))) {
                List<ZipFuture<?>> toVictim = new ArrayList<>();
                List<ZipFuture<?>> toLiar = new ArrayList<>();
                for (int i = 0; i < 20; i++) {
                    int bytes = i % 2 == 0 ? 100 : 6 * EAGER;
                    toVictim.add(group.communicator(LIAR).sendAsync(VICTIM, i, Payload.of(new byte[bytes])));
                    toLiar.add(group.communicator(VICTIM).sendAsync(LIAR, i, Payload.of(new byte[bytes])));
                    group.turns(group.random().nextInt(8));
                    toVictim.add(group.communicator(VICTIM).receiveAsync(LIAR, i, Payload.of(new byte[bytes])));
                    toLiar.add(group.communicator(LIAR).receiveAsync(VICTIM, i, Payload.of(new byte[bytes])));
                }
                // Waits for a message that the liar never sends.
                ZipFuture<Long> open = group.communicator(VICTIM).receiveAsync(LIAR, 99, Payload.of(new byte[1]));
                long beginNs = network.nowNs();
                group.await(open);
                group.await(toVictim);
                group.await(toLiar);
                long ms = (network.nowNs() - beginNs) / 1_000_000;
                assertTrue(ms < NOTICED_MS_MAX, "ended after " + ms + " ms");
                ZipException failure = assertFailed(code, LIAR, open);
                assertTrue(failure.getMessage().contains(word), failure.getMessage());
                assertOthersGoOn(group);
            }
        });
    }

    private static void assertOthersGoOn(SimulatedGroup group) {
        for (int rank : new int[] {LIAR, VICTIM}) {
            ZipFuture<Void> send = group.communicator(rank).sendAsync(2, 1, Payload.of(new byte[3 * EAGER]));
            ZipFuture<Long> receive = group.communicator(2).receiveAsync(rank, 1, Payload.of(new byte[3 * EAGER]));
            group.await(send, receive);
            assertSucceeded(send);
            assertSucceeded(receive);
        }
        ZipFuture<Void> refused = group.communicator(VICTIM).sendAsync(LIAR, 1, Payload.of(new byte[3]));
        group.await(refused);
        assertNotNull(Outcome.failure(refused));
    }

    @Test
    void shouldRefuseFramesOfAnotherEpoch() {
        shouldRefuse(
                FrameType.EAGER,
                ErrorCode.STALE_EPOCH,
                "expected epoch " + SimulatedNetwork.EPOCH,
                (header, at) -> Frame.epoch(header, at, SimulatedNetwork.EPOCH - 1));
    }

    @Test
    void shouldRefuseAnotherVersion() {
        shouldRefuse(
                FrameType.EAGER,
                ErrorCode.PROTOCOL,
                "version 9",
                (header, at) -> header.put(at + Frame.VERSION_OFFSET, (byte) 9));
    }

    @Test
    void shouldRefuseAGapInTheSequence() {
        shouldRefuse(
                FrameType.REQUEST,
                ErrorCode.PROTOCOL,
                "expected sequence",
                (header, at) -> Frame.sequence(header, at, Frame.sequence(header, at) + 1));
    }

    @Test
    void shouldRefuseAFrameThatCameBefore() {
        shouldRefuse(
                FrameType.EAGER,
                ErrorCode.PROTOCOL,
                "expected sequence",
                (header, at) -> Frame.sequence(header, at, Frame.sequence(header, at) - 1));
    }

    @Test
    void shouldRefuseFramesOfAnotherSender() {
        shouldRefuse(FrameType.EAGER, ErrorCode.PROTOCOL, "another pair", (header, at) -> Frame.source(header, at, 2));
    }

    @Test
    void shouldRefuseFramesForAnotherReceiver() {
        shouldRefuse(
                FrameType.EAGER, ErrorCode.PROTOCOL, "another pair", (header, at) -> Frame.destination(header, at, 2));
    }

    @Test
    void shouldRefuseCreditThatWasNeverOwed() {
        shouldRefuse(
                FrameType.EAGER,
                ErrorCode.PROTOCOL,
                "impossible credit",
                (header, at) -> Frame.credit(header, at, 1L << 40));
    }

    @Test
    void shouldRefuseCreditThatIsTakenBack() {
        shouldRefuse(
                FrameType.EAGER, ErrorCode.PROTOCOL, "impossible credit", (header, at) -> Frame.credit(header, at, -1));
    }

    @Test
    void shouldRefuseARequestForNothing() {
        shouldRefuse(FrameType.REQUEST, ErrorCode.PROTOCOL, "empty", (header, at) -> Frame.messageBytes(header, at, 0));
    }

    @Test
    void shouldRefuseANegativeLength() {
        shouldRefuse(
                FrameType.REQUEST,
                ErrorCode.PROTOCOL,
                "REQUEST frame",
                (header, at) -> Frame.messageBytes(header, at, -8));
    }

    @Test
    void shouldRefuseDataForAnUnknownBuffer() {
        shouldRefuse(
                FrameType.DATA,
                ErrorCode.PROTOCOL,
                "never announced",
                (header, at) -> Frame.transfer(header, at, 0xfffff));
    }

    @Test
    void shouldRefuseDataOutOfPlace() {
        shouldRefuse(FrameType.DATA, ErrorCode.PROTOCOL, "out of place", (header, at) -> {
            int bytes = Frame.payloadBytes(header, at);
            Frame.messageBytes(header, at, 1 << 20);
            Frame.offset(header, at, bytes + 8L);
        });
    }

    @Test
    void shouldRefuseDataOfALongerMessage() {
        shouldRefuse(
                FrameType.DATA,
                ErrorCode.PROTOCOL,
                "out of place",
                (header, at) -> Frame.messageBytes(header, at, 1 << 20));
    }

    @Test
    void shouldRefuseFramesThatBelongToConnections() {
        for (FrameType type :
                List.of(FrameType.HELLO, FrameType.CONTROL, FrameType.FLOW, FrameType.PING, FrameType.PONG)) {
            shouldRefuse(FrameType.REQUEST, ErrorCode.PROTOCOL, type.name(), (header, at) -> {
                Frame.messageBytes(header, at, 0);
                header.put(at + Frame.TYPE_OFFSET, (byte) type.number());
            });
        }
    }

    /** Makes a frame of another type of one that has no payload. */
    private static void become(FrameType type, ByteBuffer header, int at) {
        Frame.messageBytes(header, at, 0);
        header.put(at + Frame.TYPE_OFFSET, (byte) type.number());
    }

    @Test
    void shouldRefuseAnAcknowledgementOfWhatWasNotSent() {
        shouldRefuse(FrameType.REQUEST, ErrorCode.PROTOCOL, "acknowledgement of frame", (header, at) -> {
            become(FrameType.ACK, header, at);
            Frame.credit(header, at, 1L << 40);
        });
    }

    @Test
    void shouldRefuseAResumptionOutOfItsTurn() {
        for (int number : new int[] {-1, 0, 2, 7}) {
            shouldRefuse(FrameType.REQUEST, ErrorCode.PROTOCOL, "unexpected number", (header, at) -> {
                become(FrameType.RESUME, header, at);
                Frame.credit(header, at, 0);
                Frame.transfer(header, at, number);
            });
        }
    }

    @Test
    void shouldRefuseAResumptionAfterWhatWasNotSent() {
        shouldRefuse(FrameType.REQUEST, ErrorCode.PROTOCOL, "unexpected number", (header, at) -> {
            become(FrameType.RESUME, header, at);
            Frame.credit(header, at, 1L << 40);
            Frame.transfer(header, at, 1);
        });
    }

    @Test
    void shouldRefuseTheRestOfNoFrame() {
        shouldRefuse(
                FrameType.REQUEST,
                ErrorCode.PROTOCOL,
                "expected sequence",
                (header, at) -> become(FrameType.REST, header, at));
    }

    @Test
    void shouldRefuseAnswersWithAnotherBuffer() {
        // The victim is told of a buffer that the liar never had, and sends there.
        shouldRefuseAtLiar((header, at) -> Frame.transfer(header, at, 0xfffff));
    }

    private void shouldRefuseAtLiar(Lie lie) {
        seeds.each(12, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(3, seed);
            network.tamper(LIAR, VICTIM, (header, at) -> {
                boolean chosen = Frame.type(header, at) == FrameType.CLEAR.number();
                if (chosen) {
                    lie.tell(header, at);
                }
                return chosen;
            });
            try (SimulatedGroup group = SimulatedGroup.of(
                    network, options -> options.eagerBytes(EAGER).windowBytes(WINDOW))) {
                ZipFuture<Void> send = group.communicator(VICTIM).sendAsync(LIAR, 3, Payload.of(new byte[9 * EAGER]));
                ZipFuture<Long> receive =
                        group.communicator(LIAR).receiveAsync(VICTIM, 3, Payload.of(new byte[9 * EAGER]));
                group.await(send, receive);
                ZipException failure = assertFailed(ErrorCode.PROTOCOL, VICTIM, receive);
                assertTrue(failure.getMessage().contains("never announced"), failure.getMessage());
            }
        });
    }

    @Test
    void shouldIgnoreAWithdrawalOfNothing() {
        seeds.each(12, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(2, seed);
            try (SimulatedGroup group = SimulatedGroup.of(
                    network, options -> options.eagerBytes(EAGER).windowBytes(WINDOW))) {
                network.tamper(LIAR, VICTIM, (header, at) -> {
                    if (Frame.type(header, at) == FrameType.CANCEL.number()) {
                        Frame.transfer(header, at, 12345);
                        return true;
                    }
                    return false;
                });
                ZipFuture<Void> send = group.communicator(LIAR).sendAsync(VICTIM, 3, Payload.of(new byte[9 * EAGER]));
                group.turns(200);
                assertTrue(send.cancel(false));
                group.turns(200);
                ZipFuture<Void> again = group.communicator(LIAR).sendAsync(VICTIM, 4, Payload.of(new byte[9 * EAGER]));
                ZipFuture<Long> receive =
                        group.communicator(VICTIM).receiveAsync(LIAR, 4, Payload.of(new byte[9 * EAGER]));
                group.await(again, receive);
                assertSucceeded(receive);
            }
        });
    }

    @Test
    void shouldSurviveAnyHeader() {
        seeds.each(400, seed -> {
            SimulatedNetwork network = new SimulatedNetwork(3, seed);
            RandomGenerator chance = Seeds.random(seed + 1);
            network.tamper(LIAR, VICTIM, (header, at) -> {
                if (chance.nextInt(12) > 0) {
                    return false;
                }
                for (int i = chance.nextInt(1, 4); i > 0; i--) {
                    int index = at + chance.nextInt(Frame.HEADER_BYTES);
                    header.put(index, (byte) (chance.nextBoolean() ? chance.nextInt() : header.get(index) ^ 1));
                }
                return chance.nextInt(4) == 0;
            });
            try (SimulatedGroup group = SimulatedGroup.of(
                    network,
                    options -> options.eagerBytes(EAGER).windowBytes(WINDOW).operationTimeout(Duration.ofSeconds(3)))) {
                List<ZipFuture<?>> all = new ArrayList<>();
                for (int i = 0; i < 30; i++) {
                    byte[] bytes = new byte[i % 2 == 0 ? 100 : 6 * EAGER];
                    all.add(group.communicator(LIAR).sendAsync(VICTIM, i, Payload.of(bytes)));
                    all.add(group.communicator(VICTIM).sendAsync(LIAR, i, Payload.of(bytes)));
                    group.turns(chance.nextInt(8));
                    all.add(group.communicator(VICTIM).receiveAsync(LIAR, i, Payload.of(new byte[bytes.length])));
                    all.add(group.communicator(LIAR).receiveAsync(VICTIM, i, Payload.of(new byte[bytes.length])));
                    if (chance.nextInt(8) == 0) {
                        all.get(chance.nextInt(all.size())).cancel(false);
                    }
                }
                group.await(all);
                for (int rank : new int[] {LIAR, VICTIM}) {
                    ZipFuture<Void> send = group.communicator(rank).sendAsync(2, 1, Payload.of(new byte[3 * EAGER]));
                    ZipFuture<Long> receive =
                            group.communicator(2).receiveAsync(rank, 1, Payload.of(new byte[3 * EAGER]));
                    group.await(send, receive);
                    assertSucceeded(receive);
                }
            }
        });
    }
}
