package io.zipcomm.transport.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.membership.Candidate;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a rank tells others of itself: addresses, not names, without scopes. */
final class OwnCandidatesTest {

    @ParameterizedTest
    @ValueSource(strings = {"*", "0.0.0.0", "::", "localhost", "127.0.0.1"})
    void shouldPublishAddresses(String bind) {
        ZipSettings settings = ZipSettings.builder()
                .session("s")
                .size(2)
                .rank(0)
                .relay("127.0.0.1:7077")
                .set(Setting.BIND, bind)
                .build();
        TcpTransport transport = new TcpTransport(settings);
        try {
            List<Candidate> candidates = transport.candidates();
            assertEquals(Candidate.Kind.LOOPBACK, candidates.get(0).kind());
            for (Candidate candidate : candidates) {
                assertTrue(candidate.isAddress(), candidate.toString());
            }
        } finally {
            transport.close();
        }
    }
}
