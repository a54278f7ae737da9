package io.zipcomm.bench.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class BaselineTest {

    @Test
    void shouldReadSystemsByName() {
        assertEquals(new Baseline(Baseline.Kind.REDIS, null), Baseline.parse("redis"));
        assertEquals(new Baseline(Baseline.Kind.MPI, null), Baseline.parse("mpi"));
    }

    @Test
    void shouldReadTheAddressOfAServerThatRunsElsewhere() {
        Baseline baseline = Baseline.parse("redis://10.0.0.7:6379");
        assertEquals(new Baseline(Baseline.Kind.REDIS, "10.0.0.7:6379"), baseline);
        assertTrue(baseline.isElsewhere());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Redis", "openmpi", "redis:", "mpi://h:1"})
    void shouldNameWhatIsKnownWhenOneIsNot(String text) {
        String message = assertThrows(IllegalArgumentException.class, () -> Baseline.parse(text))
                .getMessage();
        assertEquals("unknown baseline '" + text + "'; known: " + Baseline.KNOWN, message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"redis://", "redis://host", "redis://host:0", "redis://h:1/2", "redis://u@h:1", "redis://a b:1"})
    void shouldInsistOnHostAndPort(String text) {
        String message = assertThrows(IllegalArgumentException.class, () -> Baseline.parse(text))
                .getMessage();
        assertEquals("baseline '" + text + "': expected redis://HOST:PORT", message);
    }
}
