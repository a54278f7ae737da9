package io.zipcomm.internal;

import io.zipcomm.Communicator;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportProvider;
import java.util.function.LongSupplier;

/** Joins a group with a given transport. */
public final class Joining {

    private Joining() {}

    /**
     * Joins a group. Blocks until every rank has joined, or the join timeout passes.
     *
     * @param provider opens what the ranks speak through
     * @param clock    nanoseconds
     * @return the world's communicator, to be closed by the caller
     * @throws io.zipcomm.error.ZipException as {@link io.zipcomm.Zip#join(ZipSettings)}
     */
    public static Communicator join(ZipSettings settings, TransportProvider provider, LongSupplier clock) {
        OpenWorlds.joinBegins();
        try {
            GroupCommunicator world = joinNow(settings, provider, clock);
            OpenWorlds.opened(world);
            return world;
        } catch (RuntimeException | Error e) {
            OpenWorlds.joinFailed();
            throw e;
        }
    }

    private static GroupCommunicator joinNow(ZipSettings settings, TransportProvider provider, LongSupplier clock) {
        boolean relayed = settings.transport().isRelayed();
        Transport transport = provider.open(settings);
        MembershipClient client = null;
        try {
            String hostId = HostId.find(settings.hostId());
            long deadlineNs = System.nanoTime() + settings.joinTimeout().toNanos();
            if (RelayOrder.isChoice(settings)) {
                client = RelayMeeting.join(settings, provider, transport, hostId, relayed, clock);
            } else {
                client = MembershipClient.join(
                        settings, provider, transport.candidates(), transport.rendezvousPort(), hostId, relayed, clock);
                if (relayed) {
                    // Of a group that may begin without some, who has no number may have got its place at the deadline,
                    // and has the time of a heartbeat from then on.
                    long leftNs = Math.max(deadlineNs - System.nanoTime(), client.stragglersNs());
                    client.attach(transport, System.nanoTime() + leftNs);
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
}
