package io.zipcomm.transport.aeron;

import io.zipcomm.testkit.TransportContract;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** Paths in shared memory keep the contract. */
final class IpcContractTest extends TransportContract {

    @TempDir
    private Path directory;

    @Override
    protected Wiring wire(int size, long seed) {
        return IpcWiring.open(size, seed, directory.toString(), "auto");
    }

    @Override
    protected boolean callsTheSystem() {
        return false;
    }
}
