package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a relay has done since it started, and what it holds now. The values are read one after the other while the relay
 * works on.
 *
 * @param connections     open now
 * @param sessions        that exist now, complete or waiting
 * @param ranks           in sessions now
 * @param sessionsOpened  since the start
 * @param groupsCompleted sessions whose ranks were all there
 * @param framesForwarded link frames taken in for a rank that was there
 * @param bytesForwarded  bytes of these, headers included
 * @param framesDropped   link frames for ranks that were gone
 * @param hubOperations   operations of which the relay did a part
 * @param hubBytesIn      bytes of contributions to them that came in
 * @param wireBytesIn     bytes that came in on data connections
 * @param wireBytesOut    bytes that were given to data connections
 * @param bytesWaiting    bytes that wait now for ranks that do not read, or in operations of which the relay does a part
 * @param waitingMemory  bytes of memory that these hold, and that such operations take beside them: what is limited
 * @param bytesUnderWay  bytes of memory under way now in data connections, coming in or going out: limited apart
 * @param controlBytesWaiting bytes of control messages that wait now for ranks that do not read, or to come in whole
 * @param membersLeft     members of complete groups that left cleanly
 * @param membersLost     members of complete groups whose connection broke or that fell silent
 * @param membersExpelled members of complete groups that broke the protocol or a limit
 * @param refusals        connections turned away, by reason; reasons that never occurred are missing
 * @param limitsReached   how often somebody was refused, expelled or slowed down for a limit; others are missing
 * @param handshakes      connections open now that have not said who they are
 * @param surplus         connections above a limit that are being told so
 * @param hubOperationsOpen operations under way of which the relay does a part
 * @param defects         connections closed for a fault of the relay itself
 * @param draining        whether the relay takes no new sessions
 * @param buffersInUse    direct buffers that this process, not only the relay, has from Netty's pool now
 * @param bufferBytes     bytes of these, as the pool counts them
 */
public record RelayStats(
        int connections,
        int sessions,
        int ranks,
        long sessionsOpened,
        long groupsCompleted,
        long framesForwarded,
        long bytesForwarded,
        long framesDropped,
        long hubOperations,
        long hubBytesIn,
        long wireBytesIn,
        long wireBytesOut,
        long bytesWaiting,
        long waitingMemory,
        long bytesUnderWay,
        long controlBytesWaiting,
        long membersLeft,
        long membersLost,
        long membersExpelled,
        Map<ErrorCode, Long> refusals,
        Map<RelayOption, Long> limitsReached,
        int handshakes,
        int surplus,
        long hubOperationsOpen,
        long defects,
        boolean draining,
        long buffersInUse,
        long bufferBytes) {

    /** Copies the maps. */
    public RelayStats {
        limitsReached = Collections.unmodifiableMap(new TreeMap<>(limitsReached));
        refusals = Collections.unmodifiableMap(new TreeMap<>(refusals));
    }
}
