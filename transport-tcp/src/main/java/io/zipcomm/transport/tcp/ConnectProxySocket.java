package io.zipcomm.transport.tcp;

import io.zipcomm.transport.ProxyAddress;
import io.zipcomm.transport.RelayAddress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** An HTTP proxy is asked to connect to the relay (CONNECT). When it has, bytes pass as they are. */
final class ConnectProxySocket extends LayeredSocket {

    private static final int OK = 200;
    private static final int OK_END = 300;
    private static final int AUTHENTICATION_REQUIRED = 407;
    private static final int FORBIDDEN = 403;
    private static final int BAD_METHOD = 405;

    private final ByteBuffer in = ByteBuffer.allocateDirect(HttpHead.BYTES_MAX);
    private final ProxyAddress proxy;
    private int inBytes;

    ConnectProxySocket(StreamSocket under, ProxyAddress proxy, RelayAddress relay) {
        super(under, HttpHead.BYTES_MAX);
        this.proxy = proxy;
        StringBuilder request = new StringBuilder("CONNECT ")
                .append(relay.hostAndPort())
                .append(" HTTP/1.1\r\nHost: ")
                .append(relay.hostAndPort())
                .append("\r\n");
        if (!proxy.credentials().isEmpty()) {
            byte[] credentials = proxy.credentials().getBytes(StandardCharsets.UTF_8);
            request.append("Proxy-Authorization: Basic ")
                    .append(Base64.getEncoder().encodeToString(credentials))
                    .append("\r\n");
        }
        room().put(request.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        filled();
    }

    @Override
    boolean handshake() throws IOException {
        flush();
        int end = HttpHead.end(in, inBytes);
        while (end < 0) {
            int bytes = under().read(in, inBytes, in.capacity());
            in.clear();
            if (bytes < 0) {
                throw new IOException("the proxy ended the connection");
            }
            if (bytes == 0) {
                return false;
            }
            inBytes += bytes;
            end = HttpHead.end(in, inBytes);
        }
        check(HttpHead.read(in, end));
        if (inBytes > end) {
            throw new RelayRefusal("the proxy sent " + (inBytes - end) + " bytes behind its answer");
        }
        return true;
    }

    private void check(HttpHead answer) throws IOException {
        int status = answer.status();
        if (status >= OK && status < OK_END) {
            return;
        }
        String said = "the proxy answered '" + answer.statusLine() + "'";
        switch (status) {
            case AUTHENTICATION_REQUIRED ->
                throw new RelayRefusal(
                        proxy.credentials().isEmpty()
                                ? said + ": it wants user and password, in ZIP_PROXY"
                                : said + ": user and password are wrong");
            case FORBIDDEN, BAD_METHOD ->
                throw new RelayRefusal(said + ": it does not allow connections to this host and port");
            default -> throw new IOException(said);
        }
    }

    // ---- afterwards

    @Override
    public int read(ByteBuffer target, int position, int limit) throws IOException {
        return under().read(target, position, limit);
    }

    @Override
    public long write(ByteBuffer[] sources, int count) throws IOException {
        return under().write(sources, count);
    }

    @Override
    boolean hasOwnInput() {
        return false;
    }

    @Override
    void sayEnd() {
        // The end of the connection is the end.
    }

    @Override
    void outputEnded() throws IOException {
        under().shutdownOutput();
    }
}
