package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.collectives.pattern.Hosts;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.Seeds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every operation against a plain loop, over real sockets: directly, through a real relay, and while links move. */
final class RealTransportsTest {

    private static final int SIZE_MAX = 8;

    private static RelayServer relay;

    @RegisterExtension
    final Seeds seeds = new Seeds();

    @BeforeAll
    static void startRelay() {
        relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
    }

    @AfterAll
    static void stopRelay() {
        relay.close();
    }

    static Stream<Arguments> groups() {
        return Stream.of(TransportChoice.TCP, TransportChoice.RELAY, TransportChoice.AUTO)
                .flatMap(choice -> Stream.iterate(1, size -> size <= SIZE_MAX, size -> size + 1)
                        .map(size -> Arguments.of(choice, size)));
    }

    @ParameterizedTest
    @MethodSource("groups")
    void shouldMatchPlainLoop(TransportChoice choice, int size) throws Exception {
        List<CollectiveCase> cases = CollectiveMatrix.cases(size, Hosts.Spread.ONE, seeds.seed());
        ExecutorService ranks = Executors.newFixedThreadPool(size);
        try {
            List<Future<?>> outcomes = new ArrayList<>();
            for (int rank = 0; rank < size; rank++) {
                ZipSettings settings = settings(choice, size, rank);
                outcomes.add(ranks.submit(() -> run(settings, cases)));
            }
            for (Future<?> outcome : outcomes) {
                outcome.get(2, TimeUnit.MINUTES);
            }
        } finally {
            ranks.shutdownNow();
        }
    }

    private static ZipSettings settings(TransportChoice choice, int size, int rank) {
        return ZipSettings.builder()
                .relay("127.0.0.1:" + relay.address().getPort())
                .session(choice + "-" + size)
                .size(size)
                .rank(rank)
                .transport(choice)
                .joinTimeout(Duration.ofSeconds(30))
                .operationTimeout(Duration.ofSeconds(30))
                .build();
    }

    private static void run(ZipSettings settings, List<CollectiveCase> cases) {
        try (Communicator world = Zip.join(settings)) {
            Collectives collectives = Collectives.of(world);
            for (CollectiveCase one : cases) {
                CollectiveMatrix.run(collectives, one);
            }
            assertPaths(settings.transport(), world);
        }
    }

    private static void assertPaths(TransportChoice choice, Communicator world) {
        long direct = world.counters().directBytesSent;
        long relayed = world.counters().relayBytesSent;
        switch (choice) {
            case TCP -> assertEquals(0, relayed);
            case RELAY -> assertEquals(0, direct);
            case AUTO, AERON_IPC, AERON_UDP -> assertTrue(world.size() == 1 || direct > 0, "no link became direct");
        }
    }
}
