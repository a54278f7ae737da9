package io.zipcomm.relay;

import org.junit.jupiter.api.Test;

abstract class FuzzAbuse extends AbuseTest.Abuse {
    @Test
    void todo() {}
}
