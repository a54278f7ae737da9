package io.zipcomm.error;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ZipExceptionTest {

    @Test
    void shouldSayEverythingThatIsKnown() {
        ZipException failure = ZipException.of(ErrorCode.PEER_LOST, "connection reset")
                .at(1, 4, 2)
                .peer(3)
                .operation("all-reduce #7")
                .phase("step 4 of 12")
                .elapsedMs(812)
                .awaited("segment 5 of 8 from rank 3")
                .build();
        assertEquals(
                "PEER_LOST: rank 1 of 4, epoch 2, all-reduce #7, step 4 of 12, after 812 ms: connection reset; awaited"
                        + " segment 5 of 8 from rank 3",
                failure.getMessage());
        assertEquals("connection reset", failure.reason());
        assertEquals(3, failure.peer());
        assertEquals(812, failure.elapsedMs());
    }

    @Test
    void shouldLeaveOutWhatIsNotKnown() {
        assertEquals("BAD_SETTING: no", new ZipException(ErrorCode.BAD_SETTING, "no").getMessage());
    }

    @Test
    void shouldNumberCodesUniquely() {
        Set<Integer> numbers = new HashSet<>();
        for (ErrorCode code : ErrorCode.values()) {
            assertEquals(true, numbers.add(code.number()), code.name());
            assertSame(code, ErrorCode.of(code.number()));
        }
        assertSame(ErrorCode.INTERNAL, ErrorCode.of(-5));
    }
}
