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

    /** Refused connections that may wait for their peer to read why; above it, they are closed at once. */
    private static final int SURPLUS_MAX = 256;

    private final RelayState state;
    private final Function<String, Shard> shards;
    private final Gate.Pass pass;
    private final ControlReader reader;

    /** What came in behind the first message before the next handler was there to take it. */
    private final List<ByteBuf> early = new ArrayList<>();

    private ChannelHandlerContext context;
    private ScheduledFuture<?> deadline;
    private boolean decided;

    /** Made for each connection; {@code shards} finds that of a session by name; the pass says whether it may stay. */
    Handshake(RelayState state, Function<String, Shard> shards, Gate.Pass pass) {
        this.state = state;
        this.shards = shards;
        this.pass = pass;
        reader = new ControlReader(state.settings().controlBytesMax());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
        long timeoutMs = state.settings().handshakeTimeout().toMillis();
        deadline = added.executor()
                .schedule(
                        () -> turnDown(
                                Refusal.limit(RelayOption.HANDSHAKE_TIMEOUT, "no message within " + timeoutMs + " ms")),
                        timeoutMs,
                        TimeUnit.MILLISECONDS);
    }

    @Override
    public void channelActive(ChannelHandlerContext opened) {
        if (pass.refusal() != null) {
            turnAway(opened);
        }
    }

    /** Others want this one's place. */
    void makeRoom() {
        turnDown(pass.refusal());
    }

    /** Says no, if it has not been said. Who has said in the meantime who it is stays. */
    void turnDown(Refusal refusal) {
        if (!decided) {
            decided = true;
            refuse(refusal);
        }
    }

    /** Nobody counts this connection, so there must not be many that wait for their end. */
    private void turnAway(ChannelHandlerContext surplus) {
        if (Counters.takeOne(state.counters().surplus, SURPLUS_MAX)) {
            surplus.channel()
                    .closeFuture()
                    .addListener(closed -> state.counters().surplus.decrementAndGet());
            refuse(pass.refusal());
        } else {
            note(pass.refusal());
            surplus.close();
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext removed) {
        deadline.cancel(false);
        pass.handshakeOver();
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
            state.counters().defect();
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
        RelayTokens.Verdict verdict = state.admission().check(join);
        if (verdict.refusal() != null) {
            refuse(verdict.refusal());
            return;
        }
        Shard shard = shards.apply(join.getSession());
        moveTo(shard, () -> {
            ControlConnection control =
                    new ControlConnection(context.channel(), state.settings(), shard.backlog(), state.counters());
            context.pipeline().replace(this, null, control);
            Refusal late = shard.join(control, join, verdict.grant());
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
            finish(shard, step);
            return;
        }
        var channel = context.channel();
        channel.config().setAutoRead(false);
        // Not within this read: the event loop is in the middle of serving the channel.
        channel.eventLoop()
                .execute(() -> channel.deregister()
                        .addListener(left -> shard.loop().register(channel).addListener(arrived -> {
                            if (arrived.isSuccess()) {
                                finish(shard, step);
                                channel.config().setAutoRead(true);
                            } else {
                                // Nobody removes the handler of a channel that is not registered.
                                handlerRemoved(context);
                                channel.close();
                            }
                        })));
    }

    private void finish(Shard shard, Runnable step) {
        if (shard.isClosed()) {
            // It knows nobody any more, but members may have places at the relay that comes after this one.
            context.channel().close();
            return;
        }
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
    private void refuse(Refusal refusal) {
        note(refusal);
        Farewell.say(context.channel(), ControlWriter.frame(context.alloc(), ControlWriter.refused(refusal)));
    }

    private void note(Refusal refusal) {
        state.counters().refused(refusal);
        String leftOut = LogBudget.STRANGERS.take();
        if (leftOut != null) {
            log.atInfo()
                    .addKeyValue("remote", context.channel().remoteAddress())
                    .addKeyValue("code", refusal.code())
                    .log("connection refused: {}{}", refusal.reason(), leftOut);
        }
    }
}
