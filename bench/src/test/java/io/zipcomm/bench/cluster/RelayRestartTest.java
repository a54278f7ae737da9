package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.worker.FanOutProbe;
import io.zipcomm.bench.worker.KillProbe;
import io.zipcomm.bench.worker.Message;
import io.zipcomm.bench.worker.Worker;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.settings.Setting;
import io.zipcomm.testkit.SharedMemoryFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A relay is killed and started again, all in real processes: what its groups see of it. */
@Timeout(120)
@Tag("once")
final class RelayRestartTest {

    private static final Duration LIMIT = Duration.ofSeconds(45);
    private static final Duration FAILURE_LIMIT = Duration.ofSeconds(5);
    private static final Duration RELAY_TIMEOUT = Duration.ofSeconds(2);

    /** Longer than a relay takes to start on a busy machine. */
    private static final Duration LONG_RELAY_TIMEOUT = Duration.ofSeconds(60);

    private static final long BYTES = 1 << 20;
    private static final long MUCH_BYTES = 16 << 20;
    private static final Set<Integer> RECEIVER = Set.of(1);

    @Test
    void shouldGoOnInTheSameGroupsWhenTheRelayIsStartedAgain(
            @TempDir(factory = SharedMemoryFolder.class) Path sharedMemory)
            throws WorkerFailure, InterruptedException, IOException {
        try (RelayProcess relay = RelayProcess.start(List.of());
                WorkerGroup direct = start(relay, "auto", "none", LONG_RELAY_TIMEOUT, FanOutProbe.class);
                WorkerGroup memory =
                        start(relay, "auto", sharedMemory.toString(), LONG_RELAY_TIMEOUT, FanOutProbe.class);
                WorkerGroup relayed = start(relay, "relay", "none", LONG_RELAY_TIMEOUT, FanOutProbe.class)) {
            List<WorkerGroup> groups = List.of(direct, memory, relayed);
            for (WorkerGroup group : groups) {
                group.tellAll(Message.of(FanOutProbe.BEGIN));
            }
            awaitPath(direct, "tcp");
            awaitPath(memory, "aeron-ipc");
            awaitMore(relayed, "bytes", 0);
            relay.kill();
            RelayProcess second = relay.restart();
            try {
                // More than what may have been under way, so it came by way of the second.
                awaitMore(relayed, "bytes", count(relayed).number("bytes") + MUCH_BYTES);
                second.kill();
                try (RelayProcess third = second.restart()) {
                    awaitMore(relayed, "bytes", count(relayed).number("bytes") + MUCH_BYTES);
                    for (WorkerGroup group : groups) {
                        awaitMore(group, "bytes", count(group).number("bytes"));
                    }
                    try (WorkerGroup next = start(third, "relay", "none", LONG_RELAY_TIMEOUT, KillProbe.class)) {
                        next.tellAll(Message.of(KillProbe.BEGIN).with("bytes", BYTES));
                        next.awaitAll(KillProbe.RUNNING, LIMIT);
                    }
                }
            } finally {
                second.close();
            }
        }
    }

    @Test
    void shouldNotDisturbDirectConnectionsAndFailRelayedOnesByNameWhenTheRelayStaysAway(
            @TempDir(factory = SharedMemoryFolder.class) Path sharedMemory)
            throws WorkerFailure, InterruptedException, IOException {
        try (RelayProcess relay = RelayProcess.start(List.of());
                WorkerGroup direct = start(relay, "auto", "none", FanOutProbe.class);
                WorkerGroup memory = start(relay, "auto", sharedMemory.toString(), FanOutProbe.class);
                WorkerGroup relayed = start(relay, "relay", "none", KillProbe.class)) {
            direct.tellAll(Message.of(FanOutProbe.BEGIN));
            memory.tellAll(Message.of(FanOutProbe.BEGIN));
            relayed.tellAll(Message.of(KillProbe.BEGIN).with("bytes", BYTES));
            relayed.awaitAll(KillProbe.RUNNING, LIMIT);
            awaitPath(direct, "tcp");
            awaitPath(memory, "aeron-ipc");

            long killedNs = System.nanoTime();
            relay.kill();
            Map<Integer, Message> failures = relayed.awaitAll(Worker.FAILED, LIMIT);
            for (Message failure : failures.values()) {
                assertEquals(ErrorCode.RELAY_LOST.name(), failure.text("code"), failure.text("message"));
                long tookNs = failure.number("atNs") - killedNs;
                assertTrue(
                        tookNs < FAILURE_LIMIT.plus(RELAY_TIMEOUT).toNanos(),
                        failure.text("message") + " after " + tookNs + " ns");
            }
            awaitMore(direct, "bytes", count(direct).number("bytes"));
            awaitMore(memory, "bytes", count(memory).number("bytes"));

            try (RelayProcess again = relay.restart()) {
                // Groups whose ranks have given the relay up go on without it, and new ones meet.
                awaitMore(direct, "bytes", count(direct).number("bytes"));
                awaitMore(memory, "bytes", count(memory).number("bytes"));
                try (WorkerGroup next = start(again, "relay", "none", KillProbe.class)) {
                    next.tellAll(Message.of(KillProbe.BEGIN).with("bytes", BYTES));
                    next.awaitAll(KillProbe.RUNNING, LIMIT);
                }
            }
        }
    }

    private static WorkerGroup start(RelayProcess relay, String transport, String sharedMemory, Class<?> main)
            throws WorkerFailure, InterruptedException {
        return start(relay, transport, sharedMemory, RELAY_TIMEOUT, main);
    }

    private static WorkerGroup start(
            RelayProcess relay, String transport, String sharedMemory, Duration relayTimeout, Class<?> main)
            throws WorkerFailure, InterruptedException {
        List<String> flags = new ArrayList<>(ChildJvm.flags());
        // What needs the relay fails after this time and not at once, since the relay may come back.
        flags.add("-Dzip.relay-timeout=" + relayTimeout.toMillis());
        flags.add("--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED");
        WorkerGroup group = WorkerGroup.start(
                relay.newGroup("restart", 2, transport).with(Map.of(Setting.SHARED_MEMORY, sharedMemory)), flags, main);
        group.awaitAll(Worker.JOINED, LIMIT);
        return group;
    }

    private static Message count(WorkerGroup group) throws WorkerFailure, InterruptedException {
        group.tell(1, Message.of(FanOutProbe.COUNT));
        return group.await(RECEIVER, FanOutProbe.COUNT, LIMIT).get(1);
    }

    private static void awaitPath(WorkerGroup group, String path) throws WorkerFailure, InterruptedException {
        long deadlineNs = System.nanoTime() + LIMIT.toNanos();
        String now = count(group).text("path");
        while (!now.equals(path)) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "the path is " + now + ", not " + path);
            Thread.sleep(20);
            now = count(group).text("path");
        }
    }

    /** Waits until a counter of the receiver has gone on. */
    private static void awaitMore(WorkerGroup group, String counter, long before)
            throws WorkerFailure, InterruptedException {
        long deadlineNs = System.nanoTime() + LIMIT.toNanos();
        while (count(group).number(counter) <= before) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "no more " + counter + " than " + before);
            Thread.sleep(20);
        }
    }
}
