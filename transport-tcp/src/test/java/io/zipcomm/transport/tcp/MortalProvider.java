package io.zipcomm.transport.tcp;

import com.google.protobuf.InvalidProtocolBufferException;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Capabilities;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.Transport;
import io.zipcomm.transport.TransportProvider;
import io.zipcomm.wire.proto.ToRank;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** One rank's way to its group, by real sockets, of which the control connections are in the test's hands. */
final class MortalProvider implements TransportProvider {

    private static final long REFUSAL_S = 30;

    private final TcpTransportProvider real = new TcpTransportProvider();
    private final List<Channel> channels = new ArrayList<>();
    private volatile boolean frozen;
    private volatile boolean freezesInOpening;

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

    /** Stands still like that when it opens the next connection, until the relay says on another one that its place is gone. */
    void freezeInNextOpening() {
        freezesInOpening = true;
    }

    private void awaitRefusal() {
        freeze();
        try {
            for (Channel one : all()) {
                if (!one.ears.refused.await(REFUSAL_S, TimeUnit.SECONDS)) {
                    throw new AssertionError("the relay has refused nobody");
                }
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
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
        if (freezesInOpening) {
            freezesInOpening = false;
            awaitRefusal();
        }
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
        private final CountDownLatch refused = new CountDownLatch(1);
        private volatile boolean deaf;

        Ears(ControlChannel.Listener rank) {
            this.rank = rank;
        }

        @Override
        public void message(ByteBuffer bytes) {
            if (deaf) {
                return;
            }
            boolean refusal;
            try {
                refusal = ToRank.parseFrom(bytes.duplicate()).hasRefused();
            } catch (InvalidProtocolBufferException e) {
                throw new AssertionError(e);
            }
            rank.message(bytes);
            if (refusal) {
                refused.countDown();
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
