package io.zipcomm.transport.aeron;

import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.SharedMemoryFolder;
import io.zipcomm.testkit.TransportContract;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** Paths over UDP keep the contract on a network that loses datagrams, in both directions. */
@Tag("once")
final class LossyUdpContractTest extends TransportContract {

    /** One of so many is lost. */
    private static final int LOSES_ONE_OF = 30;

    @TempDir(factory = SharedMemoryFolder.class)
    private Path directory;

    @Override
    protected Wiring wire(int size, long seed) {
        return AeronWiring.open(size, seed, lossy(seed), TransportChoice.AERON_UDP, directory.toString(), "auto");
    }

    /** Between ranks of one host a frame is one message. */
    @Override
    protected Wiring wireInPieces(int size, long seed) {
        return AeronWiring.open(size, seed, lossy(seed), TransportChoice.AERON_UDP, directory.toString(), "auto", true);
    }

    private static AeronUdpProvider lossy(long seed) {
        Random random = new Random(seed);
        return new AeronUdpProvider((names, signs) -> (channel, dispatcher, status, context) ->
                new LossyGate(random, LOSES_ONE_OF, names, signs, channel, dispatcher, status, context));
    }

    /** Aeron's driver does, and does not say how often. */
    @Override
    protected boolean callsTheSystem() {
        return false;
    }

    @Override
    protected long waitNs() {
        return 5_000_000;
    }

    /** Who leaves says so once, and is gone. */
    @Override
    protected boolean noticesBreaks() {
        return false;
    }
}
