package io.zipcomm.membership;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.wire.SessionKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

class SealKeysTest {

    private static final byte[] SECRET = "a secret of the members".getBytes(StandardCharsets.UTF_8);

    private static byte[] bytes(int value) {
        byte[] all = new byte[SessionKey.BYTES];
        Arrays.fill(all, (byte) value);
        return all;
    }

    private static SealKeys keys(byte[] secret, int sessionKey, int epoch, int... nonces) {
        List<byte[]> published = new ArrayList<>();
        for (int nonce : nonces) {
            published.add(bytes(nonce));
        }
        return new SealKeys(secret, new SessionKey(bytes(sessionKey)), epoch, published);
    }

    @Test
    void shouldAgreeOnBothSides() {
        SealKeys one = keys(SECRET, 1, 3, 10, 11);
        SealKeys other = keys(SECRET.clone(), 1, 3, 10, 11);
        assertArrayEquals(one.key(0, 1), other.key(0, 1));
        assertEquals(one.mark(1, 0), other.mark(1, 0));
        assertEquals(32, one.key(0, 1).length);
    }

    /** By the letter of RFC 5869, written down once more. */
    @Test
    void shouldBeHkdf() throws Exception {
        byte[] extracted = hmac(bytes(1), SECRET);
        ByteBuffer info = ByteBuffer.allocate(17 + 12 + 64 + 1);
        info.put("zip sealed frames".getBytes(StandardCharsets.US_ASCII))
                .putInt(3)
                .putInt(1)
                .putInt(0);
        info.put(bytes(11)).put(bytes(10)).put((byte) 1);
        assertArrayEquals(
                hmac(extracted, info.array()), keys(SECRET, 1, 3, 10, 11).key(1, 0));
    }

    private static byte[] hmac(byte[] key, byte[] text) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text);
    }

    /** A relay that hands out an old session key gets no old keys: ranks have other random numbers. */
    @Test
    void shouldHaveAnotherKeyForWhateverIsDifferent() {
        Set<String> seen = new HashSet<>();
        List<SealKeys> all = List.of(
                keys(SECRET, 1, 3, 10, 11, 12),
                keys("another secret of them".getBytes(StandardCharsets.UTF_8), 1, 3, 10, 11, 12),
                keys(SECRET, 2, 3, 10, 11, 12),
                keys(SECRET, 1, 4, 10, 11, 12),
                keys(SECRET, 1, 3, 20, 21, 22));
        for (SealKeys one : all) {
            for (int source = 0; source < 3; source++) {
                for (int destination = 0; destination < 3; destination++) {
                    if (source != destination) {
                        String key = HexFormat.of().formatHex(one.key(source, destination));
                        assertTrue(seen.add(key), "a key comes twice");
                    }
                }
            }
        }
        // Either end's own number is enough.
        SealKeys first = all.get(0);
        SealKeys mine = keys(SECRET, 1, 3, 20, 11, 12);
        assertNotEquals(first.mark(0, 1), mine.mark(0, 1));
        assertNotEquals(first.mark(1, 0), mine.mark(1, 0));
        assertEquals(first.mark(1, 2), mine.mark(1, 2));
    }

    @Test
    void shouldNotBePrinted() {
        assertEquals("keys of sealed frames", keys(SECRET, 1, 3, 10, 11).toString());
    }
}
