package io.zipcomm.transport;

/**
 * Bytes and frames that crossed a transport's connections, headers included. Written by the engine holder, read by
 * anyone: readers may see slightly old values.
 */
public final class TransportCounters {

    /** Bytes taken by the operating system for direct connections. */
    public long directBytesSent;

    /** Bytes read from direct connections. */
    public long directBytesReceived;

    /** Bytes taken by the operating system for the relay's connection. */
    public long relayBytesSent;

    /** Bytes read from the relay's connection. */
    public long relayBytesReceived;

    /** Frames sent on any connection, those of handshakes and flow control too. */
    public long framesSent;

    /** Frames received on any connection, those of handshakes and flow control too. */
    public long framesReceived;

    /** Payloads that were written once for all peers; the frames to each of them are counted apart. */
    public long framesCast;

    /** Calls of the operating system that wrote. */
    public long writeCalls;

    /** Calls of the operating system that read. */
    public long readCalls;

    /** Zeroes. */
    public TransportCounters() {}

    /** All bytes sent. */
    public long bytesSent() {
        return directBytesSent + relayBytesSent;
    }

    /** All bytes received. */
    public long bytesReceived() {
        return directBytesReceived + relayBytesReceived;
    }
}
