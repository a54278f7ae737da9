package io.zipcomm.transport.tcp;

import io.zipcomm.settings.ZipSettings;
import io.zipcomm.simulation.Host;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;

/** TCP as it is, over simulated sockets. */
public final class SimulatedTcp {

    private SimulatedTcp() {}

    /**
     * A transport of a host's process.
     *
     * @param news told when there is something to do for it and nobody waits
     */
    public static Transport open(Host host, ZipSettings settings, Runnable news) {
        return new TcpTransport(settings, new SimulatedPoller(host, news, false));
    }

    /** A control connection, as {@link io.zipcomm.transport.TransportProvider#openControl}. */
    public static ControlChannel openControl(
            Host host,
            ZipSettings settings,
            RelayAddress relay,
            int localPort,
            ControlChannel.Listener listener,
            long deadlineNs,
            boolean patient) {
        SimulatedPoller poller = new SimulatedPoller(host, () -> {}, true);
        return RelayControl.open(poller, settings, relay, localPort, listener, deadlineNs, patient);
    }
}
