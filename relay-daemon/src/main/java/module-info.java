/** The relay as a program. */
module io.zipcomm.relay.daemon {
    requires static ch.qos.logback.classic;
    requires static ch.qos.logback.core;
    requires transitive info.picocli;
    requires io.zipcomm.relay;
    requires jdk.unsupported;
    requires org.slf4j;

    exports io.zipcomm.relay.daemon;

    opens io.zipcomm.relay.daemon to
            info.picocli;
}
