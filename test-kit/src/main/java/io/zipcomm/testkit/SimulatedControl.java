package io.zipcomm.testkit;

import io.zipcomm.internal.ControlPlane;
import java.util.function.Consumer;

/**
 * One rank's connection to the simulated relay's control plane. What one rank says arrives in order; all ranks hear what
 * the relay says in the same order, each after a delay of its own.
 */
final class SimulatedControl implements ControlPlane {

    /** How long the relay may take to notice that a rank died: sometimes it needs the heartbeat for that. */
    private static final long NOTICE_NS_MAX = 20_000_000;

    private static final long HEARTBEAT_NS = 2_500_000_000L;

    private final SimulatedNetwork network;
    private final int rank;
    private Listener listener;
    private boolean relayGone;
    private boolean closed;
    private boolean left;
    private long saidUntilNs;
    private long hearsUntilNs;

    SimulatedControl(SimulatedNetwork network, int rank) {
        this.network = network;
        this.rank = rank;
    }

    void listen(Listener verdicts) {
        listener = verdicts;
    }

    @Override
    public void abort(int context, int code, int culprit, String reason) {
        sayToAll(network.latencyNs(), other -> other.aborted(context, rank, code, culprit, reason));
    }

    @Override
    public void suspect(int peer, String detail) {
        say(network.latencyNs(), () -> network.tell(peer, other -> other.suspectedBy(rank, detail)));
    }

    @Override
    public void punch(int peer) {
        throw new IllegalStateException("simulated paths need no punching");
    }

    @Override
    public void ask() {
        say(network.latencyNs(), () -> hear(Listener::relayAnswered));
    }

    @Override
    public void revoke(int context, String reason) {
        sayToAll(network.latencyNs(), other -> other.revoked(context, rank, reason));
    }

    @Override
    public void agree(int context, int[] members, int number, boolean value, long timeoutMs) {
        say(
                network.latencyNs(),
                () -> network.agreements().said(rank, context, members, number, value, timeoutMs * 1_000_000));
    }

    /** The relay has given this rank's place away, and tells the others. */
    void expel(String reason) {
        left = true;
        network.soon(() -> {
            network.tellAllBut(rank, other -> other.memberGone(rank, Listener.Cause.EXPELLED, reason));
            network.agreements().gone(rank);
        });
        hear(self -> {
            closed = true;
            self.expelled(reason);
        });
    }

    @Override
    public void leave(long answerNs) {
        if (!left) {
            left = true;
            sayToAll(network.latencyNs(), other -> other.memberGone(rank, Listener.Cause.LEFT, ""));
            say(0, () -> network.agreements().gone(rank));
        }
    }

    @Override
    public void close() {
        closed = true;
        if (!left) {
            died();
        }
    }

    /** The relay will notice that this rank is gone without a word. */
    void died() {
        if (!left) {
            left = true;
            boolean silently = network.random().nextInt(8) == 0;
            long noticeNs = silently ? HEARTBEAT_NS : network.random().nextLong(NOTICE_NS_MAX);
            Listener.Cause cause = silently ? Listener.Cause.SILENT : Listener.Cause.LOST;
            String detail = silently ? "no heartbeat" : "connection reset";
            sayToAll(noticeNs, other -> other.memberGone(rank, cause, detail));
            say(0, () -> network.agreements().gone(rank));
        }
        closed = true;
    }

    /** The connection to the relay is gone. */
    void lost(String reason) {
        relayGone = true;
        if (!closed) {
            closed = true;
            listener.controlLost(reason);
        }
    }

    private void sayToAll(long delayNs, Consumer<Listener> message) {
        say(delayNs, () -> network.tellAllBut(rank, message));
    }

    private void say(long delayNs, Runnable message) {
        saidUntilNs = Math.max(saidUntilNs, network.nowNs() + delayNs);
        network.at(saidUntilNs, () -> {
            if (!relayGone) {
                message.run();
            }
        });
    }

    void hear(Consumer<Listener> message) {
        hearsUntilNs = Math.max(hearsUntilNs, network.nowNs() + network.latencyNs());
        network.at(hearsUntilNs, () -> {
            if (!closed && listener != null) {
                message.accept(listener);
            }
        });
    }
}
