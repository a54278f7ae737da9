package io.zipcomm.transport.tcp;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.SealKeys;
import io.zipcomm.wire.Frame;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * AES-256-GCM for what one pair of ranks sends each other through the relay. Frames of a direction are numbered from 1, and the number
 * is what makes each nonce: it only ever goes up, for as long as there are these keys, on whatever connection. Engine holder only.
 */
final class Seal {

    private static final String CIPHER = "AES/GCM/NoPadding";
    private static final int NONCE_BYTES = 12;

    private final int peer;
    private final Cipher cipher;
    private final SecretKeySpec outKey;
    private final SecretKeySpec inKey;
    private final long outMark;
    private final long inMark;
    private final byte[] nonce = new byte[NONCE_BYTES];
    private final ByteBuffer nonceNumber = ByteBuffer.wrap(nonce).order(ByteOrder.BIG_ENDIAN);

    private long outNumber;
    private long inNumber;

    Seal(SealKeys keys, int rank, int peer) {
        this.peer = peer;
        outKey = new SecretKeySpec(keys.key(rank, peer), "AES");
        inKey = new SecretKeySpec(keys.key(peer, rank), "AES");
        outMark = keys.mark(rank, peer);
        inMark = keys.mark(peer, rank);
        try {
            cipher = Cipher.getInstance(CIPHER);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(CIPHER + ", which every Java platform must have", e);
        }
    }

    /** Writes number and mark of the next frame to its header. */
    void stamp(ByteBuffer header, int at) {
        Frame.sequence(header, at, ++outNumber);
        Frame.tag(header, at, outMark);
    }

    /**
     * Encrypts.
     *
     * @param header the whole header of the frame as it goes, which {@link #stamp} has completed
     * @param plain  what to encrypt
     * @param bytes  how much of it, from index 0
     * @param sealed takes {@link Frame#SEAL_BYTES} more than that, from index 0
     */
    void seal(ByteBuffer header, byte[] plain, int bytes, byte[] sealed) {
        try {
            begin(Cipher.ENCRYPT_MODE, outKey, outNumber, header);
            cipher.doFinal(plain, 0, bytes, sealed, 0);
        } catch (GeneralSecurityException e) {
            throw new ZipException(ErrorCode.INTERNAL, "a frame for rank " + peer + " cannot be encrypted: " + e, e);
        }
    }

    /**
     * Decrypts.
     *
     * @param header the whole header of the frame as it came
     * @param sealed what came
     * @param bytes  how much of it, from index 0
     * @param plain  takes {@link Frame#SEAL_BYTES} less than that, from index 0
     * @return whether it is the next frame; otherwise those between were lost, with a connection or on purpose
     * @throws ZipException with code CORRUPT if it is not what the peer sealed, or comes again; UNAUTHORIZED if the peer never sealed
     *     anything with the key that this rank has
     */
    boolean open(ByteBuffer header, byte[] sealed, int bytes, byte[] plain) {
        long number = Frame.sequence(header, 0);
        if (number <= inNumber) {
            throw new ZipException(
                    ErrorCode.CORRUPT,
                    "encrypted frame " + number + " from rank " + peer + " came through the relay after frame "
                            + inNumber + ": it was sent again or moved on the way");
        }
        try {
            begin(Cipher.DECRYPT_MODE, inKey, number, header);
            cipher.doFinal(sealed, 0, bytes, plain, 0);
        } catch (AEADBadTagException e) {
            throw refusal(number, Frame.tag(header, 0), e);
        } catch (GeneralSecurityException e) {
            throw new ZipException(ErrorCode.INTERNAL, "a frame of rank " + peer + " cannot be decrypted: " + e, e);
        }
        boolean isNext = number == inNumber + 1;
        inNumber = number;
        return isNext;
    }

    private ZipException refusal(long number, long mark, Exception cause) {
        return inNumber == 0 && mark != inMark
                ? new ZipException(
                        ErrorCode.UNAUTHORIZED,
                        "rank " + peer
                                + " encrypts with another key: its ZIP_SECRET differs, or the relay told it something"
                                + " else about the group",
                        cause)
                : new ZipException(
                        ErrorCode.CORRUPT,
                        "encrypted frame " + number + " from rank " + peer
                                + " was changed on its way through the relay",
                        cause);
    }

    private void begin(int mode, SecretKeySpec key, long number, ByteBuffer header) throws GeneralSecurityException {
        nonceNumber.putLong(NONCE_BYTES - Long.BYTES, number);
        cipher.init(mode, key, new GCMParameterSpec(Frame.SEAL_BYTES * Byte.SIZE, nonce));
        cipher.updateAAD(header.clear());
    }
}
