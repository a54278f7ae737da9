package io.zipcomm.transport.rdma;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.DirectTransport;
import io.zipcomm.transport.DirectTransportProvider;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.rdma.Providers.Choice;
import io.zipcomm.transport.rdma.ffi.Fabric;
import io.zipcomm.transport.rdma.ffi.FabricLibrary;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Offers paths over fabrics with remote memory access, where there is such hardware, or somebody asks for them: they are not encrypted. */
public final class RdmaProvider implements DirectTransportProvider {

    /** As settings have it for all addresses. */
    private static final String ANY = "*";

    private static final Logger LOG = LoggerFactory.getLogger(RdmaProvider.class);

    /** For the service loader. */
    public RdmaProvider() {}

    @Override
    public List<Capabilities> capabilities() {
        return List.of(new Capabilities(RdmaTransport.NAME, false, true, true));
    }

    @Override
    public boolean isWanted(ZipSettings settings) {
        return Providers.isWanted(settings);
    }

    @Override
    public Optional<String> unavailabilityReason() {
        return Optional.ofNullable(FabricLibrary.absence());
    }

    @Override
    public Optional<String> failureWhenTried() {
        return Optional.ofNullable(FabricLibrary.failure());
    }

    @Override
    public Optional<String> failureWhenTried(ZipSettings settings) {
        return failureWhenTried().or(() -> missingProvider(settings));
    }

    private static Optional<String> missingProvider(ZipSettings settings) {
        try {
            Fabric fabric = FabricLibrary.load();
            List<Choice> choices = Providers.choices(fabric);
            return Providers.choose(fabric, settings).stream()
                    .filter(provider -> choices.stream().noneMatch(one -> one.answersTo(provider)))
                    .map(provider -> Setting.RDMA_PROVIDER.variable() + ": libfabric has no provider " + provider
                            + " here, but "
                            + choices.stream().map(Choice::provider).distinct().collect(Collectors.joining(", ")))
                    .findFirst();
        } catch (IOException e) {
            return Optional.of(e.getMessage());
        }
    }

    @Override
    public String details() {
        try {
            return Survey.of(FabricLibrary.load()).words() + "; not encrypted";
        } catch (IOException e) {
            return e.getMessage();
        }
    }

    @Override
    public Optional<String> choice(ZipSettings settings) {
        try {
            Fabric fabric = FabricLibrary.load();
            List<String> providers = Providers.choose(fabric, settings);
            return providers.isEmpty()
                    ? Optional.empty()
                    : Optional.of(providers.stream()
                                    .map(one -> one + (Providers.isForHardware(one) ? "" : ", in software"))
                                    .collect(Collectors.joining(" or "))
                            + "; libfabric " + Survey.version(fabric.libraryVersion()));
        } catch (IOException e) {
            return Optional.of(e.getMessage());
        }
    }

    /** Loads native code the first time, and has it look for devices: that takes some hundred milliseconds. */
    @Override
    public List<DirectTransport> open(ZipSettings settings, Transport base) {
        try {
            Fabric fabric = FabricLibrary.load();
            List<String> providers = Providers.choose(fabric, settings);
            if (providers.isEmpty()) {
                throw new ZipException(
                        ErrorCode.BAD_SETTING, "libfabric knows no hardware here with remote memory access");
            }
            return open(fabric, providers, settings, base);
        } catch (IOException e) {
            throw new ZipException(ErrorCode.BAD_SETTING, "no RDMA: " + e.getMessage(), e);
        }
    }

    /** Opens those that can be. */
    private static List<DirectTransport> open(
            Fabric fabric, List<String> providers, ZipSettings settings, Transport base) {
        List<DirectTransport> open = new ArrayList<>();
        ZipException failure = null;
        for (String provider : providers) {
            try {
                open.add(new RdmaTransport(endpoint(fabric, provider, settings), base));
            } catch (ZipException e) {
                LOG.info("rank {}: {} is not used: {}", settings.rank(), provider, e.getMessage());
                failure = e;
            }
        }
        if (open.isEmpty()) {
            throw failure;
        }
        return open;
    }

    private static RdmaEndpoint endpoint(Fabric fabric, String provider, ZipSettings settings) {
        // Shared memory is bound to a name, which is nobody's address.
        boolean isFree = settings.bind().equals(ANY) || provider.equals(Providers.SHARED_MEMORY);
        return RdmaEndpoint.open(fabric, provider, isFree ? "" : settings.bind(), settings.size());
    }
}
