package io.zipcomm.transport.tcp;

import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.agrona.BufferUtil;

/**
 * Makes a connection behave as if something on the way had forgotten it: a filter on its socket drops every packet that
 * comes before TCP sees it, so nothing is acknowledged, answered or reset. Needs no privilege.
 */
final class BlackHole {

    private static final int SOL_SOCKET = 1;
    private static final int SO_ATTACH_FILTER = 26;

    /** struct sock_fprog on 64 bits: a count of two bytes, then a pointer. */
    private static final int PROGRAM_BYTES = 16;

    private static final int PROGRAM_ADDRESS = 8;

    /** One instruction: return 0, keep nothing of the packet. */
    private static final ByteBuffer DROP =
            ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder()).putShort(0, (short) 6);

    private BlackHole() {}

    /** Lets nothing come in any more. The connection's sockets must be of the epoll implementation. */
    static void swallow(FrameStream connection) {
        swallow(connection.socket());
    }

    /** As {@link #swallow(FrameStream)}, of a socket. */
    static void swallow(StreamSocket socket) {
        ByteBuffer program = ByteBuffer.allocateDirect(PROGRAM_BYTES).order(ByteOrder.nativeOrder());
        program.putShort(0, (short) 1).putLong(PROGRAM_ADDRESS, BufferUtil.address(DROP));
        try {
            int descriptor = ((EpollIoHandle) socket).fd().intValue();
            new Socket(descriptor).setRawOpt(SOL_SOCKET, SO_ATTACH_FILTER, program);
        } catch (IOException e) {
            throw new IllegalStateException("a filter could not be set", e);
        }
    }
}
