package io.zipcomm.membership;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.Hello;
import io.zipcomm.wire.SessionKey;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What each end takes for a proof, and what it does not. */
final class HandshakeTest {

    private static final int EPOCH = 3;
    private static final int AT = 8;

    private final Handshake zero = handshake(EPOCH, 0, 1, 7);
    private final Handshake one = handshake(EPOCH, 1, 0, 7);

    private static Handshake handshake(int epoch, int rank, int peer, int keyByte) {
        byte[] key = new byte[SessionKey.BYTES];
        key[0] = (byte) keyByte;
        List<Member> members = IntStream.range(0, 3)
                .mapToObj(i -> new Member(i, "host", List.of(), List.of("aeron-ipc")))
                .toList();
        return new Handshake(new GroupView("s", epoch, rank, members, new SessionKey(key), 1, 1), peer);
    }

    private static ByteBuffer say(Handshake from, int step) {
        ByteBuffer message = ByteBuffer.allocate(AT + Handshake.MESSAGE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        from.write(step, message, AT);
        return message;
    }

    private static void hear(Handshake to, ByteBuffer message) {
        to.read(message, AT, Handshake.MESSAGE_BYTES);
    }

    private static void refuses(Handshake to, ByteBuffer message, ErrorCode code) {
        ZipException refusal = assertThrows(ZipException.class, () -> hear(to, message));
        assertEquals(code, refusal.code(), refusal.getMessage());
        assertFalse(to.isConfirmed());
    }

    @Test
    void shouldConfirmWhenBothKnowTheKey() {
        hear(zero, say(one, Hello.OPEN));
        hear(one, say(zero, Hello.OPEN));
        assertTrue(zero.isOpened() && !zero.isConfirmed());
        hear(zero, say(one, Hello.CONFIRM));
        hear(one, say(zero, Hello.CONFIRM));
        assertTrue(zero.isConfirmed() && one.isConfirmed());
    }

    @Test
    void shouldMakeATokenOfEachDirectionThatOnlyTheTwoKnow() {
        hear(zero, say(one, Hello.OPEN));
        hear(one, say(zero, Hello.OPEN));
        assertEquals(zero.token(0), one.token(0));
        assertEquals(zero.token(1), one.token(1));
        assertNotEquals(zero.token(0), zero.token(1));
        Handshake other = handshake(EPOCH, 0, 1, 7);
        hear(other, say(one, Hello.OPEN));
        assertNotEquals(zero.token(0), other.token(0), "another handshake of the same ranks");
    }

    @Test
    void shouldKnowARefusalFromALie() {
        hear(one, say(zero, Hello.OPEN));
        ByteBuffer refusal = say(one, Hello.ANSWER);
        assertTrue(zero.isRefusal(refusal, AT, Handshake.MESSAGE_BYTES));
        assertFalse(zero.isRefusal(say(one, Hello.OPEN), AT, Handshake.MESSAGE_BYTES));
        assertFalse(zero.isRefusal(refusal, AT, Handshake.MESSAGE_BYTES - 1));
        Handshake again = handshake(EPOCH, 0, 1, 7);
        assertFalse(again.isRefusal(refusal, AT, Handshake.MESSAGE_BYTES), "one of a handshake before");
        Handshake stranger = handshake(EPOCH, 1, 0, 8);
        assertFalse(zero.isRefusal(sayUnheard(stranger), AT, Handshake.MESSAGE_BYTES));
        refuses(zero, refusal, ErrorCode.UNAUTHORIZED);
    }

    /** A refusal to nobody in particular. */
    private static ByteBuffer sayUnheard(Handshake from) {
        return say(from, Hello.ANSWER);
    }

    @Test
    void shouldRefuseWhoHasAnotherKey() {
        refuses(zero, say(handshake(EPOCH, 1, 0, 8), Hello.OPEN), ErrorCode.UNAUTHORIZED);
        assertFalse(zero.isOpened());
    }

    @Test
    void shouldRefuseItsOwnMessage() {
        refuses(zero, say(zero, Hello.OPEN), ErrorCode.UNAUTHORIZED);
        // Also with the ranks exchanged: the code says who speaks to whom.
        ByteBuffer reflected = say(zero, Hello.OPEN);
        Frame.source(reflected, AT, 1);
        Frame.destination(reflected, AT, 0);
        refuses(zero, reflected, ErrorCode.UNAUTHORIZED);
    }

    @Test
    void shouldRefuseAnotherEpoch() {
        refuses(zero, say(handshake(EPOCH + 1, 1, 0, 7), Hello.OPEN), ErrorCode.STALE_EPOCH);
        // An old message that pretends to be new.
        ByteBuffer old = say(handshake(EPOCH - 1, 1, 0, 7), Hello.OPEN);
        Frame.epoch(old, AT, EPOCH);
        refuses(zero, old, ErrorCode.UNAUTHORIZED);
    }

    @Test
    void shouldRefuseARankThatItDoesNotExpect() {
        refuses(zero, say(handshake(EPOCH, 2, 0, 7), Hello.OPEN), ErrorCode.UNAUTHORIZED);
        refuses(zero, say(handshake(EPOCH, 1, 2, 7), Hello.OPEN), ErrorCode.UNAUTHORIZED);
        ByteBuffer renamed = say(handshake(EPOCH, 2, 0, 7), Hello.OPEN);
        Frame.source(renamed, AT, 1);
        refuses(zero, renamed, ErrorCode.UNAUTHORIZED);
    }

    @Test
    void shouldRefuseWhatItHasHeardBefore() {
        ByteBuffer open = say(one, Hello.OPEN);
        hear(zero, open);
        refuses(zero, open, ErrorCode.UNAUTHORIZED);
    }

    /** Somebody who has heard a whole handshake, and knows no key, cannot repeat it: the other end's number is a new one. */
    @Test
    void shouldRefuseAHandshakeThatIsRepeated() {
        ByteBuffer open = say(one, Hello.OPEN);
        hear(zero, open);
        hear(one, say(zero, Hello.OPEN));
        ByteBuffer confirm = say(one, Hello.CONFIRM);
        Handshake next = handshake(EPOCH, 0, 1, 7);
        hear(next, open);
        refuses(next, confirm, ErrorCode.UNAUTHORIZED);
    }

    @Test
    void shouldRefuseAConfirmationOfAnotherNumber() {
        hear(zero, say(one, Hello.OPEN));
        Handshake other = handshake(EPOCH, 1, 0, 7);
        hear(other, say(zero, Hello.OPEN));
        refuses(zero, say(other, Hello.CONFIRM), ErrorCode.UNAUTHORIZED);
    }

    @Test
    void shouldRefuseAConfirmationBeforeTheNumber() {
        hear(one, say(zero, Hello.OPEN));
        refuses(zero, say(one, Hello.CONFIRM), ErrorCode.UNAUTHORIZED);
    }

    @Test
    void shouldRefuseWhatIsCutOffOrNoHandshake() {
        ByteBuffer open = say(one, Hello.OPEN);
        for (int length : new int[] {0, 1, Frame.HEADER_BYTES, Handshake.MESSAGE_BYTES - 1}) {
            ZipException refusal = assertThrows(ZipException.class, () -> zero.read(open, AT, length));
            assertEquals(ErrorCode.UNAUTHORIZED, refusal.code());
        }
        refuses(
                zero,
                ByteBuffer.allocate(AT + Handshake.MESSAGE_BYTES).order(ByteOrder.LITTLE_ENDIAN),
                ErrorCode.UNAUTHORIZED);
        ByteBuffer damaged = say(one, Hello.OPEN);
        int last = AT + Handshake.MESSAGE_BYTES - 1;
        damaged.put(last, (byte) (damaged.get(last) ^ 1));
        refuses(zero, damaged, ErrorCode.UNAUTHORIZED);
        hear(zero, open);
        assertTrue(zero.isOpened(), "what was refused did no harm");
    }

    @Test
    void shouldRefuseAnotherVersion() {
        ByteBuffer open = say(one, Hello.OPEN);
        int payload = AT + Frame.HEADER_BYTES;
        open.put(payload + Hello.VERSION_MIN_OFFSET, (byte) (Frame.VERSION + 1));
        open.put(payload + Hello.VERSION_MAX_OFFSET, (byte) (Frame.VERSION + 1));
        refuses(zero, open, ErrorCode.VERSION_MISMATCH);
    }
}
