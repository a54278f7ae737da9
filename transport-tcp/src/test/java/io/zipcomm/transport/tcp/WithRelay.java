package io.zipcomm.transport.tcp;

import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.testkit.LeakCheck;
import io.zipcomm.testkit.Seeds;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tests of which each has a relay of its own, open to all, and must leave nothing behind. */
abstract class WithRelay {

    @RegisterExtension
    final Seeds seeds = new Seeds();

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    RelayServer relay;

    @BeforeEach
    void startRelay() {
        relay = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
    }

    @AfterEach
    void stopRelay() {
        relay.close();
    }
}
