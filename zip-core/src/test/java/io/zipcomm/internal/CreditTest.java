package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CreditTest {

    private static final long WINDOW = 1 << 16;

    @Test
    void shouldNeverLetTheReceiverKeepMoreThanTheWindow() {
        Random random = new Random(11);
        Credit sender = new Credit(WINDOW);
        Credit receiver = new Credit(WINDOW);
        ArrayDeque<Long> kept = new ArrayDeque<>();
        long sent = 0;
        for (int i = 0; i < 200_000; i++) {
            long bytes = random.nextInt(8000);
            if (random.nextBoolean() && sender.allowsEager(bytes)) {
                sender.charge(bytes);
                assertTrue(receiver.keep(bytes), "the receiver must agree with the sender's count");
                kept.add(bytes);
                sent += bytes;
            } else if (sender.allowsEntry() && random.nextInt(4) == 0) {
                sender.charge(0);
                assertTrue(receiver.keep(0));
                kept.add(0L);
            } else if (!kept.isEmpty()) {
                receiver.release(kept.poll());
            }
            assertTrue(receiver.keptBytes() <= WINDOW);
            if (receiver.isTellDue()) {
                assertTrue(sender.returned(receiver.tell()));
            }
        }
        assertTrue(sent > 10 * WINDOW, "the window must open again: " + sent);
    }

    @Test
    void shouldLeaveRoomForAnnouncementsWhenEagerMessagesFillTheWindow() {
        Credit sender = new Credit(WINDOW);
        while (sender.allowsEager(1000)) {
            sender.charge(1000);
        }
        int announcements = 0;
        while (sender.allowsEntry()) {
            sender.charge(0);
            announcements++;
        }
        assertTrue(announcements >= WINDOW / 8 / Credit.ENTRY_BYTES - 2, "only " + announcements);
    }

    @Test
    void shouldRefuseImpossibleTotalsAndUncoveredEntries() {
        Credit credit = new Credit(WINDOW);
        credit.charge(100);
        long charged = 100 + Credit.ENTRY_BYTES;
        assertFalse(credit.returned(charged + 1));
        assertTrue(credit.returned(charged));
        assertFalse(credit.returned(charged - 1), "what was given back cannot be taken back");
        assertTrue(credit.keep(WINDOW - Credit.ENTRY_BYTES));
        assertFalse(credit.keep(0));
    }

    @Test
    void shouldTellOnlyWhenItIsWorthAFrame() {
        Credit credit = new Credit(WINDOW);
        credit.keep(WINDOW / 4 - Credit.ENTRY_BYTES - 1);
        credit.release(WINDOW / 4 - Credit.ENTRY_BYTES - 1);
        assertFalse(credit.isTellDue());
        credit.keep(0);
        credit.release(0);
        assertTrue(credit.isTellDue());
        assertEquals(WINDOW / 4 - 1 + Credit.ENTRY_BYTES, credit.tell());
        assertFalse(credit.isTellDue());
    }
}
