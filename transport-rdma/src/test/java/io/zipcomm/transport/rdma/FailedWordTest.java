package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.buffer.DataType;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ZipException;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.rdma.FaultyFabric.Fault;
import io.zipcomm.transport.rdma.ffi.Native;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Memory that is taken back from peers that have been told of it and have not read it, when the word that it is taken back does not
 * reach them. Rank 0 sends; the others have no turn before it is taken back.
 */
@Tag("once")
final class FailedWordTest {

    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);
    private static final byte CONTENT = 7;
    private static final byte NEXT_CONTENT = 8;
    private static final int ALL = Integer.MAX_VALUE;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private final FaultyFabric faults = new FaultyFabric(Native.library());
    private List<RdmaRank> ranks = List.of();
    private final List<End> senders = new ArrayList<>();
    private final List<End> receivers = new ArrayList<>();

    @AfterEach
    void close() {
        faults.begin(Fault.NONE, 0, 0);
        ranks.forEach(RdmaRank::close);
    }

    private void until(BooleanSupplier done, String what) {
        long limitNs = System.nanoTime() + PATIENCE_NS;
        while (!done.getAsBoolean()) {
            ranks.forEach(RdmaRank::turn);
            assertTrue(System.nanoTime() < limitNs, () -> what + ": " + ranks);
        }
    }

    /** Rank 0 has told each other rank where its memory is. */
    private void tell(String provider, int size, ByteBuffer memory) {
        ranks = RdmaRank.group(faults.fabric(), provider, size);
        for (int peer = 1; peer < size; peer++) {
            ranks.get(0).transport.connect(peer);
        }
        until(() -> ranks.get(0).opened.size() == size - 1, "paths");
        until(() -> ranks.stream().allMatch(rank -> !rank.opened.isEmpty()), "paths");
        for (int peer = 1; peer < size; peer++) {
            receivers.add(new End(ranks.get(peer).opened.get(0), null));
            senders.add(new End(ranks.get(0).opened.get(peer), memory));
        }
        for (End sender : senders) {
            sender.path.flush();
            assertEquals(memory.capacity(), sender.offset, "all frames were taken");
        }
    }

    private ByteBuffer memory() {
        return RegionGroup.filled(1 << 16, CONTENT);
    }

    private static void fill(ByteBuffer memory, byte content) {
        for (int i = 0; i < memory.capacity(); i++) {
            memory.put(i, content);
        }
    }

    private RdmaEndpoint endpoint() {
        return ranks.get(0).transport.endpoint();
    }

    /** The peers have turns, and the sender none of its own. */
    private void letPeersTurn() {
        for (int i = 0; i < 2000; i++) {
            ranks.get(0).transport.drain();
            ranks.subList(1, ranks.size()).forEach(RdmaRank::turn);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldEndThePathWhenWordThatMemoryIsElsewhereIsLost(String provider) {
        ByteBuffer memory = memory();
        tell(provider, 2, memory);
        faults.begin(Fault.LOST, 0, 1);
        senders.get(0).release();
        assertEquals(0, faults.left(), "it was said");
        fill(memory, NEXT_CONTENT);
        letPeersTurn();
        assertEquals(0, receivers.get(0).frames, "a frame with what its memory held next");
        until(() -> receivers.get(0).failure != null && senders.get(0).failure != null, "the end of the path");
        assertNull(endpoint().problem());
    }

    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldRevokeMemoryWhenThePeerCannotBeToldThatItIsTakenBack(String provider) {
        tell(provider, 2, memory());
        assertEquals(1, endpoint().cache().count());
        faults.begin(Fault.LOST, 0, ALL);
        senders.get(0).release();
        assertEquals(0, endpoint().cache().count(), "it is registered still");
    }

    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldRevokeMemoryWhenALostPathCannotSayThatItIsOver(String provider) {
        tell(provider, 2, memory());
        faults.begin(Fault.LOST, 0, ALL);
        senders.get(0).path.close();
        assertEquals(0, endpoint().cache().count(), "it is registered still");
    }

    /** Without a connection nothing can be on its way, so that one peer that is gone does not cost the others. */
    @Test
    void shouldKeepTheEndpointWhenThereIsNoConnection() {
        tell(Native.TCP, 2, memory());
        until(() -> !endpoint().isSending(), "the message to leave");
        faults.begin(Fault.REFUSED, 0, ALL);
        senders.get(0).path.close();
        assertEquals(0, endpoint().cache().count());
        assertNull(endpoint().problem());
    }

    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldSayThatAPathIsOverUntilItHasLeft(String provider) {
        ByteBuffer memory = memory();
        tell(provider, 2, memory);
        faults.begin(Fault.REFUSED, 0, 3);
        senders.get(0).path.close();
        assertEquals(0, faults.left());
        fill(memory, NEXT_CONTENT);
        assertEquals(1, endpoint().cache().count(), "what nobody reads stays for its next use");
        letPeersTurn();
        assertEquals(0, receivers.get(0).frames, "a frame with what its memory held next");
        assertNotNull(receivers.get(0).failure);
        assertNull(endpoint().problem());
    }

    /** A copy that the peer may still read must not become another payload's. */
    @ParameterizedTest
    @ValueSource(strings = {Native.SHM, Native.TCP})
    void shouldKeepCopiesOfWhichThePeerMayNotKnowThatTheyAreGone(String provider) {
        tell(provider, 2, ByteBuffer.allocate(1 << 16));
        assertEquals(1, endpoint().outgoing().used());
        faults.begin(Fault.LOST, 0, ALL);
        senders.get(0).path.close();
        for (int i = 0; i < 100; i++) {
            ranks.get(0).turn();
        }
        assertEquals(1, endpoint().outgoing().used());
    }

    /** All its fragments are taken back, but only the first waits for a peer that hears nothing. */
    @Test
    void shouldWaitForAPeerThatHearsNothingOnce() {
        tell(Native.SHM, 2, RegionGroup.filled(RdmaOutput.PULLS_MAX << 16, CONTENT));
        faults.begin(Fault.REFUSED, 0, ALL);
        senders.get(0).release();
        assertEquals(1, endpoint().outgoing().used(), "copies: only the first was to be moved");
        assertEquals(0, endpoint().cache().count(), "it is registered still");
        assertNull(endpoint().problem(), "all that lends the memory is of this path");
    }

    /** Its registration is needed for the other peer, and the one that was not told could go on reading by it. */
    @Test
    void shouldGiveTheEndpointUpWhenMemoryThatIsLentTwiceCannotBeRevoked() {
        tell(Native.SHM, 3, memory());
        assertEquals(1, endpoint().cache().count(), "one registration for both");
        faults.begin(Fault.REFUSED, 0, ALL);
        senders.get(0).release();
        String problem = endpoint().problem();
        assertNotNull(problem);
        assertTrue(problem.startsWith("memory that rank 1 reads had to be taken back"), problem);
        until(() -> senders.stream().allMatch(sender -> sender.failure != null), "the end of all paths");
    }

    /** One end of a path, with one frame to send or none. */
    private static final class End implements FrameHandler {
        private final Path path;
        private final Payload payload;
        private final ByteBuffer received = RegionGroup.filled(1 << 16, 0);
        private int offset;
        private int frames;
        private ZipException failure;

        End(Path path, ByteBuffer memory) {
            this.path = path;
            payload = memory == null ? null : Payload.of(memory, 0, memory.capacity(), DataType.INT8);
            path.bind(this);
            path.openInput();
        }

        /** Its memory is its owner's again. */
        void release() {
            path.release(this);
        }

        @Override
        public boolean nextFrame(Path asking, ByteBuffer header, int at, OutboundFrame out) {
            if (payload == null || offset == payload.bytes()) {
                return false;
            }
            Frame.begin(header, at, FrameType.DATA);
            Frame.payloadBytes(header, at, received.capacity());
            Frame.offset(header, at, offset);
            Frame.messageBytes(header, at, payload.bytes());
            Frame.source(header, at, 0);
            Frame.destination(header, at, path.peer());
            Frame.sequence(header, at, 1);
            out.payload = payload;
            out.offset = offset;
            offset += received.capacity();
            out.bytes = received.capacity();
            out.attachment = this;
            return true;
        }

        @Override
        public void payloadTaken(OutboundFrame out) {}

        @Override
        public void headerReceived(Path from, ByteBuffer header, int at, InboundFrame in) {
            in.payload = Payload.of(received, 0, received.capacity(), DataType.INT8);
            in.attachment = this;
        }

        @Override
        public void frameReceived(Path from, InboundFrame in) {
            frames++;
        }

        @Override
        public void ended(Path which, ZipException why) {
            failure = why;
        }
    }
}
