package io.zipcomm.transport.aeron;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.Incarnation;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.DirectTransport;
import io.zipcomm.transport.DirectTransportProvider;
import io.zipcomm.transport.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Offers paths between ranks of one host through memory that they share, with Aeron's streams. */
public final class AeronIpcProvider implements DirectTransportProvider {

    private static final String NAME = "aeron-ipc";
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    /** For the service loader. */
    public AeronIpcProvider() {}

    @Override
    public List<Capabilities> capabilities() {
        return List.of(new Capabilities(NAME, false, false, true));
    }

    @Override
    public Optional<String> unavailabilityReason() {
        if (!Files.isReadable(BOOT_ID)) {
            return Optional.of("not on Linux");
        }
        return OpenPackage.problem();
    }

    @Override
    public String details() {
        return "Aeron " + io.aeron.AeronVersion.VERSION + ", " + MemoryOutlook.ofThisProcess();
    }

    @Override
    public List<DirectTransport> open(ZipSettings settings, Transport base) {
        String directory = settings.sharedMemory();
        if (directory.isEmpty()) {
            throw new ZipException(
                    ErrorCode.BAD_SETTING,
                    Setting.SHARED_MEMORY.variable() + " is none: ranks of one host share nothing");
        }
        try {
            SharedDirectory shared = SharedDirectory.open(Path.of(directory));
            return List.of(new IpcTransport(
                    shared, new Candidate(Candidate.Kind.MEMORY, NAME, place(shared), 0), settings, base));
        } catch (IOException e) {
            throw new ZipException(
                    ErrorCode.BAD_SETTING,
                    Setting.SHARED_MEMORY.variable() + " is '" + directory + "', which cannot be used: "
                            + e.getMessage(),
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ZipException(ErrorCode.CANCELLED, "the joining thread was interrupted", e);
        }
    }

    /**
     * Equal for those who share the directory. Copies of a virtual machine have the boot id in common, and the directory's, since it is in
     * memory; so what was restored from a snapshot shares nothing with other processes.
     */
    private static String place(SharedDirectory shared) throws IOException {
        String incarnation = Incarnation.id();
        String place = Files.readString(BOOT_ID).trim() + "/" + shared.id();
        return incarnation.isEmpty() ? place : place + "/" + incarnation;
    }
}
