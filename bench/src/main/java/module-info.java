/** The launcher, the harness and the examples. */
module io.zipcomm.bench {
    requires HdrHistogram;
    requires info.picocli;
    requires io.zipcomm.collectives;
    requires io.zipcomm.relay;
    requires io.netty.buffer;
    requires io.zipcomm.transport.tcp;
    requires java.management;
    requires jdk.management;
    requires jmh.core;
    requires lettuce.core;
    requires org.slf4j;

    opens io.zipcomm.bench.cli to
            info.picocli;
}
