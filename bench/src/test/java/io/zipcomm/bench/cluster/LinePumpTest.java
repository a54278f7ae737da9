package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

final class LinePumpTest {

    private static List<String> pump(String text) throws InterruptedException {
        List<String> lines = new CopyOnWriteArrayList<>();
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        LinePump.start(
                        "test",
                        new ByteArrayInputStream(bytes),
                        line -> lines.add(new String(line, StandardCharsets.UTF_8)))
                .join(10_000);
        return lines;
    }

    @Test
    void shouldCutIntoLines() throws InterruptedException {
        assertEquals(List.of("one", "", "zwölf"), pump("one\n\nzwölf\n"));
    }

    @Test
    void shouldHandOnALastLineWithoutItsEnd() throws InterruptedException {
        assertEquals(List.of("one", "two"), pump("one\ntwo"));
    }

    @Test
    void shouldKeepLinesLongerThanItsBufferInOnePiece() throws InterruptedException {
        String longer = "x".repeat(100_000);
        assertEquals(List.of("a", longer, "b"), pump("a\n" + longer + "\nb"));
    }

    @Test
    void shouldBoundItsMemory() throws InterruptedException {
        List<String> pieces = pump("x".repeat(3 * LinePump.LINE_BYTES_MAX));
        assertEquals(
                3L * LinePump.LINE_BYTES_MAX,
                pieces.stream().mapToLong(String::length).sum());
        assertEquals(3, pieces.size());
    }
}
