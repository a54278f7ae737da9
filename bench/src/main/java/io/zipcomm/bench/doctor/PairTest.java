package io.zipcomm.bench.doctor;

import io.zipcomm.Communicator;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.Engine;
import io.zipcomm.internal.GroupCommunicator;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.transport.TransportProvider;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * Two doctors join one session after the other, each time with one rung of the ladder only, exchange messages until that rung
 * has opened or its time is over, and measure on the path that there is then. All of it by what programs use too.
 */
final class PairTest {

    private static final int TAG = 1;
    private static final int ROUNDS = 5;

    /** The other one may be somewhat later at the next rung. */
    private static final Duration NEXT_JOIN = Duration.ofSeconds(15);

    private static final Duration MESSAGE = Duration.ofSeconds(10);
    private static final long PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final double NS_PER_MS = 1e6;

    /** What both say in each exchange. */
    private static final int WAITING = 0;

    private static final int DIRECT = 1;
    private static final int GIVEN_UP = 2;

    private final Report report;
    private final TransportProvider provider;
    private final Examination examination;
    private final LongSupplier clock;
    private GroupView group;
    private Rung direct;

    PairTest(Report report, TransportProvider provider, Examination examination, LongSupplier clock) {
        this.report = report;
        this.provider = provider;
        this.examination = examination;
        this.clock = clock;
    }

    void meet() {
        for (Rung rung : Rung.values()) {
            String skipped = group == null ? null : rung.skipped(group);
            if (skipped != null) {
                report.say("rung " + rung.label(), "skipped: " + skipped);
                continue;
            }
            try {
                climb(rung);
            } catch (ZipException e) {
                report.wrong("rung " + rung.label(), failed(rung, e));
                return;
            }
        }
        report.say(
                "pair",
                direct == null
                        ? "relayed: no rung opens between these two; all they send each other goes through the relay"
                        : "direct, by " + direct.label() + ": programs on these two machines connect like this");
    }

    private String failed(Rung rung, ZipException e) {
        boolean alone = rung == Rung.RELAY && e.code() == ErrorCode.JOIN_TIMEOUT;
        return (alone
                        ? "nobody came: './zip doctor --peer " + examination.peer()
                                + "' has to run at the same time on the other machine, with the same relays; "
                        : "FAILED: ")
                + e.getMessage();
    }

    private void climb(Rung rung) {
        RungProvider one = new RungProvider(provider, rung, clock);
        try (Communicator world = join(rung, one).withTimeout(MESSAGE)) {
            if (group == null) {
                group = world.view();
                introduce();
            }
            long beganNs = clock.getAsLong();
            boolean opened = opens(world, rung, one);
            double tookMs = (clock.getAsLong() - beganNs) / NS_PER_MS;
            double roundTripMs = roundTripNs(world) / NS_PER_MS;
            String path = GroupCommunicator.of(world).progress().pathTo(1 - world.rank());
            if (opened && direct == null) {
                direct = rung;
            }
            String traffic = String.format(Locale.ROOT, "; path %s, round trip %.2f ms", path, roundTripMs);
            report.say("rung " + rung.label(), outcome(rung, one, opened, tookMs) + traffic);
        }
    }

    private String outcome(Rung rung, RungProvider one, boolean opened, double tookMs) {
        if (rung == Rung.RELAY) {
            return String.format(Locale.ROOT, "works: first messages after %.0f ms", tookMs);
        }
        if (opened) {
            return String.format(Locale.ROOT, "works: open after %.0f ms", one.tookNs() / NS_PER_MS);
        }
        String why = one.failure() == null ? "nothing opened" : one.failure();
        return String.format(Locale.ROOT, "does not work: %s, after %.0f ms", why, tookMs);
    }

    private Communicator join(Rung rung, TransportProvider one) {
        ZipSettings.Builder settings =
                examination.settings(examination.peer(), 2, -1).transport(TransportChoice.AUTO);
        return Succession.join(settings, rung == Rung.RELAY ? examination.patience() : NEXT_JOIN, one, clock);
    }

    private void introduce() {
        report.say(
                "peer",
                "rank " + (1 - group.rank()) + ", " + addresses(1 - group.rank()) + "; this is rank " + group.rank()
                        + ", " + addresses(group.rank()));
    }

    private String addresses(int rank) {
        List<Candidate> all = group.members().get(rank).candidates();
        String own = all.stream()
                .filter(one -> one.kind() == Candidate.Kind.PRIVATE)
                .map(Candidate::toString)
                .collect(Collectors.joining(", "));
        String seen = all.stream()
                .filter(one -> one.kind() == Candidate.Kind.OBSERVED)
                .map(Candidate::toString)
                .findAny()
                .orElse("nowhere");
        return "at " + (own.isEmpty() ? "no address" : own) + ", seen by the relay at " + seen;
    }

    /** Talks until both are direct, or one has given up; both come to the same end. */
    private boolean opens(Communicator world, Rung rung, RungProvider one) {
        Engine engine = GroupCommunicator.of(world).progress();
        int peer = 1 - world.rank();
        long deadlineNs = clock.getAsLong() + examination.rung().toNanos();
        int[] said = new int[2];
        int[] heard = new int[2];
        while (true) {
            boolean isDirect = !engine.pathTo(peer).equals("relay");
            // The relay is there from the beginning: one exchange will do.
            boolean over = rung == Rung.RELAY || one.failure() != null || deadlineNs - clock.getAsLong() < 0;
            said[0] = rung.number();
            said[1] = isDirect ? DIRECT : over ? GIVEN_UP : WAITING;
            var sent = world.sendAsync(peer, TAG, Payload.of(said));
            world.receive(peer, TAG, Payload.of(heard));
            sent.await();
            if (heard[0] != said[0]) {
                throw new ZipException(
                        ErrorCode.PROTOCOL,
                        "the other one tries another rung, number " + heard[0] + ", not " + said[0]
                                + ": is its version another one?");
            }
            if (said[1] == DIRECT && heard[1] == DIRECT) {
                return true;
            }
            if (said[1] == GIVEN_UP || heard[1] == GIVEN_UP) {
                return false;
            }
            LockSupport.parkNanos(PAUSE_NS);
        }
    }

    /** Median; the ranks take turns at measuring. */
    private long roundTripNs(Communicator world) {
        int peer = 1 - world.rank();
        int[] word = new int[1];
        long[] ns = new long[ROUNDS];
        for (int turn = 0; turn < 2; turn++) {
            for (int i = 0; i < ROUNDS; i++) {
                if (turn == world.rank()) {
                    long beganNs = clock.getAsLong();
                    world.send(peer, TAG, Payload.of(word));
                    world.receive(peer, TAG, Payload.of(word));
                    ns[i] = clock.getAsLong() - beganNs;
                } else {
                    world.receive(peer, TAG, Payload.of(word));
                    world.send(peer, TAG, Payload.of(word));
                }
            }
        }
        Arrays.sort(ns);
        return ns[ROUNDS / 2];
    }
}
