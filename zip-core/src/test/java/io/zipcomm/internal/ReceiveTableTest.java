package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReceiveTableTest {

    @Test
    void shouldFindReceivesByNumberAndForgetThem() {
        ReceiveTable table = new ReceiveTable();
        List<Transfer> receives = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            Transfer receive = new Transfer();
            table.add(receive);
            receives.add(receive);
        }
        for (Transfer receive : receives) {
            assertSame(receive, table.get(receive.number));
        }
        assertEquals(1000, table.size());
        receives.forEach(table::remove);
        receives.forEach(receive -> assertNull(table.get(receive.number)));
        assertEquals(0, table.size());
    }

    @Test
    void shouldNeverGiveOutZeroNorTheSameNumberSoon() {
        ReceiveTable table = new ReceiveTable();
        Transfer receive = new Transfer();
        int before = 0;
        for (int i = 0; i < 10_000; i++) {
            table.add(receive);
            assertNotEquals(0, receive.number);
            assertNotEquals(before, receive.number);
            assertTrue(table.knows(receive.number));
            before = receive.number;
            table.remove(receive);
            assertNull(table.get(before));
        }
    }
}
