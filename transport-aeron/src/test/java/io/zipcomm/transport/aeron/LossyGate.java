package io.zipcomm.transport.aeron;

import io.aeron.driver.DataPacketDispatcher;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.media.UdpChannel;
import io.aeron.protocol.DataHeaderFlyweight;
import io.aeron.protocol.SetupFlyweight;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;

/** Loses some of what comes, and of what is answered. */
final class LossyGate extends UdpGate {

    private final Random random;
    private final int losesOneOf;

    LossyGate(
            Random random,
            int losesOneOf,
            UdpNames names,
            UdpSigns signs,
            UdpChannel channel,
            DataPacketDispatcher dispatcher,
            AtomicCounter status,
            MediaDriver.Context context) {
        super(names, signs, channel, dispatcher, status, context);
        this.random = random;
        this.losesOneOf = losesOneOf;
    }

    private boolean isLost() {
        return random.nextInt(losesOneOf) == 0;
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
