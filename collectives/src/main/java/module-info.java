/** Collective operations over any transport. */
module io.zipcomm.collectives {
    requires transitive io.zipcomm;

    exports io.zipcomm.collectives;
}
