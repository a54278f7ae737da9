package io.zipcomm.internal;

import io.zipcomm.membership.Candidate;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.transport.DirectTransport;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportCounters;
import io.zipcomm.wire.SessionKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/** Transports that do nothing but note, in a common log, what is asked of them. */
final class FakeTransports {

    private FakeTransports() {}

    static GroupView view(int size) {
        List<Member> members = IntStream.range(0, size)
                .mapToObj(rank -> new Member(rank, "host", List.of(), List.of("tcp")))
                .toList();
        return new GroupView("s", 1, 0, members, new SessionKey(new byte[SessionKey.BYTES]), 1, 1);
    }

    /** A path that is only a name. */
    record NamedPath(int peer, String name) implements Path {

        @Override
        public int fragmentBytesMax() {
            return 1;
        }

        @Override
        public void bind(FrameHandler handler) {}

        @Override
        public void openInput() {}

        @Override
        public void flush() {}

        @Override
        public void release(Object attachment) {}

        @Override
        public void closeOutput() {}

        @Override
        public void close() {}
    }

    /** One that stands beside a base. */
    static final class Direct implements DirectTransport {
        final String name;
        final List<String> log;
        final Set<Integer> reached = new TreeSet<>();
        PathEvents events;
        boolean connecting;
        boolean paths;
        boolean output;
        long sleepNs = Long.MAX_VALUE;
        int work;
        int polls;

        Direct(String name, List<String> log, int... reached) {
            this.name = name;
            this.log = log;
            IntStream.of(reached).forEach(this.reached::add);
        }

        @Override
        public List<Candidate> candidates() {
            return List.of(new Candidate(Candidate.Kind.MEMORY, name, name, 0));
        }

        @Override
        public void start(GroupView view, PathEvents outcomes) {
            log.add(name + " start");
            events = outcomes;
        }

        @Override
        public boolean reaches(int peer) {
            return reached.contains(peer);
        }

        @Override
        public void connect(int peer) {
            log.add(name + " connect " + peer);
        }

        @Override
        public void giveUp(int peer) {
            log.add(name + " giveUp " + peer);
        }

        @Override
        public boolean isConnecting() {
            return connecting;
        }

        @Override
        public boolean hasPaths() {
            return paths;
        }

        @Override
        public int poll() {
            polls++;
            return work;
        }

        @Override
        public long beforeSleep() {
            log.add(name + " beforeSleep");
            return sleepNs;
        }

        @Override
        public void afterSleep() {
            log.add(name + " afterSleep");
        }

        @Override
        public boolean hasOutput() {
            return output;
        }

        @Override
        public void leave() {
            log.add(name + " leave");
        }

        @Override
        public void close() {
            log.add(name + " close");
        }
    }

    /** One that has the relay. */
    static final class Base implements Transport {
        final List<String> log;
        final TransportCounters counters = new TransportCounters();
        PathEvents events;
        boolean connecting;
        int work;
        int polls;

        /** How long a wait takes, whatever was asked for. */
        long waitNs;

        Base(List<String> log) {
            this.log = log;
        }

        @Override
        public List<Candidate> candidates() {
            return List.of(new Candidate(Candidate.Kind.LOOPBACK, "tcp", "127.0.0.1", 1));
        }

        @Override
        public int rendezvousPort() {
            return 0;
        }

        @Override
        public void attach(RelayAddress relay, String session, int rank, byte[] ticket, long deadlineNs) {
            throw new UnsupportedOperationException("there is no relay");
        }

        @Override
        public void start(GroupView view, PathEvents outcomes) {
            log.add("base start");
            events = outcomes;
        }

        @Override
        public Path relayed(int peer) {
            return null;
        }

        @Override
        public void connect(int peer) {
            log.add("base connect " + peer);
        }

        @Override
        public void punch(int peer, long atNs, long roundTripNs) {
            log.add("base punch " + peer);
        }

        @Override
        public boolean isConnecting() {
            return connecting;
        }

        @Override
        public int poll() {
            polls++;
            return work;
        }

        @Override
        public int await(long timeoutNs, BooleanSupplier wakeupDue) {
            log.add("base await " + timeoutNs);
            LockSupport.parkNanos(waitNs);
            return work;
        }

        @Override
        public void wakeup() {
            log.add("base wakeup");
        }

        @Override
        public boolean hasOutput() {
            return false;
        }

        @Override
        public void leave() {
            log.add("base leave");
        }

        @Override
        public TransportCounters counters() {
            return counters;
        }

        @Override
        public void close() {
            log.add("base close");
        }
    }

    /** What the engine is told. */
    static final class Outcomes implements PathEvents {
        final List<String> told = new ArrayList<>();

        @Override
        public void opened(Path path) {
            told.add("opened " + path.peer() + " " + path.name());
        }

        @Override
        public void unreachable(int peer, String reason) {
            told.add("unreachable " + peer + ": " + reason);
        }

        @Override
        public void punchWanted(int peer) {
            told.add("punchWanted " + peer);
        }

        @Override
        public void relayLost(String reason) {
            told.add("relayLost " + reason);
        }
    }
}
