package io.zipcomm.bench.doctor;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.internal.MembershipClient;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.ProxyAddress;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.TransportProvider;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;

/** Visits every address of every relay, as ranks do: through proxy, TLS and WebSocket where they are asked for. */
final class RelayLook {

    private static final int ECHOES = 5;
    private static final Duration ECHO_TIMEOUT = Duration.ofSeconds(3);
    private static final double NS_PER_MS = 1e6;

    private final Report report;
    private final TransportProvider provider;
    private final Examination examination;
    private final String session;
    private final LongSupplier clock;
    private final ProxyAddress proxy;
    private final List<Asked> asked = new ArrayList<>();

    /** One address, and what came of it: a visit, or a problem. */
    private static final class Asked {
        private final RelayAddress relay;
        private final RelayAddress address;
        private final boolean proxied;
        private Visit visit;
        private String text;

        /** It answers, though it does not admit. */
        private boolean answers;

        private boolean wrong;

        Asked(RelayAddress relay, RelayAddress address, boolean proxied) {
            this.relay = relay;
            this.address = address;
            this.proxied = proxied;
        }
    }

    RelayLook(Report report, TransportProvider provider, Examination examination, String session, LongSupplier clock) {
        this.report = report;
        this.provider = provider;
        this.examination = examination;
        this.session = session;
        this.clock = clock;
        proxy = examination.settings(session, 1, 0).build().access().proxy().orElse(null);
    }

    /**
     * Looks at all of them.
     *
     * @param localPort where to come from
     * @return those that admitted this process, to be closed by the caller
     */
    List<Visit> look(int localPort) {
        for (RelayAddress relay : examination.relays()) {
            addresses(relay);
        }
        for (int i = 0; i < asked.size(); i++) {
            if (asked.get(i).text == null) {
                ask(asked.get(i), localPort, i);
            }
        }
        asked.forEach(this::tell);
        return asked.stream()
                .map(one -> one.visit)
                .filter(visit -> visit != null)
                .toList();
    }

    /** Whether a relay can be reached, also by those whom it does not admit. */
    boolean anyAnswers() {
        return asked.stream().anyMatch(one -> one.answers);
    }

    /** Visits a relay once more. Throws what {@link MembershipClient#visit} does. */
    Visit again(Visit before, int localPort) {
        return visit(before.relay(), before.proxied(), localPort, asked.size());
    }

    private void addresses(RelayAddress relay) {
        if (proxy != null && proxy.serves(relay)) {
            // It resolves the name.
            asked.add(new Asked(relay, relay, true));
            return;
        }
        try {
            for (InetAddress address : InetAddress.getAllByName(relay.host())) {
                asked.add(new Asked(relay, relay.at(address.getHostAddress()), false));
            }
        } catch (UnknownHostException e) {
            Asked unknown = new Asked(relay, relay, false);
            unknown.text = RelayTrouble.of("unknown host " + relay.host());
            unknown.wrong = true;
            asked.add(unknown);
        }
    }

    private Visit visit(RelayAddress address, boolean proxied, int localPort, int rank) {
        ZipSettings settings =
                examination.settings(session, asked.size() + 1, rank).build();
        return new Visit(address, MembershipClient.visit(settings, address, provider, localPort, clock), proxied);
    }

    private void ask(Asked one, int localPort, int rank) {
        long beganNs = clock.getAsLong();
        try {
            one.visit = visit(one.address, one.proxied, localPort, rank);
            double tookMs = (clock.getAsLong() - beganNs) / NS_PER_MS;
            one.answers = true;
            one.text = String.format(
                    Locale.ROOT,
                    "reachable; %s; %s, connected and admitted in %.0f ms",
                    roundTrip(one.visit.client()),
                    way(one.relay.scheme(), one.visit),
                    tookMs);
        } catch (ZipException e) {
            boolean unreachable = e.code() == ErrorCode.RELAY_UNREACHABLE && e.awaited() == null;
            boolean tokenMissing =
                    e.code() == ErrorCode.UNAUTHORIZED && examination.token().isEmpty();
            one.answers = !unreachable;
            one.wrong = !tokenMissing;
            one.text = unreachable
                    ? RelayTrouble.of(e.getMessage())
                    : "reachable by " + way(one.relay.scheme(), null) + "; "
                            + (tokenMissing ? "it wants a token" : "admission: REFUSED: " + e.getMessage());
        }
    }

    private static String roundTrip(MembershipClient client) {
        long[] ns = IntStream.range(0, ECHOES)
                .mapToObj(i -> client.roundTripNs(ECHO_TIMEOUT.toNanos()))
                .filter(OptionalLong::isPresent)
                .mapToLong(OptionalLong::getAsLong)
                .sorted()
                .toArray();
        return ns.length == 0
                ? "round trip unknown: nothing came back in " + ECHO_TIMEOUT.toMillis() + " ms"
                : String.format(
                        Locale.ROOT,
                        "round trip %.2f ms (median of %d, least %.2f)",
                        ns[ns.length / 2] / NS_PER_MS,
                        ns.length,
                        ns[0] / NS_PER_MS);
    }

    private String way(RelayAddress.Scheme scheme, Visit visit) {
        String way = switch (scheme) {
            case ZIP -> "plain TCP";
            case ZIPS -> "TLS";
            case WS -> "WebSocket";
            case WSS -> "WebSocket in TLS";
        };
        if (visit == null) {
            return way;
        }
        return visit.proxied()
                ? way + " through the proxy at " + proxy + ", which is reached over " + visit.family()
                : way + " over " + visit.family();
    }

    private void tell(Asked one) {
        List<Asked> same =
                asked.stream().filter(other -> other.relay.equals(one.relay)).toList();
        String topic = "relay " + one.relay + (same.size() == 1 ? "" : " at " + one.address.host());
        boolean spared = !one.relay.eachAddress() && same.stream().anyMatch(other -> other.answers && !other.wrong);
        if (!one.wrong) {
            report.say(topic, one.text);
        } else if (spared) {
            report.say(topic, one.text + "; another address of this name serves");
        } else {
            report.wrong(topic, one.text);
        }
    }
}
