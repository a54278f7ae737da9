package io.zipcomm.testkit;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/** An authority of a test, and certificates from it, as PEM files in a folder. */
public final class TestCertificates {

    private static final Duration DAY = Duration.ofDays(1);

    private final Path folder;
    private final X509Bundle authority;

    /** A certificate chain and its key. */
    public record Pair(Path certificate, Path key) {}

    /**
     * A new authority.
     *
     * @param folder where files go
     */
    public TestCertificates(Path folder) {
        this.folder = folder;
        try {
            authority = valid(new CertificateBuilder())
                    .ecp256()
                    .subject("CN=Authority of a test")
                    .setIsCertificateAuthority(true)
                    .setKeyUsage(true, CertificateBuilder.KeyUsage.keyCertSign, CertificateBuilder.KeyUsage.cRLSign)
                    .buildSelfSigned();
        } catch (Exception e) {
            throw new IllegalStateException("no authority", e);
        }
        write("authority-" + System.identityHashCode(this) + ".pem", authority.getCertificatePEM());
    }

    private static CertificateBuilder valid(CertificateBuilder builder) {
        return builder.notBefore(Instant.now().minus(DAY))
                .notAfter(Instant.now().plus(DAY));
    }

    /** The authority's own certificate. */
    public Path authority() {
        return folder.resolve("authority-" + System.identityHashCode(this) + ".pem");
    }

    /**
     * A certificate for a relay on this machine: {@code localhost}, {@code 127.0.0.1} and {@code ::1}, and for ranks.
     *
     * @param name of the files
     */
    public Pair local(String name) {
        return issue(
                name,
                valid(new CertificateBuilder())
                        .addSanDnsName("localhost")
                        .addSanIpAddress("127.0.0.1")
                        .addSanIpAddress("::1"));
    }

    /** A certificate for another host. */
    public Pair forHost(String name, String host) {
        return issue(name, valid(new CertificateBuilder()).addSanDnsName(host));
    }

    /** A certificate for this machine that was good until yesterday. */
    public Pair expired(String name) {
        return issue(
                name,
                new CertificateBuilder()
                        .notBefore(Instant.now().minus(DAY.multipliedBy(3)))
                        .notAfter(Instant.now().minus(DAY))
                        .addSanDnsName("localhost")
                        .addSanIpAddress("127.0.0.1"));
    }

    private Pair issue(String name, CertificateBuilder builder) {
        try {
            X509Bundle bundle = builder.ecp256()
                    .subject("CN=" + name)
                    .setKeyUsage(true, CertificateBuilder.KeyUsage.digitalSignature)
                    .addExtendedKeyUsageServerAuth()
                    .addExtendedKeyUsageClientAuth()
                    .buildIssuedBy(authority);
            return new Pair(
                    write(name + ".pem", bundle.getCertificatePathPEM()),
                    write(name + ".key", bundle.getPrivateKeyPEM()));
        } catch (Exception e) {
            throw new IllegalStateException("no certificate " + name, e);
        }
    }

    private Path write(String name, String text) {
        try {
            return Files.writeString(folder.resolve(name), text);
        } catch (IOException e) {
            throw new IllegalStateException("cannot write " + name, e);
        }
    }
}
