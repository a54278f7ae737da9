package io.zipcomm.relay;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.ToRelay;

/** Those who wait for a group to begin: there is little that they may say, and nobody else is told of their end. */
abstract class Waiting implements Party {

    private final Session session;

    Waiting(Session session) {
        this.session = session;
    }

    Session session() {
        return session;
    }

    @Override
    public void message(Member from, ToRelay message) {
        switch (message.getMessageCase()) {
            case LEAVE -> {
                from.control.finish();
                gone(from, Cause.LEFT, "it left");
            }
            case ATTACH -> {
                if (from.mayChoose()) {
                    choose(from);
                } else {
                    session.expelForMessage(from, message);
                }
            }
            case ABORT -> early(from, message.getAbort().getEpoch(), "Abort");
            case SUSPECT -> early(from, message.getSuspect().getEpoch(), "Suspect");
            case PUNCH_WANTED -> early(from, message.getPunchWanted().getEpoch(), "PunchWanted");
            case REVOKE -> early(from, message.getRevoke().getEpoch(), "Revoke");
            case AGREE -> early(from, message.getAgree().getEpoch(), "Agree");
            case PONG -> {
                // That it is there is all that was asked.
            }
            case HEARTBEAT, JOIN, RECALL, MESSAGE_NOT_SET -> session.expelForMessage(from, message);
        }
    }

    private void early(Member from, int epochSaid, String message) {
        session.expel(
                from,
                new Refusal(
                        ErrorCode.STALE_EPOCH, message + " of epoch " + epochSaid + " before the group is complete"));
    }

    /** A rank that asked several relays and attaches to none has made its choice. */
    private void choose(Member member) {
        if (!member.chosen) {
            member.chosen = true;
            ready(member);
        }
    }

    @Override
    public void controlEnded(Member member, String reason) {
        gone(member, Cause.LOST, reason);
    }

    @Override
    public void returned(Member member) {
        throw new IllegalStateException(member + " returned to a group that has not begun");
    }

    @Override
    public void dataEnded(Member member) {
        member.control.refuse(new Refusal(ErrorCode.RELAY_LOST, member.dataEnd + " before the group was complete"));
        gone(member, Cause.LOST, member.dataEnd);
    }

    @Override
    public boolean isGroup() {
        return false;
    }
}
