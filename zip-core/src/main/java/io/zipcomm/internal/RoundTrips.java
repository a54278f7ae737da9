package io.zipcomm.internal;

import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Times messages that the relay sends back: heartbeats whose numbers are below zero, where those that say that a rank lives
 * have none.
 *
 * <p>Thread: one measures, another one hears.
 */
final class RoundTrips {

    private record Asked(long number, long sentNs, CompletableFuture<Long> answer) {}

    /** Null before the first. */
    private volatile Asked asked;

    private long last;

    /** The number of a heartbeat that is sent now. */
    long begin(long nowNs) {
        asked = new Asked(--last, nowNs, new CompletableFuture<>());
        return last;
    }

    /** A heartbeat has come back. */
    void heard(long number, long nowNs) {
        Asked awaited = asked;
        if (awaited != null && awaited.number() == number) {
            awaited.answer().complete(nowNs - awaited.sentNs());
        }
    }

    /** Nanoseconds; empty if there was no answer within the timeout, or the thread was interrupted, whose flag stays set. */
    OptionalLong await(long timeoutNs) {
        try {
            return OptionalLong.of(asked.answer().get(timeoutNs, TimeUnit.NANOSECONDS));
        } catch (TimeoutException | ExecutionException e) {
            return OptionalLong.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return OptionalLong.empty();
        }
    }
}
