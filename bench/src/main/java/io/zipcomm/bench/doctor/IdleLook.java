package io.zipcomm.bench.doctor;

import io.zipcomm.Communicator;
import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.transport.TransportProvider;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * Leaves connections to the relay silent, and looks whether what is in between has forgotten them. Control connections are
 * never silent; on those for data only the relay asks for life now and then, between two ranks that have nothing to say.
 * Both ranks are in this process.
 */
final class IdleLook {

    private static final int TAG = 1;

    /** Longer than a packet that was lost twice takes. */
    private static final Duration MESSAGE = Duration.ofSeconds(3);

    private static final Duration JOIN = Duration.ofSeconds(10);

    /** Nobody waits for what a forgotten connection was to carry. */
    private static final String CLOSE_MS = "200";

    private final Report report;
    private final TransportProvider provider;
    private final Examination examination;
    private final LongSupplier clock;

    IdleLook(Report report, TransportProvider provider, Examination examination, LongSupplier clock) {
        this.report = report;
        this.provider = provider;
        this.examination = examination;
        this.clock = clock;
    }

    void look(String session) {
        String idle = examination.idle().toSeconds() + " s";
        CompletableFuture<Communicator> other = CompletableFuture.supplyAsync(() -> join(session, 1));
        try (Communicator one = join(session, 0);
                Communicator two = other.join()) {
            exchange(one, two);
            pause();
            try {
                exchange(one, two);
                report.say("idle", "a data connection that was silent for " + idle + " is still there");
            } catch (ZipException e) {
                report.say(
                        "idle",
                        "a data connection that was silent for " + idle + " is forgotten: nothing passes any more ("
                                + e.code()
                                + "). The relay asks for life every two heartbeat-intervals: shorten that at the"
                                + " relay, or let ranks exchange something more often, such as a barrier");
            }
        } catch (ZipException e) {
            report.wrong("idle", "FAILED: " + e.getMessage());
        } catch (CompletionException e) {
            report.wrong("idle", "FAILED: " + e.getCause());
        }
    }

    private Communicator join(String session, int rank) {
        ZipSettings.Builder settings = examination
                .settings(session, 2, rank)
                .transport(TransportChoice.RELAY)
                .set(Setting.CLOSE_TIMEOUT, CLOSE_MS);
        return Succession.join(settings, JOIN, provider, clock);
    }

    private void exchange(Communicator one, Communicator two) {
        int[] word = {1};
        int[] answer = new int[1];
        one.withTimeout(MESSAGE).send(1, TAG, Payload.of(word));
        two.withTimeout(MESSAGE).receive(0, TAG, Payload.of(answer));
        two.withTimeout(MESSAGE).send(0, TAG, Payload.of(answer));
        one.withTimeout(MESSAGE).receive(1, TAG, Payload.of(answer));
    }

    private void pause() {
        long untilNs = clock.getAsLong() + examination.idle().toNanos();
        for (long leftNs = untilNs - clock.getAsLong(); leftNs > 0; leftNs = untilNs - clock.getAsLong()) {
            LockSupport.parkNanos(leftNs);
        }
    }
}
