package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ZipException;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.RemoteMemory;
import io.zipcomm.transport.rdma.ffi.Native;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Memory of an endpoint that libfabric cannot close, which leaves its descriptors behind, and its addresses with libfabric. */
final class KeptMemoryTest {

    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);
    private static final int BYTES = 64 << 10;

    private WeakReference<ByteBuffer> exposed;
    private WeakReference<ByteBuffer> destination;

    @Test
    void shouldStayReachable() {
        List<RdmaRank> ranks = RdmaRank.group(Native.TCP, Native.TCP);
        try (RdmaRank peer = ranks.get(1)) {
            closeAmidARead(ranks.get(0), peer);
            ranks = null;
            for (int i = 0; i < 5; i++) {
                System.gc();
                assertFalse(
                        exposed.refersTo(null) || destination.refersTo(null),
                        "memory was collected whose address libfabric has");
            }
        }
    }

    private void closeAmidARead(RdmaRank rank, RdmaRank peer) {
        rank.transport.connect(1);
        long limitNs = System.nanoTime() + PATIENCE_NS;
        while (rank.opened.isEmpty() || peer.opened.isEmpty()) {
            rank.turn();
            peer.turn();
            assertTrue(System.nanoTime() < limitNs, "a path");
        }
        rank.opened.get(1).bind(new Silence());
        RemoteMemory.Exposure there = peer.transport.remoteMemory().expose(RegionGroup.filled(BYTES, 0));
        ByteBuffer here = RegionGroup.filled(BYTES, 0);
        exposed = new WeakReference<>(here);
        rank.transport.remoteMemory().expose(here);
        ByteBuffer read = RegionGroup.filled(BYTES, 0);
        destination = new WeakReference<>(read);
        assertTrue(rank.transport.remoteMemory().get(1, there.address(), there.key(), read, 0, BYTES, failure -> {}));
        // The peer has no turn, so that the read does not end.
        rank.close();
        assertTrue(rank.transport.endpoint().stays());
    }

    /** Nobody sends anything. */
    private static final class Silence implements FrameHandler {
        @Override
        public boolean nextFrame(Path path, ByteBuffer header, int at, OutboundFrame out) {
            return false;
        }

        @Override
        public void payloadTaken(OutboundFrame out) {}

        @Override
        public void headerReceived(Path path, ByteBuffer header, int at, InboundFrame in) {}

        @Override
        public void frameReceived(Path path, InboundFrame in) {}

        @Override
        public void ended(Path path, ZipException failure) {}
    }
}
