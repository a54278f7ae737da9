package io.zipcomm.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.error.ErrorCode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code docs/failures.md} shows compiles, and it leaves nothing out. {@link FailureExamplesTest} runs it. */
@Tag("once")
final class FailuresDocumentTest {

    private static final Pattern CODE = Pattern.compile("\\b[A-Z]{4,}(_[A-Z]+)*\\b");
    private static final Pattern ROW_OF_CODE = Pattern.compile("^\\| `([A-Z_]+)` \\|", Pattern.MULTILINE);
    private static final Pattern LINK = Pattern.compile("\\]\\(#([a-z-]+)\\)");
    private static final String SYMPTOMS = "What you see";
    private static final String CODES = "Every code";

    @Test
    void shouldCompile(@TempDir Path folder) throws IOException {
        FailuresDocument.compile(folder);
    }

    @Test
    void shouldNameCodesThatThereAre() throws IOException {
        Set<String> codes = Arrays.stream(ErrorCode.values()).map(Enum::name).collect(Collectors.toSet());
        String prose = FailuresDocument.prose().replaceAll("ZIP_[A-Z_]+|\\]\\([^)]*\\)", "");
        Set<String> unknown = new TreeSet<>();
        Matcher words = CODE.matcher(prose);
        while (words.find()) {
            if (!codes.contains(words.group())) {
                unknown.add(words.group());
            }
        }
        assertEquals(Set.of(), unknown);
    }

    @Test
    void shouldHaveARowForEachCode() throws IOException {
        List<String> rows = ROW_OF_CODE
                .matcher(FailuresDocument.sections().get(CODES))
                .results()
                .map(row -> row.group(1))
                .toList();
        assertEquals(Arrays.stream(ErrorCode.values()).map(Enum::name).toList(), rows);
    }

    @Test
    void shouldHaveASectionForEachRowOfSymptoms() throws IOException {
        Map<String, String> sections = FailuresDocument.sections();
        List<String> linked = LINK.matcher(sections.get(SYMPTOMS))
                .results()
                .map(link -> link.group(1))
                .toList();
        List<String> headings = sections.keySet().stream()
                .map(heading -> heading.toLowerCase(Locale.ROOT).replace(' ', '-'))
                .toList();
        int first = headings.indexOf("what-you-see") + 1;
        assertEquals(headings.subList(first, headings.indexOf("every-code")), linked);
    }
}
