/** What the other modules are tested with. */
module io.zipcomm.testkit {
    requires io.netty.pkitesting;
    requires transitive io.zipcomm;
    requires transitive org.junit.jupiter.api;

    exports io.zipcomm.testkit;
    exports io.zipcomm.testkit.lab;

    provides org.junit.jupiter.api.extension.Extension with
            io.zipcomm.testkit.SkipReasons;
}
