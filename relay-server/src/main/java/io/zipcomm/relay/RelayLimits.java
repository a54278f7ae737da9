package io.zipcomm.relay;

import io.zipcomm.wire.Frame;
import java.time.Duration;

/**
 * Limits that protect a relay from its clients, and these from each other; see {@link RelayOption} for the meanings. 0 is no
 * limit where bytes are counted by the second. Immutable; checked by {@link RelaySettings}.
 *
 * @param addressConnectionsMax      connections at a time from one address
 * @param handshakesMax              connections at a time that have not said who they are
 * @param addressHandshakesMax       the same from one address
 * @param addressHandshakesPerSecond new connections from one address
 * @param controlMessagesPerSecond   from one rank
 * @param controlWaitingMax          bytes of control messages that may wait for one rank
 * @param controlMemory              bytes of control messages that may wait, in all
 * @param rankBytesPerSecond         from one rank to be forwarded
 * @param sessionBytesPerSecond      from all ranks of a session to be forwarded
 * @param slowConsumerTimeout        how long bytes may wait for a rank that takes none
 */
public record RelayLimits(
        int addressConnectionsMax,
        int handshakesMax,
        int addressHandshakesMax,
        int addressHandshakesPerSecond,
        int controlMessagesPerSecond,
        int controlWaitingMax,
        long controlMemory,
        long rankBytesPerSecond,
        long sessionBytesPerSecond,
        Duration slowConsumerTimeout) {

    /** The group view, which no rank can be spared, may have the size of any frame. */
    private static final int CONTROL_WAITING_MIN = Frame.HEADER_BYTES + Frame.PAYLOAD_BYTES_MAX;

    void check() {
        RelaySettings.between(
                RelayOption.CONTROL_WAITING_MAX, controlWaitingMax, CONTROL_WAITING_MIN, Integer.MAX_VALUE);
        RelaySettings.between(RelayOption.CONTROL_MEMORY, controlMemory, 1, Long.MAX_VALUE);
        RelaySettings.between(RelayOption.ADDRESS_CONNECTIONS_MAX, addressConnectionsMax, 1, Integer.MAX_VALUE);
        RelaySettings.between(RelayOption.HANDSHAKES_MAX, handshakesMax, 1, Integer.MAX_VALUE);
        RelaySettings.between(RelayOption.ADDRESS_HANDSHAKES_MAX, addressHandshakesMax, 1, Integer.MAX_VALUE);
        RelaySettings.between(
                RelayOption.ADDRESS_HANDSHAKES_PER_SECOND, addressHandshakesPerSecond, 1, Integer.MAX_VALUE);
        RelaySettings.between(RelayOption.CONTROL_MESSAGES_PER_SECOND, controlMessagesPerSecond, 1, Integer.MAX_VALUE);
        RelaySettings.between(RelayOption.SLOW_CONSUMER_TIMEOUT, slowConsumerTimeout.toMillis(), 1, Integer.MAX_VALUE);
    }
}
