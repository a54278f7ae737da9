package io.zipcomm.transport;

import io.zipcomm.error.ZipException;
import java.nio.ByteBuffer;

/** The link's side of a path: makes the frames that go out and takes those that come in. */
public interface FrameHandler {

    /**
     * Asks for the next frame to send. While a payload has not been taken, that is only done behind a DATA frame that is not the last
     * of its message.
     *
     * @param path   who asks
     * @param header where to write the header, little-endian
     * @param at     index of the header's first byte
     * @param out    receives the payload, if the frame has one
     * @return false if there is nothing to send on this path now
     */
    boolean nextFrame(Path path, ByteBuffer header, int at, OutboundFrame out);

    /**
     * The payload of a frame has left the caller's memory, and so have those of its message before it. Not called for frames without
     * a payload.
     *
     * @param out as filled by {@link #nextFrame}
     */
    void payloadTaken(OutboundFrame out);

    /**
     * A well-formed header came in.
     *
     * @param path   where from
     * @param header the header, little-endian; valid during the call
     * @param at     index of the header's first byte
     * @param in     receives where the payload goes, if the frame has one
     * @throws ZipException if the frame breaks the protocol: the path ends, {@link #ended} follows
     */
    void headerReceived(Path path, ByteBuffer header, int at, InboundFrame in);

    /**
     * The whole frame is in. Called for every frame, also those without a payload.
     *
     * @param path where from
     * @param in   as filled by {@link #headerReceived}
     */
    void frameReceived(Path path, InboundFrame in);

    /**
     * Whether the peer owes this end something: a frame, or word that it has what it was sent. Silence on a path is looked into
     * only then.
     */
    default boolean isAwaiting() {
        return false;
    }

    /**
     * The peer's end of the path closed its output after its last frame, or the path broke.
     *
     * @param path   which path
     * @param failure null for a regular end
     */
    void ended(Path path, ZipException failure);
}
