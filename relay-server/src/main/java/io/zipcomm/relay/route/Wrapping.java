package io.zipcomm.relay.route;

import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelPipeline;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The layers around what is said on one connection: none, or TLS, WebSocket, or both. Event loop only. */
public final class Wrapping {

    private final Unwrapper[] layers;

    /** Those that are there now. Whoever is at the other end is known from here on. */
    public Wrapping(ChannelPipeline pipeline) {
        List<Unwrapper> found = new ArrayList<>(2);
        for (Map.Entry<String, ChannelHandler> handler : pipeline) {
            if (handler.getValue() instanceof Unwrapper layer) {
                layer.known();
                found.add(layer);
            }
        }
        layers = found.toArray(new Unwrapper[0]);
    }

    /** Memory of what has come in and is not whole: nobody behind the layers has seen any of it. */
    public long keptBytes() {
        long bytes = 0;
        for (Unwrapper layer : layers) {
            bytes += layer.keptBytes();
        }
        return bytes;
    }
}
