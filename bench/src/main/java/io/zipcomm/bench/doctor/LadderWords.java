package io.zipcomm.bench.doctor;

import io.zipcomm.bench.doctor.Nat.Mapping;
import io.zipcomm.bench.doctor.Nat.Seen;
import java.util.LinkedHashMap;
import java.util.Map;

/** Foretells what each rung of the ladder would do with three kinds of peers in other networks. Rules only. */
final class LadderWords {

    private static final String WORKS = "would work";
    private static final String WORKS_NOT = "would not work";
    private static final String UNKNOWN = "cannot be told alone";

    private final Nat nat;
    private final Map<String, String> lines = new LinkedHashMap<>();

    private LadderWords(Nat nat) {
        this.nat = nat;
    }

    /** By the name of a rung and a peer: what would come of it, and why. */
    static Map<String, String> of(Nat nat) {
        LadderWords words = new LadderWords(nat);
        words.lines.put("loopback", WORKS + " between ranks of this machine; others skip it");
        words.likeThis();
        words.open();
        words.symmetric();
        words.lines.put("any peer, relay", words.relay());
        return words.lines;
    }

    private void put(Rung rung, String peer, String text) {
        boolean direct = nat.mapping() != Mapping.PROXY;
        lines.put(
                peer + ", " + rung.label(), direct ? text : WORKS_NOT + ": only what goes through the proxy gets out");
    }

    /** To say of what works, if connections to other ports may not get out. */
    private String works(String why) {
        return nat.otherPorts() == Seen.YES
                ? WORKS + ": " + why
                : UNKNOWN + ": " + why + ", if this network lets connections out to ports other than the relay's";
    }

    private void likeThis() {
        String peer = "equal peer";
        boolean open = nat.mapping() == Mapping.NONE;
        String unlessFirewall = UNKNOWN + ": there is no NAT, but a firewall may drop what comes in";
        put(
                Rung.OWN,
                peer,
                open
                        ? unlessFirewall
                        : WORKS_NOT + ": it is private; only within one network do private addresses reach each other");
        put(
                Rung.OBSERVED,
                peer,
                open ? unlessFirewall : UNKNOWN + ": its NAT has to let in strangers, which few do; --peer tries");
        put(
                Rung.PUNCH,
                peer,
                switch (nat.mapping()) {
                    case NONE -> works("both open their firewall to each other, if there is one");
                    case STEADY -> works("each knows where the other's packets come from");
                    case CHANGING -> WORKS_NOT + ": neither can know from which port the other comes";
                    case UNKNOWN, PROXY ->
                        UNKNOWN + ": if a NAT here maps a port to the same place for every destination, it works";
                });
    }

    private void open() {
        String peer = "public peer";
        String why = "this process connects to it";
        put(Rung.OWN, peer, works(why));
        put(Rung.OBSERVED, peer, works(why + ", at the same address"));
        put(
                Rung.PUNCH,
                peer,
                nat.mapping() == Mapping.CHANGING
                        ? works(
                                "not needed, unless a firewall there lets in only what it has asked for: then it does not")
                        : works("not needed, unless a firewall there lets in only what it has asked for"));
    }

    private void symmetric() {
        String peer = "symmetric peer";
        boolean none = nat.mapping() == Mapping.NONE;
        String comesIn = UNKNOWN + ": the peer comes from a port nobody can know; a firewall here may drop that";
        put(
                Rung.OWN,
                peer,
                none
                        ? comesIn
                        : WORKS_NOT + ": it is private; only within one network do private addresses reach each other");
        put(
                Rung.OBSERVED,
                peer,
                none ? comesIn : UNKNOWN + ": the NAT here has to let in strangers, which few do; --peer tries");
        put(
                Rung.PUNCH,
                peer,
                switch (nat.mapping()) {
                    case NONE, STEADY, UNKNOWN, PROXY ->
                        UNKNOWN
                                + ": only if this side lets in any port of an address to which it has sent, which few NATs do";
                    case CHANGING -> WORKS_NOT + ": neither can know from which port the other comes";
                });
    }

    private String relay() {
        return switch (nat.reach()) {
            case YES -> WORKS + ": it is where every link begins, and what stays when nothing else opens";
            case NO -> WORKS_NOT + ": no relay is reached from here";
            case UNKNOWN -> UNKNOWN + ": a relay answers, but has not admitted this process";
        };
    }
}
