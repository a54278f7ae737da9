package io.zipcomm.transport.tcp;

import io.zipcomm.settings.Setting;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import javax.net.ssl.SSLException;

/** What the platform says of a TLS failure, in words that tell a user what to do. */
final class TlsProblem {

    private TlsProblem() {}

    /** A phrase. */
    static String of(SSLException failure) {
        String text = String.valueOf(failure.getMessage());
        String what = ofCertificate(failure);
        if (what == null) {
            what = ofMessage(text);
        }
        return what == null ? text : what + " (" + text + ")";
    }

    /** Whether trying again is of no use, though it is not a failed handshake. */
    static boolean isLasting(SSLException failure) {
        return ofMessage(String.valueOf(failure.getMessage())) != null;
    }

    private static String ofCertificate(Throwable failure) {
        boolean certificate = false;
        boolean path = false;
        for (Throwable one = failure; one != null; one = one.getCause()) {
            if (one instanceof CertificateExpiredException) {
                return "the relay's certificate has expired";
            }
            if (one instanceof CertificateNotYetValidException) {
                return "the relay's certificate is not valid yet";
            }
            path |= one instanceof CertPathBuilderException || one instanceof CertPathValidatorException;
            certificate |= one instanceof CertificateException;
        }
        if (path) {
            return "the relay's certificate is from an authority that is not trusted here: see "
                    + Setting.RELAY_CA.variable();
        }
        return certificate && String.valueOf(failure.getMessage()).matches("(?s).*(subject alternative|[Nn]o name).*")
                ? "the relay's certificate is for another name"
                : null;
    }

    private static String ofMessage(String text) {
        if (text.contains("Unsupported or unrecognized SSL message") || text.contains("plaintext connection")) {
            return "what answers there does not speak TLS";
        }
        if (text.contains("certificate_required") || text.contains("bad_certificate")) {
            return "the relay wants a certificate: see " + Setting.TLS_CERT.variable();
        }
        if (text.contains("unknown_ca") || text.contains("certificate_unknown")) {
            return "the relay does not accept the certificate in " + Setting.TLS_CERT.variable();
        }
        return null;
    }
}
