package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.route.Switchboard;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.MemberGone;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.Recall;
import io.zipcomm.wire.proto.ToRelay;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Members of an epoch that began at a relay that is no more, and that come back to this one: from the first until all of whom nobody
 * knows that they are gone have said what they know, or the time of a heartbeat is over and those who have are enough. Then the epoch goes
 * on. Event loop only.
 */
final class Restoration extends Waiting {

    private static final Logger log = LoggerFactory.getLogger(Restoration.class);

    private final Shard shard;
    private final int number;
    private final byte[] group;
    private final long beganNs;
    private final long timeoutMs;
    private Future<?> deadline;

    /** Who has come back and not gone away again, by rank. */
    private final Map<Integer, Member> places = new TreeMap<>();

    /** Ranks among them that have said what they know. */
    private final BitSet recalled = new BitSet();

    /** Null until the first has said it. */
    private Recollection recollection;

    /** Of the group that goes on; null until then. */
    private Switchboard board;

    private boolean over;

    /** Begun by a member that is still to {@link #join}. */
    Restoration(Session session, Continues first) {
        super(session);
        shard = session.shard();
        number = first.getEpoch();
        group = first.getGroup().toByteArray();
        beganNs = shard.nanoTime();
        timeoutMs = shard.settings().heartbeatTimeout().toMillis();
        awaitAll(true);
        log.atInfo()
                .addKeyValue("session", session.name())
                .addKeyValue("epoch", number)
                .log("members come back to a relay that does not know them, {} ms for all to come", timeoutMs);
    }

    int number() {
        return number;
    }

    /** What members of the group alone can tell. */
    byte[] group() {
        return group;
    }

    /** When the first came. */
    long beganNs() {
        return beganNs;
    }

    /** Those who are here. */
    List<Member> members() {
        return List.copyOf(places.values());
    }

    /** Places that are not free for others. */
    int size() {
        return recollection == null
                ? session().terms().size()
                : recollection.size() - recollection.gone().cardinality();
    }

    /** Takes in a member, who is asked for what it knows, or answers why not. */
    Refusal join(ControlConnection control, Join join, Grant grant) {
        Continues continues = join.getContinues();
        int rank = continues.getRank();
        if (!MessageDigest.isEqual(group, continues.getGroup().toByteArray())) {
            return new Refusal(
                    ErrorCode.EXPELLED, "another group of session " + session().name() + " comes back to the relay");
        }
        if (recollection != null && recollection.gone().get(rank)) {
            return givenUp(rank);
        }
        Member member = places.get(rank);
        byte[] ticket = continues.getTicket().toByteArray();
        if (member != null && !MessageDigest.isEqual(member.ticket, ticket)) {
            return Shard.NO_SUCH_PLACE;
        }
        Refusal disagreement = session().terms().disagreement(session().name(), join);
        if (disagreement != null) {
            return disagreement;
        }
        if (member == null) {
            member = session().arrives(control, join, grant, this);
            member.rank = rank;
            member.number = rank;
            member.ticket = ticket;
            places.put(rank, member);
        } else {
            member.comesBy(control);
            recalled.clear(rank);
        }
        control.allowRecall();
        control.send(ControlWriter.restoring(timeoutMs));
        return null;
    }

    private Refusal givenUp(int rank) {
        return new Refusal(
                ErrorCode.EXPELLED,
                "rank " + rank + " of epoch " + number + " was given up: "
                        + recollection.verdict(rank).getDetail());
    }

    @Override
    public void message(Member from, ToRelay message) {
        if (message.hasRecall()) {
            recalls(from, message.getRecall());
        } else if (message.hasAttach()) {
            session().expelForMessage(from, message);
        } else {
            super.message(from, message);
        }
    }

    private void recalls(Member from, Recall recall) {
        if (recalled.get(from.rank)) {
            refuse(from, new Refusal(ErrorCode.PROTOCOL, "second Recall of " + from + " on one connection"));
            return;
        }
        Refusal refusal = recollection == null ? begins(from, recall) : null;
        if (refusal == null) {
            refusal = windowsRefusal(recall);
        }
        if (refusal == null) {
            refusal = recollection.take(from.rank, recall);
        }
        if (refusal != null) {
            if (recalled.isEmpty()) {
                // Nothing of what it said holds.
                recollection = null;
                board = null;
            }
            refuse(from, refusal);
            return;
        }
        recalled.set(from.rank);
        for (Member member : members()) {
            if (recollection.gone().get(member.rank)) {
                refuse(member, givenUp(member.rank));
            }
        }
        if (!over && recalled.cardinality() + recollection.gone().cardinality() == recollection.size()) {
            begin();
        }
    }

    /** The first says how large the group is. */
    private Refusal begins(Member from, Recall recall) {
        int size = recall.getSize();
        if (size < 1 || size > session().terms().sizeMax()) {
            return new Refusal(
                    ErrorCode.PROTOCOL,
                    "Recall of " + size + " ranks: expected 1 to "
                            + session().terms().sizeMax());
        }
        if (from.rank >= size) {
            return new Refusal(ErrorCode.PROTOCOL, "Recall of rank " + from.rank + " of " + size);
        }
        recollection = new Recollection(number, size);
        board = Epoch.board(shard, number, size);
        return null;
    }

