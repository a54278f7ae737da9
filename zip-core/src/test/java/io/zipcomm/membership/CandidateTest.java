package io.zipcomm.membership;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CandidateTest {

    /** A peer says what it likes; nothing that has to be looked up, and no port that there is not, may come of it. */
    @ParameterizedTest
    @CsvSource({
        "10.0.0.1, 1, true",
        "255.255.255.255, 65535, true",
        "2001:db8::1, 7077, true",
        "::ffff:10.0.0.1, 7077, true",
        "10.0.0.1, 0, false",
        "10.0.0.1, -1, false",
        "10.0.0.1, 65536, false",
        "10.0.0.256, 7077, false",
        "10.0.1, 7077, false",
        "localhost, 7077, false",
        "relay.example.com, 7077, false",
        "fe80::1%eth0, 7077, false",
        "'', 7077, false"
    })
    void shouldBeAnAddressOrNot(String host, int port, boolean expected) {
        assertEquals(expected, new Candidate(Candidate.Kind.PRIVATE, "tcp", host, port).isAddress());
    }

    /** What is behind the slash goes to a library in another language as bytes. */
    @ParameterizedTest
    @CsvSource({
        "tcp;ofi_rxm/0200a1b2, 0, true",
        "shm/00, 0, true",
        "shm/00, 1, false",
        "shm/0, 0, false",
        "shm/, 0, false",
        "/00, 0, false",
        "shm/0G, 0, false",
        "shm/00/00, 0, false",
        "../00, 0, false",
        "10.0.0.1, 0, false"
    })
    void shouldBeSoundInAFabricOrNot(String host, int port, boolean expected) {
        Candidate candidate = new Candidate(Candidate.Kind.FABRIC, "rdma", host, port);
        assertEquals(expected, candidate.isSound());
        assertEquals(false, candidate.isAddress());
    }

    @Test
    void shouldNotBeSoundWithALongAddress() {
        String most = "00".repeat(512);
        assertEquals(true, new Candidate(Candidate.Kind.FABRIC, "rdma", "efa/" + most, 0).isSound());
        assertEquals(false, new Candidate(Candidate.Kind.FABRIC, "rdma", "efa/00" + most, 0).isSound());
    }
}
