package io.zipcomm.relay;

import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.socket.DuplexChannel;
import io.zipcomm.simulation.StreamEnd;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;

/** A connection that the relay has accepted, over one end of a simulated stream. It behaves as Netty's own socket channels do. */
final class SimulatedChannel extends AbstractChannel implements DuplexChannel {

    private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);

    private final SimulatedLoop loop;
    private final StreamEnd end;
    private final ChannelConfig config = new DefaultChannelConfig(this);
    private boolean open = true;
    private boolean outputShut;
    private boolean readPending;
    private boolean readDue;
    private boolean writeBlocked;

    SimulatedChannel(SimulatedLoop loop, StreamEnd end) {
        super(null);
        this.loop = loop;
        this.end = end;
    }

    /** From now on bytes are delivered. */
    void attend(java.util.function.Consumer<Runnable> whenRunning) {
        end.whenChanged(() -> whenRunning.accept(() -> loop.run(this::changed)));
    }

    private void changed() {
        if (open && writeBlocked && end.isWritable()) {
            writeBlocked = false;
            ((SimulatedUnsafe) unsafe()).flushNow();
        }
        if (open && readPending) {
            readSome();
        }
    }

    // ---- in

    @Override
    protected void doBeginRead() {
        readPending = true;
        if (end.isReadable() && !readDue) {
            readDue = true;
            loop.execute(() -> {
                readDue = false;
                if (open && readPending) {
                    readSome();
                }
            });
        }
    }

    private void readSome() {
        if (!end.isReadable()) {
            return;
        }
        ExtendedHandle handle = (ExtendedHandle) unsafe().recvBufAllocHandle();
        handle.reset(config);
        boolean ended = false;
        IOException failure = null;
        boolean any = false;
        try {
            do {
                ByteBuf bytes = handle.allocate(config.getAllocator());
                handle.attemptedBytesRead(bytes.writableBytes());
                int count;
                try {
                    count = readInto(bytes);
                } catch (IOException e) {
                    bytes.release();
                    failure = e;
                    break;
                }
                handle.lastBytesRead(count);
                if (count <= 0) {
                    bytes.release();
                    ended = count < 0;
                    break;
                }
                any = true;
                handle.incMessagesRead(1);
                readPending = false;
                pipeline().fireChannelRead(bytes);
            } while (open && config.isAutoRead() && handle.continueReading());
        } finally {
            handle.readComplete();
        }
        if (any || failure != null || ended) {
            pipeline().fireChannelReadComplete();
        }
        if (failure != null) {
            pipeline().fireExceptionCaught(failure);
        }
        if (open && (ended || failure != null)) {
            unsafe().close(voidPromise());
        }
    }

    private int readInto(ByteBuf bytes) throws IOException {
        ByteBuffer room = bytes.nioBuffer(bytes.writerIndex(), bytes.writableBytes());
        int count = end.read(room);
        if (count > 0) {
            bytes.writerIndex(bytes.writerIndex() + count);
        }
        return count;
    }

    // ---- out

    @Override
    protected void doWrite(ChannelOutboundBuffer in) throws IOException {
        while (true) {
            ByteBuf bytes = (ByteBuf) in.current();
            if (bytes == null) {
                return;
            }
            int wanted = bytes.readableBytes();
            int written = wanted == 0 ? 0 : end.write(bytes.nioBuffer());
            if (written == wanted) {
                in.remove();
            } else {
                in.progress(written);
                bytes.skipBytes(written);
                writeBlocked = true;
                return;
            }
        }
    }

    // ---- what it is

    @Override
    protected AbstractUnsafe newUnsafe() {
        return new SimulatedUnsafe();
    }

    private final class SimulatedUnsafe extends AbstractUnsafe {
        @Override
        public void connect(SocketAddress remote, SocketAddress local, ChannelPromise promise) {
            throw new UnsupportedOperationException("accepted channels only");
        }

        @Override
        protected void flush0() {
            if (!writeBlocked) {
                super.flush0();
            }
        }

        void flushNow() {
            super.flush0();
        }
    }

    @Override
    protected boolean isCompatible(EventLoop other) {
        return other == loop;
    }

    @Override
    protected SocketAddress localAddress0() {
        return end.local();
    }

    @Override
    protected SocketAddress remoteAddress0() {
        return end.remote();
    }

    @Override
    protected void doBind(SocketAddress address) {
        throw new UnsupportedOperationException("accepted channels only");
    }

    @Override
    protected void doDisconnect() {
        doClose();
    }

    @Override
    protected void doClose() {
        open = false;
        end.close();
    }

    @Override
    public ChannelConfig config() {
        return config;
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public boolean isActive() {
        return open;
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    public boolean isInputShutdown() {
        return !open;
    }

    @Override
    public ChannelFuture shutdownInput() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ChannelFuture shutdownInput(ChannelPromise promise) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean isOutputShutdown() {
        return outputShut;
    }

    @Override
    public ChannelFuture shutdownOutput() {
        return shutdownOutput(newPromise());
    }

    @Override
    public ChannelFuture shutdownOutput(ChannelPromise promise) {
        try {
            outputShut = true;
            end.shutdownOutput();
            promise.setSuccess();
        } catch (IOException e) {
            promise.setFailure(e);
        }
        return promise;
    }

    @Override
    public boolean isShutdown() {
        return !open;
    }

    @Override
    public ChannelFuture shutdown() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ChannelFuture shutdown(ChannelPromise promise) {
        throw new UnsupportedOperationException();
    }
}
