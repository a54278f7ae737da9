package io.zipcomm.transport.aeron;

import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.SharedMemoryFolder;
import io.zipcomm.testkit.TransportContract;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** Paths over UDP keep the contract. */
final class UdpContractTest extends TransportContract {

    @TempDir(factory = SharedMemoryFolder.class)
    private Path directory;

    @Override
    protected Wiring wire(int size, long seed) {
        return AeronWiring.open(
                size, seed, new AeronUdpProvider(), TransportChoice.AERON_UDP, directory.toString(), "auto");
    }

    /** Between ranks of one host a frame is one message. */
    @Override
    protected Wiring wireInPieces(int size, long seed) {
        return AeronWiring.open(
                size, seed, new AeronUdpProvider(), TransportChoice.AERON_UDP, directory.toString(), "auto", true);
    }

    /** Aeron's driver does, and does not say how often. */
    @Override
    protected boolean callsTheSystem() {
        return false;
    }
}
