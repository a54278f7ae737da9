/**
 * Networks with NATs, firewalls, delay, loss and limits of rate, for tests that run processes in them: {@link
 * io.zipcomm.testkit.lab.NetworkLab}. What the gateways do is in {@link io.zipcomm.testkit.lab.NatFlavour}; the wires are a
 * program in C, {@code wire.c}.
 *
 * <p>TCP hole punching by plain sockets connects these pairs of hosts behind different gateways, and no others; {@code
 * PunchTableTest} tries all of them, and {@link io.zipcomm.testkit.lab.NatFlavour#isPunchableTo} is the same as a function:
 *
 * <pre>
 *                                          PUBLIC,
 *                                          FULL_CONE,           SYMMETRIC   HTTPS_ONLY   the others
 *                                          ADDRESS_RESTRICTED
 * PUBLIC, FULL_CONE, ADDRESS_RESTRICTED    direct               direct      -            direct
 * SYMMETRIC                                direct               -           -            -
 * HTTPS_ONLY                               -                    -           -            -
 * the others                               direct               -           -            direct
 * </pre>
 *
 * <p>The others are FIREWALL, OUTBOUND_TCP_ONLY, CONE, CONE_RESET, ENDPOINT_INDEPENDENT, NO_HAIRPIN, ISOLATED, UDP_BLOCKED and
 * SHORT_IDLE. Neighbours behind one gateway connect by their private addresses, or where it hairpins; those of ISOLATED do not.
 * With the delay of new links a success takes 120 ms from the instant at which both sides begin, and as much longer as one of
 * them begins later.
 */
package io.zipcomm.testkit.lab;
