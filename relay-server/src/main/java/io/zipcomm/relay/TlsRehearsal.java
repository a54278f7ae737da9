package io.zipcomm.relay;

import io.netty.handler.ssl.JdkSslContext;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * A handshake in memory. Files are read without anybody comparing them: that a key belongs to another certificate, or is of a
 * kind that TLS has no use for, shows when the first client checks a signature, and then it is the relay that nobody reaches.
 */
final class TlsRehearsal {

    private static final int STEPS_MAX = 1000;
    private static final int RECORDS = 4;

    private final ByteBuffer application;

    private TlsRehearsal(SSLEngine engine) {
        application = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
    }

    /**
     * Has a client that trusts everybody come to the relay. Whom the relay trusts is not asked.
     *
     * @throws SSLException if no client could finish the handshake
     */
    static void run(JdkSslContext relay, String... protocols) throws SSLException {
        SSLEngine server = relay.context().createSSLEngine();
        server.setUseClientMode(false);
        SSLEngine client = trusting().createSSLEngine();
        client.setUseClientMode(true);
        for (SSLEngine engine : new SSLEngine[] {server, client}) {
            engine.setEnabledProtocols(protocols);
            engine.beginHandshake();
        }
        new TlsRehearsal(server).play(server, client);
    }

    private void play(SSLEngine server, SSLEngine client) throws SSLException {
        int bytes = RECORDS * server.getSession().getPacketBufferSize();
        ByteBuffer toServer = ByteBuffer.allocate(bytes);
        ByteBuffer toClient = ByteBuffer.allocate(bytes);
        for (int i = 0; i < STEPS_MAX; i++) {
            step(client, toClient, toServer);
            step(server, toServer, toClient);
            if (isOver(client) && isOver(server)) {
                return;
            }
        }
        throw new SSLException("a handshake in memory does not end");
    }

    private static boolean isOver(SSLEngine engine) {
        return engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING;
    }

    private void step(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
        switch (engine.getHandshakeStatus()) {
            case NEED_TASK -> engine.getDelegatedTask().run();
            case NEED_WRAP -> engine.wrap(ByteBuffer.allocate(0), out);
            default -> {
                in.flip();
                engine.unwrap(in, application);
                in.compact();
            }
        }
    }

    private static SSLContext trusting() throws SSLException {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {new TrustingEverybody()}, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new SSLException(e);
        }
    }

    /** Of this handshake only, which nothing goes over. */
    private static final class TrustingEverybody extends X509ExtendedTrustManager {

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
