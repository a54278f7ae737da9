package io.zipcomm.simulation;

import com.google.protobuf.InvalidProtocolBufferException;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.Engine;
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
import io.zipcomm.transport.tcp.SimulatedTcp;
import io.zipcomm.wire.proto.Continues;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * What a process of a simulated host speaks through: the real TCP module. Around it is what keeps threads from waiting in real time:
 * the membership client waits for answers of the relay, so here the call that asks is the one that lets virtual time pass until the
 * answer is there, or the time for it is over.
 */
final class SimulatedProvider implements TransportProvider {

    /** As the engine's background driver looks when nobody waits. */
    private static final long TURN_NS = 20_000_000;

    private static final long LEAVE_NS = 1_000_000_000;

    /** The membership client gives the relay so much longer than the join timeout. */
    private static final long ANSWER_NS = 2_000_000_000;

    private final Host host;
    private final Plant plant;
    private final VirtualTime time;
    private final List<AttendedTransport> transports = new ArrayList<>();
    private AttendedControl latest;

    SimulatedProvider(Host host, Plant plant) {
        this.host = host;
        this.plant = plant;
        time = host.time();
    }

    /** Engines of all epochs, from the first. */
    List<Engine> engines() {
        return transports.stream()
                .map(transport -> transport.engine)
                .filter(engine -> engine != null)
                .toList();
    }

    @Override
    public List<Capabilities> capabilities() {
        return List.of(new Capabilities("tcp", false, true, true), new Capabilities("relay", true, true, true));
    }

    @Override
    public Optional<String> unavailabilityReason() {
        return Optional.empty();
    }

    @Override
    public String details() {
        return "simulated";
    }

    @Override
    public Transport open(ZipSettings settings) {
        AttendedTransport transport = new AttendedTransport();
        transport.inner = SimulatedTcp.open(host, settings, transport::turnSoon);
        transports.add(transport);
        return transport;
    }

    @Override
    public ControlChannel openControl(
            ZipSettings settings,
            RelayAddress relay,
            int localPort,
            ControlChannel.Listener listener,
            long deadlineNs,
            boolean patient) {
        AttendedControl control = new AttendedControl(listener, settings);
        control.inner = SimulatedTcp.openControl(host, settings, relay, localPort, control, deadlineNs, patient);
        return control;
    }

    @Override
    public Thread thread(Runnable task, String name) {
        return new Fiber(host, task, name);
    }

    @Override
    public void pause(long ns) {
        Fiber.current().park(time.nowNs() + ns);
    }

    /** A control connection that is awaited in virtual time. */
    private final class AttendedControl implements ControlChannel, ControlChannel.Listener {
        private final ControlChannel.Listener listener;
        private long joinUntilNs;
        private final boolean attaches;
        private final long beganNs = time.nowNs();
        private ControlChannel inner;
        private boolean answered;
        private boolean complete;
        private boolean ended;
        private Fiber waiting;

        /** Waits for the answer to coming back, if it still does. */
        private Fiber returning;

        AttendedControl(ControlChannel.Listener listener, ZipSettings settings) {
            this.listener = listener;
            attaches = settings.transport().isRelayed();
        }

        @Override
        public void send(byte[] message) {
            inner.send(message);
            ToRelay said;
            try {
                said = ToRelay.parseFrom(message);
            } catch (InvalidProtocolBufferException e) {
                throw new IllegalStateException(e);
            }
            if (said.hasJoin() && said.getJoin().getContinues().getKind() == Continues.Kind.SAME_EPOCH) {
                // Who comes back pauses until there is an answer.
                returning = Fiber.current();
            } else if (said.hasJoin()) {
                latest = this;
                Join join = said.getJoin();
                long answeredNs = beganNs + join.getJoinTimeoutMs() * 1_000_000 + ANSWER_NS;
                // Where the group may begin without some, the relay waits for those who have begun to come.
                boolean stragglers =
                        join.hasContinues() || (join.getSizeMin() > 0 && join.getSizeMin() < join.getSize());
                joinUntilNs = answeredNs + (stragglers ? Fault.HEARTBEAT_TIMEOUT_NS : 0);
                await(() -> attaches ? answered : complete, attaches ? answeredNs : joinUntilNs);
            } else if (said.hasLeave()) {
                await(() -> ended, time.nowNs() + LEAVE_NS);
                if (!ended) {
                    ended("no farewell");
                }
            }
        }

        void await(BooleanSupplier condition, long untilNs) {
            waiting = Fiber.current();
            while (!condition.getAsBoolean() && !ended && time.nowNs() < untilNs) {
                waiting.park(untilNs);
            }
            waiting = null;
        }

