package io.zipcomm.bench.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

final class MessageTest {

    @Test
    void shouldReadBackAnyText() {
        String text = "PEER_LOST: rank 1 of 4, 100 % = \"all\" of it\nnext + line & ä";
        Message message =
                Message.of("failed").with("message", text).with("rank", 3).with("empty", "");
        Message read = Message.parse(message.toString());
        assertEquals("failed", read.kind());
        assertEquals(text, read.text("message"));
        assertEquals(3, read.number("rank"));
        assertEquals("", read.text("empty"));
    }

    @Test
    void shouldIgnoreOtherLines() {
        assertNull(Message.parse(""));
        assertNull(Message.parse("WARNING: something = else"));
        assertNull(Message.parse("@zip joined rank"));
    }

    @Test
    void shouldNameAMissingValue() {
        IllegalArgumentException problem = assertThrows(
                IllegalArgumentException.class, () -> Message.of("joined").number("rank"));
        assertEquals("message '@zip joined' lacks rank", problem.getMessage());
    }

    @Test
    void shouldCarryOrdersAndResults() {
        CaseOrder order = new CaseOrder("allreduce", 65536, "ring", 10, 400_000_000, true, 4096, true);
        assertEquals(order, CaseOrder.from(Message.parse(order.toMessage().toString())));
        CaseResult result = new CaseResult(
                2,
                "byte 3 is 1, expected 2",
                "ring",
                new Times().add(new long[] {1000, 2000, 70_000}, 3),
                new Usage(1, Double.NaN, 2, 3.5, 4));
        assertEquals(result, CaseResult.from(Message.parse(result.toMessage().toString())));
    }
}