    /** Links keep to what they were told when the group began: another relay's limits are of no use to them. */
    private Refusal windowsRefusal(Recall recall) {
        boolean reduces = board.hubWindowBytes() > 0 && Epoch.hubReduces(shard);
        boolean same = recall.getFlowWindowBytes() == board.windowBytes()
                && recall.getFragmentBytesMax() == board.fragmentBytesMax()
                && recall.getHubWindowBytes() == board.hubWindowBytes()
                && (recall.getHubReduces() && board.hubWindowBytes() > 0) == reduces;
        return same
                ? null
                : new Refusal(
                        ErrorCode.BAD_SETTING,
                        "the relay was started again with other limits, which end its groups: now "
                                + windows(
                                        board.windowBytes(), board.fragmentBytesMax(), board.hubWindowBytes(), reduces)
                                + "; before "
                                + windows(
                                        recall.getFlowWindowBytes(),
                                        recall.getFragmentBytesMax(),
                                        recall.getHubWindowBytes(),
                                        recall.getHubReduces())
                                + " (" + RelayOption.SESSION_MEMORY.key() + ", "
                                + RelayOption.FRAGMENT_BYTES_MAX.key() + ", "
                                + RelayOption.HUB_OPERATIONS_MAX.key() + ", " + RelayOption.HUB_REDUCTION.key() + ")");
    }

    private static String windows(long flow, int fragment, int hub, boolean reduces) {
        return "windows of " + flow + " bytes, payloads of up to " + fragment + ", "
                + (hub == 0 ? "no hub" : "hub windows of " + hub + (reduces ? " that are combined" : ""));
    }

    private void awaitAll(boolean first) {
        long timeoutNs = TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        long dueNs = shard.nanoTime() + timeoutNs;
        deadline = shard.later(
                () -> {
                    if (first && shard.stoodStill(dueNs)) {
                        awaitAll(false);
                    } else {
                        deadlinePassed();
                    }
                },
                timeoutNs);
    }

    private void deadlinePassed() {
        if (recalled.isEmpty()) {
            members().forEach(this::refuseUnheard);
        } else if (areEnough()) {
            begin();
        } else {
            Refusal tooFew = tooFew();
            members().forEach(member -> refuse(member, tooFew));
        }
    }

    /** Whether those who have come may go on without the others, as they may into a later epoch. */
    private boolean areEnough() {
        int here = recalled.cardinality();
        return session().terms().maySecede(here, size())
                && here >= session().terms().laterSizeMin();
    }

    /** They may try again: the others may come with them. */
    private Refusal tooFew() {
        Terms terms = session().terms();
        int here = recalled.cardinality();
        return new Refusal(
                ErrorCode.RELAY_LOST,
                here + " of " + size() + " ranks of epoch " + number + " came back within " + timeoutMs
                        + " ms after the relay was started again, and it takes "
                        + (terms.maySecede(here, size())
                                ? terms.laterSizeMin()
                                : "more than half of them to go on without the others"));
    }

    private void refuseUnheard(Member member) {
        refuse(member, new Refusal(ErrorCode.RELAY_LOST, member + " did not say in time what it knows of its group"));
    }

    /** The epoch goes on, without those who have not come. */
    private void begin() {
        close();
        shard.takenUp(group);
        members().stream().filter(member -> !recalled.get(member.rank)).forEach(this::refuseUnheard);
        Member[] members = new Member[recollection.size()];
        List<Member> living = new ArrayList<>(places.values());
        boolean complete = true;
        for (int rank = 0; rank < members.length; rank++) {
            members[rank] = places.get(rank);
            if (members[rank] == null) {
                boolean known = recollection.gone().get(rank);
                complete &= known;
                members[rank] = Member.gone(session(), rank, known ? recollection.verdict(rank) : lost(rank));
            }
        }
        session().restored(new Epoch(session(), members, board, number, group), living, complete, recollection);
    }

    private MemberGone lost(int rank) {
        shard.counters().gone(Cause.LOST);
        return MemberGone.newBuilder()
                .setEpoch(number)
                .setRank(rank)
                .setCause(Cause.LOST)
                .setDetail("did not come back within " + timeoutMs + " ms after the relay was started again")
                .build();
    }

    private void refuse(Member member, Refusal refusal) {
        shard.counters().refused(refusal);
        member.control.refuse(refusal);
        gone(member, Cause.EXPELLED, refusal.toString());
    }

    /** It may come once more. */
    @Override
    public void gone(Member member, Cause cause, String detail) {
        places.remove(member.rank);
        recalled.clear(member.rank);
        boolean last = places.isEmpty() && !over;
        if (last) {
            close();
        }
        session().forget(member, detail);
        if (last) {
            session().restorationEnded(this);
        }
    }

    /** Another epoch goes on or begins: this one is over for all who came back to it. */
    void endWith(Refusal refusal) {
        close();
        members().forEach(member -> refuse(member, refusal));
    }

    @Override
    public void ready(Member member) {
        throw new IllegalStateException(member + " was ready before its epoch went on");
    }

    /** The session has ended, or the epoch goes on. */
    void close() {
        over = true;
        deadline.cancel(false);
    }
}
