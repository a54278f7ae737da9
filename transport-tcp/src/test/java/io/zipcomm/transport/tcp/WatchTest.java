package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.FileDescriptor;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.Transport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Descriptors of others that end a sleep. */
final class WatchTest {

    private static final long LONG_NS = TimeUnit.SECONDS.toNanos(20);
    private static final long SHORT_NS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final ByteBuffer BYTE = ByteBuffer.allocateDirect(1);

    private Transport transport;
    private FileDescriptor[] pipe = new FileDescriptor[0];

    private void open(String io) throws IOException {
        transport = new TcpTransportProvider()
                .open(ZipSettings.builder()
                        .session("s")
                        .size(2)
                        .rank(0)
                        .set(Setting.IO, io)
                        .build());
        pipe = FileDescriptor.pipe();
    }

    @AfterEach
    void close() throws IOException {
        if (transport != null) {
            transport.close();
        }
        for (FileDescriptor end : pipe) {
            end.close();
        }
    }

    private long sleepNs(long ns) {
        long beganNs = System.nanoTime();
        transport.await(ns, () -> false);
        return System.nanoTime() - beganNs;
    }

    @Test
    void shouldEndASleepWhileItIsOn() throws Exception {
        assumeTrue(Epoll.isAvailable(), "no epoll");
        open("epoll");
        Transport.DescriptorWatch watch = transport.watch(pipe[0].intValue());
        watch.turn(true);
        assertTrue(sleepNs(SHORT_NS) >= SHORT_NS, "nothing is there to read");
        Thread writer = new Thread(() -> {
            try {
                TimeUnit.NANOSECONDS.sleep(SHORT_NS);
                pipe[1].write(BYTE.duplicate(), 0, 1);
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        writer.start();
        assertTrue(sleepNs(LONG_NS) < LONG_NS / 2);
        writer.join();
        // For as long as nobody reads it.
        assertTrue(sleepNs(LONG_NS) < LONG_NS / 2);
        watch.turn(false);
        assertTrue(sleepNs(SHORT_NS) >= SHORT_NS, "it is off");
        watch.turn(true);
        assertTrue(sleepNs(LONG_NS) < LONG_NS / 2, "what came meanwhile");
        watch.close();
        watch.close();
        watch.turn(true);
        assertTrue(sleepNs(SHORT_NS) >= SHORT_NS, "it is closed");
        assertEquals(1, pipe[0].read(ByteBuffer.allocateDirect(4), 0, 4), "and nothing was read");
    }

    @Test
    void shouldRefuseWhereThereIsNoEpollOrWhatCannotBeWaitedFor() throws Exception {
        open("nio");
        assertThrows(IOException.class, () -> transport.watch(pipe[0].intValue()));
        transport.close();
        assertThrows(IOException.class, () -> transport.watch(pipe[0].intValue()));
    }
}
