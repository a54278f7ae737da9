package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.epoll.Epoll;
import io.zipcomm.Communicator;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.Joining;
import io.zipcomm.membership.Candidate;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Processes that have no descriptor left. */
@Tag("once")
@Timeout(120)
final class FullDescriptorsTest extends WithRelay {

    /** More than a JVM with this class path takes. */
    private static final int DESCRIPTORS = 400;

    private static final int FULL = 1;
    private static final int PING = 2;
    private static final int FREE = 3;
    private static final int OVER = 4;

    private static final int STRANGERS = 3;
    private static final int ROUNDS = 100;
    private static final long PAUSE_MS = 20;
    private static final int ENDED_MS_MAX = 20_000;

    private static final long TURN_NS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long FULL_NS = TimeUnit.SECONDS.toNanos(1);

    /** Sleeps of a turn's length in that time, and some that attempts to accept end. */
    private static final int TURNS_MAX = 100;

    /** More descriptors than joining takes. */
    private static final int SPARE_MAX = 40;

    @TempDir
    Path folder;

    private static Communicator join(
            String relay, int size, int rank, TransportChoice choice, String io, Duration limit) {
        ZipSettings settings = ZipSettings.builder()
                .relay(relay)
                .session("s" + size)
                .size(size)
                .rank(rank)
                .transport(choice)
                .joinTimeout(limit)
                .operationTimeout(Duration.ofSeconds(60))
                .set(Setting.IO, io)
                .set(Setting.WAIT, "block")
                .set(Setting.HOST_ID, "this host")
                .build();
        // Not by the service loader, which opens files.
        return Joining.join(settings, new TcpTransportProvider(), System::nanoTime);
    }

    /** Takes all descriptors. */
    private static Deque<InputStream> fill() {
        Deque<InputStream> taken = new ArrayDeque<>();
        try {
            while (true) {
                taken.add(new FileInputStream("/dev/null"));
            }
        } catch (IOException e) {
            return taken;
        }
    }

