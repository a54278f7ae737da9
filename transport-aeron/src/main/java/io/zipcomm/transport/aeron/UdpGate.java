package io.zipcomm.transport.aeron;

import io.aeron.driver.DataPacketDispatcher;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.media.ReceiveChannelEndpoint;
import io.aeron.driver.media.UdpChannel;
import io.aeron.protocol.DataHeaderFlyweight;
import io.aeron.protocol.RttMeasurementFlyweight;
import io.aeron.protocol.SetupFlyweight;
import java.net.InetSocketAddress;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;

/**
 * The socket at which a rank is sent to. The driver takes memory for whoever begins a stream, as much as he says; so what does
 * not come from a member of the group is dropped before the driver sees it, without an answer.
 */
class UdpGate extends ReceiveChannelEndpoint {

    private final UdpNames names;
    private final UdpSigns signs;

    UdpGate(
            UdpNames names,
            UdpSigns signs,
            UdpChannel channel,
            DataPacketDispatcher dispatcher,
            AtomicCounter status,
            MediaDriver.Context context) {
        super(channel, dispatcher, status, context);
        this.names = names;
        this.signs = signs;
    }

    @Override
    public int onDataPacket(
            DataHeaderFlyweight header, UnsafeBuffer buffer, int length, InetSocketAddress source, int transport) {
        boolean isKnown =
                length >= DataHeaderFlyweight.HEADER_LENGTH && names.admits(header.streamId(), header.sessionId());
        if (!isKnown) {
            return 0;
        }
        signs.came(header.streamId(), header.sessionId());
        return super.onDataPacket(header, buffer, length, source, transport);
    }

    @Override
    public void onSetupMessage(
            SetupFlyweight header, UnsafeBuffer buffer, int length, InetSocketAddress source, int transport) {
        boolean isKnown = length >= SetupFlyweight.HEADER_LENGTH
                && names.admits(header.streamId(), header.sessionId())
                && header.termLength() <= UdpBudget.TERM_BYTES_MAX;
        if (isKnown) {
            super.onSetupMessage(header, buffer, length, source, transport);
        }
    }

    @Override
    public void onRttMeasurement(
            RttMeasurementFlyweight header, UnsafeBuffer buffer, int length, InetSocketAddress source, int transport) {
        boolean isKnown =
                length >= RttMeasurementFlyweight.HEADER_LENGTH && names.admits(header.streamId(), header.sessionId());
        if (isKnown) {
            super.onRttMeasurement(header, buffer, length, source, transport);
        }
    }
}
