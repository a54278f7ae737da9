package io.zipcomm.transport.tcp;

import io.zipcomm.transport.RelayAddress;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Connects to one of several addresses of a host. Each has a moment before the next is tried beside it, addresses of the two
 * kinds in turn; the first that connects counts. So one that does not answer costs that moment only.
 */
final class AddressRace {

    /** Head start of an address before the next one. */
    static final long HEAD_START_NS = 250_000_000;

    private final Poller poller;
    private final RelayAddress relay;
    private final int localPort;
    private final long deadlineNs;
    private final List<InetSocketAddress> left;
    private final List<Runner> running = new ArrayList<>();
    private final StringBuilder problems = new StringBuilder();
    private long nextNs;

    private AddressRace(
            Poller poller, RelayAddress relay, List<InetSocketAddress> addresses, int localPort, long deadlineNs) {
        this.localPort = localPort;
        this.poller = poller;
        this.relay = relay;
        this.deadlineNs = deadlineNs;
        left = inTurn(addresses);
    }

    /**
     * Connects, blocking.
     *
     * @param addresses one or more
     * @param localPort where from, if that is free; 0 for anywhere
     * @throws IOException if none connects before the deadline
     */
    static Runner connect(
            Poller poller, RelayAddress relay, List<InetSocketAddress> addresses, int localPort, long deadlineNs)
            throws IOException {
        AddressRace race = new AddressRace(poller, relay, addresses, localPort, deadlineNs);
        Runner winner = null;
        try {
            winner = race.run();
            return winner;
        } finally {
            for (Runner one : race.running) {
                if (one != winner) {
                    one.socket.close();
                }
            }
        }
    }

    /** The order of the resolver, except that addresses of IPv4 and IPv6 alternate. */
    static List<InetSocketAddress> inTurn(List<InetSocketAddress> addresses) {
        List<InetSocketAddress> first = new ArrayList<>();
        List<InetSocketAddress> second = new ArrayList<>();
        for (InetSocketAddress address : addresses) {
            boolean like = isV4(address) == isV4(addresses.get(0));
            (like ? first : second).add(address);
        }
        List<InetSocketAddress> order = new ArrayList<>();
        for (int i = 0; i < addresses.size(); i++) {
            if (i < first.size()) {
                order.add(first.get(i));
            }
            if (i < second.size()) {
                order.add(second.get(i));
            }
        }
        return order;
    }

    private static boolean isV4(InetSocketAddress address) {
        InetAddress literal = address.getAddress();
        return literal instanceof Inet4Address;
    }

    private Runner run() throws IOException {
        nextNs = poller.nanoTime();
        while (true) {
            long nowNs = poller.nanoTime();
            if (!left.isEmpty() && (running.isEmpty() || nowNs - nextNs >= 0)) {
                begin(left.remove(0));
                nextNs = nowNs + HEAD_START_NS;
            }
            Runner winner = look();
            if (winner != null) {
                winner.socket.interest(false, false);
                return winner;
            }
            if (running.isEmpty()) {
                if (left.isEmpty()) {
                    throw new IOException(problems.toString());
                }
                continue;
            }
            if (deadlineNs - nowNs <= 0) {
                throw new IOException(
                        problems + (problems.length() == 0 ? "" : "; ") + "no answer from " + addresses());
            }
            long untilNs = left.isEmpty() ? deadlineNs : Math.min(nextNs - deadlineNs, 0) + deadlineNs;
            RelaySockets.await(poller, relay, untilNs - nowNs);
        }
    }

    private void begin(InetSocketAddress address) {
        Runner runner = new Runner(address);
        try {
            runner.socket = open(address, runner);
            running.add(runner);
            runner.socket.interest(false, true);
        } catch (IOException e) {
            note(runner, e);
        }
    }

    private StreamSocket open(InetSocketAddress address, Runner runner) throws IOException {
        boolean loopback = address.getAddress().isLoopbackAddress();
        if (localPort != 0) {
            try {
                return poller.connect(address, localPort, loopback, runner);
            } catch (IOException e) {
                // An earlier connection from there to the same relay may not be forgotten yet.
                org.slf4j.LoggerFactory.getLogger(AddressRace.class).debug("not from port {}", localPort, e);
            }
        }
        return poller.connect(address, 0, loopback, runner);
    }

    /** The one that is connected, if there is one; those that failed are out. */
    private Runner look() {
        for (int i = running.size() - 1; i >= 0; i--) {
            Runner one = running.get(i);
            if (one.connected) {
                return one;
            }
            if (one.problem != null) {
                note(one, one.problem);
                one.socket.close();
                running.remove(i);
            }
        }
        return null;
    }

    private void note(Runner runner, IOException problem) {
        problems.append(problems.length() == 0 ? "" : "; ")
                .append(runner.address.getAddress().getHostAddress())
                .append(": ")
                .append(Poller.describe(problem));
    }

    private String addresses() {
        StringBuilder text = new StringBuilder();
        for (Runner one : running) {
            text.append(text.length() == 0 ? "" : ", ")
                    .append(one.address.getAddress().getHostAddress());
        }
        return text.toString();
    }

    /** An attempt; the one that wins hands on what the poller tells it. */
    static final class Runner implements StreamSocket.Listener {
        private final InetSocketAddress address;
        private StreamSocket socket;
        private StreamSocket.Listener above;
        private boolean connected;
        private IOException problem;

        Runner(InetSocketAddress address) {
            this.address = address;
        }

        StreamSocket socket() {
            return socket;
        }

        /** Who is told from now on. */
        void above(StreamSocket.Listener listener) {
            above = listener;
        }

        @Override
        public void ready(boolean readable, boolean writable) {
            if (above != null) {
                above.ready(readable, writable);
            } else if (!connected) {
                try {
                    connected = socket.finishConnect();
                } catch (IOException e) {
                    problem = e;
                }
            }
        }
    }
}
