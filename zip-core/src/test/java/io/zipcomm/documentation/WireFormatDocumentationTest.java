package io.zipcomm.documentation;

import static io.zipcomm.documentation.Document.code;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.Hello;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class WireFormatDocumentationTest {

    private static final String NAME = "wire-format.md";
    private static final String OFFSET = "_OFFSET";

    @Test
    void shouldListEveryFieldOfTheHeaderWithItsOffset() throws IllegalAccessException {
        List<List<String>> rows = Document.rows(NAME, "## Header");
        assertEquals(offsets(Frame.class), Document.columns(rows, 2));
        assertContiguous(rows, 0, Frame.HEADER_BYTES);
    }

    @Test
    void shouldListEveryFieldOfTheHandshakeWithItsOffset() throws IllegalAccessException {
        List<List<String>> rows = Document.rows(NAME, "### HELLO payload");
        assertEquals(offsets(Hello.class), Document.columns(rows, 2));
        assertEquals(Hello.PAYLOAD_BYTES, end(rows.get(rows.size() - 1)));
    }

    @Test
    void shouldListEveryTypeWithItsNumber() {
        List<List<String>> expected = Arrays.stream(FrameType.values())
                .map(type ->
                        List.of(Integer.toString(type.number()), code(type.name()), type.isLinkFrame() ? "yes" : "no"))
                .toList();
        assertEquals(expected, Document.columns(Document.rows(NAME, "## Types"), 3));
    }

    /** Offset and name of each constant, in the order of the code, which is that of the bytes. */
    private static List<List<String>> offsets(Class<?> layout) throws IllegalAccessException {
        List<List<String>> offsets = new ArrayList<>();
        for (Field field : layout.getDeclaredFields()) {
            if (field.getName().endsWith(OFFSET)) {
                offsets.add(List.of(Integer.toString(field.getInt(null)), code(field.getName())));
            }
        }
        assertTrue(!offsets.isEmpty(), layout.getName());
        return offsets;
    }

    private static void assertContiguous(List<List<String>> rows, int from, int to) {
        int at = from;
        for (List<String> row : rows) {
            assertEquals(at, Integer.parseInt(row.get(0)), row.toString());
            at = end(row);
        }
        assertEquals(to, at);
    }

    private static int end(List<String> row) {
        return Integer.parseInt(row.get(0)) + Integer.parseInt(row.get(2));
    }
}
