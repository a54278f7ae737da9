package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.internal.FakeTransports.Base;
import io.zipcomm.internal.FakeTransports.Direct;
import io.zipcomm.internal.FakeTransports.NamedPath;
import io.zipcomm.internal.FakeTransports.Outcomes;
import io.zipcomm.membership.Candidate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Which of several transports is asked, and which is polled. */
final class CombinedTransportTest {

    private static final int QUIET_TURNS = 64;
    private static final long LOOK_NS = 10_000;

    private final List<String> log = new ArrayList<>();
    private final Direct best = new Direct("best", log, 1, 2);
    private final Direct second = new Direct("second", log, 1, 3);
    private final Base base = new Base(log);
    private final Outcomes engine = new Outcomes();

    private CombinedTransport start(boolean baseConnects) {
        CombinedTransport combined = new CombinedTransport(base, baseConnects, List.of(best, second));
        combined.start(FakeTransports.view(5), engine);
        assertEquals(List.of("best start", "second start", "base start"), log);
        log.clear();
        return combined;
    }

    private List<String> log() {
        List<String> all = List.copyOf(log);
        log.clear();
        return all;
    }

    // ---- opening

    @Test
    void shouldAskTheBestFirstThenTheNextAndTheBaseLast() {
        CombinedTransport combined = start(true);
        combined.connect(1);
        assertEquals(List.of("best connect 1"), log());
        best.events.unreachable(1, "no room");
        assertEquals(List.of("second connect 1"), log());
        second.events.unreachable(1, "no driver");
        assertEquals(List.of("base connect 1"), log());
        assertEquals(List.of(), engine.told);
        base.events.unreachable(1, "refused");
        assertEquals(List.of("unreachable 1: no room; no driver; refused"), engine.told);
    }

    @Test
    void shouldLeaveOutThoseThatDoNotReachThePeer() {
        CombinedTransport combined = start(true);
        combined.connect(2);
        combined.connect(3);
        combined.connect(4);
        assertEquals(List.of("best connect 2", "second connect 3", "base connect 4"), log());
        best.events.unreachable(2, "no room");
        assertEquals(List.of("base connect 2"), log());
        base.events.unreachable(4, "refused");
        assertEquals(List.of("unreachable 4: refused"), engine.told);
    }

    @Test
    void shouldSayThatNothingReachesAPeerIfTheBaseMayNot() {
        CombinedTransport combined = start(false);
        combined.connect(4);
        assertEquals(List.of("unreachable 4: what ZIP_TRANSPORT asks for does not reach it"), engine.told);
        combined.connect(1);
        best.events.unreachable(1, "no room");
        second.events.unreachable(1, "no driver");
        assertEquals("unreachable 1: no room; no driver", engine.told.get(1));
        assertEquals(List.of("best connect 1", "second connect 1"), log());
    }

    @Test
    void shouldTellTheOthersToGiveUpWhenOneOpens() {
        CombinedTransport combined = start(true);
        combined.connect(1);
        log.clear();
        second.events.opened(new NamedPath(1, "second"));
        assertEquals(List.of("best giveUp 1"), log());
        base.events.opened(new NamedPath(2, "tcp"));
        assertEquals(List.of("best giveUp 2", "second giveUp 2"), log());
        assertEquals(List.of("opened 1 second", "opened 2 tcp"), engine.told);
    }

    @Test
    void shouldAskNobodyTwice() {
        CombinedTransport combined = start(true);
        combined.connect(1);
        combined.connect(1);
        assertEquals(List.of("best connect 1"), log());
        best.events.unreachable(1, "no room");
        best.events.unreachable(1, "no room, says it again");
        combined.connect(1);
        assertEquals(List.of("second connect 1"), log());
        // One that was not asked has nothing to say.
        base.events.unreachable(1, "nobody asked");
        best.events.unreachable(2, "nobody asked");
        assertEquals(List.of(), engine.told);
        assertEquals(List.of(), log());
    }

