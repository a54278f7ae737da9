package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.LeakCheck;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Groups that may choose between relays, of which some are down, come late or die. */
@Timeout(90)
@Tag("once")
final class RelayMeetingTest {

    private static final Duration JOIN = Duration.ofSeconds(20);

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private final List<RelayServer> relays = new ArrayList<>();

    @AfterEach
    void stopRelays() {
        relays.forEach(RelayServer::close);
    }

    private RelayServer start(int port) {
        RelayServer relay = RelayServer.start(RelaySettings.builder()
                .listen("127.0.0.1:" + port)
                .insecure(true)
                .build());
        relays.add(relay);
        return relay;
    }

    private static int freePort() throws Exception {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }

    private static String list(List<Integer> ports) {
        return ports.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
    }

    private static ZipSettings.Builder settings(String relays, String session, int size) {
        return ZipSettings.builder()
                .relay(relays)
                .session(session)
                .size(size)
                .joinTimeout(JOIN)
                .operationTimeout(Duration.ofSeconds(20));
    }

    /** Every rank sends its number to the next, and all leave. */
    private static void exchangeAndClose(List<Communicator> group) throws Exception {
        Threads.each(group.size(), at -> {
            Communicator world = group.get(at);
            int size = world.size();
            int[] got = new int[1];
            var sent = world.sendAsync(
                    (world.rank() + 1) % size, 1, io.zipcomm.buffer.Payload.of(new int[] {world.rank()}));
            world.receive((world.rank() + size - 1) % size, 1, got);
            sent.await();
            assertEquals((world.rank() + size - 1) % size, got[0]);
            world.close();
            return null;
        });
    }

