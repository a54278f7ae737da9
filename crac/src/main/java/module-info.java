/** Leaves groups before a checkpoint of CRaC or SnapStart. */
module io.zipcomm.crac {
    requires io.zipcomm;
    requires transitive org.crac;

    exports io.zipcomm.crac;
}
