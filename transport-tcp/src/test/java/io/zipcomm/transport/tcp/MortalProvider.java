package io.zipcomm.transport.tcp;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportProvider;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One rank's way to its group, by real sockets, of which the control connections are in the test's hands. */
final class MortalProvider implements TransportProvider {

    private final TcpTransportProvider real = new TcpTransportProvider();
    private final List<Channel> channels = new ArrayList<>();
    private volatile boolean frozen;

    /** The relay sees this process die. */
    void die() {
        for (Channel one : all()) {
            one.close();
        }
    }

    /** Stands still until {@link #thaw}, as far as the relay can tell: says nothing, ends nothing, and opens nothing. */
    void freeze() {
        frozen = true;
        all().forEach(one -> one.frozen = true);
    }

    /** Goes on, on other connections. */
    void thaw() {
        frozen = false;
        all().forEach(Channel::closeIfFrozen);
    }

    /** Is cut off: what the connections that are open say from now on comes through in neither direction. */
    void cutOff() {
        for (Channel one : all()) {
            one.frozen = true;
            one.ears.deaf = true;
        }
    }

    private synchronized List<Channel> all() {
        return List.copyOf(channels);
    }

    @Override
    public Transport open(ZipSettings settings) {
        return real.open(settings);
    }

    @Override
    public ControlChannel openControl(
            ZipSettings settings,
            RelayAddress relay,
            int localPort,
            ControlChannel.Listener listener,
            long deadlineNs,
            boolean patient) {
        if (frozen) {
            throw new ZipException(ErrorCode.RELAY_UNREACHABLE, "frozen");
        }
        Ears ears = new Ears(listener);
        Channel channel = new Channel(real.openControl(settings, relay, localPort, ears, deadlineNs, patient), ears);
        synchronized (this) {
            channels.add(channel);
        }
        return channel;
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

    /** Hears what the relay says, unless it is cut off. */
    private static final class Ears implements ControlChannel.Listener {
        private final ControlChannel.Listener rank;
        private volatile boolean deaf;

        Ears(ControlChannel.Listener rank) {
            this.rank = rank;
        }

        @Override
        public void message(ByteBuffer bytes) {
            if (!deaf) {
                rank.message(bytes);
            }
        }

        @Override
        public long tickMs() {
            return rank.tickMs();
        }

        @Override
        public void tick() {
            rank.tick();
        }

        @Override
        public void ended(String reason) {
            if (!deaf) {
                rank.ended(reason);
            }
        }
    }

    private static final class Channel implements ControlChannel {
        private final ControlChannel channel;
        private final Ears ears;
        private volatile boolean frozen;

        Channel(ControlChannel channel, Ears ears) {
            this.channel = channel;
            this.ears = ears;
        }

        @Override
        public void send(byte[] message) {
            if (!frozen) {
                channel.send(message);
            }
        }

        @Override
        public InetSocketAddress local() {
            return channel.local();
        }

        @Override
        public InetSocketAddress remote() {
            return channel.remote();
        }

        @Override
        public void close() {
            if (!frozen || ears.deaf) {
                channel.close();
            }
        }

        void closeIfFrozen() {
            if (frozen) {
                channel.close();
            }
        }
    }
}
