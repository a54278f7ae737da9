package io.zipcomm.internal;

import com.google.protobuf.ByteString;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.GroupView;
import io.zipcomm.wire.proto.Continues;

/**
 * By what a member of a group goes on to its next epoch.
 *
 * @param operation  name of the call, for errors
 * @param from       the group of which it is a member
 * @param ticket     that it was admitted with
 * @param sizeWanted ranks to wait for; 0 for living members alone
 * @param time       what the relay is given for it, and how long its answer may take
 */
record Continuation(String operation, GroupView from, ByteString ticket, int sizeWanted, CallTime.Decided time) {

    Continues toWire() {
        return Continues.newBuilder()
                .setKind(Continues.Kind.NEXT_EPOCH)
                .setEpoch(from.epoch())
                .setRank(from.rank())
                .setTicket(ticket)
                .setSizeWanted(sizeWanted)
                .build();
    }

    /** Says who failed to go on, and from where. */
    void describe(ZipException.Builder facts) {
        facts.at(from.rank(), from.size(), from.epoch()).operation(operation + " of session " + from.session());
    }
}
