package io.zipcomm.internal;

import io.zipcomm.Communicator;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportProvider;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Joins a group with a given transport. */
public final class Joining {

    /** Left for the relay's answer when the time for the others is over, if there is so much. */
    private static final long ANSWER_NS = TimeUnit.MILLISECONDS.toNanos(MembershipClient.ANSWER_MS);

    private Joining() {}

    /**
     * Joins a group. Blocks until every rank has joined, or the join timeout passes.
     *
     * @param provider opens what the ranks speak through
     * @param clock    that of {@link System#nanoTime}, or what the provider has in its place
     * @return the world's communicator, to be closed by the caller
     * @throws io.zipcomm.error.ZipException as {@link io.zipcomm.Zip#join(ZipSettings)}
     */
    public static Communicator join(ZipSettings settings, TransportProvider provider, LongSupplier clock) {
        return join(settings, CallTime.of(settings.joinTimeout()), provider, clock);
    }

    /**
     * Joins a group, and gives its world, in the time that the platform leaves.
     *
     * @param remaining as {@link Communicator#withinRemaining} takes it
     * @throws io.zipcomm.error.ZipException as {@link io.zipcomm.Zip#join(ZipSettings, Supplier)}
     */
    public static Communicator join(
            ZipSettings settings, Supplier<Duration> remaining, TransportProvider provider, LongSupplier clock) {
        CallTime time = CallTime.of(settings.joinTimeout()).within(remaining);
        return time.carriedTo(join(settings, time, provider, clock));
    }

    private static GroupCommunicator join(
            ZipSettings settings, CallTime time, TransportProvider provider, LongSupplier clock) {
        OpenWorlds.joinBegins();
        try {
            GroupCommunicator world = joinNow(settings, time, provider, clock);
            OpenWorlds.opened(world);
            return world;
        } catch (RuntimeException | Error e) {
            OpenWorlds.joinFailed();
            throw e;
        }
    }

    private static GroupCommunicator joinNow(
            ZipSettings settings, CallTime time, TransportProvider provider, LongSupplier clock) {
        boolean relayed = settings.transport().isRelayed();
        long startedNs = clock.getAsLong();
        Transport transport = provider.open(within(time.forJoin(settings, ANSWER_NS, 0), settings));
        MembershipClient client = null;
        try {
            String hostId = HostId.find(settings.hostId());
            // Opening may have taken some of it.
            CallTime.Decided left = time.forJoin(settings, ANSWER_NS, clock.getAsLong() - startedNs);
            ZipSettings asking = within(left, settings);
            long deadlineNs = clock.getAsLong() + left.timeoutNs();
            if (RelayOrder.isChoice(settings)) {
                client = RelayMeeting.join(asking, left.answerNs(), provider, transport, hostId, relayed, clock);
            } else {
                client = MembershipClient.join(
                        asking,
                        left.answerNs(),
                        provider,
                        transport.candidates(),
                        transport.rendezvousPort(),
                        hostId,
                        relayed,
                        clock);
                if (relayed) {
                    // Of a group that may begin without some, who has no number may have got its place at the deadline,
                    // and has the time of a heartbeat from then on.
                    long attachNs = Math.max(deadlineNs - clock.getAsLong(), client.stragglersNs());
                    client.attach(transport, clock.getAsLong() + Math.min(attachNs, client.leftNs()));
                }
            }
            return WorldEpochs.begin(settings, provider, transport, hostId, clock, client);
        } catch (RuntimeException | Error e) {
            if (client != null) {
                client.close();
            }
            transport.close();
            throw e;
        }
    }

    private static ZipSettings within(CallTime.Decided time, ZipSettings settings) {
        return settings.withJoinTimeout(Duration.ofNanos(time.timeoutNs()));
    }
}
