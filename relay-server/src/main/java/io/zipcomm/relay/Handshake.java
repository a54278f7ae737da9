package io.zipcomm.relay;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.ScheduledFuture;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.Join;
import io.zipcomm.wire.proto.ToRelay;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection of which nothing is known yet. Its first message must be a Join or an Attach and come soon; it says which
 * session and thereby which event loop the connection belongs to.
 */
@SuppressWarnings("FutureReturnValueIgnored") // see the package's description
final class Handshake extends ChannelInboundHandlerAdapter {

    private static final Logger log = LoggerFactory.getLogger(Handshake.class);

    private final RelaySettings settings;
    private final Counters counters;
    private final Admission admission;
    private final Function<String, Shard> shards;
    private final ControlReader reader;
    private final boolean surplus;

    /** What came in behind the first message before the next handler was there to take it. */
    private final List<ByteBuf> early = new ArrayList<>();

    private ChannelHandlerContext context;
    private ScheduledFuture<?> deadline;
    private boolean decided;

    /** Made for each connection; {@code shards} finds that of a session by name; a surplus one is turned away. */
    Handshake(
            RelaySettings settings,
            Counters counters,
            Admission admission,
            Function<String, Shard> shards,
            boolean surplus) {
        this.surplus = surplus;
        this.settings = settings;
        this.counters = counters;
        this.admission = admission;
        this.shards = shards;
        reader = new ControlReader(settings.controlBytesMax());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
        long timeoutMs = settings.handshakeTimeout().toMillis();
        deadline = added.executor()
                .schedule(
                        () -> refuse(new Refusal(ErrorCode.LIMIT, "no message within " + timeoutMs + " ms")),
                        timeoutMs,
                        TimeUnit.MILLISECONDS);
    }

    @Override
    public void channelActive(ChannelHandlerContext opened) {
        if (surplus) {
            refuse(new Refusal(
                    ErrorCode.LIMIT,
                    "there are " + settings.connectionsMax() + " connections, and no more are allowed"));
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext removed) {
        deadline.cancel(false);
        early.forEach(ByteBuf::release);
        early.clear();
    }

    @Override
    public void channelRead(ChannelHandlerContext from, Object message) {
        ByteBuf in = (ByteBuf) message;
        if (decided) {
            early.add(in);
            return;
        }
        try {
            ToRelay first = reader.next(in);
            if (first != null) {
                decided = true;
                deadline.cancel(false);
                early.add(in.retain());
                decide(first);
            }
        } catch (ControlReader.Violation e) {
            refuse(e.refusal());
        } finally {
            in.release();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext from, Throwable cause) {
        if (!(cause instanceof IOException)) {
            log.error("defect in the relay: {} is closed", from.channel().remoteAddress(), cause);
        }
        from.close();
    }

    private void decide(ToRelay first) {
        switch (first.getMessageCase()) {
            case JOIN -> decide(first.getJoin());
            case ATTACH -> decide(first.getAttach());
            default ->
                refuse(new Refusal(
                        ErrorCode.PROTOCOL, "first message " + first.getMessageCase() + ": expected JOIN or ATTACH"));
        }
    }

    private void decide(Join join) {
        Refusal refusal = admission.check(join);
        if (refusal != null) {
            refuse(refusal);
            return;
        }
        Shard shard = shards.apply(join.getSession());
        moveTo(shard, () -> {
            ControlConnection control = new ControlConnection(context.channel(), settings.controlBytesMax());
            context.pipeline().replace(this, null, control);
            Refusal late = shard.join(control, join);
            if (late != null) {
                note(late);
                control.refuse(late);
            }
        });
    }

    private void decide(Attach attach) {
        if (attach.getVersion() != Frame.VERSION) {
            refuse(new Refusal(
                    ErrorCode.VERSION_MISMATCH,
                    "this relay speaks version " + Frame.VERSION + ", the rank " + attach.getVersion()));
            return;
        }
        Shard shard = shards.apply(attach.getSession());
        moveTo(shard, () -> {
            Refusal late = shard.attach(context.channel(), attach);
            if (late != null) {
                refuse(late);
            }
        });
    }

    /** Serves the connection in the event loop of its session from now on. */
    private void moveTo(Shard shard, Runnable step) {
        if (shard.loop().inEventLoop()) {
            finish(step);
            return;
        }
        var channel = context.channel();
        channel.config().setAutoRead(false);
        // Not within this read: the event loop is in the middle of serving the channel.
        channel.eventLoop()
                .execute(() -> channel.deregister()
                        .addListener(left -> shard.loop().register(channel).addListener(arrived -> {
                            if (arrived.isSuccess()) {
                                finish(step);
                                channel.config().setAutoRead(true);
                            } else {
                                // Nobody removes the handler of a channel that is not registered.
                                handlerRemoved(context);
                                channel.close();
                            }
                        })));
    }

    private void finish(Runnable step) {
        List<ByteBuf> behind = List.copyOf(early);
        behind.forEach(ByteBuf::retain);
        try {
            step.run();
        } catch (RuntimeException e) {
            behind.forEach(ByteBuf::release);
            context.channel().close();
            throw e;
        }
        // Whoever took this one's place gets what came behind the first message; what unwraps it has done its work.
        behind.forEach(context::fireChannelRead);
    }

    /** Says no and ends the connection. */
    void refuse(Refusal refusal) {
        note(refusal);
        Farewell.say(context.channel(), ControlWriter.frame(context.alloc(), ControlWriter.refused(refusal)));
    }

    private void note(Refusal refusal) {
        counters.refused(refusal.code());
        log.info("{} refused, {}", context.channel().remoteAddress(), refusal);
    }
}
