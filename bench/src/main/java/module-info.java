/** The launcher and the harness. */
module io.zipcomm.bench {
    requires HdrHistogram;
    requires info.picocli;
    requires io.zipcomm.collectives;
    requires io.zipcomm.relay;
    requires io.zipcomm.transport.tcp;
    requires jmh.core;
    requires org.slf4j;

    opens io.zipcomm.bench to
            info.picocli;
}
