package io.zipcomm.bench.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.bench.worker.Message;
import io.zipcomm.error.ErrorCode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Processes 0 to 3, of which 2 was killed, say the right thing, and then each wrong thing that there is. */
@Tag("once")
final class ChaosVerdictTest {

    private static final long FAULT_NS = 5_000_000_000L;
    private static final Set<Integer> VICTIMS = Set.of(2);
    private static final Set<Integer> SURVIVORS = Set.of(0, 1, 3);
    private static final List<Integer> BEFORE = List.of(0, 1, 3);

    private final List<Report> reports = new ArrayList<>(List.of(
            report(0, ErrorCode.PEER_LOST, 2, 20, VICTIMS),
            report(1, ErrorCode.REVOKED, -1, 21, VICTIMS),
            report(3, ErrorCode.PEER_LOST, 2, 22, VICTIMS)));

    private final List<Membership> joined = new ArrayList<>(List.of(
            new Membership(0, 2, 0, BEFORE, 3, 0),
            new Membership(1, 2, 1, BEFORE, 3, 0),
            new Membership(3, 2, 2, BEFORE, 3, 0)));

    private final Map<Integer, Set<Integer>> lost = new HashMap<>(Map.of(0, VICTIMS, 1, VICTIMS, 3, VICTIMS));

    private static Report report(int process, ErrorCode code, int peer, long afterMs, Set<Integer> failed) {
        long atNs = FAULT_NS + TimeUnit.MILLISECONDS.toNanos(afterMs);
        return new Report(process, 1, code, peer, code + ": as planned", atNs, failed, atNs + 1000);
    }

    private List<String> judge(Fault fault) {
        return ChaosVerdict.ofDeadly(fault, VICTIMS, SURVIVORS, FAULT_NS, reports, lost, joined);
    }

    private void assertComplaint(String text) {
        assertComplaint(text, judge(Fault.KILL));
    }

    private static void assertComplaint(String text, List<String> complaints) {
        assertTrue(complaints.stream().anyMatch(one -> one.contains(text)), text + " is not said in " + complaints);
    }

    @Test
    void shouldFindNothingWrongWithWhatIsRight() {
        assertEquals(List.of(), judge(Fault.KILL));
        assertEquals(List.of(), ChaosVerdict.ofHarmless(Fault.PAUSE, List.of()));
    }

    @Test
    void shouldComplainOfAnyFailureWhenNobodyDied() {
        assertComplaint("though nobody died of PAUSE", ChaosVerdict.ofHarmless(Fault.PAUSE, reports));
    }

    private static Message end(String kind, ErrorCode code, long afterMs) {
        return Message.of(kind)
                .with("code", code)
                .with("message", code + ": as planned")
                .with("atNs", FAULT_NS + TimeUnit.MILLISECONDS.toNanos(afterMs));
    }

    @Test
    void shouldComplainOfAVictimThatDoesNotKnowThatItIsOut() {
        Message right = end(ChaosRank.ENDED, ErrorCode.EXPELLED, 100);
        Message wrong = end(ChaosRank.ENDED, ErrorCode.PEER_LOST, 100);
        assertEquals(List.of(), ChaosVerdict.ofVictim(Fault.FREEZE_MINUTE, 2, right, FAULT_NS));
        assertEquals(List.of(), ChaosVerdict.ofVictim(Fault.CUT, 2, wrong, FAULT_NS));
        for (Fault fault : List.of(Fault.FREEZE, Fault.FREEZE_MINUTE, Fault.SNAPSHOT, Fault.SNAPSHOT_MINUTE)) {
            assertComplaint(
                    "process 2 was given up, and ended with PEER_LOST",
                    ChaosVerdict.ofVictim(fault, 2, wrong, FAULT_NS));
        }
        Message stopped = end(ChaosRank.STOPPED, ErrorCode.EXPELLED, 100);
        assertComplaint("process 2 was given up", ChaosVerdict.ofVictim(Fault.FREEZE, 2, stopped, FAULT_NS));
        Message late = end(ChaosRank.ENDED, ErrorCode.EXPELLED, Fault.Limits.EXPELLED.toMillis() + 1);
        assertComplaint("process 2 ended", ChaosVerdict.ofVictim(Fault.FREEZE, 2, late, FAULT_NS));
    }

