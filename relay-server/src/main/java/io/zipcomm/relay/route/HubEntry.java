package io.zipcomm.relay.route;

import io.netty.buffer.ByteBuf;
import io.zipcomm.buffer.DataType;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.internal.Signature;
import io.zipcomm.wire.Enter;
import io.zipcomm.wire.Frame;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** What a rank says of an operation when it enters: all must say the same. */
final class HubEntry {

    private final int kind;
    private final boolean again;
    private final boolean through;
    private final int root;
    private final int context;
    private final long tag;
    private final int signature;
    private final long bytes;
    private final int transfer;
    private int[] members;

    HubEntry(ByteBuffer header) {
        int flags = Frame.flags(header, 0);
        kind = flags & ~Enter.AGAIN;
        again = kind != flags;
        through = flags == Enter.THROUGH;
        root = Frame.destination(header, 0);
        context = Frame.context(header, 0);
        tag = Frame.tag(header, 0);
        signature = Frame.signature(header, 0);
        bytes = Frame.messageBytes(header, 0);
        transfer = Frame.transfer(header, 0);
    }

    int kind() {
        return kind;
    }

    /** The rank has entered before. */
    boolean isAgain() {
        return again;
    }

    /** The rank does not enter: it is through. Only key and transfer are said. */
    boolean isThrough() {
        return through;
    }

    int root() {
        return root;
    }

    int context() {
        return context;
    }

    int signature() {
        return signature;
    }

    long bytes() {
        return bytes;
    }

    int transfer() {
        return transfer;
    }

    int[] members() {
        return members;
    }

    boolean combines() {
        return kind != Enter.MULTICAST;
    }

    /** Whether it can begin anew. */
    boolean repeats() {
        return Enter.repeats(kind, bytes);
    }

    /** Whether receivers say when they have all. */
    boolean isConfirmed() {
        return Enter.isConfirmed(kind, bytes);
    }

    /** Null if there is none that is known. */
    DataType type() {
        return Signature.type(signature);
    }

    int reduction() {
        return Signature.reduction(signature);
    }

    HubKey key() {
        return new HubKey(context, through ? root : members[0], tag);
    }

    /**
     * Takes the members, in the order of their ranks in the communicator.
     *
     * @param named as the frame names them; null for the whole world in its order
     * @param world of all ranks
     * @return null if that can be, otherwise what is wrong
     */
    String membersAre(ByteBuf named, int[] world) {
        members = named == null ? world : read(named);
        boolean[] seen = new boolean[world.length];
        for (int member : members) {
            if (member < 0 || member >= seen.length || seen[member]) {
                return "an operation of ranks among which is " + member + ", of " + seen.length;
            }
            seen[member] = true;
        }
        boolean isKind = kind == Enter.MULTICAST || kind == Enter.REDUCE || kind == Enter.ALL_REDUCE;
        boolean hasRoot = kind == Enter.ALL_REDUCE || (root >= 0 && root < seen.length && seen[root]);
        if (!isKind || !hasRoot) {
            return "an operation of kind " + kind + " with root " + root;
        }
        return again && !repeats() ? "an operation of kind " + kind + " that cannot begin anew" : null;
    }

    private static int[] read(ByteBuf named) {
        int[] ranks = new int[named.readableBytes() / Integer.BYTES];
        for (int i = 0; i < ranks.length; i++) {
            ranks[i] = named.readIntLE();
        }
        return ranks;
    }

    int placeOf(int rank) {
        if (rank < members.length && members[rank] == rank) {
            return rank;
        }
        for (int place = 0; place < members.length; place++) {
            if (members[place] == rank) {
                return place;
            }
        }
        return -1;
    }

    /** How another rank's word differs from this one's; null if it does not. */
    ErrorCode differenceTo(HubEntry other) {
        boolean isSame = signature == other.signature
                && kind == other.kind
                && (kind == Enter.ALL_REDUCE || root == other.root)
                && Arrays.equals(members, other.members);
        if (!isSame) {
            return ErrorCode.OPERATION_MISMATCH;
        }
        return bytes == other.bytes ? null : ErrorCode.LENGTH_MISMATCH;
    }
}
