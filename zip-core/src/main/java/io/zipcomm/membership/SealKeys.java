package io.zipcomm.membership;

import io.zipcomm.wire.SessionKey;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Keys for frames that go through the relay, which it cannot know: they are made by HKDF-SHA256 from a secret of the members, with the
 * session key as salt. Each direction of each pair has one. Each depends on a random number of either end, so that no key is ever
 * the same again, whatever session key a relay may give out. Immutable.
 */
public final class SealKeys {

    /** Bytes of the random number that each member publishes when it joins. */
    public static final int NONCE_BYTES = 32;

    private static final byte[] FRAMES = "zip sealed frames".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] MARK = "zip sealed mark".getBytes(StandardCharsets.US_ASCII);

    private final SessionKey extracted;
    private final int epoch;
    private final List<byte[]> nonces;

    /**
     * Keys of a group in one epoch.
     *
     * @param secret     of the members
     * @param sessionKey that the relay gave out
     * @param epoch      generation of the group
     * @param nonces     {@link #NONCE_BYTES} bytes of each member, in rank order; this process's as it made them itself
     */
    public SealKeys(byte[] secret, SessionKey sessionKey, int epoch, List<byte[]> nonces) {
        extracted = new SessionKey(sessionKey.code(secret));
        this.epoch = epoch;
        this.nonces = List.copyOf(nonces);
    }

    /** The key, of 32 bytes, for what one rank sends to another. */
    public byte[] key(int source, int destination) {
        return expand(FRAMES, source, destination);
    }

    /** A number by which the destination sees that the source has made the same key, which it does not tell. */
    public long mark(int source, int destination) {
        return ByteBuffer.wrap(expand(MARK, source, destination))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong();
    }

    /** The first and only block that HKDF needs for 32 bytes. */
    private byte[] expand(byte[] purpose, int source, int destination) {
        ByteBuffer info = ByteBuffer.allocate(purpose.length + 3 * Integer.BYTES + 2 * NONCE_BYTES + 1);
        info.put(purpose).putInt(epoch).putInt(source).putInt(destination);
        info.put(nonces.get(source)).put(nonces.get(destination)).put((byte) 1);
        return Arrays.copyOf(extracted.code(info.array()), SessionKey.BYTES);
    }

    @Override
    public String toString() {
        return "keys of sealed frames";
    }
}
