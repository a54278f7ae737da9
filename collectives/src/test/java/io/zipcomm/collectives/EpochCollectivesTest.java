package io.zipcomm.collectives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.ZipFuture;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Plans, prepared operations and what the relay does of a collective belong to one epoch; the next one has its own. */
@Timeout(120)
final class EpochCollectivesTest {

    private static final int SIZE = 4;

    private RelayServer relay;
    private final ExecutorService threads = Executors.newFixedThreadPool(SIZE);

    @BeforeEach
    void startRelay() {
        relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
    }

    @AfterEach
    void stopRelay() {
        threads.shutdownNow();
        relay.close();
    }

    private interface Body<T> {
        T run(int rank) throws Exception;
    }

    private <T> List<T> each(int size, Body<T> body) throws Exception {
        List<Future<T>> futures = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            int one = rank;
            futures.add(threads.submit(() -> body.run(one)));
        }
        List<T> results = new ArrayList<>();
        for (Future<T> one : futures) {
            results.add(one.get(60, TimeUnit.SECONDS));
        }
        return results;
    }

    private ZipSettings settings(TransportChoice choice, String relayCollectives) {
        return ZipSettings.builder()
                .relay("127.0.0.1:" + relay.address().getPort())
                .session("s")
                .size(SIZE)
                .sizeMin(1)
                .transport(choice)
                .operationTimeout(Duration.ofSeconds(20))
                .set(Setting.RELAY_COLLECTIVES, relayCollectives)
                .build();
    }

    /** Sums of short and long data, at once and prepared, and everybody's block. */
    private static Void calculate(Communicator world) {
        Collectives all = Collectives.of(world);
        int size = world.size();
        float sum = size * (size + 1) / 2f;
        for (int count : new int[] {3, 60_000}) {
            float[] data = new float[count];
            Arrays.fill(data, world.rank() + 1);
            all.allReduce(data, ReduceOp.SUM);
            assertEquals(sum, data[0]);
            assertEquals(sum, data[count - 1]);
            float[] again = new float[count];
            try (Prepared prepared = all.prepare().allReduce(again, ReduceOp.SUM)) {
                for (int i = 0; i < 3; i++) {
                    Arrays.fill(again, world.rank() + 1);
                    prepared.run();
                    assertEquals(sum, again[count / 2]);
                }
            }
        }
        int[] blocks = new int[size];
        blocks[world.rank()] = world.view().epoch() * 10 + world.rank();
        all.allGather(blocks);
        for (int rank = 0; rank < size; rank++) {
            assertEquals(world.view().epoch() * 10 + rank, blocks[rank]);
        }
        all.barrier();
        return null;
    }

    @ParameterizedTest(name = "{0}, relay: {1}")
    @CsvSource({"TCP, off", "AUTO, multicast", "RELAY, reduce"})
    void shouldRunInEveryEpoch(TransportChoice choice, String relayCollectives) throws Exception {
        ZipSettings settings = settings(choice, relayCollectives);
        List<Communicator> worlds = new ArrayList<>(each(SIZE, rank -> Zip.join(settings)));
        worlds.sort((one, other) -> Integer.compare(one.rank(), other.rank()));
        each(SIZE, rank -> calculate(worlds.get(rank)));
        // One leaves; the others are in the middle of a collective with it.
        List<Collectives> before = worlds.stream().map(Collectives::of).toList();
        each(SIZE, rank -> {
            if (rank == 1) {
                worlds.get(rank).close();
                return null;
            }
            ZipFuture<Void> sum = before.get(rank).allReduceAsync(Payload.of(new float[60_000]), ReduceOp.SUM);
            assertThrows(ZipException.class, sum::await);
            worlds.get(rank).revoke();
            assertEquals(List.of(1), worlds.get(rank).agree(true).failed());
            worlds.set(rank, worlds.get(rank).shrink());
            return null;
        });
        worlds.remove(1);
        each(SIZE - 1, rank -> calculate(worlds.get(rank)));
        ZipException over = assertThrows(ZipException.class, () -> before.get(0).allReduce(new float[3], ReduceOp.SUM));
        assertEquals(ErrorCode.REVOKED, over.code(), over.getMessage());
        // Another comes, and is told what it has missed.
        float[] model = {1, 2, 3};
        Future<Communicator> newcomer = threads.submit(() -> Zip.join(settings));
        each(SIZE - 1, rank -> worlds.set(rank, worlds.get(rank).grow(SIZE)));
        worlds.add(newcomer.get(60, TimeUnit.SECONDS));
        each(SIZE, rank -> {
            Communicator world = worlds.get(rank);
            assertEquals(List.of(0, 1, 2, -1), world.view().ranksBefore());
            float[] mine = rank == SIZE - 1 ? new float[3] : model.clone();
            Collectives.of(world).broadcast(mine, 0);
            assertArrayEquals(model, mine);
            calculate(world);
            world.close();
            return null;
        });
    }
}
