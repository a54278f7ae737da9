package io.zipcomm.relay.admin;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.relay.RelayOption;
import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.relay.RelayStats;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/** A relay's metrics: counters that it keeps anyway, read when somebody asks. One thread, but for the timers. */
final class RelayMetrics implements AutoCloseable {

    private static final Duration[] BUCKETS = {
        Duration.ofMillis(10),
        Duration.ofMillis(100),
        Duration.ofSeconds(1),
        Duration.ofSeconds(10),
        Duration.ofMinutes(1),
        Duration.ofMinutes(10),
        Duration.ofHours(1)
    };

    private final RelayServer relay;
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics collections = new JvmGcMetrics();

    /** What a scrape shows is of one moment, about. */
    private RelayStats stats;

    RelayMetrics(RelayServer relay) {
        this.relay = relay;
        stats = relay.stats();
        gauges();
        counters();
        limits();
        Timer gathering = timer("zip.relay.gathering", "From a session's first rank to its group being complete");
        Timer session = timer("zip.relay.session", "Life of a session");
        relay.observe(ns -> gathering.record(ns, TimeUnit.NANOSECONDS), ns -> session.record(ns, TimeUnit.NANOSECONDS));
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        collections.bindTo(registry);
    }

    private void gauges() {
        gauge("connections", "Connections open", RelayStats::connections);
        gauge("handshakes", "Connections open that have not said who they are", RelayStats::handshakes);
        gauge("sessions", "Sessions, complete or gathering", RelayStats::sessions);
        gauge("ranks", "Ranks in sessions", RelayStats::ranks);
        gauge("waiting.bytes", "Bytes that wait for ranks that do not read", RelayStats::bytesWaiting);
        gauge(
                "waiting.memory.bytes",
                "Memory that these hold, and that collectives in the relay take beside them",
                RelayStats::waitingMemory);
        gauge(
                "under.way.bytes",
                "Memory under way in data connections, coming in or going out",
                RelayStats::bytesUnderWay);
        gauge(
                "control.waiting.bytes",
                "Bytes of control messages that wait for ranks that do not read, or to come in whole",
                RelayStats::controlBytesWaiting);
        Gauge.builder("zip.relay.threads", relay, its -> its.settings().threads())
                .description("Event loops, which share the limits of memory evenly")
                .register(registry);
        gauge("draining", "1 if the relay takes no new sessions", now -> now.draining() ? 1 : 0);
        gauge("buffers", "Direct buffers in use, from Netty's pool", RelayStats::buffersInUse);
        gauge("buffer.bytes", "Bytes of these", RelayStats::bufferBytes);
    }

    private void counters() {
        counter("sessions.opened", "Sessions opened", RelayStats::sessionsOpened);
        counter("groups.completed", "Sessions whose ranks were all there", RelayStats::groupsCompleted);
        counter("forwarded.frames", "Frames taken in for ranks that were there", RelayStats::framesForwarded);
        counter("forwarded.bytes", "Bytes of these, headers included", RelayStats::bytesForwarded);
        counter("dropped.frames", "Frames for ranks that were gone", RelayStats::framesDropped);
        counter("defects", "Connections closed for a fault of the relay itself", RelayStats::defects);
        gone("left", RelayStats::membersLeft);
        gone("lost", RelayStats::membersLost);
        gone("expelled", RelayStats::membersExpelled);
        for (ErrorCode code : ErrorCode.values()) {
            FunctionCounter.builder(
                            "zip.relay.refusals",
                            this,
                            self -> self.stats.refusals().getOrDefault(code, 0L))
                    .description("Connections turned away and ranks expelled")
                    .tag("code", code.name())
                    .register(registry);
        }
    }

    private void limits() {
        Map<RelayOption, ToDoubleFunction<RelaySettings>> values = limitValues();
        for (RelayOption option : values.keySet()) {
            ToDoubleFunction<RelaySettings> value = values.get(option);
            Gauge.builder("zip.relay.limit", this, self -> value.applyAsDouble(self.relay.settings()))
                    .description("The limit, in the unit of its option")
                    .tag("limit", option.key())
                    .register(registry);
            FunctionCounter.builder(
                            "zip.relay.limit.reached",
                            this,
                            self -> self.stats.limitsReached().getOrDefault(option, 0L))
                    .description("How often somebody was refused, expelled or slowed down for the limit")
                    .tag("limit", option.key())
                    .register(registry);
        }
    }

