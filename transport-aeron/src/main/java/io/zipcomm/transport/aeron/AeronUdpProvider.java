package io.zipcomm.transport.aeron;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.Candidate;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.DirectTransport;
import io.zipcomm.transport.DirectTransportProvider;
import io.zipcomm.transport.OwnAddresses;
import io.zipcomm.transport.Transport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Offers paths over Aeron's UDP streams, if somebody asks for them: they are not encrypted. */
public final class AeronUdpProvider implements DirectTransportProvider {

    private static final Logger LOG = LoggerFactory.getLogger(AeronUdpProvider.class);

    private final UdpEndpoint.Gates gates;

    /** For the service loader. */
    public AeronUdpProvider() {
        this((names, signs) -> (channel, dispatcher, status, context) ->
                new UdpGate(names, signs, channel, dispatcher, status, context));
    }

    /** One whose ranks guard their ports in another way. */
    AeronUdpProvider(UdpEndpoint.Gates gates) {
        this.gates = gates;
    }

    @Override
    public List<Capabilities> capabilities() {
        return List.of(new Capabilities(UdpTransport.NAME, false, true, false));
    }

    @Override
    public boolean isWanted(ZipSettings settings) {
        return settings.transport() == TransportChoice.AERON_UDP
                || (settings.transport() == TransportChoice.AUTO && settings.aeronUdp() != ZipSettings.AeronUdp.OFF);
    }

    @Override
    public Optional<String> unavailabilityReason() {
        return OpenPackage.problem();
    }

    @Override
    public String details() {
        return "Aeron " + io.aeron.AeronVersion.VERSION + " over UDP, not encrypted; by "
                + Setting.AERON_UDP.variable();
    }

    @Override
    public List<DirectTransport> open(ZipSettings settings, Transport base) {
        try {
            SharedDirectory shared = directory(settings);
            UdpPort port = UdpPort.take(settings.bind(), settings.joinTimeout().toNanos());
            int forOthers = port.address().isLoopbackAddress() ? 0 : port.number();
            List<Candidate> candidates =
                    OwnAddresses.candidates(UdpTransport.NAME, port.address(), port.number(), forOthers);
            return List.of(new UdpTransport(
                    shared,
                    port,
                    candidates,
                    base,
                    gates,
                    settings.aeronUdp().casts(),
                    settings.transport().isRelayed()));
        } catch (IOException e) {
            throw new ZipException(ErrorCode.BAD_SETTING, "no paths over UDP: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ZipException(ErrorCode.CANCELLED, "the joining thread was interrupted", e);
        }
    }

    /** Where the driver has its memory: it shares it with nobody, so any directory will do. */
    private static SharedDirectory directory(ZipSettings settings) throws IOException, InterruptedException {
        if (!settings.sharedMemory().isEmpty()) {
            try {
                return SharedDirectory.open(Path.of(settings.sharedMemory()));
            } catch (IOException e) {
                LOG.debug("Aeron's memory is not in {}", settings.sharedMemory(), e);
            }
        }
        return SharedDirectory.open(Path.of(System.getProperty("java.io.tmpdir")));
    }
}
