package io.zipcomm.internal;

import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.ToRelay;
import java.util.ArrayDeque;
import java.util.List;

/**
 * What a rank said that the relay may not have heard: a connection that breaks takes with it what is under way. A heartbeat that is
 * answered says that all was heard which was said before it. Whoever calls it holds the lock of its owner.
 */
final class Unconfirmed {

    /** What is above that is not said again. */
    static final int MESSAGES_MAX = 1024;

    /**
     * A message, said after one heartbeat and before the next.
     *
     * @param beat number of the one before
     */
    private record Said(ToRelay message, long beat) {}

    private final ArrayDeque<Said> said = new ArrayDeque<>();
    private long beat;

    /** A heartbeat is about to be said. */
    void beats(long number) {
        beat = number;
    }

    /** What others wait for, and what the relay takes once however often it is said. */
    static boolean isKept(ToRelay message) {
        return message.hasAbort() || message.hasRevoke() || message.hasAgree();
    }

    /** Something was said. */
    void add(ToRelay message) {
        if (!isKept(message)) {
            return;
        }
        if (said.size() == MESSAGES_MAX) {
            said.remove();
        }
        said.add(new Said(message, beat));
    }

    /** The relay has answered a heartbeat. */
    void confirmed(long number) {
        while (!said.isEmpty() && said.element().beat < number) {
            said.remove();
        }
    }

    /** The relay has answered an agreement: what this rank has said of it, and of those before it, was heard. */
    void answered(Agreed agreed) {
        said.removeIf(one -> GroupMemory.isAnsweredBy(one.message, agreed));
    }

    /** Takes out what is to be said again, in its order. */
    List<ToRelay> take() {
        List<ToRelay> messages = said.stream().map(Said::message).toList();
        said.clear();
        return messages;
    }
}
