package io.zipcomm.error;

/** Why something failed. The numbers are stable: they travel on the wire and stand in the documentation. */
public enum ErrorCode {
    /** An argument of the call is wrong; none of its data was sent. The other ranks of a collective get {@link #PEER_FAILED}. */
    BAD_ARGUMENT(1),
    /** A setting is missing or wrong. */
    BAD_SETTING(2),
    /** The deadline passed before the operation ended, or the time of a wait for one that goes on. */
    DEADLINE(3),
    /** The caller cancelled the operation, or its thread was interrupted. */
    CANCELLED(4),
    /** The communicator or region was closed, by the program or for a snapshot. */
    CLOSED(5),
    /** A peer's process died, or its connection did and there is no other. */
    PEER_LOST(6),
    /** A peer closed its communicator and left the group. */
    PEER_LEFT(7),
    /** The connection to the relay ended, could not be opened again in time, and the operation needed it. */
    RELAY_LOST(8),
    /** Peers called different operations, or the same one with different arguments. */
    OPERATION_MISMATCH(9),
    /** A message is longer than its receiver's room, is no whole number of elements, or has another length than a collective expects. */
    LENGTH_MISMATCH(10),
    /** The operation failed on another rank, which the text quotes. */
    PEER_FAILED(11),
    /** No collective can run on the communicator any more, since one has failed. Messages go on. */
    COMMUNICATOR_FAILED(12),
    /** A frame that breaks the protocol. */
    PROTOCOL(13),
    /** A limit with a name was reached. */
    LIMIT(14),
    /** No path to a peer could be opened, or none of the kind that the operation needs. */
    UNREACHABLE(15),
    /** The relay could not be reached or did not answer. */
    RELAY_UNREACHABLE(16),
    /** The group, or its next epoch, had too few ranks when the time was over; or nobody let this newcomer in. */
    JOIN_TIMEOUT(17),
    /** The wanted rank is taken by another process. */
    RANK_TAKEN(18),
    /** The group is complete: there is no place left. */
    GROUP_FULL(19),
    /** Members of one session disagree on the group's size. */
    SIZE_MISMATCH(20),
    /** No or wrong token. */
    UNAUTHORIZED(21),
    /** No common version of the wire format. */
    VERSION_MISMATCH(22),
    /** A frame or connection of another epoch. */
    STALE_EPOCH(23),
    /** A function given by the user threw. */
    USER_FUNCTION(24),
    /** A defect in this library. */
    INTERNAL(25),
    /** The process ended that moves frames between ranks of one host. */
    DRIVER_LOST(26),
    /** The communicator, or its whole epoch, was revoked. The world can still agree, shrink and grow. */
    REVOKED(30),
    /** The group has given this rank's place away. It may join again, as a newcomer. */
    EXPELLED(35),
    /** A payload is not what its sender sent. */
    CORRUPT(38);

    private final int number;

    ErrorCode(int number) {
        this.number = number;
    }

    /**
     * The number that stands for this code on the wire.
     *
     * @return a positive number
     */
    public int number() {
        return number;
    }

    /**
     * The code for a number read from the wire.
     *
     * @param number any value
     * @return the code; {@link #INTERNAL} if there is none with this number
     */
    public static ErrorCode of(int number) {
        for (ErrorCode code : values()) {
            if (code.number == number) {
                return code;
            }
        }
        return INTERNAL;
    }
}
