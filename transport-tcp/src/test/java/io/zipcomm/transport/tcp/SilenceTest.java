package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.transport.tcp.Silence.Finding;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SilenceTest {

    private static final long LOOK_MS = 50;
    private static final long UNKNOWN = -1;

    private Silence silence = new Silence(false);
    private final List<String> found = new ArrayList<>();
    private long nowMs = 77_000;
    private long bytes;

    /** Looks for some time as a transport does, and notes what was found, and when. */
    private void look(long ms, boolean awaiting, long unacknowledgedMs) {
        for (long passed = 0; passed < ms; passed += LOOK_MS) {
            nowMs += LOOK_MS;
            note(silence.look(nowMs * 1_000_000, bytes, awaiting, () -> unacknowledgedMs));
        }
    }

    private void note(Finding finding) {
        if (finding != Finding.NOTHING) {
            found.add(finding + " " + (nowMs - 77_000 - LOOK_MS));
        }
    }

    @Test
    void shouldAskEverySecondAndGiveUpWhenNothingIsAcknowledged() {
        look(3_000, true, 2_000);
        assertEquals(List.of("PING 1000", "PING 2000"), found);
        look(100, true, 2_000);
        assertEquals(List.of("PING 1000", "PING 2000", "LOST 3000"), found.subList(0, 3));
    }

    /** A host without network for less than the heartbeat timeout: its system sends again after up to twice as long. */
    @Test
    void shouldBePatientWhereThereIsNoOtherWay() {
        silence = new Silence(true);
        look(10_000, true, 9_000);
        assertEquals(9, found.size(), found::toString);
        look(100, true, 9_000);
        assertEquals("LOST 10000", found.get(9));
    }

    @Test
    void shouldTakeNoAnswerForNoAcknowledgementWhereNobodyKnows() {
        look(3_050, true, UNKNOWN);
        assertEquals(List.of("PING 1000", "PING 2000", "LOST 3000"), found);
    }

    @Test
    void shouldLeaveAPeerAloneWhoseSystemAnswers() {
        look(6_050, true, 1_000);
        assertEquals(List.of("PING 1000", "PING 2000", "PING 3000", "PING 4000", "PING 5000", "PING 6000"), found);
    }

    @Test
    void shouldNotMindSilenceThatIsNotFilled() {
        look(10_000, false, UNKNOWN);
        look(950, true, UNKNOWN);
        assertEquals(List.of(), found);
    }

    @Test
    void shouldBeginAnewWhenBytesCome() {
        look(2_900, true, UNKNOWN);
        bytes++;
        look(900, true, UNKNOWN);
        assertEquals(List.of("PING 1000", "PING 2000"), found);
    }

    @Test
    void shouldNotTakeItsOwnPauseForSilence() {
        look(1_500, true, UNKNOWN);
        nowMs += 60_000;
        look(900, true, UNKNOWN);
        assertEquals(List.of("PING 1000"), found);
    }
}