    /** A class in a folder takes a descriptor when it is loaded, so that is done before. */
    private static void loadClasses() throws IOException, ClassNotFoundException {
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path root = Path.of(entry);
            if (Files.isDirectory(root)) {
                try (Stream<Path> files = Files.walk(root)) {
                    for (Path file : files.toList()) {
                        String name = root.relativize(file).toString().replace(File.separatorChar, '.');
                        if (name.endsWith(".class") && !name.endsWith("-info.class")) {
                            Class.forName(
                                    name.substring(0, name.length() - ".class".length()),
                                    false,
                                    FullDescriptorsTest.class.getClassLoader());
                        }
                    }
                }
            }
        }
    }

    private Process start(Class<?> main, String io) throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return new ProcessBuilder(
                        "sh",
                        "-c",
                        "ulimit -n " + DESCRIPTORS + " && exec \"$@\"",
                        "sh",
                        java,
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        main.getName(),
                        "127.0.0.1:" + relay.address().getPort(),
                        io,
                        folder.resolve("bell").toString())
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
    }

    private String output() throws IOException {
        return Files.readString(folder.resolve("out")) + Files.readString(folder.resolve("err"));
    }

    private static void end(Process process) throws InterruptedException {
        process.destroyForcibly();
        process.waitFor(10, TimeUnit.SECONDS);
    }

    // ---- accepting

    /** Rank 1, which has no descriptor from FULL to FREE. */
    static final class Host {
        public static void main(String[] args) throws Exception {
            byte[] one = new byte[1];
            try (Communicator world = join(args[0], 2, 1, TransportChoice.TCP, args[1], Duration.ofSeconds(30))) {
                world.receive(0, PING, one);
                world.send(0, PING, one);
                loadClasses();
                Deque<InputStream> taken = fill();
                world.send(0, FULL, one);
                for (int round = 0; round < ROUNDS; round++) {
                    world.receive(0, PING, one);
                    world.send(0, PING, one);
                }
                for (InputStream file : taken) {
                    file.close();
                }
                world.send(0, FREE, one);
                world.receive(0, OVER, one);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldGoOnWhereNoConnectionCanBeAcceptedAndAcceptLater(String io) throws Exception {
        assumeTrue(!io.equals("epoll") || Epoll.isAvailable(), "epoll does not load here");
        List<Socket> strangers = new ArrayList<>();
        Process host = start(Host.class, io);
        byte[] one = new byte[1];
        try (Communicator world = join(
                "127.0.0.1:" + relay.address().getPort(), 2, 0, TransportChoice.TCP, "auto", Duration.ofSeconds(30))) {
            world.send(1, PING, one);
            world.receive(1, PING, one);
            world.receive(1, FULL, one);
            Candidate door = world.view().members().get(1).candidates().get(0);
            for (int i = 0; i < STRANGERS; i++) {
                Socket stranger = new Socket();
                strangers.add(stranger);
                stranger.connect(new InetSocketAddress(door.host(), door.port()), ENDED_MS_MAX);
                stranger.setSoTimeout(ENDED_MS_MAX);
            }
            Duration before = host.info().totalCpuDuration().orElseThrow();
            long beganNs = System.nanoTime();
            for (int round = 0; round < ROUNDS; round++) {
                world.send(1, PING, one);
                world.receive(1, PING, one);
                Thread.sleep(PAUSE_MS);
            }
            long tookMs = (System.nanoTime() - beganNs) / 1_000_000;
            long busyMs =
                    host.info().totalCpuDuration().orElseThrow().minus(before).toMillis();
            System.out.printf("%s, nothing can be accepted for %d ms: busy for %d ms%n", io, tookMs, busyMs);
            world.receive(1, FREE, one);
            for (Socket stranger : strangers) {
                assertTrue(isEnded(stranger), "nobody dealt with a stranger");
            }
            assertTrue(busyMs < tookMs / 2, "busy for " + busyMs + " of " + tookMs + " ms");
            world.send(1, OVER, one);
        } finally {
            for (Socket stranger : strangers) {
                stranger.close();
            }
            if (!host.waitFor(20, TimeUnit.SECONDS)) {
                end(host);
            }
        }
        assertEquals(0, host.exitValue(), output());
        assertComplained("on port ");
    }

    /** That nobody can be accepted is said once. */
    private void assertComplained(String where) throws IOException {
        List<String> complaints = Files.readAllLines(folder.resolve("err")).stream()
                .filter(line -> line.contains("accept"))
                .toList();
        assertEquals(1, complaints.size(), complaints.toString());
        String complaint = complaints.get(0);
        assertTrue(complaint.contains("no connection can be accepted " + where), complaint);
        assertTrue(complaint.contains("oo many open files"), complaint);
    }

    /** Says nothing that makes sense, and waits for what the rank makes of it. */
    private static boolean isEnded(Socket stranger) throws IOException {
        try {
            stranger.getOutputStream()
                    .write("nothing that makes sense ".repeat(10).getBytes(StandardCharsets.US_ASCII));
            return stranger.getInputStream().read() < 0;
        } catch (SocketException e) {
            return true;
        }
    }

    /** Listens for a bell, has no descriptor for a while, and prints how many turns it took meanwhile. */
    static final class Sleeper {
        public static void main(String[] args) throws Exception {
            TcpTransport transport = new TcpTransport(ZipSettings.builder()
                    .relay(args[0])
                    .session("s")
                    .size(2)
                    .set(Setting.IO, args[1])
                    .build());
            transport.listenForBell(Path.of(args[2]));
            transport.await(TURN_NS, () -> false);
            loadClasses();
            System.out.println("begins");
            Deque<InputStream> taken = fill();
            System.out.println("full");
            int turns = 0;
            int work = 0;
            for (long endNs = System.nanoTime() + FULL_NS; System.nanoTime() - endNs < 0; turns++) {
                // The platform may have given one back.
                taken.addAll(fill());
                work += transport.await(TURN_NS, () -> false);
            }
            for (InputStream file : taken) {
                file.close();
            }
            for (; work == 0; turns++) {
                work += transport.await(TURN_NS, () -> false);
            }
            System.out.println(turns);
            transport.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldSleepWhereWhoRingsCannotBeAccepted(String io) throws Exception {
        assumeTrue(!io.equals("epoll") || Epoll.isAvailable(), "epoll does not load here");
        Process sleeper = start(Sleeper.class, io);
        try {
            while (!output().contains("full")) {
                assertTrue(sleeper.isAlive(), output());
                Thread.sleep(PAUSE_MS);
            }
            try (SocketChannel ringer = SocketChannel.open(UnixDomainSocketAddress.of(folder.resolve("bell")))) {
                ringer.write(ByteBuffer.allocate(1));
                boolean heard = sleeper.waitFor(20, TimeUnit.SECONDS);
                assertTrue(heard, "it never hears the bell: " + output());
            }
        } finally {
            end(sleeper);
        }
        assertEquals(0, sleeper.exitValue(), output());
        List<String> said = Files.readAllLines(folder.resolve("out"));
        int turns = Integer.parseInt(said.get(said.size() - 1));
        System.out.printf("%s, nobody who rings can be accepted: %d turns%n", io, turns);
        assertTrue(turns < TURNS_MAX, turns + " turns");
        assertComplained("at " + folder.resolve("bell"));
    }

    // ---- joining

    /** Joins with more and more descriptors left, until there are enough, and prints what each attempt says. */
    static final class Newcomer {
        public static void main(String[] args) throws Exception {
            Duration limit = Duration.ofMillis(500);
            join(args[0], 1, 0, TransportChoice.RELAY, args[1], Duration.ofSeconds(30))
                    .close();
            loadClasses();
            Deque<InputStream> taken = fill();
            for (int spare = 0; spare < SPARE_MAX; spare++) {
                try (Communicator world = join(args[0], 1, 0, TransportChoice.RELAY, args[1], limit)) {
                    System.out.println("joined as " + world.rank());
                    return;
                } catch (ZipException e) {
                    System.out.println(e.getMessage());
                }
                taken.remove().close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio"})
    void shouldSayWhichPartOfJoiningHasNoDescriptor(String io) throws Exception {
        assumeTrue(!io.equals("epoll") || Epoll.isAvailable(), "epoll does not load here");
        Process newcomer = start(Newcomer.class, io);
        if (!newcomer.waitFor(60, TimeUnit.SECONDS)) {
            end(newcomer);
        }
        assertEquals(0, newcomer.exitValue(), output());
        List<String> said = Files.readAllLines(folder.resolve("out"));
        System.out.println(String.join("\n", said));
        assertEquals("joined as 0", said.get(said.size() - 1));
        List<String> failures = said.subList(0, said.size() - 1);
        for (String failure : failures) {
            assertTrue(
                    failure.matches("(LIMIT|RELAY_UNREACHABLE): rank 0 of 1, join of session s1, .*after \\d+ ms: .*"),
                    failure);
            assertTrue(failure.contains("oo many open files"), failure);
        }
        String connect =
                "cannot connect to the relay at 127.0.0.1:" + relay.address().getPort();
        assertSaid(failures, "LIMIT: .*, opening sockets, .*");
        assertSaid(failures, "LIMIT: rank 0 of 1, join of session s1, after .*");
        assertSaid(failures, "RELAY_UNREACHABLE: rank 0 of 1, join of session s1, after .*" + connect + ".*");
        assertSaid(failures, "RELAY_UNREACHABLE: .*, attaching the data connection, after .*" + connect + ".*");
    }

    private static void assertSaid(List<String> failures, String expected) {
        assertTrue(failures.stream().anyMatch(one -> one.matches(expected)), () -> expected + " in " + failures);
    }
}
