package io.zipcomm.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.cluster.ChildJvm;
import io.zipcomm.bench.cluster.EmbeddedRelay;
import io.zipcomm.bench.cluster.GroupEnvironment;
import io.zipcomm.bench.cluster.ProcessGroup;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.settings.Setting;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What {@code docs/failures.md} shows compiles, and its program does what it says. */
final class FailuresDocumentTest {

    private static final Path DOCUMENT = Path.of(System.getProperty("basedir", ""), "..", "docs", "failures.md")
            .normalize();
    private static final Pattern BLOCK = Pattern.compile("^```java\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern CODE = Pattern.compile("\\b[A-Z]{4,}(_[A-Z]+)*\\b");
    private static final Pattern HEADING = Pattern.compile("^### (.*)$", Pattern.MULTILINE);
    private static final String PROGRAM = "GoOn";
    private static final int RANKS = 3;

    /** Some seconds of work: enough to be killed amid it. */
    private static final String ROUNDS = "40000";

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int KILLED = 128 + 9;

    /** What snippets may use without saying where it comes from. */
    private static final String FRAME = """
            import io.zipcomm.*;
            import io.zipcomm.buffer.*;
            import io.zipcomm.collectives.*;
            import io.zipcomm.error.*;
            import java.time.*;

            final class SnippetNUMBER {
                static void run(Communicator world, float[] numbers, ZipException failure, Instant endOfFunction) {
            BODY
                }
            }
            """;

    private static String document() throws IOException {
        return Files.readString(DOCUMENT);
    }

    private static List<String> blocks() throws IOException {
        return BLOCK.matcher(document()).results().map(block -> block.group(1)).toList();
    }

    private static boolean isProgram(String block) {
        return block.contains("class " + PROGRAM);
    }

    private static JavaFileObject source(String name, String text) {
        return new SimpleJavaFileObject(URI.create("string:///" + name + ".java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignored) {
                return text;
            }
        };
    }

    /** Without warnings. */
    private static void compile(Path folder, List<JavaFileObject> sources) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        // Closing what is closed elsewhere is not what snippets are about.
        List<String> options = List.of(
                "-d",
                folder.toString(),
                "-cp",
                ChildJvm.classPath(),
                "-Xlint:all,-try,-classfile,-path",
                "-Werror",
                "-proc:none");
        boolean compiled =
                compiler.getTask(said, null, null, options, null, sources).call();
        assertTrue(compiled, said.toString());
    }

    @Test
    void shouldCompile(@TempDir Path folder) throws IOException {
        List<JavaFileObject> sources = new ArrayList<>();
        for (String block : blocks()) {
            int number = sources.size();
            sources.add(
                    isProgram(block)
                            ? source(PROGRAM, block)
                            : source(
                                    "Snippet" + number,
                                    FRAME.replace("NUMBER", "" + number).replace("BODY", block)));
        }
        assertTrue(sources.size() >= 10, "snippets: " + sources.size());
        compile(folder, sources);
    }

    @Test
    void shouldNameCodesThatThereAre() throws IOException {
        Set<String> codes = Arrays.stream(ErrorCode.values()).map(Enum::name).collect(Collectors.toSet());
        String prose = BLOCK.matcher(document()).replaceAll("").replaceAll("ZIP_[A-Z_]+|\\]\\([^)]*\\)", "");
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
    void shouldHaveASectionForEachLineOfTheTable() throws IOException {
        String text = document();
        List<String> lines = text.lines().filter(line -> line.startsWith("| [")).toList();
        List<String> inTable =
                lines.stream().map(line -> line.substring(3, line.indexOf(']'))).toList();
        List<String> sections = HEADING.matcher(text)
                .results()
                .map(heading -> heading.group(1).toLowerCase(Locale.ROOT))
                .toList();
        assertEquals(inTable, sections);
        for (String line : lines) {
            assertTrue(line.contains("(#" + line.substring(3, line.indexOf(']')).replace(' ', '-') + ")"), line);
        }
    }

    /** What processes have printed. Any thread. */
    private static final class Printed {
        private final List<String> lines = new ArrayList<>();

        private synchronized void add(int rank, boolean error, byte[] line) {
            lines.add((error ? "error " : "") + rank + ": " + new String(line, StandardCharsets.UTF_8));
            notifyAll();
        }

        private synchronized void await(String text, int times) throws InterruptedException {
            long deadlineNs = System.nanoTime() + LIMIT.toNanos();
            while (count(text) < times) {
                long leftMs = (deadlineNs - System.nanoTime()) / 1_000_000;
                assertTrue(leftMs > 0, "not " + times + " times '" + text + "': " + lines);
                wait(leftMs);
            }
        }

        private synchronized long count(String text) {
            return lines.stream().filter(line -> line.contains(text)).count();
        }

        @Override
        public synchronized String toString() {
            return lines.toString();
        }
    }

    @Test
    @Tag("once")
    @Timeout(120)
    void shouldGoOnWhenARankIsKilled(@TempDir Path folder) throws IOException, InterruptedException {
        String program = blocks().stream()
                .filter(FailuresDocumentTest::isProgram)
                .findFirst()
                .orElseThrow();
        compile(folder, List.of(source(PROGRAM, program)));
        Printed printed = new Printed();
        try (EmbeddedRelay relay = EmbeddedRelay.start()) {
            GroupEnvironment environment =
                    relay.newGroup("failures", RANKS, "auto").with(Map.of(Setting.SIZE_MIN, "1"));
            try (ProcessGroup group = new ProcessGroup(printed::add, environment.mark())) {
                for (int rank = 0; rank < RANKS; rank++) {
                    group.start(command(folder), new HashMap<>(environment.forRank(rank)));
                }
                printed.await("epoch of 3 ranks", RANKS);
                group.child(1).destroyForcibly();
                Map<Integer, Integer> exitCodes = new HashMap<>();
                while (exitCodes.size() < RANKS) {
                    ProcessGroup.Exit exit = group.nextExit(LIMIT);
                    assertTrue(exit != null, "all end: " + printed);
                    exitCodes.put(exit.rank(), exit.exitCode());
                }
                group.drainOutput();
                assertEquals(Map.of(0, 0, 1, KILLED, 2, 0), exitCodes, printed.toString());
            }
        }
        assertEquals(2, printed.count("epoch of 2 ranks"), printed.toString());
        assertEquals(2, printed.count("done: " + ROUNDS + " rounds, "), printed.toString());
        assertEquals(2, printed.count(", 2 ranks"), printed.toString());
    }

    private static List<String> command(Path folder) {
        List<String> command = ChildJvm.command(ChildJvm.flagsWithoutArchive(), FailuresDocumentTest.class, ROUNDS);
        command.set(command.indexOf(FailuresDocumentTest.class.getName()), PROGRAM);
        int at = command.indexOf("-cp") + 1;
        command.set(at, ChildJvm.classPath() + File.pathSeparator + folder);
        return command;
    }
}
