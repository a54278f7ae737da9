package io.zipcomm.transport.rdma;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.transport.rdma.ffi.Native;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The example that users read is one that runs. */
final class OneSidedDocumentationTest {

    private static final Path DOCUMENT = Path.of("..", "docs", "one-sided.md");
    private static final Path SOURCE =
            Path.of("src", "test", "java", "io", "zipcomm", "transport", "rdma", "OneSidedExample.java");

    @Test
    void shouldBeTheExampleThatIsTested() throws IOException {
        List<String> document = Files.readAllLines(DOCUMENT);
        int from = document.indexOf("```java") + 1;
        List<String> shown = document.subList(
                from, from + document.subList(from, document.size()).indexOf("```"));
        List<String> source = Files.readAllLines(SOURCE).stream()
                .map(line -> line.startsWith("        ") ? line.substring(8) : line)
                .toList();
        List<String> tested =
                source.subList(source.indexOf("// tag::example") + 1, source.indexOf("    // end::example"));
        // The block ends where the document ends it.
        assertEquals(shown.subList(0, shown.size() - 1), tested);
        assertEquals("}", shown.get(shown.size() - 1));
    }

    @Test
    void shouldDoWhatItSays() {
        try (RegionGroup group = new RegionGroup()) {
            group.run(
                    3,
                    Native.TCP,
                    world -> assertArrayEquals(new long[] {100, 101, 102, 100}, OneSidedExample.run(world)));
        }
    }
}
