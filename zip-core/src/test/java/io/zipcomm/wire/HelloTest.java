package io.zipcomm.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class HelloTest {

    private final SessionKey key = new SessionKey(filled(SessionKey.BYTES, 1));
    private final byte[] opened = filled(Hello.NONCE_BYTES, 2);
    private final byte[] answered = filled(Hello.NONCE_BYTES, 3);

    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    @Test
    void shouldPinTheLayout() {
        assertEquals(56, Hello.PAYLOAD_BYTES);
        ByteBuffer payload = Frame.allocate(Hello.PAYLOAD_BYTES);
        byte[] code = filled(Hello.CODE_BYTES, 9);
        Hello.write(payload, 0, opened, code);
        assertEquals(Frame.VERSION, payload.get(0));
        assertEquals(Frame.VERSION, payload.get(1));
        assertEquals(2, payload.get(8));
        assertEquals(9, payload.get(24));
        assertArrayEquals(opened, Hello.nonce(payload, 0));
        assertTrue(Hello.versionFits(payload, 0));
        payload.put(Hello.VERSION_MIN_OFFSET, (byte) (Frame.VERSION + 1));
        assertFalse(Hello.versionFits(payload, 0));
    }

    @Test
    void shouldProveOnlyTheSameStepRanksEpochNoncesAndKey() {
        byte[] code = Hello.code(key, Hello.ANSWER, 5, 1, 2, opened, answered);
        ByteBuffer payload = Frame.allocate(Hello.PAYLOAD_BYTES);
        Hello.write(payload, 0, answered, code);
        assertTrue(Hello.proves(payload, 0, Hello.code(key, Hello.ANSWER, 5, 1, 2, opened, answered)));
        SessionKey other = new SessionKey(filled(SessionKey.BYTES, 8));
        byte[][] wrong = {
            Hello.code(key, Hello.CONFIRM, 5, 1, 2, opened, answered),
            Hello.code(key, Hello.ANSWER, 6, 1, 2, opened, answered),
            Hello.code(key, Hello.ANSWER, 5, 2, 1, opened, answered),
            Hello.code(key, Hello.ANSWER, 5, 1, 3, opened, answered),
            Hello.code(key, Hello.ANSWER, 5, 1, 2, answered, answered),
            Hello.code(key, Hello.ANSWER, 5, 1, 2, opened, opened),
            Hello.code(key, Hello.ANSWER, 5, 1, 2, opened, null),
            Hello.code(other, Hello.ANSWER, 5, 1, 2, opened, answered),
        };
        for (byte[] one : wrong) {
            assertFalse(Hello.proves(payload, 0, one));
        }
    }

    @Test
    void shouldNotPrintTheKey() {
        assertEquals("session key", key.toString());
    }
}
