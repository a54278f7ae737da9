package io.zipcomm.transport.aeron;

import io.aeron.driver.DataPacketDispatcher;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.media.UdpChannel;
import io.aeron.protocol.DataHeaderFlyweight;
import io.aeron.protocol.SetupFlyweight;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.SharedMemoryFolder;
import io.zipcomm.testkit.TransportContract;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;
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
        Random random = new Random(seed);
        AeronUdpProvider provider = new AeronUdpProvider(names -> (channel, dispatcher, status, context) ->
                new LossyGate(random, names, channel, dispatcher, status, context));
        return AeronWiring.open(size, seed, provider, TransportChoice.AERON_UDP, directory.toString(), "auto");
    }

    /** Aeron's driver does, and does not say how often. */
    @Override
    protected boolean callsTheSystem() {
        return false;
    }

    /** Who leaves says so once, and is gone. */
    @Override
    protected boolean noticesBreaks() {
        return false;
    }

    /** Loses some of what comes, and of what is answered. */
    private static final class LossyGate extends UdpGate {
        private final Random random;

        LossyGate(
                Random random,
                UdpNames names,
                UdpChannel channel,
                DataPacketDispatcher dispatcher,
                AtomicCounter status,
                MediaDriver.Context context) {
            super(names, channel, dispatcher, status, context);
            this.random = random;
        }

        private boolean isLost() {
            return random.nextInt(LOSES_ONE_OF) == 0;
        }

        @Override
        public int onDataPacket(
                DataHeaderFlyweight header, UnsafeBuffer buffer, int length, InetSocketAddress source, int transport) {
            return isLost() ? 0 : super.onDataPacket(header, buffer, length, source, transport);
        }

        @Override
        public void onSetupMessage(
                SetupFlyweight header, UnsafeBuffer buffer, int length, InetSocketAddress source, int transport) {
            if (!isLost()) {
                super.onSetupMessage(header, buffer, length, source, transport);
            }
        }

        @Override
        public int sendTo(ByteBuffer buffer, InetSocketAddress to) {
            return isLost() ? buffer.remaining() : super.sendTo(buffer, to);
        }
    }
}
