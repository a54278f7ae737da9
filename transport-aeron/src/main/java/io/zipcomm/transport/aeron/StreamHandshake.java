package io.zipcomm.transport.aeron;

import io.aeron.ExclusivePublication;
import io.aeron.Image;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Handshake;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.agrona.concurrent.UnsafeBuffer;

/** The {@link Handshake} of two ranks on a pair of streams. */
final class StreamHandshake extends Handshake {

    StreamHandshake(GroupView view, int peer) {
        super(view, peer);
    }

    /**
     * Says something on the stream to the peer.
     *
     * @param step as {@link #write} has it
     * @return false if there is no room yet
     */
    boolean say(int step, ExclusivePublication publication) {
        BufferClaim claim = new BufferClaim();
        ByteBuffer message = ByteBuffer.allocate(MESSAGE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        write(step, message, 0);
        boolean said = publication.tryClaim(MESSAGE_BYTES, claim) > 0;
        if (said) {
            claim.putBytes(new UnsafeBuffer(message), 0, MESSAGE_BYTES).commit();
        }
        return said;
    }

    /**
     * Reads one message of the peer's stream, if it has come and the handshake is not over: what is behind that is not for it.
     *
     * @throws ZipException if it is not what it must be
     */
    void hear(Image image) {
        if (isConfirmed()) {
            return;
        }
        ZipException[] problem = new ZipException[1];
        image.controlledPoll(
                (buffer, offset, length, header) -> {
                    try {
                        read(buffer.byteBuffer(), buffer.wrapAdjustment() + offset, length);
                    } catch (ZipException e) {
                        problem[0] = e;
                    }
                    return ControlledFragmentHandler.Action.BREAK;
                },
                1);
        if (problem[0] != null) {
            throw problem[0];
        }
    }
}
