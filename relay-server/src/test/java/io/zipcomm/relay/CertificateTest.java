package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.testkit.TestCertificates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the relay takes for a certificate, and what a reload does with it. */
@Timeout(60)
final class CertificateTest {

    private static final int PATIENCE_MS = 10_000;

    @TempDir
    private Path folder;

    private static RelaySettings.Builder with(TestCertificates.Pair pair) {
        return RelayFixture.insecure()
                .set(RelayOption.TLS_CERT, pair.certificate().toString())
                .set(RelayOption.TLS_KEY, pair.key().toString());
    }

    private static String problem(Runnable wrong) {
        ZipException problem = assertThrows(ZipException.class, wrong::run);
        assertEquals(ErrorCode.BAD_SETTING, problem.code());
        return problem.getMessage();
    }

    /** Who trusts one authority only comes in. */
    private static void connect(RelayFixture fixture, Path authority) throws IOException {
        JdkSslContext trusting = (JdkSslContext) SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK)
                .trustManager(authority.toFile())
                .build();
        try (SSLSocket socket = (SSLSocket)
                trusting.context().getSocketFactory().createSocket(fixture.at.getAddress(), fixture.at.getPort())) {
            socket.setSoTimeout(PATIENCE_MS);
            socket.startHandshake();
        }
    }

    private static void replace(Path file, Path by) throws IOException {
        Files.copy(by, file, StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void shouldNotStartWithKeyOfAnotherCertificate() {
        TestCertificates certificates = new TestCertificates(folder);
        TestCertificates.Pair one = certificates.local("one");
        TestCertificates.Pair other = certificates.local("other");
        TestCertificates.Pair mixed = new TestCertificates.Pair(one.certificate(), other.key());
        String told = problem(() -> RelayServer.start(with(mixed).build()).close());
        assertTrue(told.contains("one.pem"), told);
        assertTrue(told.contains("other.key"), told);
        assertTrue(told.contains("do not fit"), told);
        new RelayCertificates(with(one).build().door());
        new RelayCertificates(with(one)
                .set(RelayOption.TLS_CLIENT_CA, certificates.authority().toString())
                .build()
                .door());
    }

    /** A reload amid the replacing of both. */
    @Test
    void shouldKeepTheOldCertificateIfTheNewOneDoesNotFitItsKey() throws Exception {
        TestCertificates certificates = new TestCertificates(folder);
        TestCertificates.Pair own = certificates.local("own");
        TestCertificates successors = new TestCertificates(Files.createDirectory(folder.resolve("new")));
        TestCertificates.Pair next = successors.local("next");
        try (RelayFixture fixture = new RelayFixture(with(own))) {
            replace(own.certificate(), next.certificate());
            assertTrue(problem(fixture.relay::reloadCertificates).contains("do not fit"));
            connect(fixture, certificates.authority());
            replace(own.key(), next.key());
            fixture.relay.reloadCertificates();
            connect(fixture, successors.authority());
        }
    }

    /** The same where nobody asks: it is only looked whether files have changed. */
    @Test
    void shouldKeepTheOldCertificateWhileFilesDoNotFit() throws Exception {
        TestCertificates certificates = new TestCertificates(folder);
        TestCertificates.Pair own = certificates.local("own");
        TestCertificates.Pair next = certificates.local("next");
        RelayCertificates found = new RelayCertificates(with(own).build().door(), 0);
        Object before = found.context();
        replace(own.key(), next.key());
        touch(own.key());
        assertEquals(before, found.context());
        replace(own.certificate(), next.certificate());
        touch(own.certificate());
        assertNotNull(found.context());
        assertTrue(before != found.context());
    }

    /** Clocks of file systems may be coarse. */
    private static void touch(Path file) throws IOException {
        Files.setLastModifiedTime(
                file,
                java.nio.file.attribute.FileTime.fromMillis(
                        Files.getLastModifiedTime(file).toMillis() + 5000));
    }

    @Test
    void shouldTakeOverNothingOfAReloadThatIsRefused() throws Exception {
        TestCertificates certificates = new TestCertificates(folder);
        TestCertificates.Pair own = certificates.local("own");
        TestCertificates successors = new TestCertificates(Files.createDirectory(folder.resolve("new")));
        TestCertificates.Pair next = successors.local("next");
        try (RelayFixture fixture = new RelayFixture(with(own))) {
            replace(own.certificate(), next.certificate());
            replace(own.key(), next.key());
            RelaySettings keyed = RelaySettings.builder()
                    .listen("127.0.0.1:0")
                    .secret(RelaySecret.random())
                    .build();
            assertTrue(problem(() -> fixture.relay.reload(keyed)).contains("insecure"));
            connect(fixture, certificates.authority());
            assertThrows(SSLHandshakeException.class, () -> connect(fixture, successors.authority()));
            // And limits stay if the files are at fault.
            Files.writeString(own.key(), "nonsense");
            RelaySettings raised = with(own).set(RelayOption.SESSIONS_MAX, "7").build();
            int before = fixture.relay.settings().sessionsMax();
            assertTrue(problem(() -> fixture.relay.reload(raised)).contains("own.key"));
            assertEquals(before, fixture.relay.settings().sessionsMax());
            replace(own.key(), next.key());
            fixture.relay.reload(raised);
            assertEquals(7, fixture.relay.settings().sessionsMax());
            connect(fixture, successors.authority());
        }
    }

    /** Whoever leaves TLS out would need no certificate. */
    @Test
    void shouldNotAskForCertificatesAndLetPeopleInWithout() {
        TestCertificates certificates = new TestCertificates(folder);
        RelaySettings.Builder settings = with(certificates.local("own"))
                .set(RelayOption.TLS_CLIENT_CA, certificates.authority().toString());
        assertTrue(settings.build().door().tlsRequired());
        String told = problem(settings.set(RelayOption.TLS_REQUIRED, "false")::build);
        assertTrue(told.contains("tls-client-ca needs tls-required"), told);
    }
}
