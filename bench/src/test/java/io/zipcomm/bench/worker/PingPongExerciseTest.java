package io.zipcomm.bench.worker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PingPongExerciseTest {

    private int rounds;

    @ParameterizedTest
    @CsvSource({"1, 3", "2, 0"})
    void shouldLeaveNoTimesOfTheExerciseBeforeOnRanksThatDoNotTime(int rank, int roundsExpected) {
        Stretch nothing = new Stretch(ByteBuffer.allocate(0), 0, 0, 0, 1);
        Exercise exercise = new PingPongExercise(rank, nothing, nothing, () -> rounds++, new Progress());
        long[] timesNs = {71, 72, 73, 74};
        exercise.run(3, timesNs, true);
        assertArrayEquals(new long[] {0, 0, 0, 74}, timesNs);
        assertEquals(roundsExpected, rounds);
    }
}
