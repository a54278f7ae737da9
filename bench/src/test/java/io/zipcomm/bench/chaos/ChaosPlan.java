package io.zipcomm.bench.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What is done to one group, all of it chosen before it begins: a seed gives the same plans again.
 *
 * @param seed      that gave it
 * @param transport of the group
 * @param networks  whether each process has a network of its own
 * @param size      ranks at first
 * @param steps     faults, one after the other
 */
record ChaosPlan(long seed, String transport, boolean networks, int size, List<ChaosStep> steps) {

    /** Between hosts that share no memory. */
    private static final List<String> REMOTE = List.of("tcp", "relay", "auto", "aeron-udp");

    private static final List<String> LOCAL = List.of("tcp", "relay", "auto", "aeron-ipc", "aeron-udp");

    /** Where there is a library for it. */
    private static final String RDMA = "rdma";

    private static final int SIZE_MIN = 4;
    private static final int SIZE_MAX = 8;

    /** Fewer living members than that are not shot at. */
    private static final int LIVING_MIN = 3;

    /** With so many members two are killed at a time. */
    private static final int LIVING_FOR_TWO = 5;

    /** Of so many faults one lasts a minute. */
    private static final int ONE_LASTS_A_MINUTE = 50;

    /** Of so many groups one loses its relay for good. */
    private static final int ONE_LOSES_ITS_RELAY = 12;

    private static final int STEPS_MAX = 6;
    private static final int DELAY_MS_MAX = 300;
    private static final int HOLD_MS_MIN = 300;

    /** Well below the heartbeat timeout, of which up to one interval may have passed. */
    private static final int HOLD_MS_MAX = 2500;

    ChaosPlan {
        steps = List.copyOf(steps);
    }

    /**
     * A plan.
     *
     * @param seed         of its choices
     * @param lab          whether there can be groups in which each process has a network of its own
     * @param rdma         whether there can be groups over RDMA
     * @param relayRestart whether the relay may be killed too
     */
    static ChaosPlan random(long seed, boolean lab, boolean rdma, boolean relayRestart) {
        // Unlike the older one it gives neighbours among seeds nothing in common.
        SplittableRandom random = new SplittableRandom(seed);
        boolean networks = lab && random.nextInt(5) == 0;
        List<String> transports = new ArrayList<>(networks ? REMOTE : LOCAL);
        if (rdma && !networks) {
            transports.add(RDMA);
        }
        String transport = transports.get(random.nextInt(transports.size()));
        int size = SIZE_MIN + random.nextInt(SIZE_MAX - SIZE_MIN + 1);
        List<Integer> living = new ArrayList<>();
        for (int process = 0; process < size; process++) {
            living.add(process);
        }
        List<ChaosStep> steps = new ArrayList<>();
        int started = size;
        while (steps.size() < STEPS_MAX && living.size() >= LIVING_MIN) {
            Fault fault = fault(random, networks, relayRestart);
            ChaosStep step = step(random, fault, living);
            steps.add(step);
            if (fault.deadly()) {
                living.removeAll(step.victims());
                for (int i = 0; i < step.newcomers(); i++) {
                    living.add(started++);
                }
            }
        }
        // With auto a link may still be on its way away from the relay.
        if (relayRestart && !networks && !transport.equals("auto") && random.nextInt(ONE_LOSES_ITS_RELAY) == 0) {
            steps.add(relayLoss(random, transport, living));
        }
        return new ChaosPlan(seed, transport, networks, size, steps);
    }

    /** The last that can be done to a group. */
    private static ChaosStep relayLoss(SplittableRandom random, String transport, List<Integer> living) {
        List<Integer> victims =
                transport.equals("relay") ? List.of() : List.of(living.get(random.nextInt(living.size())));
        return new ChaosStep(Fault.RELAY_LOSS, victims, random.nextInt(DELAY_MS_MAX), 0, 0, 0);
    }

    private static Fault fault(SplittableRandom random, boolean networks, boolean relayRestart) {
        if (random.nextInt(ONE_LASTS_A_MINUTE) == 0) {
            return networks ? Fault.SNAPSHOT_MINUTE : Fault.FREEZE_MINUTE;
        }
        int choice = random.nextInt(100);
        if (networks) {
            return choice < 30
                    ? Fault.CUT
                    : choice < 45
                            ? Fault.SNAPSHOT
                            : choice < 65 ? Fault.BLIP : choice < 80 ? Fault.SUSPEND : Fault.KILL;
        }
        if (relayRestart && choice < 20) {
            return Fault.RELAY_RESTART;
        }
        return choice < 65 ? Fault.KILL : choice < 85 ? Fault.PAUSE : Fault.FREEZE;
    }

    private static ChaosStep step(SplittableRandom random, Fault fault, List<Integer> living) {
        List<Integer> victims = new ArrayList<>();
        if (!fault.isOfRelay()) {
            victims.add(living.get(random.nextInt(living.size())));
        }
        boolean two = fault == Fault.KILL && living.size() >= LIVING_FOR_TWO && random.nextInt(3) == 0;
        if (two) {
            List<Integer> rest = new ArrayList<>(living);
            rest.removeAll(victims);
            victims.add(rest.get(random.nextInt(rest.size())));
        }
        boolean grow = fault.deadly() && random.nextInt(3) == 0;
        return new ChaosStep(
                fault,
                victims,
                random.nextInt(DELAY_MS_MAX),
                two ? random.nextInt(DELAY_MS_MAX) : 0,
                HOLD_MS_MIN + random.nextInt(HOLD_MS_MAX - HOLD_MS_MIN),
                grow ? victims.size() : 0);
    }

    @Override
    public String toString() {
        return "seed " + seed + ": " + size + " ranks, " + transport + (networks ? ", networks of their own" : "");
    }
}
