package io.zipcomm.membership;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.SessionKey;
import java.util.List;

/**
 * A complete group as the relay published it: who is in it and how to reach them. Immutable.
 *
 * @param session           name of the session
 * @param epoch             generation of the group
 * @param rank              this process's rank in the world
 * @param members           one for each rank, in rank order
 * @param sessionKey        secret of the members
 * @param flowWindowBytes   bytes that one rank may have under way to another through the relay
 * @param fragmentBytesMax  largest frame payload that the relay forwards
 * @param hubWindowBytes    bytes that one rank may have under way in one operation of the relay's hub; 0 if it has none
 * @param hubReduces        whether the relay's hub combines
 * @param ranksBefore       of each member, in rank order, its rank in the epoch before this one; -1 for newcomers. Empty in a
 *                          session's first epoch
 * @param sealKeys          keys for what goes through the relay; null if that is not encrypted
 */
public record GroupView(
        String session,
        int epoch,
        int rank,
        List<Member> members,
        SessionKey sessionKey,
        long flowWindowBytes,
        int fragmentBytesMax,
        int hubWindowBytes,
        boolean hubReduces,
        List<Integer> ranksBefore,
        SealKeys sealKeys) {

    private static final List<String> RELAY_ONLY = List.of("relay");

    /** Copies the lists. */
    public GroupView {
        members = List.copyOf(members);
        ranksBefore = List.copyOf(ranksBefore);
    }

    /** A session's first epoch at a relay that has no hub. */
    public GroupView(
            String session,
            int epoch,
            int rank,
            List<Member> members,
            SessionKey sessionKey,
            long flowWindowBytes,
            int fragmentBytesMax) {
        this(session, epoch, rank, members, sessionKey, flowWindowBytes, fragmentBytesMax, 0, false, List.of(), null);
    }

    /**
     * The same group, in which what goes through the relay is encrypted. Frames and windows are shorter by what that takes, and the
     * relay's hub is not used.
     *
     * @param keys for what goes through the relay
     * @throws ZipException with code LIMIT if the relay's frames are too short
     */
    public GroupView sealed(SealKeys keys) {
        int bytesMax = fragmentBytesMax - Frame.SEALED_BYTES;
        if (bytesMax < Frame.SEALED_BYTES) {
            throw new ZipException(
                    ErrorCode.LIMIT,
                    "the relay forwards payloads of up to " + fragmentBytesMax
                            + " bytes (fragment-bytes-max), encryption needs " + 2 * Frame.SEALED_BYTES);
        }
        return new GroupView(
                session,
                epoch,
                rank,
                members,
                sessionKey,
                flowWindowBytes - Frame.SEALED_BYTES,
                bytesMax,
                0,
                false,
                ranksBefore,
                keys);
    }

    /** Whether a rank has no other path than through the relay. */
    public boolean isRelayOnly(int worldRank) {
        return members.get(worldRank).transports().equals(RELAY_ONLY);
    }

    /** Number of ranks in the world. */
    public int size() {
        return members.size();
    }

    /** The member with this process's rank. */
    public Member self() {
        return members.get(rank);
    }

    /** How many ranks, this one included, share this process's host. */
    public int ranksOnThisHost() {
        int count = 0;
        for (Member member : members) {
            if (member.hostId().equals(self().hostId())) {
                count++;
            }
        }
        return count;
    }

    @Override
    public String toString() {
        return "session " + session + ", epoch " + epoch + ", rank " + rank + " of " + size();
    }
}
