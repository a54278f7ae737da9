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

    private static final String PRIVATE =
            WORKS_NOT + ": it is private; only within one network do private addresses reach each other";
    private static final String FIREWALL = UNKNOWN + ": there is no NAT, but a firewall may drop what comes in";
    /** Of these there is nothing to be said before a relay in another network has seen this process. */
    static final String UNSEEN_PEERS = "equal or symmetric peer";

    private static final String UNSEEN = UNKNOWN
            + ": no relay outside has seen what is between here and other networks; --relay names one, or --peer tries with"
            + " a machine there";

    private final Nat nat;
    private final Map<String, String> lines = new LinkedHashMap<>();

    private LadderWords(Nat nat) {
        this.nat = nat;
    }

    /** By the name of a rung and a peer: what would come of it, and why. */
    static Map<String, String> of(Nat nat) {
        LadderWords words = new LadderWords(nat);
        words.lines.put("loopback", WORKS + " between ranks of this machine; others skip it");
        words.open();
        if (nat.mapping() == Mapping.UNSEEN) {
            words.lines.put(UNSEEN_PEERS, UNSEEN);
        } else {
            words.likeThis();
            words.symmetric();
        }
        words.lines.put("any peer, relay", words.relay());
        return words.lines;
    }

    private void put(String peer, Rung rung, String text) {
        boolean direct = nat.mapping() != Mapping.PROXY;
        lines.put(
                peer + ", " + rung.label(), direct ? text : WORKS_NOT + ": only what goes through the proxy gets out");
    }

    /** To say of what works, if connections to other ports get out. */
    private String works(String why) {
        return nat.otherPorts() == Seen.YES
                ? WORKS + ": " + why
                : UNKNOWN + ": " + why + ", if this network lets connections out to ports other than the relay's";
    }

    /** A peer behind a NAT of the same kind, or behind none if there is none here. */
    private void likeThis() {
        String peer = "equal peer";
        put(peer, Rung.OWN, byMapping(FIREWALL, PRIVATE));
        put(
                peer,
                Rung.OBSERVED,
                byMapping(FIREWALL, UNKNOWN + ": its NAT has to let in strangers, which few do; --peer tries"));
        put(
                peer,
                Rung.PUNCH,
                switch (nat.mapping()) {
                    case NONE -> works("both open their firewall to each other, if there is one");
                    case STEADY -> works("each knows where the other's packets come from");
                    case CHANGING -> WORKS_NOT + ": neither can know from which port the other comes";
                    case UNKNOWN ->
                        UNKNOWN + ": it works if the NAT maps a port to the same place for every destination";
                    case UNSEEN, PROXY -> UNSEEN;
                });
    }

    /** A peer with a public address. */
    private void open() {
        String peer = "public peer";
        put(peer, Rung.OWN, works("this process connects to it"));
        put(peer, Rung.OBSERVED, works("this process connects to it, at the same address"));
        put(
                peer,
                Rung.PUNCH,
                nat.mapping() == Mapping.CHANGING
                        ? "not needed; would not help if a firewall there lets in only what it has asked for"
                        : "not needed; would help if a firewall there lets in only what it has asked for");
    }

    private void symmetric() {
        String peer = "symmetric peer";
        String comesIn = UNKNOWN + ": the peer comes from a port nobody can know; a firewall here may drop that";
        put(peer, Rung.OWN, byMapping(comesIn, PRIVATE));
        put(
                peer,
                Rung.OBSERVED,
                byMapping(comesIn, UNKNOWN + ": the NAT here has to let in strangers, which few do; --peer tries"));
        put(
                peer,
                Rung.PUNCH,
                nat.mapping() == Mapping.CHANGING
                        ? WORKS_NOT + ": neither can know from which port the other comes"
                        : UNKNOWN
                                + ": it works if what is here lets in any port of an address to which this process has"
                                + " sent, which few NATs do");
    }

    private String byMapping(String withoutNat, String withNat) {
        return switch (nat.mapping()) {
            case NONE -> withoutNat;
            case STEADY, CHANGING, UNKNOWN -> withNat;
            case UNSEEN, PROXY -> UNSEEN;
        };
    }

    private String relay() {
        return switch (nat.reach()) {
            case YES -> WORKS + ": it is where every link begins, and what stays when nothing else opens";
            case NO -> WORKS_NOT + ": no relay is reached from here";
            case UNKNOWN -> UNKNOWN + ": a relay answers, but has not admitted this process";
        };
    }
}
