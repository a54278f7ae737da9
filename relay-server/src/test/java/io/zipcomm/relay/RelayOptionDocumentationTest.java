package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class RelayOptionDocumentationTest {

    private static final String HEADING = "## Options of the relay\n";

    @Test
    void shouldListEveryOptionAsTheCatalogueHasIt() throws IOException {
        String expected = Arrays.stream(RelayOption.values())
                .map(RelayOptionDocumentationTest::row)
                .collect(Collectors.joining());
        String document = Files.readString(Path.of("..", "docs", "tuning.md"));
        String section = document.substring(document.indexOf(HEADING) + HEADING.length());
        String listed = section.split("\n## ", 2)[0]
                .lines()
                .filter(line -> line.startsWith("| `"))
                .map(line -> line + "\n")
                .collect(Collectors.joining());
        assertEquals(expected, listed);
    }

    private static String row(RelayOption option) {
        String value = option.defaultText().isEmpty() ? "none" : "`" + option.defaultText() + "`";
        return "| " + String.join(" | ", "`" + option.key() + "`", option.unit(), value, option.meaning()) + " |\n";
    }
}
