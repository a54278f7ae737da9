package io.zipcomm.transport.aeron;

import io.aeron.driver.DriverConductorProxy;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.media.SendChannelEndpoint;
import io.aeron.driver.media.UdpChannel;
import io.aeron.protocol.ErrorFlyweight;
import io.aeron.protocol.HeaderFlyweight;
import io.aeron.protocol.NakFlyweight;
import io.aeron.protocol.ResponseSetupFlyweight;
import io.aeron.protocol.RttMeasurementFlyweight;
import io.aeron.protocol.StatusMessageFlyweight;
import java.net.InetSocketAddress;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;

/**
 * A socket from which a rank sends. The driver would take what a datagram is too short for from the one before it, so that a
 * stranger could repeat what a reader has said; such a datagram is dropped.
 */
class UdpSender extends SendChannelEndpoint {

    UdpSender(UdpChannel channel, AtomicCounter status, MediaDriver.Context context) {
        super(channel, status, context);
    }

    private static boolean isWhole(HeaderFlyweight header, int length, int leastBytes) {
        return length >= leastBytes && header.frameLength() <= length;
    }

    @Override
    public void onStatusMessage(
            StatusMessageFlyweight header,
            UnsafeBuffer buffer,
            int length,
            InetSocketAddress source,
            DriverConductorProxy conductor) {
        if (isWhole(header, length, StatusMessageFlyweight.HEADER_LENGTH)) {
            super.onStatusMessage(header, buffer, length, source, conductor);
        }
    }

    @Override
    public void onError(
            ErrorFlyweight header,
            UnsafeBuffer buffer,
            int length,
            InetSocketAddress source,
            DriverConductorProxy conductor) {
        if (isWhole(header, length, ErrorFlyweight.HEADER_LENGTH)) {
            super.onError(header, buffer, length, source, conductor);
        }
    }

    @Override
    public void onNakMessage(NakFlyweight header, UnsafeBuffer buffer, int length, InetSocketAddress source) {
        if (isWhole(header, length, NakFlyweight.HEADER_LENGTH)) {
            super.onNakMessage(header, buffer, length, source);
        }
    }

    @Override
    public void onRttMeasurement(
            RttMeasurementFlyweight header, UnsafeBuffer buffer, int length, InetSocketAddress source) {
        if (isWhole(header, length, RttMeasurementFlyweight.HEADER_LENGTH)) {
            super.onRttMeasurement(header, buffer, length, source);
        }
    }

    @Override
    public void onResponseSetup(
            ResponseSetupFlyweight header,
            UnsafeBuffer buffer,
            int length,
            InetSocketAddress source,
            DriverConductorProxy conductor) {
        if (isWhole(header, length, ResponseSetupFlyweight.HEADER_LENGTH)) {
            super.onResponseSetup(header, buffer, length, source, conductor);
        }
    }
}
