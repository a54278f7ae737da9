package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import org.junit.jupiter.api.Test;

class WaiterTest {

    private static final long US = 1000;

    private static final CpuQuota NO_QUOTA = new CpuQuota(Double.POSITIVE_INFINITY, null);

    private static Waiter waiter(String choice, int ranks, int cores) {
        return waiter(choice, ranks, cores, NO_QUOTA);
    }

    private static Waiter waiter(String choice, int ranks, int cores, CpuQuota quota) {
        ZipSettings settings = ZipSettings.builder()
                .session("s")
                .size(2)
                .set(Setting.WAIT, choice)
                .set(Setting.SPIN_TIME, "1000")
                .build();
        return Waiter.choose(settings, ranks, cores, quota);
    }

    @Test
    void shouldSpinWhereEveryRankHasACoreAndYieldWhereTheyShare() {
        assertTrue(waiter("auto", 2, 2).spins(0, 0));
        assertTrue(waiter("auto", 2, 2).toString().startsWith("spin"));
        assertTrue(waiter("auto", 3, 2).spins(0, 0));
        assertTrue(waiter("auto", 3, 2).toString().startsWith("yield"));
        assertTrue(waiter("spin", 3, 2).spins(0, 0));
        assertFalse(waiter("block", 1, 2).spins(0, 0));
    }

    @Test
    void shouldLookForAShortTimeOnlyWhereAQuotaLeavesLessThanACoreForEachRank() {
        CpuQuota half = new CpuQuota(0.5, null);
        assertTrue(waiter("auto", 1, 1, half).toString().startsWith("yield for 50 us"));
        assertTrue(waiter("auto", 2, 2, new CpuQuota(1.5, null)).toString().startsWith("yield"));
        assertTrue(waiter("auto", 1, 2, new CpuQuota(1.5, null)).toString().startsWith("spin"));
        assertTrue(waiter("spin", 1, 1, half).toString().startsWith("spin"), "asked for");
    }

    @Test
    void shouldTakeItForNormalThatOthersRunWhileItYields() {
        Waiter waiter = waiter("auto", 8, 2);
        assertTrue(waiter.spins(0, 0));
        assertTrue(waiter.spins(30 * US, 30 * US), "three others looked");
        assertTrue(waiter.spins(40 * US, 730 * US), "one of them had a segment to work on");
        assertFalse(waiter.spins(45 * US, 2000 * US), "somebody computes");
        assertTrue(waiter.spins(0, 4100 * US));
    }

    @Test
    void shouldYieldForLongerTheMoreRanksShareACore() {
        assertTrue(waiter("auto", 3, 2).toString().startsWith("yield for 50 us"));
        assertTrue(waiter("auto", 4, 2).toString().startsWith("yield for 50 us"));
        assertTrue(waiter("auto", 5, 2).toString().startsWith("yield for 100 us"));
        assertTrue(waiter("auto", 8, 2).toString().startsWith("yield for 150 us"));
        assertTrue(waiter("auto", 64, 2).toString().startsWith("yield for 150 us"));
    }

    @Test
    void shouldYieldForAShortTimeOnly() {
        Waiter waiter = waiter("yield", 2, 2);
        for (long idleNs = 0; idleNs < 50 * US; idleNs += 10 * US) {
            assertTrue(waiter.spins(idleNs, idleNs));
        }
        assertFalse(waiter.spins(50 * US, 50 * US));
    }

    @Test
    void shouldSpinForItsTimeThenBlockAndSpinAgainAtTheNextWait() {
        Waiter waiter = waiter("auto", 2, 2);
        long nowNs = 0;
        for (long idleNs = 0; idleNs < 1000 * US; idleNs += 2 * US) {
            assertTrue(waiter.spins(idleNs, nowNs + idleNs));
        }
        nowNs = 1000 * US;
        assertFalse(waiter.spins(1000 * US, nowNs));
        nowNs += 15_000 * US;
        assertFalse(waiter.spins(16_000 * US, nowNs), "a long sleep is no lost core");
        assertTrue(waiter.spins(0, nowNs + US));
    }

    @Test
    void shouldBlockForAWhileWhenItLostItsCore() {
        Waiter waiter = waiter("auto", 2, 2);
        assertTrue(waiter.spins(0, 0));
        assertTrue(waiter.spins(2 * US, 2 * US));
        assertFalse(waiter.spins(4000 * US, 4000 * US), "away for 4 ms in mid-spin");
        assertFalse(waiter.isSpinning());
        assertFalse(waiter.spins(0, 4900 * US));
        assertTrue(waiter.spins(0, 6100 * US));
        assertTrue(waiter.isSpinning());
    }

    /** Spins for a time, loses its core for another; then how long it blocks. */
    private static long blockedUsAfter(Waiter waiter, long[] nowUs, long spunUs, long lostUs) {
        for (long end = nowUs[0] + spunUs; nowUs[0] <= end; nowUs[0] += 2) {
            assertTrue(waiter.spins(2 * US, nowUs[0] * US));
        }
        nowUs[0] += lostUs;
        long begin = nowUs[0];
        while (!waiter.spins(2 * US, nowUs[0] * US)) {
            nowUs[0] += 2;
        }
        return nowUs[0] - begin;
    }

    @Test
    void shouldBlockLongerAndLongerWhereOthersKeepWantingTheCore() {
        Waiter waiter = waiter("auto", 2, 2);
        long[] nowUs = {1_000_000};
        long last = 0;
        for (int i = 0; i < 6; i++) {
            long blockedUs = blockedUsAfter(waiter, nowUs, 3000, 3000);
            assertTrue(blockedUs > last, blockedUs + " us after " + last + " us");
            last = blockedUs;
        }
        assertTrue(last <= 65_000, last + " us");
    }

    @Test
    void shouldBlockBrieflyAfterALongDisturbanceNowAndThen() {
        Waiter waiter = waiter("auto", 2, 2);
        long[] nowUs = {1_000_000};
        for (int i = 0; i < 10; i++) {
            long blockedUs = blockedUsAfter(waiter, nowUs, 30_000, 3000);
            assertTrue(blockedUs > 900 && blockedUs < 1100, blockedUs + " us");
        }
    }

    @Test
    void shouldGoOnSpinningWhereOthersTakeItsCoreOftenButForLittleOfTheTime() {
        Waiter waiter = waiter("auto", 2, 2);
        long[] nowUs = {1_000_000};
        for (int i = 0; i < 100; i++) {
            assertEquals(0, blockedUsAfter(waiter, nowUs, 5000, 300), "loss " + i);
        }
    }

    @Test
    void shouldBlockWhereShortLossesAddUpToMuchOfTheTime() {
        Waiter waiter = waiter("auto", 2, 2);
        long[] nowUs = {1_000_000};
        int losses = 1;
        while (blockedUsAfter(waiter, nowUs, 1000, 300) == 0) {
            losses++;
            assertTrue(losses < 10, "a quarter of the time is lost");
        }
        assertTrue(losses > 1, "300 us are no reason yet");
    }

    @Test
    void shouldNotTakeWorkForALostCore() {
        Waiter waiter = waiter("auto", 2, 2);
        assertTrue(waiter.spins(0, 0));
        assertTrue(waiter.spins(0, 5000 * US), "there was work in between");
    }
}
