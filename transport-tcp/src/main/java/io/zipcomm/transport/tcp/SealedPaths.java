package io.zipcomm.transport.tcp;

import io.zipcomm.buffer.Payload;
import io.zipcomm.buffer.Segment;
import io.zipcomm.membership.GroupView;
import io.zipcomm.transport.Path;
import io.zipcomm.wire.Frame;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The sealed paths of one rank, and the memory that they share: the connection to the relay has at most one frame under way in each
 * direction. Engine holder only.
 */
final class SealedPaths {

    private final GroupView view;
    private final SealedPath[] paths;
    private final Seal[] seals;

    // Each a header and a payload, sealed or not.
    final byte[] plainOut;
    final byte[] sealedOut;
    final byte[] plainIn;
    final byte[] sealedIn;

    /** All of {@link #sealedOut}, and of {@link #sealedIn}. */
    final Payload sealedOutPayload;

    final Payload sealedInPayload;

    /** The header in {@link #plainIn}. */
    final ByteBuffer plainInHeader;

    /** For payloads that are not in direct memory. */
    final Segment staging;

    SealedPaths(GroupView view) {
        this.view = view;
        paths = new SealedPath[view.size()];
        seals = new Seal[view.size()];
        int plainBytes = Frame.HEADER_BYTES + view.fragmentBytesMax();
        int sealedBytes = plainBytes + Frame.SEAL_BYTES;
        plainOut = new byte[plainBytes];
        sealedOut = new byte[sealedBytes];
        plainIn = new byte[plainBytes];
        sealedIn = new byte[sealedBytes];
        sealedOutPayload = Payload.of(sealedOut);
        sealedInPayload = Payload.of(sealedIn);
        plainInHeader = ByteBuffer.wrap(plainIn).order(ByteOrder.LITTLE_ENDIAN);
        staging = Segment.allocate((plainBytes + Long.BYTES - 1) / Long.BYTES * Long.BYTES);
    }

    /** A path through the relay, sealed: the same each time. On a new one to the same peer the numbers of frames go on. */
    SealedPath around(Path path) {
        int peer = path.peer();
        if (seals[peer] == null) {
            seals[peer] = new Seal(view.sealKeys(), view.rank(), peer);
        }
        if (paths[peer] == null || !paths[peer].isAround(path)) {
            paths[peer] = new SealedPath(path, seals[peer], this);
        }
        return paths[peer];
    }
}
