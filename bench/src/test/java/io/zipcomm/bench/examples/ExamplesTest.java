package io.zipcomm.bench.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.cli.ZipCli;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples as a newcomer runs them: what several ranks find is what one finds. */
@Tag("once")
final class ExamplesTest {

    private static final String JAVA =
            Path.of(System.getProperty("java.home"), "bin", "java").toString();

    private static String run(int ranks, Class<?> example, String... args) {
        List<String> command =
                new ArrayList<>(List.of("run", "--ranks", Integer.toString(ranks), "--", JAVA, example.getName()));
        command.addAll(Arrays.asList(args));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream systemOut = System.out;
        try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            System.setOut(out);
            assertEquals(0, new ZipCli(out, System.err).run(command.toArray(String[]::new)));
        } finally {
            System.setOut(systemOut);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void shouldTrainTheSameModelOnAnyNumberOfRanks() {
        String alone = run(1, LogisticRegression.class);
        assertTrue(alone.startsWith("[0] virginica against versicolor: accuracy 9"), alone);
        assertEquals(alone, run(4, LogisticRegression.class));
        assertEquals(alone, run(3, LogisticRegression.class));
    }

    @Test
    void shouldCountTheSameWordsOnAnyNumberOfRanks(@TempDir Path folder) throws IOException {
        Path below = Files.createDirectory(folder.resolve("below"));
        Files.writeString(folder.resolve("a.txt"), "The cat, the dog and THE bird don't sing.\n".repeat(50));
        Files.writeString(folder.resolve("b.txt"), "the end\n");
        Files.writeString(below.resolve("c.txt"), "Ein Männlein steht im Walde\n");
        Files.writeString(below.resolve("empty.txt"), "");
        String alone = run(1, WordCount.class, folder.toString());
        assertTrue(alone.startsWith("[0] 457 words, 13 different, in 4 files; checksum "), alone);
        assertTrue(alone.contains("[0]      151 the\n"), alone);
        assertEquals(alone, run(4, WordCount.class, folder.toString()));
    }

    @Test
    void shouldCutTextIntoWords() {
        Map<String, Long> counts = new HashMap<>();
        WordCount.countWords("Don't stop-1st; l’été 42 ÄÖ äö".getBytes(StandardCharsets.UTF_8), counts);
        assertEquals(Map.of("don't", 1L, "stop", 1L, "st", 1L, "l’été", 1L, "äö", 2L), counts);
    }
}