    @ParameterizedTest
    @EnumSource(
            value = TransportChoice.class,
            names = {"AUTO", "TCP", "RELAY"})
    void shouldMeetAtOneRelayThoughEachRankKnowsThemInAnotherOrder(TransportChoice choice) throws Exception {
        List<Integer> ports = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            ports.add(start(0).address().getPort());
        }
        for (int session = 0; session < 4; session++) {
            String name = "s" + session;
            List<Communicator> group = Threads.each(3, rank -> {
                List<Integer> shuffled = new ArrayList<>(ports);
                Collections.shuffle(shuffled, new Random(rank));
                ZipSettings.Builder mine = settings(list(shuffled), name, 3).transport(choice);
                return Zip.join(rank == 0 ? mine.build() : mine.rank(rank).build());
            });
            exchangeAndClose(group);
        }
        assertEquals(
                4,
                relays.stream()
                        .mapToLong(relay -> relay.stats().groupsCompleted())
                        .sum());
    }

    @Test
    void shouldGoToTheNextRelayWhenTheFirstIsDown() throws Exception {
        int alive = start(0).address().getPort();
        String relays = list(List.of(freePort(), alive, freePort()));
        for (int session = 0; session < 4; session++) {
            String name = "s" + session;
            long beganNs = System.nanoTime();
            exchangeAndClose(Threads.each(
                    2, rank -> Zip.join(settings(relays, name, 2).rank(rank).build())));
            long tookMs = (System.nanoTime() - beganNs) / 1_000_000;
            assertTrue(tookMs < 5000, "took " + tookMs + " ms");
        }
    }

    /** Each rank reaches one relay that others do not, and all reach one that neither prefers. */
    @Test
    void shouldMeetWhereAllCanCome() throws Exception {
        List<Integer> ports = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            ports.add(start(0).address().getPort());
        }
        int dead = freePort();
        for (int common = 0; common < 3; common++) {
            int meeting = ports.get(common);
            List<Communicator> group = Threads.each(3, rank -> {
                List<Integer> mine = new ArrayList<>(List.of(meeting, dead));
                mine.add(ports.get(rank));
                return Zip.join(
                        settings(list(mine), "s" + meeting, 3).rank(rank).build());
            });
            exchangeAndClose(group);
        }
    }

    @Test
    void shouldMeetAtARelayThatComesLate() throws Exception {
        int late = freePort();
        int never = freePort();
        List<Future<Communicator>> joining = Threads.start(
                2,
                rank -> Zip.join(
                        settings(list(List.of(never, late)), "s", 2).rank(rank).build()));
        Thread.sleep(1500);
        start(late);
        exchangeAndClose(List.of(joining.get(0).get(), joining.get(1).get()));
    }

    @Test
    void shouldMeetElsewhereWhenARelayDiesWhileRanksGather() throws Exception {
        RelayServer first = start(0);
        RelayServer second = start(0);
        String both = list(List.of(first.address().getPort(), second.address().getPort()));
        for (RelayServer dying : List.of(first, second)) {
            if (dying == second) {
                start(first.address().getPort());
            }
            List<Future<Communicator>> early = Threads.start(
                    2, rank -> Zip.join(settings(both, "s", 3).rank(rank).build()));
            long deadlineNs = System.nanoTime() + 10_000_000_000L;
            while (dying.stats().ranks() < 2 && System.nanoTime() - deadlineNs < 0) {
                Thread.sleep(5);
            }
            assertEquals(2, dying.stats().ranks(), "nobody came to the relay");
            dying.close();
            List<Communicator> group = new ArrayList<>(Threads.each(
                    1, unused -> Zip.join(settings(both, "s", 3).rank(2).build())));
            group.add(early.get(0).get());
            group.add(early.get(1).get());
            exchangeAndClose(group);
        }
    }

    @Test
    void shouldSayOfEachRelayWhyNobodyMet() throws Exception {
        int alive = start(0).address().getPort();
        int dead = freePort();
        List<Future<Communicator>> alone = Threads.start(
                1,
                rank -> Zip.join(settings(list(List.of(alive, dead)), "s", 2)
                        .rank(0)
                        .joinTimeout(Duration.ofSeconds(2))
                        .build()));
        ZipException failure = Threads.thrown(ZipException.class, alone.get(0));
        assertEquals(ErrorCode.JOIN_TIMEOUT, failure.code(), failure.getMessage());
        assertTrue(failure.getMessage().contains("127.0.0.1:" + alive + ": "), failure.getMessage());
        assertTrue(failure.getMessage().contains("missing rank 1"), failure.getMessage());
        assertTrue(failure.getMessage().contains("127.0.0.1:" + dead + ": cannot connect"), failure.getMessage());
        assertTrue(failure.elapsedMs() >= 1900 && failure.elapsedMs() < 6000, failure.getMessage());
    }

    /** Whichever relay a session prefers: newcomers do not wait, nor begin, at the one that has come back. */
    @Test
    void shouldStayAtTheRelayWhereTheGroupLives() throws Exception {
        int sessions = 4;
        int backPort = freePort();
        RelayServer home = start(0);
        String both = list(List.of(backPort, home.address().getPort()));
        List<List<Communicator>> groups = new ArrayList<>();
        for (int session = 0; session < sessions; session++) {
            ZipSettings two = settings(both, "s" + session, 2).sizeMax(3).build();
            groups.add(Threads.each(2, unused -> Zip.join(two)));
        }
        RelayServer back = start(backPort);
        List<Future<Communicator>> newcomers = Threads.start(
                sessions,
                session -> Zip.join(settings(both, "s" + session, 2).sizeMax(3).build()));
        await("all newcomers are there", () -> home.stats().ranks() == 3 * sessions);
        await("they wait nowhere else", () -> back.stats().ranks() == 0);
        for (int session = 0; session < sessions; session++) {
            List<Communicator> group = groups.get(session);
            List<Communicator> grown =
                    new ArrayList<>(Threads.each(2, one -> group.get(one).grow(3)));
            grown.add(newcomers.get(session).get());
            assertEquals(2, grown.get(2).rank());
            exchangeAndClose(grown);
        }
        assertEquals(0, back.stats().groupsCompleted());
    }

    private static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long deadlineNs = System.nanoTime() + 10_000_000_000L;
        while (!condition.getAsBoolean() && System.nanoTime() - deadlineNs < 0) {
            Thread.sleep(5);
        }
        assertTrue(condition.getAsBoolean(), what);
    }

    @Test
    void shouldRefuseTheSurplusAtOnce() throws Exception {
        String relays =
                list(List.of(start(0).address().getPort(), start(0).address().getPort()));
        List<Communicator> group = Threads.each(
                2, rank -> Zip.join(settings(relays, "s", 2).rank(rank).build()));
        List<Future<Communicator>> third = Threads.start(
                1, rank -> Zip.join(settings(relays, "s", 2).rank(1).build()));
        assertEquals(
                ErrorCode.GROUP_FULL,
                Threads.thrown(ZipException.class, third.get(0)).code());
        exchangeAndClose(group);
    }
}
