package io.zipcomm.bench.doctor;

import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.RelayAddress;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What is to be looked at.
 *
 * @param relays  to be looked at; empty for the machine only
 * @param token   for them; may be empty
 * @param session name of the sessions that are opened to look; empty for a random one
 * @param idle    how long to leave a connection silent; zero not to look at that
 * @param peer    name at which another doctor is met; empty for none
 * @param patience how long to wait for that
 * @param rung    how long one rung of the ladder may take with it
 */
public record Examination(
        List<RelayAddress> relays,
        String token,
        String session,
        Duration idle,
        String peer,
        Duration patience,
        Duration rung) {

    /** How long another doctor is waited for. */
    public static final Duration WAIT = Duration.ofMinutes(1);

    /** Longer than any rung takes by itself: attempts of 3 s, and as much for those of the peer. */
    public static final Duration RUNG = Duration.ofSeconds(7);

    private static final Duration JOIN_TIMEOUT = Duration.ofSeconds(5);

    /** Copies the list. */
    public Examination {
        relays = List.copyOf(relays);
    }

    /** A look at the machine, and at relays if there are any. */
    public Examination(List<RelayAddress> relays, String token) {
        this(relays, token, "", Duration.ZERO, "", WAIT, RUNG);
    }

    /** Settings of this process to join a group at these relays, with what the environment says of the way to them. */
    ZipSettings.Builder settings(String group, int size, int rank) {
        return ZipSettings.builderFromEnvironment()
                .relay(relays.stream().map(RelayAddress::toString).collect(Collectors.joining(",")))
                .session(group)
                .size(size)
                .rank(rank)
                .token(token)
                .joinTimeout(JOIN_TIMEOUT);
    }
}
