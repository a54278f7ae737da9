/**
 * The whole stack in virtual time: ranks with their real engines, links and sockets' code, and a real relay, over simulated
 * connections. Here are time, threads, hosts and the network; programs, faults and the checks. What reaches into transport-tcp and
 * relay-server is in their packages.
 */
package io.zipcomm.simulation;