    @Test
    void shouldNotGoOnAskingWhenAPathHasOpened() {
        CombinedTransport combined = start(true);
        combined.connect(1);
        base.events.opened(new NamedPath(1, "tcp"));
        log.clear();
        best.events.unreachable(1, "given up");
        assertEquals(List.of(), log());
        assertEquals(List.of("opened 1 tcp"), engine.told);
    }

    @Test
    void shouldAskAnewWhenEverythingHasFailedAndItIsAskedAgain() {
        CombinedTransport combined = start(true);
        combined.connect(1);
        best.events.unreachable(1, "no room");
        second.events.unreachable(1, "no driver");
        base.events.unreachable(1, "refused");
        best.reached.clear();
        second.reached.clear();
        log.clear();
        combined.connect(1);
        assertEquals(List.of("base connect 1"), log());
        base.events.unreachable(1, "refused again");
        assertEquals("unreachable 1: refused again", engine.told.get(1));
    }

    @Test
    void shouldHandOnWhatConcernsTheRelay() {
        CombinedTransport combined = start(true);
        base.events.punchWanted(2);
        base.events.relayLost("it ended");
        assertEquals(List.of("punchWanted 2", "relayLost it ended"), engine.told);
        combined.punch(2, 5, 6);
        combined.wakeup();
        assertEquals(List.of("base punch 2", "base wakeup"), log());
    }

    // ---- turns

    private static void turns(CombinedTransport combined, int count) {
        for (int i = 0; i < count; i++) {
            combined.poll();
        }
    }

    @Test
    void shouldPollAllAtEveryTurnWhileNoOtherHasPaths() {
        CombinedTransport combined = start(true);
        turns(combined, 1000);
        assertEquals(1000, base.polls);
        assertEquals(1000, best.polls);
        assertEquals(1000, second.polls);
    }

    @Test
    void shouldPollTheBaseRarelyWhileAnotherHasPathsAndItIsQuiet() {
        CombinedTransport combined = start(true);
        second.paths = true;
        turns(combined, QUIET_TURNS);
        assertEquals(QUIET_TURNS, base.polls, "not before it has been quiet");
        long beganNs = System.nanoTime();
        turns(combined, 100_000);
        int looks = base.polls - QUIET_TURNS;
        long looksMax = (System.nanoTime() - beganNs) / LOOK_NS + 1;
        assertTrue(looks >= 1 && looks <= looksMax && looks <= 100_000 / 16, looks + " looks of " + looksMax);
        assertEquals(100_000 + QUIET_TURNS, best.polls);
        assertEquals(100_000 + QUIET_TURNS, second.polls);
    }