    /** Every option that is a limit, and what it is. */
    static Map<RelayOption, ToDoubleFunction<RelaySettings>> limitValues() {
        Map<RelayOption, ToDoubleFunction<RelaySettings>> values = new EnumMap<>(RelayOption.class);
        values.put(RelayOption.CONNECTIONS_MAX, RelaySettings::connectionsMax);
        values.put(RelayOption.ADDRESS_CONNECTIONS_MAX, now -> now.limits().addressConnectionsMax());
        values.put(RelayOption.HANDSHAKES_MAX, now -> now.limits().handshakesMax());
        values.put(RelayOption.ADDRESS_HANDSHAKES_MAX, now -> now.limits().addressHandshakesMax());
        values.put(
                RelayOption.ADDRESS_HANDSHAKES_PER_SECOND, now -> now.limits().addressHandshakesPerSecond());
        values.put(RelayOption.SESSIONS_MAX, RelaySettings::sessionsMax);
        values.put(RelayOption.RANKS_MAX, RelaySettings::ranksMax);
        values.put(RelayOption.RANK_BYTES_PER_SECOND, now -> now.limits().rankBytesPerSecond());
        values.put(RelayOption.SESSION_BYTES_PER_SECOND, now -> now.limits().sessionBytesPerSecond());
        values.put(RelayOption.CONTROL_MESSAGES_PER_SECOND, now -> now.limits().controlMessagesPerSecond());
        values.put(RelayOption.CONTROL_WAITING_MAX, now -> now.limits().controlWaitingMax());
        values.put(RelayOption.CONTROL_MEMORY, now -> now.limits().controlMemory());
        values.put(RelayOption.FRAGMENT_BYTES_MAX, RelaySettings::fragmentBytesMax);
        values.put(RelayOption.CONTROL_BYTES_MAX, RelaySettings::controlBytesMax);
        values.put(RelayOption.SESSION_MEMORY, RelaySettings::sessionMemoryBytes);
        values.put(RelayOption.MEMORY, RelaySettings::memoryBytes);
        values.put(RelayOption.HUB_OPERATIONS_MAX, RelaySettings::hubOperationsMax);
        values.put(
                RelayOption.SLOW_CONSUMER_TIMEOUT,
                now -> now.limits().slowConsumerTimeout().toMillis());
        values.put(RelayOption.HANDSHAKE_TIMEOUT, now -> now.handshakeTimeout().toMillis());
        values.put(RelayOption.JOIN_TIMEOUT_MAX, now -> now.joinTimeoutMax().toMillis());
        values.put(RelayOption.HEARTBEAT_TIMEOUT, now -> now.heartbeatTimeout().toMillis());
        values.put(RelayOption.RESUME_GRACE, now -> now.resumeGrace().toMillis());
        values.put(RelayOption.SESSION_IDLE_MAX, now -> now.sessionIdleMax().toMillis());
        return values;
    }

    private void gauge(String name, String meaning, ToDoubleFunction<RelayStats> value) {
        Gauge.builder("zip.relay." + name, this, self -> value.applyAsDouble(self.stats))
                .description(meaning)
                .register(registry);
    }

    private void counter(String name, String meaning, ToDoubleFunction<RelayStats> value) {
        FunctionCounter.builder("zip.relay." + name, this, self -> value.applyAsDouble(self.stats))
                .description(meaning)
                .register(registry);
    }

    private void gone(String cause, ToDoubleFunction<RelayStats> value) {
        FunctionCounter.builder("zip.relay.members.gone", this, self -> value.applyAsDouble(self.stats))
                .description("Members of complete groups that are gone")
                .tag("cause", cause)
                .register(registry);
    }

    private Timer timer(String name, String meaning) {
        return Timer.builder(name)
                .description(meaning)
                .serviceLevelObjectives(BUCKETS)
                .register(registry);
    }

    /** All metrics, in the text format of Prometheus. */
    String scrape() {
        stats = relay.stats();
        return registry.scrape();
    }

    @Override
    public void close() {
        collections.close();
        registry.close();
    }
}
