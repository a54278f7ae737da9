package io.zipcomm.transport.aeron;

import io.aeron.ExclusivePublication;
import io.aeron.Image;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.GroupView;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.Hello;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * How two ranks prove to each other on a pair of streams that they belong to the group. Both say OPEN with a random number,
 * and CONFIRM, with a code over both numbers, when they have heard the other's. So each end proves that it knows the session
 * key now, and not only that it has heard somebody who did.
 */
final class Handshake {

    /** A HELLO frame. */
    static final int MESSAGE_BYTES = Frame.HEADER_BYTES + Hello.PAYLOAD_BYTES;

    private static final SecureRandom RANDOM = new SecureRandom();

    private final GroupView view;
    private final int peer;
    private final byte[] ownNonce = new byte[Hello.NONCE_BYTES];
    private byte[] peerNonce;
    private boolean confirmed;

    Handshake(GroupView view, int peer) {
        this.view = view;
        this.peer = peer;
        RANDOM.nextBytes(ownNonce);
    }

    /** Whether the peer has said OPEN: CONFIRM can be said. */
    boolean isOpened() {
        return peerNonce != null;
    }

    /** Whether the peer has said CONFIRM. */
    boolean isConfirmed() {
        return confirmed;
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
        if (confirmed) {
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

    /**
     * Writes what this end says.
     *
     * @param step   {@link Hello#OPEN} or {@link Hello#CONFIRM}
     * @param buffer in little-endian order
     * @param at     where the message begins
     */
    void write(int step, ByteBuffer buffer, int at) {
        Frame.begin(buffer, at, FrameType.HELLO);
        Frame.flags(buffer, at, step);
        Frame.payloadBytes(buffer, at, Hello.PAYLOAD_BYTES);
        Frame.epoch(buffer, at, view.epoch());
        Frame.source(buffer, at, view.rank());
        Frame.destination(buffer, at, peer);
        byte[] code = Hello.code(
                view.sessionKey(),
                step,
                view.epoch(),
                view.rank(),
                peer,
                ownNonce,
                step == Hello.OPEN ? null : peerNonce);
        Hello.write(buffer, at + Frame.HEADER_BYTES, ownNonce, code);
    }

    /**
     * Reads what the peer said.
     *
     * @param buffer in little-endian order
     * @param at     where the message begins
     * @param length bytes
     * @throws ZipException if it is not what it must be
     */
    void read(ByteBuffer buffer, int at, int length) {
        boolean isHello = length == MESSAGE_BYTES
                && Frame.problem(buffer, at) == null
                && Frame.type(buffer, at) == FrameType.HELLO.number()
                && Frame.payloadBytes(buffer, at) == Hello.PAYLOAD_BYTES;
        if (!isHello) {
            throw refused("no handshake");
        }
        if (Frame.epoch(buffer, at) != view.epoch()) {
            throw new ZipException(
                    ErrorCode.STALE_EPOCH,
                    "stream of epoch " + Frame.epoch(buffer, at) + ", this is epoch " + view.epoch());
        }
        int payload = at + Frame.HEADER_BYTES;
        if (!Hello.versionFits(buffer, payload)) {
            throw new ZipException(ErrorCode.VERSION_MISMATCH, "no version in common with rank " + peer);
        }
        int step = isOpened() ? Hello.CONFIRM : Hello.OPEN;
        byte[] nonce = Hello.nonce(buffer, payload);
        byte[] expected = Hello.code(
                view.sessionKey(), step, view.epoch(), peer, view.rank(), nonce, step == Hello.OPEN ? null : ownNonce);
        boolean isNamed = Frame.source(buffer, at) == peer && Frame.destination(buffer, at) == view.rank();
        boolean isSame = step == Hello.OPEN || java.util.Arrays.equals(nonce, peerNonce);
        if (!isNamed || !isSame || Frame.flags(buffer, at) != step || !Hello.proves(buffer, payload, expected)) {
            throw refused("no proof of membership");
        }
        peerNonce = nonce;
        confirmed = step == Hello.CONFIRM;
    }

    private ZipException refused(String problem) {
        return new ZipException(ErrorCode.UNAUTHORIZED, problem + " on the stream of rank " + peer);
    }
}
