package io.zipcomm.testkit;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Fails a test that leaves something behind: a thread of ours, a socket or another descriptor that is no plain file, or
 * whatever the test {@link #watch watches}. Sockets and threads end a moment after they are told to, so the check waits
 * for that, up to a limit.
 *
 * <pre>{@code
 * @RegisterExtension
 * final LeakCheck leaks = new LeakCheck();
 * }</pre>
 */
public final class LeakCheck implements BeforeEachCallback, AfterEachCallback {

    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final long LOOK_AGAIN_MS = 10;
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
    private static final Pattern OUR_THREADS = Pattern.compile("zip-.*|.*[Nn]etty.*|epollEventLoop.*|nioEventLoop.*");
    private static final Pattern NUMBER = Pattern.compile("\\[\\d+]");

    static {
        // The platform opens some descriptors with its first socket and keeps them.
        try {
            SocketChannel.open().close();
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Map<String, Supplier<String>> watched = new LinkedHashMap<>();
    private Set<Thread> threadsBefore = Set.of();
    private Map<String, Integer> descriptorsBefore = Map.of();

    /** A check of threads and descriptors. */
    public LeakCheck() {}

    /**
     * Checks something more at the end of the test.
     *
     * @param name what it is
     * @param left says what is left; null or empty if nothing
     */
    public void watch(String name, Supplier<String> left) {
        watched.put(name, left);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        watched.clear();
        threadsBefore = threads();
        descriptorsBefore = descriptors();
    }

    @Override
    public void afterEach(ExtensionContext context) throws InterruptedException {
        long limitNs = System.nanoTime() + PATIENCE.toNanos();
        List<String> left = left();
        while (!left.isEmpty() && System.nanoTime() < limitNs) {
            Thread.sleep(LOOK_AGAIN_MS);
            left = left();
        }
        if (!left.isEmpty()) {
            throw new AssertionError("left behind: " + String.join("; ", left));
        }
    }

    private List<String> left() {
        List<String> left = new ArrayList<>();
        watched.forEach((name, what) -> {
            String rest = what.get();
            if (rest != null && !rest.isEmpty()) {
                left.add(name + ": " + rest);
            }
        });
        for (Thread thread : threads()) {
            if (!threadsBefore.contains(thread)) {
                left.add("thread " + thread.getName());
            }
        }
        descriptors().forEach((kind, count) -> {
            int more = count - descriptorsBefore.getOrDefault(kind, 0);
            if (more > 0) {
                left.add(more + " descriptors of " + kind);
            }
        });
        return left;
    }

    private static Set<Thread> threads() {
        Set<Thread> ours = new HashSet<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (OUR_THREADS.matcher(thread.getName()).matches()) {
                ours.add(thread);
            }
        }
        return ours;
    }

    /** Open descriptors by kind, such as {@code socket:} or {@code anon_inode:[eventpoll]}; empty where there is no /proc. */
    private static Map<String, Integer> descriptors() {
        Map<String, Integer> counts = new HashMap<>();
        if (!Files.isDirectory(DESCRIPTORS)) {
            return counts;
        }
        try (DirectoryStream<Path> all = Files.newDirectoryStream(DESCRIPTORS)) {
            for (Path descriptor : all) {
                String target = target(descriptor);
                if (target != null && !target.startsWith("/")) {
                    counts.merge(NUMBER.matcher(target).replaceAll(""), 1, Integer::sum);
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException("reading " + DESCRIPTORS, e);
        }
        return counts;
    }

    private static String target(Path descriptor) throws IOException {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (NoSuchFileException e) {
            return null;
        }
    }
}
