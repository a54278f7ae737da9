package io.zipcomm.transport.tcp;

import org.junit.jupiter.api.Tag;

/** Paths through a real relay, in TLS, on nio, keep the contract. */
@Tag("long")
final class RelayedTlsNioContractTest extends RelayedContract {

    RelayedTlsNioContractTest() {
        super("nio", Way.Kind.ZIPS);
    }
}
