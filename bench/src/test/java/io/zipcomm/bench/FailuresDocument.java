package io.zipcomm.bench;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.bench.cluster.ChildJvm;
import io.zipcomm.error.ZipException;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * The page {@code docs/failures.md}. Its code is compiled into classes: the program under its own name, each snippet under that of its
 * section and its number there, as {@code Killed0}.
 */
final class FailuresDocument {

    static final String PROGRAM = "GoOn";

    private static final Path DOCUMENT = Path.of(System.getProperty("basedir", ""), "..", "docs", "failures.md")
            .normalize();
    private static final Pattern CODE = Pattern.compile("^```java\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern QUOTE = Pattern.compile("^```\n(.*?)\n```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern HEADING = Pattern.compile("^###? (.*)$", Pattern.MULTILINE);

    /** What snippets may use without saying where it comes from. */
    private static final String FRAME = """
            import io.zipcomm.*;
            import io.zipcomm.buffer.*;
            import io.zipcomm.collectives.*;
            import io.zipcomm.error.*;
            import java.time.*;

            public final class NAME {
                public static Communicator run(
                        Communicator world, float[] numbers, ZipException failure, Instant endOfFunction) {
            BODY
                    return world;
                }
            }
            """;

    private FailuresDocument() {}

    static String text() throws IOException {
        return Files.readString(DOCUMENT);
    }

    /** The text without code. */
    static String prose() throws IOException {
        return CODE.matcher(text()).replaceAll("");
    }

    /** What stands under each heading, of either level. */
    static Map<String, String> sections() throws IOException {
        Map<String, String> sections = new LinkedHashMap<>();
        String text = text();
        Matcher headings = HEADING.matcher(text);
        String last = "";
        int from = 0;
        while (headings.find()) {
            sections.put(last, text.substring(from, headings.start()));
            last = headings.group(1);
            from = headings.end();
        }
        sections.put(last, text.substring(from));
        return sections;
    }

    /** The messages that a section quotes. */
    static List<String> quotes(String section) throws IOException {
        String prose = CODE.matcher(sections().get(section)).replaceAll("");
        return QUOTE.matcher(prose).results().map(quote -> quote.group(1)).toList();
    }

    /** All code of the page: sources by names of classes. */
    static Map<String, String> sources() throws IOException {
        Map<String, String> sources = new LinkedHashMap<>();
        for (Map.Entry<String, String> section : sections().entrySet()) {
            int number = 0;
            Matcher blocks = CODE.matcher(section.getValue());
            while (blocks.find()) {
                String block = blocks.group(1);
                if (block.contains("class " + PROGRAM)) {
                    sources.put(PROGRAM, block);
                } else {
                    String name = section.getKey().replace(" ", "") + number++;
                    sources.put(name, FRAME.replace("NAME", name).replace("BODY", block));
                }
            }
        }
        return sources;
    }

    /** Compiles all code of the page, without warnings. */
    static void compile(Path folder) throws IOException {
        List<JavaFileObject> files = new ArrayList<>();
        sources().forEach((name, source) -> files.add(source(name, source)));
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
                compiler.getTask(said, null, null, options, null, files).call();
        assertTrue(compiled, said.toString());
    }

    private static JavaFileObject source(String name, String text) {
        return new SimpleJavaFileObject(URI.create("string:///" + name + ".java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignored) {
                return text;
            }
        };
    }

    /**
     * Runs a snippet that was compiled.
     *
     * @param loader        has the snippet's class
     * @param world         what the snippet calls {@code world}
     * @param numbers       what it calls {@code numbers}
     * @param failure       what it calls {@code failure}; may be null
     * @param endOfFunction what it calls {@code endOfFunction}
     * @return the world that it leaves behind
     * @throws ZipException if the snippet does
     */
    static Communicator run(
            ClassLoader loader,
            String name,
            Communicator world,
            float[] numbers,
            ZipException failure,
            Instant endOfFunction)
            throws ReflectiveOperationException {
        try {
            return (Communicator) Class.forName(name, true, loader)
                    .getMethod("run", Communicator.class, float[].class, ZipException.class, Instant.class)
                    .invoke(null, world, numbers, failure, endOfFunction);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof ZipException thrown) {
                throw thrown;
            }
            throw e;
        }
    }
}
