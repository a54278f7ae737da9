package io.zipcomm.simulation;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.buffer.Payload;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a program takes for a wrong result. */
@Tag("once")
final class StepTest {

    private static final int ELEMENTS = 16;
    private static final int DIRECT = 0;
    private static final int IN_ARRAY = 1024;
    private static final int RANK = 1;

    private static Step ring(int pick) {
        return new Step(Step.Kind.RING, ELEMENTS, pick, 3, 1);
    }

    /** A read that failed leaves its bounds on the memory, and the rest comes in on another connection. */
    @Test
    void shouldReadAllOfAMessageWhateverTheTransportHasSetOnIt() {
        Step step = ring(DIRECT);
        Payload message = step.filled(RANK, ELEMENTS);
        message.direct().limit(3 * Long.BYTES).position(2 * Long.BYTES);
        step.check(message, 0, ELEMENTS, RANK, 0);
    }

    @Test
    void shouldFindAWrongElementWhereverTheMessageIs() {
        Step step = ring(DIRECT);
        Payload message = step.filled(RANK, ELEMENTS);
        message.direct().putLong(message.direct().capacity() - Long.BYTES, 0);
        expectWrong(step, message);

        Step ofArray = ring(IN_ARRAY);
        Payload array = ofArray.filled(RANK, ELEMENTS);
        ofArray.check(array, 0, ELEMENTS, RANK, 0);
        ((long[]) array.array())[ELEMENTS - 1] = 0;
        expectWrong(ofArray, array);
    }

    private static void expectWrong(Step step, Payload message) {
        step.check(message, 0, ELEMENTS - 1, RANK, 0);
        Step.Wrong wrong = assertThrows(Step.Wrong.class, () -> step.check(message, 0, ELEMENTS, RANK, 0));
        assertTrue(wrong.getMessage().contains("element " + (ELEMENTS - 1) + " is 0"), wrong.getMessage());
    }
}
