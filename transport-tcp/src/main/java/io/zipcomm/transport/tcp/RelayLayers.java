package io.zipcomm.transport.tcp;

import io.zipcomm.settings.RelayAccess;
import io.zipcomm.transport.ProxyAddress;
import io.zipcomm.transport.RelayAddress;
import java.io.IOException;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;

/**
 * Puts around a connection what a relay's address asks for, from the inside to the outside: the proxy's handshake, TLS,
 * WebSocket. A process that speaks to its relay plainly never loads any of it.
 */
final class RelayLayers {

    private final Poller poller;
    private final RelayAddress relay;
    private final AddressRace.Runner bottom;
    private final long deadlineNs;
    private LayeredSocket top;

    private RelayLayers(Poller poller, RelayAddress relay, AddressRace.Runner bottom, long deadlineNs) {
        this.poller = poller;
        this.relay = relay;
        this.bottom = bottom;
        this.deadlineNs = deadlineNs;
    }

    /**
     * Wraps a connection, blocking. It is closed if that fails.
     *
     * @param proxy    asked to connect; null if the connection is to the relay
     * @param listener of the whole
     */
    static StreamSocket wrap(
            Poller poller,
            RelayAccess access,
            ProxyAddress proxy,
            RelayAddress relay,
            AddressRace.Runner bottom,
            StreamSocket.Listener listener,
            long deadlineNs)
            throws IOException {
        RelayLayers layers = new RelayLayers(poller, relay, bottom, deadlineNs);
        boolean done = false;
        try {
            if (proxy != null) {
                layers.open(new ConnectProxySocket(layers.under(), proxy, relay), "proxy at " + proxy);
            }
            if (relay.scheme().isTls()) {
                layers.open(new TlsSocket(layers.under(), TlsContext.engine(access, relay)), "TLS handshake");
            }
            if (relay.scheme().isWebSocket()) {
                layers.open(new WebSocketSocket(layers.under(), relay), "WebSocket handshake");
            }
            layers.top.above(listener);
            done = true;
            return layers.top;
        } finally {
            if (!done) {
                layers.under().close();
            }
        }
    }

    private StreamSocket under() {
        return top == null ? bottom.socket() : top;
    }

    private void open(LayeredSocket layer, String phase) throws IOException {
        if (top == null) {
            bottom.above(layer);
        } else {
            top.above(layer);
        }
        top = layer;
        long beganNs = poller.nanoTime();
        try {
            while (!layer.handshake()) {
                long leftNs = deadlineNs - poller.nanoTime();
                if (leftNs <= 0) {
                    throw new IOException("no answer in " + (poller.nanoTime() - beganNs) / 1_000_000 + " ms");
                }
                layer.interest(true, false);
                RelaySockets.await(poller, relay, leftNs);
            }
            layer.interest(false, false);
        } catch (RelayRefusal e) {
            throw new RelayRefusal(phase + ": " + e.getMessage(), e);
        } catch (SSLException e) {
            String problem = phase + ": " + TlsProblem.of(e);
            // A connection that only ended may be that of a relay that is starting.
            throw e instanceof SSLHandshakeException || TlsProblem.isLasting(e)
                    ? new RelayRefusal(problem, e)
                    : new IOException(problem, e);
        } catch (IOException e) {
            throw new IOException(phase + ": " + e.getMessage(), e);
        }
    }
}
