package io.zipcomm.bench.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MeansTest {

    /** Who is compared, who took part, and with whom. */
    @ParameterizedTest
    @CsvSource({
        "mpi-shm, tcp relay,               tcp",
        "mpi-shm, tcp aeron-ipc,           aeron-ipc",
        "mpi-shm, relay,                   relay",
        "mpi-tcp, aeron-ipc tcp,           tcp",
        "mpi-tcp, aeron-ipc relay,         relay",
        "redis,   aeron-ipc,               aeron-ipc",
        "redis,   relay auto aeron-udp,    aeron-udp",
    })
    void shouldCompareWithWhatGoesByTheSameMeans(String baseline, String present, String peer) {
        List<String> contestants = List.of(present.split(" ", -1));
        assertEquals(Optional.of(peer), Transports.peer(Means.of(baseline), contestants));
    }

    @Test
    void shouldNotCompareAFloorWithOtherMeans() {
        assertEquals(Optional.empty(), Transports.sameMeans(Means.SHARED_MEMORY, List.of("tcp", "relay")));
        assertEquals(Optional.empty(), Transports.sameMeans(Means.SOCKETS, List.of("aeron-ipc", "mpi-tcp")));
    }

    @Test
    void shouldTellFloorsByTheirAlgorithm() {
        for (Means means : Means.values()) {
            assertEquals(means, Means.ofFloor(means.floor()));
        }
        assertThrows(IllegalArgumentException.class, () -> Means.ofFloor("ring"));
    }

    @Test
    void shouldKnowWhatIsTheLibrarys() {
        assertTrue(Transports.ALL.containsAll(Transports.DIRECT) && Transports.ALL.containsAll(Transports.DEFAULT));
        assertTrue(Transports.isOwn("aeron-ipc"));
        assertFalse(Transports.isOwn("mpi-shm") || Transports.isOwn("floor"));
    }
}
