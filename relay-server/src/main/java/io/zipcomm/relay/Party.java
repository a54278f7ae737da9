package io.zipcomm.relay;

import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.ToRelay;

/** What a member is part of: those who wait for a group to begin, or the group of an epoch. Event loop only. */
interface Party {

    /** A member said something that is no heartbeat. */
    void message(Member from, ToRelay message);

    /** There is nothing more for which this member has to be waited for. */
    void ready(Member member);

    /** A member that had lost its data connection has another. */
    void returned(Member member);

    /** The control connection of a member that is not gone, and has not said that it leaves, has ended. */
    void controlEnded(Member member, String reason);

    /** The data connection of a member that is not gone has ended. */
    void dataEnded(Member member);

    /** A member goes away. What is to be said to itself has been said. */
    void gone(Member member, Cause cause, String detail);

    /** It is part of a group, in which silence and broken connections are told to others. */
    boolean isGroup();
}
