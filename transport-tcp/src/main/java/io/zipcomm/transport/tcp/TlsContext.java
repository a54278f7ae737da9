package io.zipcomm.transport.tcp;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.settings.RelayAccess;
import io.zipcomm.settings.Setting;
import io.zipcomm.transport.RelayAddress;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;

/** Whom this process trusts to be a relay, and what it proves itself with. Files are read when a connection is opened. */
final class TlsContext {

    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};
    private static final List<String> KEY_KINDS = List.of("EC", "RSA", "EdDSA");
    private static final char[] NO_PASSWORD = new char[0];
    private static final String BEGIN = "-----BEGIN ";
    private static final String KEY_LABEL = "PRIVATE KEY-----";

    /** Of the settings that were used last: the second connection to a relay takes up the session of the first. */
    private static TlsContext latest;

    private final RelayAccess access;
    private final long changedMs;
    private final SSLContext context;

    private TlsContext(RelayAccess access, long changedMs) {
        this.access = access;
        this.changedMs = changedMs;
        try {
            context = SSLContext.getInstance("TLS");
            context.init(
                    access.certificateFile().isEmpty() ? null : keys(access).getKeyManagers(),
                    access.caFile().isEmpty() ? null : trust(access.caFile()).getTrustManagers(),
                    null);
        } catch (GeneralSecurityException | IOException e) {
            throw new ZipException(ErrorCode.BAD_SETTING, "TLS cannot be used: " + e.getMessage(), e);
        }
    }

    /**
     * An engine for one connection.
     *
     * @throws ZipException with code BAD_SETTING if a file cannot be read or used
     */
    static SSLEngine engine(RelayAccess access, RelayAddress relay) {
        SSLEngine engine = of(access).context.createSSLEngine(relay.name(), relay.port());
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(PROTOCOLS);
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        engine.setSSLParameters(parameters);
        return engine;
    }

    /** Drops sessions that could be taken up, and what was read from files. */
    static synchronized void forget() {
        latest = null;
    }

    private static synchronized TlsContext of(RelayAccess access) {
        long changedMs = changedMs(access.caFile()) + changedMs(access.certificateFile()) + changedMs(access.keyFile());
        if (latest == null || !latest.access.equals(access) || latest.changedMs != changedMs) {
            latest = new TlsContext(access, changedMs);
        }
        return latest;
    }

    private static long changedMs(String file) {
        try {
            return file.isEmpty() ? 0 : Files.getLastModifiedTime(Path.of(file)).toMillis();
        } catch (IOException e) {
            // Reading it will say what is wrong with it.
            return 0;
        }
    }

    private static TrustManagerFactory trust(String file) throws GeneralSecurityException, IOException {
        KeyStore authorities = KeyStore.getInstance("PKCS12");
        authorities.load(null, null);
        for (Certificate one : certificates(Setting.RELAY_CA, file)) {
            authorities.setCertificateEntry("authority " + authorities.size(), one);
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(authorities);
        return factory;
    }

    private static KeyManagerFactory keys(RelayAccess access) throws GeneralSecurityException, IOException {
        Collection<? extends Certificate> chain = certificates(Setting.TLS_CERT, access.certificateFile());
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry("own", key(access.keyFile()), NO_PASSWORD, chain.toArray(Certificate[]::new));
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(own, NO_PASSWORD);
        return factory;
    }

    private static Collection<? extends Certificate> certificates(Setting setting, String file)
            throws GeneralSecurityException {
        byte[] text = read(setting, file);
        Collection<? extends Certificate> certificates =
                CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(text));
        if (certificates.isEmpty()) {
            throw wrong(setting, file, "there is no certificate in it");
        }
        return certificates;
    }

    private static PrivateKey key(String file) throws GeneralSecurityException {
        String text = new String(read(Setting.TLS_KEY, file), StandardCharsets.US_ASCII);
        String begin = BEGIN + KEY_LABEL;
        int from = text.indexOf(begin);
        int to = text.indexOf("-----END " + KEY_LABEL);
        if (from < 0 || to < from) {
            throw wrong(Setting.TLS_KEY, file, "expected a line '" + begin + "' (PKCS#8, not encrypted)");
        }
        byte[] encoded = Base64.getMimeDecoder().decode(text.substring(from + begin.length(), to));
        for (String kind : KEY_KINDS) {
            try {
                return KeyFactory.getInstance(kind).generatePrivate(new PKCS8EncodedKeySpec(encoded));
            } catch (InvalidKeySpecException e) {
                org.slf4j.LoggerFactory.getLogger(TlsContext.class).debug("not a key of kind {}", kind, e);
            }
        }
        throw wrong(Setting.TLS_KEY, file, "expected a key of one of the kinds " + KEY_KINDS);
    }

    private static byte[] read(Setting setting, String file) {
        try {
            return Files.readAllBytes(Path.of(file));
        } catch (IOException e) {
            throw wrong(setting, file, "it cannot be read: " + e);
        }
    }

    private static ZipException wrong(Setting setting, String file, String problem) {
        return new ZipException(ErrorCode.BAD_SETTING, setting.variable() + " is '" + file + "': " + problem);
    }
}
