package io.zipcomm.transport.tcp;

import io.zipcomm.transport.Transport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Unix domain socket by which other processes of this host end a sleep. That the poller has something to handle is all that
 * a ring does; its bytes are read and forgotten.
 */
final class UnixBell implements Transport.Bell {

    private static final Logger LOG = LoggerFactory.getLogger(UnixBell.class);

    /** What fits on every system: there is room for 108 bytes on Linux and 104 elsewhere, with a zero behind them. */
    static final int PATH_BYTES_MAX = 103;

    /**
     * Processes that are connected. A further one is closed, which has rung by connecting; closing another one instead could
     * lose its ring, since the platform's own sockets take bytes until the selector has let go of them.
     */
    static final int RINGERS_MAX = 1024;

    /** Read at once from one connection. If there is more, the poller finds it ready again, and nobody sleeps. */
    static final int RINGS_PER_TURN = 1024;

    private final Path file;
    private final Poller.Acceptor acceptor;
    private final Set<Ringer> ringers = new HashSet<>();

    private final ByteBuffer rings = ByteBuffer.allocateDirect(RINGS_PER_TURN);
    private boolean closed;

    private UnixBell(Poller poller, Path file) throws IOException {
        this.file = file;
        acceptor = poller.listen(file, this::accepted);
    }

    /** Makes the file and listens. */
    static UnixBell open(Poller poller, Path file) throws IOException {
        int bytes = file.toString().getBytes(StandardCharsets.UTF_8).length;
        if (bytes > PATH_BYTES_MAX) {
            throw new IOException("the path of a Unix domain socket has " + PATH_BYTES_MAX + " bytes at most, and "
                    + file + " has " + bytes);
        }
        // Looked at before, since Netty would remove it.
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new FileAlreadyExistsException(file.toString(), null, "a bell makes its file itself");
        }
        try {
            return new UnixBell(poller, file);
        } catch (IOException | RuntimeException e) {
            remove(file);
            Exception problem = e instanceof RuntimeException said ? Poller.problem(said) : e;
            throw new IOException("cannot listen at " + file + ": " + Poller.describe(problem), e);
        }
    }

    private static void remove(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.warn("{} cannot be removed: {}", file, Poller.describe(e));
        }
    }

    Path file() {
        return file;
    }

    boolean isOpen() {
        return !closed;
    }

    /** Accepts again if that failed a while ago. */
    void look(long nowNs) {
        acceptor.look(nowNs);
    }

    private void accepted(Poller.AcceptedSocket socket) {
        if (ringers.size() == RINGERS_MAX) {
            socket.close();
            return;
        }
        try {
            ringers.add(new Ringer(socket));
        } catch (IOException e) {
            LOG.debug("a process that came to ring could not be let in", e);
            socket.close();
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        acceptor.close();
        List.copyOf(ringers).forEach(Ringer::close);
        remove(file);
    }

    /** A process that is connected. */
    private final class Ringer implements StreamSocket.Listener {
        private final StreamSocket socket;

        Ringer(Poller.AcceptedSocket accepted) throws IOException {
            socket = accepted.open(this);
            socket.interest(true, false);
        }

        @Override
        public void ready(boolean readable, boolean writable) {
            try {
                if (socket.read(rings, 0, RINGS_PER_TURN) < 0) {
                    close();
                }
            } catch (IOException e) {
                LOG.debug("a process that rang has ended", e);
                close();
            }
        }

        void close() {
            ringers.remove(this);
            socket.close();
        }
    }
}
