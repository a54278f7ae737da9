package io.zipcomm.membership;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.Hello;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * How two ranks prove to each other, by messages that may have come from anybody, that they belong to the group. Both say OPEN with a
 * random number, and CONFIRM, with a code over both numbers, when they have heard the other's. So each end proves that it knows
 * the session key now, and not only that it has heard somebody who did. One thread at a time.
 */
public class Handshake {

    /** A HELLO frame. */
    public static final int MESSAGE_BYTES = Frame.HEADER_BYTES + Hello.PAYLOAD_BYTES;

    /** No step that is said: {@link #token} makes something else of the numbers. */
    private static final int TOKEN = 4;

    private final GroupView view;
    private final int peer;
    private final byte[] ownNonce = new byte[Hello.NONCE_BYTES];
    private byte[] peerNonce;
    private boolean confirmed;

    /**
     * Begins.
     *
     * @param view the group
     * @param peer rank of the other end in the world
     */
    public Handshake(GroupView view, int peer) {
        this.view = view;
        this.peer = peer;
        Incarnation.random().nextBytes(ownNonce);
    }

    /** Whether the peer has said OPEN: CONFIRM can be said. */
    public final boolean isOpened() {
        return peerNonce != null;
    }

    /** Whether the peer has said CONFIRM. */
    public final boolean isConfirmed() {
        return confirmed;
    }

    /**
     * A number that only the two ends can know, for each direction another. Once the peer has said OPEN.
     *
     * @param speaker rank of the end that says it
     */
    public final long token(int speaker) {
        boolean isOwn = speaker == view.rank();
        byte[] code = Hello.code(
                view.sessionKey(),
                TOKEN,
                view.epoch(),
                speaker,
                isOwn ? peer : view.rank(),
                isOwn ? ownNonce : peerNonce,
                isOwn ? peerNonce : ownNonce);
        return ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    /**
     * Writes what this end says.
     *
     * @param step   {@link Hello#OPEN}, {@link Hello#CONFIRM}, or {@link Hello#ANSWER} to who has said OPEN and is refused
     * @param buffer in little-endian order
     * @param at     where the message begins
     */
    public final void write(int step, ByteBuffer buffer, int at) {
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
    public final void read(ByteBuffer buffer, int at, int length) {
        if (!isHello(buffer, at, length)) {
            throw refused("no handshake");
        }
        if (Frame.epoch(buffer, at) != view.epoch()) {
            throw new ZipException(
                    ErrorCode.STALE_EPOCH,
                    "a peer of epoch " + Frame.epoch(buffer, at) + ", this is epoch " + view.epoch());
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
        boolean isSame = step == Hello.OPEN || Arrays.equals(nonce, peerNonce);
        if (!isNamed || !isSame || Frame.flags(buffer, at) != step || !Hello.proves(buffer, payload, expected)) {
            throw refused("no proof of membership");
        }
        peerNonce = nonce;
        confirmed = step == Hello.CONFIRM;
    }

    /**
     * Whether the peer said that it wants no connection, and proves that it is the peer.
     *
     * @param buffer in little-endian order
     * @param at     where the message begins
     * @param length bytes
     */
    public final boolean isRefusal(ByteBuffer buffer, int at, int length) {
        if (!isHello(buffer, at, length) || Frame.flags(buffer, at) != Hello.ANSWER) {
            return false;
        }
        int payload = at + Frame.HEADER_BYTES;
        byte[] nonce = Hello.nonce(buffer, payload);
        byte[] expected = Hello.code(view.sessionKey(), Hello.ANSWER, view.epoch(), peer, view.rank(), nonce, ownNonce);
        return Hello.proves(buffer, payload, expected);
    }

    private static boolean isHello(ByteBuffer buffer, int at, int length) {
        return length == MESSAGE_BYTES
                && Frame.problem(buffer, at) == null
                && Frame.type(buffer, at) == FrameType.HELLO.number()
                && Frame.payloadBytes(buffer, at) == Hello.PAYLOAD_BYTES;
    }

    private ZipException refused(String problem) {
        return new ZipException(ErrorCode.UNAUTHORIZED, problem + " from rank " + peer);
    }
}
