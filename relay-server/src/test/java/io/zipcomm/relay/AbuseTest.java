package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.testkit.LeakCheck;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

/**
 * The abuse suite: what hostile, broken and stampeding clients do to a relay that faces the internet. One relay for all of it,
 * and a {@link HealthySession} that it serves throughout. Each test says what comes of an attack; after each, nothing is left of
 * it, and at the end nothing at all.
 *
 * <table>
 *   <caption>Where to find what</caption>
 *   <tr><td>no token, wrong ones, replays, hijacks</td><td>{@link AdmissionAbuse}</td></tr>
 *   <tr><td>half-open and slow handshakes, reconnect storms</td><td>{@link HandshakeAbuse}</td></tr>
 *   <tr><td>oversized, truncated, wrong frames; credit; the hub</td><td>{@link FrameAbuse}</td></tr>
 *   <tr><td>floods by those who read nothing</td><td>{@link FloodAbuse}</td></tr>
 *   <tr><td>every limit that has a name</td><td>{@link LimitAbuse}</td></tr>
 *   <tr><td>random bytes, a million times</td><td>{@link FuzzAbuse}</td></tr>
 * </table>
 */
@Tag("once")
final class AbuseTest {

    @TempDir
    static Path folder;

    private static final LeakCheck leaks = new LeakCheck();
    private static long buffersBefore;
    private static AbuseRelay suite;

    /** An attack of the suite. */
    abstract static class Abuse {
        final AbuseRelay suite = AbuseTest.suite;

        @AfterEach
        void settle(TestInfo test) throws Exception {
            suite.settle(test.getTestClass().orElseThrow().getSimpleName() + "." + test.getDisplayName());
        }
    }

    @BeforeAll
    static void start() throws Exception {
        leaks.beforeEach(null);
        buffersBefore = AbuseRelay.buffersInUse();
        suite = new AbuseRelay(folder);
    }

    @AfterAll
    static void stop() throws Exception {
        suite.close();
        assertEquals(buffersBefore, AbuseRelay.buffersInUse(), "buffers that nobody released");
        // Threads and descriptors.
        leaks.afterEach(null);
    }

    @Nested
    final class Admission extends AdmissionAbuse {}

    @Nested
    final class Handshakes extends HandshakeAbuse {}

    @Nested
    final class Frames extends FrameAbuse {}

    @Nested
    final class Floods extends FloodAbuse {}

    @Nested
    final class Limits extends LimitAbuse {}

    @Nested
    final class Fuzz extends FuzzAbuse {}
}