    @Test
    void shouldPollTheBaseAtEveryTurnWhileSomethingComesThroughIt() {
        CombinedTransport combined = start(true);
        best.paths = true;
        base.work = 1;
        turns(combined, 1000);
        assertEquals(1000, base.polls);
        base.work = 0;
        turns(combined, QUIET_TURNS);
        assertEquals(1000 + QUIET_TURNS, base.polls);
        turns(combined, 15);
        assertTrue(base.polls <= 1000 + QUIET_TURNS + 1, "quiet");
        // A look that finds something ends the quiet.
        base.work = 1;
        long deadlineNs = System.nanoTime() + 10_000_000_000L;
        int before = base.polls;
        while (base.polls == before) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "it is looked at");
            combined.poll();
        }
        int now = base.polls;
        turns(combined, 100);
        assertEquals(now + 100, base.polls);
    }

    @Test
    void shouldPollTheBaseAgainWhenTheOtherPathsAreGone() {
        CombinedTransport combined = start(true);
        best.paths = true;
        turns(combined, 2 * QUIET_TURNS);
        best.paths = false;
        int before = base.polls;
        turns(combined, 100);
        assertEquals(before + 100, base.polls);
    }

    @Test
    void shouldAddUpWhatThereWasToDo() {
        CombinedTransport combined = start(true);
        best.work = 2;
        second.work = 3;
        base.work = 5;
        assertEquals(10, combined.poll());
    }

    @Test
    void shouldSleepNoLongerThanAnyOfThemAllows() {
        CombinedTransport combined = start(true);
        // The base comes back at once: so long before that is over that no pause of this thread looks like a sleep.
        second.sleepNs = 7_000_000_000L;
        combined.await(10_000_000_000L, () -> false);
        assertEquals(
                List.of(
                        "best beforeSleep",
                        "second beforeSleep",
                        "base await 7000000000",
                        "best afterSleep",
                        "second afterSleep"),
                log());
        combined.await(5_000_000_000L, () -> false);
        assertTrue(log().contains("base await 5000000000"));
    }

    @Test
    void shouldSleepOnThoughOneOfThemLooksNowAndThen() {
        CombinedTransport combined = start(true);
        second.sleepNs = 100_000;
        long beganNs = System.nanoTime();
        assertEquals(0, combined.await(100_000_000, () -> false));
        assertTrue(System.nanoTime() - beganNs >= 100_000_000);
        assertTrue(base.polls > 1 && log().stream().noneMatch(one -> one.startsWith("base await")));
        combined.await(60_000_000_000L, () -> true);
    }

    @Test
    void shouldNotMissAWakeupThoughTheSleepEndsLate() throws Exception {
        CombinedTransport combined = start(true);
        second.sleepNs = 1_000_000;
        base.waitNs = 5_000_000;
        Thread waker = new Thread(() -> {
            LockSupport.parkNanos(20_000_000);
            combined.wakeup();
        });
        long beganNs = System.nanoTime();
        waker.start();
        combined.await(60_000_000_000L, () -> false);
        waker.join();
        long tookMs = (System.nanoTime() - beganNs) / 1_000_000;
        assertTrue(tookMs >= 20 && tookMs < 30_000, "woke up after " + tookMs + " ms");
    }

    @Test
    void shouldNotMissAWakeupThatATurnHasSeen() {
        CombinedTransport combined = start(true);
        second.sleepNs = 100_000;
        combined.wakeup();
        combined.poll();
        long beganNs = System.nanoTime();
        combined.await(60_000_000_000L, () -> false);
        long tookMs = (System.nanoTime() - beganNs) / 1_000_000;
        assertTrue(tookMs < 30_000, "woke up after " + tookMs + " ms");
        // It counts once.
        beganNs = System.nanoTime();
        combined.await(50_000_000, () -> false);
        tookMs = (System.nanoTime() - beganNs) / 1_000_000;
        assertTrue(tookMs >= 50, "woke up after " + tookMs + " ms");
    }

    @Test
    void shouldNotSleepWhenThereIsWorkAfterItWasAnnounced() {
        CombinedTransport combined = start(true);
        best.work = 1;
        assertTrue(combined.await(1000, () -> false) > 0);
        assertFalse(log().contains("base await 1000"));
        assertEquals(1, base.polls);
    }

    // ---- the rest

    @Test
    void shouldShowWhatAllOfThemAreDoing() {
        CombinedTransport combined = start(true);
        assertFalse(combined.isConnecting());
        second.connecting = true;
        assertTrue(combined.isConnecting());
        second.connecting = false;
        base.connecting = true;
        assertTrue(combined.isConnecting());
        assertFalse(combined.hasOutput());
        best.output = true;
        assertTrue(combined.hasOutput());
        assertEquals(
                List.of("127.0.0.1:1", "best", "second"),
                combined.candidates().stream().map(Candidate::toString).toList());
    }

    @Test
    void shouldLeaveAndCloseTheBaseLast() {
        CombinedTransport combined = start(true);
        combined.leave();
        combined.close();
        assertEquals(
                List.of("best leave", "second leave", "base leave", "best close", "second close", "base close"), log());
    }
}
