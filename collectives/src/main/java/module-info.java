/** Collective operations over any transport. */
module io.zipcomm.collectives {
    requires transitive io.zipcomm;

    exports io.zipcomm.collectives;
    exports io.zipcomm.collectives.kernel to
            io.zipcomm.bench;
    exports io.zipcomm.collectives.pattern to
            io.zipcomm.bench;
    exports io.zipcomm.collectives.plan to
            io.zipcomm.bench;
    exports io.zipcomm.collectives.select to
            io.zipcomm.bench;

    provides io.zipcomm.internal.Combiner.Provider with
            io.zipcomm.collectives.kernel.BlockCombiner.Provider;
}
