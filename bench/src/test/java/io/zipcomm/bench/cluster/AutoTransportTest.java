package io.zipcomm.bench.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.DirectTransportProvider;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Whether ranks that leave the choice to the library take RDMA: processes of their own, which join for real. */
@Tag("once")
final class AutoTransportTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String NATIVE_PATH = "zip.native.path";
    private static final int RANKS = 2;

    private final Map<Setting, String> settings = new EnumMap<>(Setting.class);
    private DirectTransportProvider rdma;

    @BeforeEach
    void findRdma() {
        rdma = ServiceLoader.load(DirectTransportProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(one -> one.capabilities().get(0).path().equals("rdma"))
                .findFirst()
                .orElseThrow();
        settings.put(Setting.SHARED_MEMORY, "none");
    }

    /** What each of two ranks says in the end, beside warnings of the JVM. */
    private List<String> join(String expectedPath) throws Exception {
        List<String> lines = new CopyOnWriteArrayList<>();
        List<String> errors = new CopyOnWriteArrayList<>();
        try (EmbeddedRelay relay = EmbeddedRelay.start()) {
            GroupEnvironment environment = relay.newGroup("auto", RANKS, "auto").with(settings);
            List<String> flags = List.of("-D" + NATIVE_PATH + "=" + System.getProperty(NATIVE_PATH, ""));
            try (ProcessGroup ranks = new ProcessGroup(
                    (rank, error, line) -> (error ? errors : lines).add(new String(line, StandardCharsets.UTF_8)),
                    environment.mark())) {
                for (int rank = 0; rank < RANKS; rank++) {
                    ranks.start(ChildJvm.command(flags, NativeLook.class, expectedPath), environment.forRank(rank));
                }
                for (int rank = 0; rank < RANKS; rank++) {
                    ProcessGroup.Exit exit = ranks.nextExit(LIMIT);
                    assertEquals(0, exit == null ? -1 : exit.exitCode(), errors.toString());
                }
                ranks.drainOutput();
            }
        }
        return lines;
    }

    private static List<String> each(String line) {
        return Collections.nCopies(RANKS, line);
    }

    @Test
    void shouldLoadNothingWithoutHardware() throws Exception {
        ZipSettings auto = ZipSettings.builder().session("s").size(RANKS).build();
        assumeTrue(!rdma.isWanted(auto), "there is hardware for RDMA");
        assertEquals(each("tcp; loaded:"), join("tcp"));
    }

    @Test
    void shouldTakeSoftwareThatIsNamed() throws Exception {
        Optional<String> reason = rdma.failureWhenTried();
        assumeTrue(reason.isEmpty(), () -> "no RDMA: " + reason.orElseThrow());
        settings.put(Setting.RDMA_PROVIDER, "tcp;ofi_rxm");
        assertEquals(each("rdma; loaded: jffi zip_fabric libfabric"), join("rdma"));
    }
}
