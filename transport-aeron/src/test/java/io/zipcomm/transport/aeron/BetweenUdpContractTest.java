package io.zipcomm.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.SharedMemoryFolder;
import io.zipcomm.testkit.TransportContract;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Paths over UDP between what are taken for several hosts keep the contract: they may be forgotten, and say what is missing. */
@Tag("once")
final class BetweenUdpContractTest extends TransportContract {

    @TempDir(factory = SharedMemoryFolder.class)
    private Path directory;

    @Override
    protected Wiring wire(int size, long seed) {
        return AeronWiring.open(
                size, seed, new AeronUdpProvider(), TransportChoice.AERON_UDP, directory.toString(), "auto", true);
    }

    @Override
    protected boolean forgets() {
        return true;
    }

    /** Its end would be that of the link. A rank that stands still may be back before long. */
    @Test
    void shouldNotEndForSilenceWhereThereIsNoOtherWay() {
        try (Wiring wiring = wire(2, seeds.seed())) {
            UdpPath path = (UdpPath) wiring.path(0, 1);
            long endNs = System.nanoTime() + UdpPath.LOST_AFTER_NS + 2_000_000_000L;
            while (System.nanoTime() - endNs < 0) {
                wiring.transport(0).poll();
            }
            assertTrue(path.isForgettable() && path.isOpen());
            assertFalse(path.isOver() || path.mayReturn());
        }
    }

    /** Aeron's driver does, and does not say how often. */
    @Override
    protected boolean callsTheSystem() {
        return false;
    }
}
