package io.zipcomm.bench.doctor;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportCounters;
import io.zipcomm.transport.TransportProvider;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * A transport that climbs a single rung: it shows the real one only the addresses of that rung, or has it punch holes without
 * trying addresses before. Notes when it began, and what came of it.
 */
final class RungProvider implements TransportProvider {

    private final TransportProvider real;
    private final Rung rung;
    private final LongSupplier clock;

    // Written by whoever holds the engine, read by the one who waits.
    private volatile long beganNs;
    private volatile long openedNs;
    private volatile String failure;

    RungProvider(TransportProvider real, Rung rung, LongSupplier clock) {
        this.real = real;
        this.rung = rung;
        this.clock = clock;
    }

    /** From the first attempt to the open connection. */
    long tookNs() {
        return openedNs - beganNs;
    }

    /** Why nothing opened; null as long as something may. */
    String failure() {
        return failure;
    }

    @Override
    public List<Capabilities> capabilities() {
        return real.capabilities();
    }

    @Override
    public Optional<String> unavailabilityReason() {
        return real.unavailabilityReason();
    }

    @Override
    public String details() {
        return real.details();
    }

    @Override
    public Transport open(ZipSettings settings) {
        return new OneRung(real.open(settings));
    }

    @Override
    public ControlChannel openControl(
            ZipSettings settings,
            RelayAddress relay,
            int localPort,
            ControlChannel.Listener listener,
            long deadlineNs,
            boolean patient) {
        return real.openControl(settings, relay, localPort, listener, deadlineNs, patient);
    }

    /** Hands on everything but the addresses. */
    private final class OneRung implements Transport {
        private final Transport transport;
        private PathEvents engine;

        OneRung(Transport transport) {
            this.transport = transport;
        }

        @Override
        public List<Candidate> candidates() {
            return transport.candidates();
        }

        @Override
        public int rendezvousPort() {
            return transport.rendezvousPort();
        }

        @Override
        public void detached(int number, String reason) {
            transport.detached(number, reason);
        }

        @Override
        public void relayOver() {
            transport.relayOver();
        }

        @Override
        public void relayRestarted(long timeoutNs) {
            transport.relayRestarted(timeoutNs);
        }

        @Override
        public void relayRestored() {
            transport.relayRestored();
        }

        @Override
        public void attach(RelayAddress relay, String session, int rank, byte[] ticket, long deadlineNs) {
            transport.attach(relay, session, rank, ticket, deadlineNs);
        }

        @Override
        public void start(GroupView group, PathEvents events) {
            engine = events;
            transport.start(rung.only(group), new Watch(events));
        }

        @Override
        public Path relayed(int peer) {
            return transport.relayed(peer);
        }

        @Override
        public Path hub() {
            return transport.hub();
        }

        @Override
        public void connect(int peer) {
            beganNs = clock.getAsLong();
            switch (rung) {
                case RELAY -> {}
                case LOOPBACK, OWN, OBSERVED -> transport.connect(peer);
                case PUNCH -> engine.punchWanted(peer);
            }
        }

        @Override
        public void punch(int peer, long atNs, long roundTripNs) {
            transport.punch(peer, atNs, roundTripNs);
        }

        @Override
        public boolean isConnecting() {
            return transport.isConnecting();
        }

        @Override
        public int poll() {
            return transport.poll();
        }

        @Override
        public int await(long timeoutNs, BooleanSupplier wakeupDue) {
            return transport.await(timeoutNs, wakeupDue);
        }

        @Override
        public void wakeup() {
            transport.wakeup();
        }

        @Override
        public Bell listenForBell(java.nio.file.Path file) throws IOException {
            return transport.listenForBell(file);
        }

        @Override
        public boolean hasOutput() {
            return transport.hasOutput();
        }

        @Override
        public TransportCounters counters() {
            return transport.counters();
        }

        @Override
        public void close() {
            transport.close();
        }
    }

    /** Sees what the engine is told. */
    private final class Watch implements PathEvents {
        private final PathEvents engine;

        Watch(PathEvents engine) {
            this.engine = engine;
        }

        @Override
        public void opened(Path path) {
            openedNs = clock.getAsLong();
            engine.opened(path);
        }

        @Override
        public void unreachable(int peer, String reason) {
            failure = reason;
            engine.unreachable(peer, reason);
        }

        @Override
        public void punchWanted(int peer) {
            engine.punchWanted(peer);
        }

        @Override
        public void relayAway(String reason) {
            engine.relayAway(reason);
        }

        @Override
        public void flowBegan(int peer) {
            engine.flowBegan(peer);
        }

        @Override
        public void hubBack() {
            engine.hubBack();
        }

        @Override
        public void relayLost(String reason) {
            engine.relayLost(reason);
        }
    }
}