    @Test
    void shouldComplainOfWhoDoesNotKnowThatTheRelayIsLost() {
        Map<Integer, Message> ends = new HashMap<>();
        ends.put(0, end(ChaosRank.ENDED, ErrorCode.RELAY_LOST, 11_000));
        assertEquals(List.of(), ChaosVerdict.ofRelayLoss(ends, FAULT_NS, Fault.Limits.RELAY));
        ends.put(1, end(ChaosRank.ENDED, ErrorCode.RELAY_LOST, 11_001));
        assertComplaint(
                "process 1 ended 11001 ms after RELAY_LOSS, and the limit is 11000 ms",
                ChaosVerdict.ofRelayLoss(ends, FAULT_NS, Fault.Limits.RELAY));
        ends.put(1, end(ChaosRank.ENDED, ErrorCode.DEADLINE, 100));
        assertComplaint(
                "process 1 lost the relay, and ended with DEADLINE",
                ChaosVerdict.ofRelayLoss(ends, FAULT_NS, Fault.Limits.RELAY));
        ends.put(1, end(ChaosRank.WRONG, ErrorCode.RELAY_LOST, 100));
        assertComplaint("process 1 lost", ChaosVerdict.ofRelayLoss(ends, FAULT_NS, Fault.Limits.RELAY));
    }

    @Test
    void shouldComplainOfDifferentSets() {
        reports.set(1, report(1, ErrorCode.REVOKED, -1, 21, Set.of()));
        assertComplaint("different sets: 0 on [2], 1 on [], 3 on [2]");
    }

    @Test
    void shouldComplainOfOneWhoLives() {
        reports.replaceAll(one -> report(one.process(), one.code(), one.peer(), 20, Set.of(2, 1)));
        assertComplaint("process 0, epoch 1, takes processes for dead that live: [1]");
    }

    @Test
    void shouldComplainOfAVictimThatIsMissing() {
        lost.put(3, Set.of());
        assertComplaint("process 3 lost [], and the victims of KILL are [2]");
        lost.remove(3);
        assertComplaint("process 3 lost [], and the victims of KILL are [2]");
    }

    @Test
    void shouldComplainOfOneWhoWasLostAndIsNoVictim() {
        lost.put(1, Set.of(2, 4));
        assertComplaint("process 1 lost [2, 4], and the victims of KILL are [2]");
    }

    @Test
    void shouldTakeWhoDiedBehindTheAgreementForLostToo() {
        reports.replaceAll(one -> report(one.process(), one.code(), one.peer(), 20, Set.of()));
        assertEquals(List.of(), judge(Fault.KILL));
    }

    @Test
    void shouldComplainOfASurvivorThatReportedNothing() {
        reports.remove(2);
        assertComplaint("in epoch 1 survivors reported nothing: [3]");
    }

    @Test
    void shouldComplainWhenNobodyReported() {
        reports.clear();
        assertComplaint("nobody reported anything of KILL");
    }

    @Test
    void shouldComplainOfWhatIsLate() {
        reports.set(0, report(0, ErrorCode.PEER_LOST, 2, 2001, VICTIMS));
        assertComplaint("process 0, epoch 1, knew after 2001 ms, and the limit of KILL is 2000 ms");
        assertEquals(List.of(), judge(Fault.FREEZE));
        reports.set(0, report(0, ErrorCode.PEER_LOST, 2, 6001, VICTIMS));
        assertComplaint("knew after 6001 ms, and the limit of CUT is 6000 ms", judge(Fault.CUT));
    }

    @Test
    void shouldComplainOfWhatWasKnownTooEarly() {
        reports.set(0, report(0, ErrorCode.PEER_LOST, 2, -1, VICTIMS));
        assertComplaint("noticed before it happened");
    }

    @Test
    void shouldComplainOfAnExceptionThatNamesAnother() {
        reports.set(0, report(0, ErrorCode.PEER_LOST, 3, 20, VICTIMS));
        assertComplaint("names process 3, and the victims are [2]");
    }

    @Test
    void shouldComplainOfAnExceptionThatSaysSomethingElse() {
        reports.set(0, report(0, ErrorCode.DEADLINE, 2, 20, VICTIMS));
        assertComplaint("says DEADLINE of a death");
    }

    @Test
    void shouldComplainOfGroupsThatDiffer() {
        joined.set(1, new Membership(1, 3, 1, BEFORE, 3, 0));
        assertComplaint("members are in epochs [2, 3]");
        joined.set(1, new Membership(1, 2, 1, List.of(0, 1, 2), 3, 0));
        assertComplaint("different ranks before");
    }

    @Test
    void shouldComplainOfWrongRanks() {
        joined.set(1, new Membership(1, 2, 2, BEFORE, 3, 0));
        assertComplaint("there are 3 members with ranks [0, 2]");
        joined.set(1, new Membership(1, 2, 1, BEFORE, 4, 0));
        assertComplaint("process 1 is rank 1 of 4");
    }

    @Test
    void shouldComplainOfAVictimInTheGroup() {
        joined.set(1, new Membership(2, 2, 1, BEFORE, 3, 0));
        assertComplaint("process 2 is a member, and a victim");
        assertComplaint("survivors are outside: [1]");
    }
}
