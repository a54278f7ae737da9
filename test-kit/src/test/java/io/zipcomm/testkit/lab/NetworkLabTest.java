package io.zipcomm.testkit.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Topologies, and what is left of a lab: nothing. */
@Tag("once")
final class NetworkLabTest {

    private static final int PORT = 5000;
    private static final long LIMIT_S = 20;

    /** Prints its own number and that of a child of its own, then sleeps. */
    private static final List<String> PARENT_AND_CHILD =
            List.of("sh", "-c", "sleep 1000 & echo $$ $!; exec sleep 1000");

    @BeforeAll
    static void needALab() {
        assumeTrue(NetworkLab.unavailabilityReason() == null, NetworkLab.unavailabilityReason());
    }

    private static String serve(Probe probe, InetAddress address) {
        assertEquals("ok", probe.ask("serve", PORT));
        return Probe.at(address, PORT);
    }

    @Test
    void shouldHideHostsBehindNestedGateways() {
        try (NetworkLab lab = NetworkLab.open()) {
            Probe server = Probe.start(lab.publicHost("server"));
            LabNat outer = lab.nat("outer", NatFlavour.CONE);
            LabNat inner = outer.nat("inner", NatFlavour.SYMMETRIC);
            Probe host = Probe.start(inner.host("host"));
            String seen = host.ask("map", "flow", serve(server, server.host().address()), 0);
            assertTrue(seen.startsWith(outer.publicAddress().getHostAddress() + ","), seen);
            assertEquals("hello", host.ask("say", "flow", "hello"));
        }
    }

    @Test
    void shouldRefuseWhatCannotBe() {
        try (NetworkLab lab = NetworkLab.open()) {
            LabNat nat = lab.nat("nat", NatFlavour.CONE);
            assertThrows(IllegalArgumentException.class, () -> nat.host("nat"));
            assertThrows(IllegalArgumentException.class, () -> nat.nat("public", NatFlavour.PUBLIC));
        }
    }

    @Test
    void shouldKeepLabsApart() {
        try (NetworkLab one = NetworkLab.open();
                NetworkLab other = NetworkLab.open()) {
            Probe server = Probe.start(one.publicHost("server"));
            String address = serve(server, server.host().address());
            assertEquals("connected", Probe.start(one.publicHost("host")).ask("connect", 0, address));
            other.publicHost("server");
            String found = Probe.start(other.publicHost("host")).ask("connect", 0, address);
            assertEquals("reset", found, "of the same name and address, and nobody serves there");
        }
    }

    @Test
    void shouldHaveIpv6WhereNothingIsTranslated() {
        try (NetworkLab lab = NetworkLab.open()) {
            Probe server = Probe.start(lab.publicHost("server"));
            Probe behindFirewall =
                    Probe.start(lab.nat("firewall", NatFlavour.FIREWALL).host("protected"));
            Probe open = Probe.start(lab.nat("open", NatFlavour.PUBLIC).host("open-1"));
            InetAddress protectedAddress = behindFirewall.host().addressV6().orElseThrow();
            String seen = behindFirewall.ask(
                    "map", "flow", serve(server, server.host().addressV6().orElseThrow()), 0);
            assertTrue(seen.startsWith(protectedAddress.getHostAddress() + ","), seen);
            assertEquals("silence", server.ask("connect", 0, serve(behindFirewall, protectedAddress)));
            assertEquals(
                    "connected",
                    server.ask("connect", 0, serve(open, open.host().addressV6().orElseThrow())));
            assertFalse(lab.nat("cone", NatFlavour.CONE)
                    .host("translated")
                    .addressV6()
                    .isPresent());
        }
    }

    @Test
    void shouldEndAllProcesses() throws IOException, InterruptedException {
        long[] pids;
        try (NetworkLab lab = NetworkLab.open()) {
            Process started = lab.publicHost("host").start(PARENT_AND_CHILD, Map.of());
            pids = numbers(started.inputReader(StandardCharsets.US_ASCII).readLine());
            assertEquals(started.pid(), pids[0]);
            assertTrue(isAlive(pids[0]) && isAlive(pids[1]));
        }
        awaitEnd(pids);
    }

    /** Nothing is asked of the one who is killed. */
    @Test
    void shouldEndAllProcessesWhenItsOwnerIsKilled() throws IOException, InterruptedException {
        Process owner = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        Probe.classPath(),
                        Owner.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader lines = owner.inputReader(StandardCharsets.US_ASCII)) {
            long[] pids = numbers(lines.readLine());
            assertTrue(isAlive(pids[0]) && isAlive(pids[1]) && isAlive(pids[2]));
            owner.destroyForcibly();
            awaitEnd(pids);
        } finally {
            owner.destroyForcibly();
        }
    }

    /** A process that has a lab: prints the processes in it and its own children, then sleeps. */
    static final class Owner {

        private Owner() {}

        /**
         * Waits to be killed.
         *
         * @param args none
         */
        public static void main(String[] args) throws IOException, InterruptedException {
            NetworkLab lab = NetworkLab.open();
            Process started = lab.publicHost("host").start(PARENT_AND_CHILD, Map.of());
            String inside = started.inputReader(StandardCharsets.US_ASCII).readLine();
            long wire = ProcessHandle.current()
                    .children()
                    .mapToLong(ProcessHandle::pid)
                    .filter(pid -> pid != started.pid())
                    .findAny()
                    .orElseThrow();
            System.out.println(inside + " " + wire);
            TimeUnit.DAYS.sleep(1);
            lab.close();
        }
    }

    private static long[] numbers(String line) {
        return List.of(line.split(" ", -1)).stream().mapToLong(Long::parseLong).toArray();
    }

    /** In a container nobody may fetch the exit code of a process whose parent is gone: it has ended all the same. */
    private static boolean isAlive(long pid) throws IOException {
        Path stat = Path.of("/proc", Long.toString(pid), "stat");
        try {
            String text = Files.readString(stat);
            return !text.substring(text.lastIndexOf(')')).startsWith(") Z");
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private static void awaitEnd(long[] pids) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
        for (long pid : pids) {
            while (isAlive(pid)) {
                assertTrue(System.nanoTime() < deadline, "process " + pid + " is still there");
                TimeUnit.MILLISECONDS.sleep(5);
            }
        }
    }
}
