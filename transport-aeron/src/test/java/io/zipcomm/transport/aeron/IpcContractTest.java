package io.zipcomm.transport.aeron;

import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.TransportContract;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** Paths in shared memory keep the contract. */
final class IpcContractTest extends TransportContract {

    @TempDir
    private Path directory;

    @Override
    protected Wiring wire(int size, long seed) {
        return AeronWiring.open(
                size, seed, new AeronIpcProvider(), TransportChoice.AERON_IPC, directory.toString(), "auto");
    }

    @Override
    protected boolean callsTheSystem() {
        return false;
    }

    /** Where a header is found, the payload lies. */
    @Override
    protected boolean receivesInPieces() {
        return false;
    }
}
