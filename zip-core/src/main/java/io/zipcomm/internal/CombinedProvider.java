package io.zipcomm.internal;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.DirectTransport;
import io.zipcomm.transport.DirectTransportProvider;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens a transport with others beside it, for processes that may use more than one kind of direct path. */
public final class CombinedProvider implements TransportProvider {

    private static final Logger LOG = LoggerFactory.getLogger(CombinedProvider.class);

    private final TransportProvider base;
    private final List<DirectTransportProvider> direct;

    /**
     * A provider of several.
     *
     * @param base   has the relay
     * @param direct what may open direct paths, best first; those that cannot be used here are left out,
     *     those that the settings do not want are not opened
     */
    public CombinedProvider(TransportProvider base, List<DirectTransportProvider> direct) {
        this.base = base;
        this.direct = direct.stream()
                .filter(one -> one.unavailabilityReason().isEmpty())
                .toList();
    }

    @Override
    public List<Capabilities> capabilities() {
        return Stream.concat(direct.stream().flatMap(one -> one.capabilities().stream()), base.capabilities().stream())
                .toList();
    }

    @Override
    public Optional<String> unavailabilityReason() {
        return base.unavailabilityReason();
    }

    @Override
    public String details() {
        return base.details();
    }

    @Override
    public Transport open(ZipSettings settings) {
        Transport opened = base.open(settings);
        List<DirectTransport> beside = new ArrayList<>();
        try {
            for (DirectTransportProvider one : direct) {
                open(settings, opened, one, beside);
            }
        } catch (RuntimeException e) {
            beside.forEach(DirectTransport::close);
            opened.close();
            throw e;
        }
        return beside.isEmpty()
                ? opened
                : new CombinedTransport(opened, settings.transport().accepts("tcp"), beside);
    }

    private static void open(
            ZipSettings settings, Transport base, DirectTransportProvider provider, List<DirectTransport> beside) {
        if (!provider.isWanted(settings)) {
            return;
        }
        try {
            beside.addAll(provider.open(settings, base));
        } catch (ZipException e) {
            if (settings.transport() != TransportChoice.AUTO || e.code() == ErrorCode.CANCELLED) {
                throw e;
            }
            LOG.info("{} is not used: {}", provider.capabilities().get(0).path(), e.getMessage());
        }
    }

    @Override
    public ControlChannel openControl(
            ZipSettings settings,
            RelayAddress relay,
            int localPort,
            ControlChannel.Listener listener,
            long deadlineNs,
            boolean patient) {
        return base.openControl(settings, relay, localPort, listener, deadlineNs, patient);
    }
}