        private void look() {
            if (waiting != null) {
                waiting.wake();
            }
            if (returning != null) {
                returning.wake();
            }
        }

        @Override
        public void message(ByteBuffer message) {
            ToRank said;
            try {
                said = ToRank.parseFrom(message.duplicate());
            } catch (InvalidProtocolBufferException e) {
                throw new IllegalStateException(e);
            }
            said = plant.heard(host, said);
            listener.message(ByteBuffer.wrap(said.toByteArray()));
            answered |= said.hasAdmitted() || said.hasRefused();
            complete |= said.hasGroupReady() || said.hasRefused();
            look();
        }

        @Override
        public void tick() {
            listener.tick();
        }

        @Override
        public long tickMs() {
            return listener.tickMs();
        }

        @Override
        public void ended(String reason) {
            if (!ended) {
                ended = true;
                listener.ended(reason);
                look();
            }
        }

        @Override
        public InetSocketAddress local() {
            return inner.local();
        }

        @Override
        public InetSocketAddress remote() {
            return inner.remote();
        }

        @Override
        public void close() {
            inner.close();
        }
    }

    /** A transport whose engine gets turns in place of the background driver's. */
    private final class AttendedTransport implements Transport {
        private Transport inner;
        private Engine engine;
        private Path[] relayed;
        private int epoch;
        private boolean closed;
        private boolean turnDue;

        /** What the background driver does. */
        private void turnSoon() {
            if (engine != null && !turnDue && !closed) {
                turnDue = true;
                time.after(0, () -> host.whenRunning(this::turn));
            }
        }

        private void turn() {
            turnDue = false;
            if (!closed && !host.isDead()) {
                engine.tryTurn();
            }
        }

        private void turnNowAndThen() {
            if (!closed && !host.isDead()) {
                host.whenRunning(this::turn);
                time.after(TURN_NS, this::turnNowAndThen);
            }
        }

        @Override
        public List<Candidate> candidates() {
            return inner.candidates();
        }

        @Override
        public int rendezvousPort() {
            return inner.rendezvousPort();
        }

        @Override
        public void attach(RelayAddress relay, String session, int rank, byte[] ticket, long deadlineNs) {
            AttendedControl control = latest;
            try {
                inner.attach(relay, session, rank, ticket, deadlineNs);
            } catch (ZipException e) {
                // The relay may say on the control connection why.
                control.await(() -> control.complete, time.nowNs() + ANSWER_NS);
                throw e;
            }
            control.await(() -> control.complete, control.joinUntilNs);
        }

        @Override
        public void start(GroupView view, PathEvents events) {
            engine = (Engine) events;
            epoch = view.epoch();
            relayed = new Path[view.size()];
            inner.start(view, plant.events(host, events));
            time.after(TURN_NS, this::turnNowAndThen);
        }

        @Override
        public void detached(int number, String reason) {
            inner.detached(number, reason);
        }

        @Override
        public void relayOver() {
            inner.relayOver();
        }

        @Override
        public void relayRestarted(long timeoutNs) {
            inner.relayRestarted(timeoutNs);
        }

        @Override
        public void relayRestored() {
            inner.relayRestored();
        }

        @Override
        public Path relayed(int peer) {
            Path path = inner.relayed(peer);
            if (path == null || plant == Plant.NONE) {
                return path;
            }
            if (relayed[peer] == null) {
                relayed[peer] = plant.relayed(host, epoch, path);
            }
            return relayed[peer];
        }

        @Override
        public Path hub() {
            return inner.hub();
        }

        @Override
        public void connect(int peer) {
            inner.connect(peer);
        }

        @Override
        public void punch(int peer, long atNs, long roundTripNs) {
            inner.punch(peer, atNs, roundTripNs);
        }

        @Override
        public boolean isConnecting() {
            return inner.isConnecting();
        }

        @Override
        public int poll() {
            return inner.poll();
        }

        @Override
        public int await(long timeoutNs, BooleanSupplier wakeupDue) {
            return inner.await(timeoutNs, wakeupDue);
        }

        @Override
        public void wakeup() {
            inner.wakeup();
        }

        @Override
        public boolean hasOutput() {
            return inner.hasOutput();
        }

        @Override
        public boolean isDrivenInBackground() {
            return false;
        }

        @Override
        public void leave() {
            inner.leave();
        }

        @Override
        public TransportCounters counters() {
            return inner.counters();
        }

        @Override
        public void close() {
            closed = true;
            inner.close();
        }
    }
}
