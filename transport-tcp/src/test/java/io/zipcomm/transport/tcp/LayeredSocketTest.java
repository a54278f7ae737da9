package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** What a layer has to say by itself while the socket under it is full. */
final class LayeredSocketTest {

    private final Under under = new Under();
    private final Layer layer = new Layer(under);

    /** Takes as many bytes as it has room for. */
    private static final class Under implements StreamSocket {
        private final StringBuilder said = new StringBuilder();
        private int room;
        private boolean wantsToWrite;

        @Override
        public int read(ByteBuffer target, int position, int limit) {
            return 0;
        }

        @Override
        public long write(ByteBuffer[] sources, int count) {
            long written = 0;
            while (room > 0 && sources[0].hasRemaining()) {
                said.append((char) sources[0].get());
                room--;
                written++;
            }
            return written;
        }

        @Override
        public void interest(boolean readable, boolean writable) {
            wantsToWrite = writable;
        }

        @Override
        public boolean finishConnect() {
            return true;
        }

        @Override
        public void shutdownOutput() {}

        @Override
        public void moveTo(Poller poller) {

            throw new UnsupportedOperationException();
        }

        @Override
        public InetSocketAddress local() {
            return new InetSocketAddress(0);
        }

        @Override
        public InetSocketAddress remote() {
            return new InetSocketAddress(0);
        }

        @Override
        public void close() {}

        @Override
        public void abort() {}
    }

    /** Passes bytes on, and says P when it has to. */
    private static final class Layer extends LayeredSocket {
        private boolean due;

        Layer(StreamSocket under) {
            super(under, 100);
        }

        @Override
        boolean handshake() {
            return true;
        }

        @Override
        boolean hasOwnInput() {
            return false;
        }

        @Override
        void sayEnd() {}

        @Override
        void outputEnded() {}

        @Override
        boolean hasOwnOutput() {
            return due;
        }

        @Override
        void addOwnOutput() {
            due = false;
            room().put((byte) 'P');
            filled();
        }

        void say(String text) {
            for (int i = 0; i < text.length(); i++) {
                room().put((byte) text.charAt(i));
                filled();
            }
        }

        @Override
        public int read(ByteBuffer target, int position, int limit) {
            return 0;
        }

        @Override
        public long write(ByteBuffer[] sources, int count) {
            return 0;
        }
    }

    @Test
    void shouldSayItsOwnWordsBehindWhatWaits() throws IOException {
        layer.say("abc");
        under.room = 1;
        layer.due = true;
        assertFalse(layer.flush());
        layer.refresh();
        assertTrue(under.wantsToWrite);
        under.room = 2;
        layer.ready(false, true);
        assertTrue(under.wantsToWrite, "its own words wait for room");
        under.room = 10;
        layer.ready(false, true);
        assertEquals("abcP", under.said.toString());
        assertFalse(under.wantsToWrite);
    }
}
