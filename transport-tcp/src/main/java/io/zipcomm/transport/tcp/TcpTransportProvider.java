package io.zipcomm.transport.tcp;

import io.netty.channel.epoll.Epoll;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportProvider;
import java.util.List;
import java.util.Optional;

/** Offers direct TCP and the paths through the relay. Always available: without epoll it uses the platform's sockets. */
public final class TcpTransportProvider implements TransportProvider {

    /** For the service loader. */
    public TcpTransportProvider() {}

    @Override
    public List<Capabilities> capabilities() {
        return List.of(new Capabilities("tcp", false, true, true), new Capabilities("relay", true, true, true));
    }

    @Override
    public Optional<String> unavailabilityReason() {
        return Optional.empty();
    }

    @Override
    public String details() {
        return Epoll.isAvailable() ? "epoll" : "nio, as epoll does not load: " + Epoll.unavailabilityCause();
    }

    @Override
    public void forgetCached() {
        TlsContext.forget();
    }

    @Override
    public Transport open(ZipSettings settings) {
        return new TcpTransport(settings);
    }

    @Override
    public ControlChannel openControl(
            ZipSettings settings,
            RelayAddress relay,
            int localPort,
            ControlChannel.Listener listener,
            long deadlineNs,
            boolean patient) {
        return RelayControl.open(Poller.open(settings.io()), settings, relay, localPort, listener, deadlineNs, patient);
    }
}
