/** The launcher, the harness and the examples. */
module io.zipcomm.bench {
    requires HdrHistogram;
    requires com.fasterxml.jackson.core;
    requires com.samskivert.jmustache;
    requires info.picocli;
    requires io.zipcomm.collectives;
    requires io.zipcomm.relay;
    requires io.zipcomm.relay.daemon;
    requires io.netty.buffer;
    requires io.zipcomm.transport.tcp;
    requires java.management;
    requires jdk.management;
    requires jmh.core;
    requires lettuce.core;
    requires org.slf4j;

    opens io.zipcomm.bench.cli to
            info.picocli;
    opens io.zipcomm.bench.report.html to
            com.samskivert.jmustache;
}
