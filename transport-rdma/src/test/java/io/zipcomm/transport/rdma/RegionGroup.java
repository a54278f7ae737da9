package io.zipcomm.transport.rdma;

import io.zipcomm.Communicator;
import io.zipcomm.Zip;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.transport.rdma.ffi.Native;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Groups of threads that meet at a relay of their own, one group after the other. */
final class RegionGroup implements AutoCloseable {

    private static final long LIMIT_S = 90;

    private final RelayServer relay;
    private int groups;

    RegionGroup() {
        Native.library();
        relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
    }

    /** What a rank does. */
    interface Body {
        void run(Communicator world) throws Exception;
    }

    /** Of one rank of a group that meets at a relay. */
    static ZipSettings settings(
            int port, String session, int size, int rank, TransportChoice transport, String provider) {
        return ZipSettings.builder()
                .relay("127.0.0.1:" + port)
                .session(session)
                .size(size)
                .rank(rank)
                .transport(transport)
                .set(Setting.RDMA_PROVIDER, provider)
                .set(Setting.SHARED_MEMORY, "none")
                .joinTimeout(Duration.ofSeconds(30))
                .operationTimeout(Duration.ofSeconds(20))
                .build();
    }

    int port() {
        return relay.address().getPort();
    }

    /** What every rank does, over RDMA only. */
    void run(int size, String provider, Body body) {
        run(size, TransportChoice.RDMA, provider, body);
    }

    void run(int size, TransportChoice transport, String provider, Body body) {
        run(Collections.nCopies(size, provider), transport, body);
    }

    /** What every rank does, each with providers of its own. */
    void run(List<String> providers, TransportChoice transport, Body body) {
        int size = providers.size();
        String session = "group-" + ++groups;
        ExecutorService ranks = Executors.newFixedThreadPool(size);
        try {
            List<Future<?>> outcomes = new ArrayList<>();
            for (int rank = 0; rank < size; rank++) {
                ZipSettings settings = settings(port(), session, size, rank, transport, providers.get(rank));
                outcomes.add(ranks.submit(() -> {
                    try (Communicator world = Zip.join(settings)) {
                        body.run(world);
                    }
                    return null;
                }));
            }
            for (Future<?> outcome : outcomes) {
                get(outcome);
            }
        } finally {
            ranks.shutdownNow();
        }
    }

    private static void get(Future<?> outcome) {
        try {
            outcome.get(LIMIT_S, TimeUnit.SECONDS);
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("a rank did not end within " + LIMIT_S + " s", e);
        } catch (ExecutionException e) {
            throw new AssertionError("a rank failed: " + e.getCause(), e.getCause());
        }
    }

    /** Direct memory, all bytes of which are the same. */
    static ByteBuffer filled(int bytes, int value) {
        ByteBuffer memory = ByteBuffer.allocateDirect(bytes);
        for (int i = 0; i < bytes; i++) {
            memory.put(i, (byte) value);
        }
        return memory;
    }

    @Override
    public void close() {
        relay.close();
    }
}
